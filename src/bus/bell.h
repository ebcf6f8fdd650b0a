// Bell wakes those who wait for something to change, with a limit by the injected clock. A ring between looking and
// waiting is not missed: the waiter says up to which ring it had looked. Loop only.
#pragma once

#include <cstdint>

#include "core/clock.h"
#include "core/task.h"

namespace headrace::bus {

class Bell {
 public:
  explicit Bell(core::Executor executor) : signal_(std::move(executor)) {}
  void ring() {
    ++rung_;
    signal_.notify_all();
  }
  uint64_t rung() const { return rung_; }
  core::Task<> wait(uint64_t looked_at);
  // False when the limit passed first. The clock outlives the wait, the bell too.
  core::Task<bool> wait_for(uint64_t looked_at, core::Clock& clock, core::Duration limit);

 private:
  core::Signal signal_;
  uint64_t rung_ = 0;
};

// Whichever ends first; the other is cancelled. True: it was the task.
core::Task<bool> within(core::Task<> task, core::Clock& clock, core::Duration limit);

}  // namespace headrace::bus
