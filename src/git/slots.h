// Slots bounds how many git processes run at once; who comes beyond waits in line, and is refused when the line is
// long.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "core/result.h"
#include "core/task.h"

namespace headrace::git {

class Slots {
 public:
  struct Limits {
    size_t slots = 1;
    size_t waiting_max = 0;
    std::chrono::milliseconds wait_max{0};
  };
  class Slot {  // given back when destroyed
   public:
    explicit Slot(Slots& slots) : slots_(&slots) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot();

   private:
    Slots* slots_;
  };

  Slots(core::Executor executor, Limits limits) : limits_(limits), given_back_(std::move(executor)) {}

  core::Task<core::Result<Slot>> take();  // exhausted: waiting_max wait already, or wait_max has passed
  size_t taken() const { return taken_; }
  size_t waiting() const { return waiting_; }

 private:
  struct InLine;
  bool full() const { return taken_ >= limits_.slots; }

  Limits limits_;
  core::Signal given_back_;
  size_t taken_ = 0;
  size_t waiting_ = 0;
};

}  // namespace headrace::git
