// Pulse is how many events the log took in each of the last seconds, so that whoever opens a page sees what was before.
// Loop only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "core/clock.h"
#include "core/task.h"

namespace headrace::server {

class Pulse {
 public:
  static constexpr size_t seconds_max = 120;

  // `durable` answers the offset of the newest durable event. Loop, clock and what it asks outlive this.
  Pulse(core::Loop& loop, core::Clock& clock, std::function<uint64_t()> durable);

  void start();
  core::Task<> stop();

  struct Beat {
    core::Time until;     // of the second
    uint64_t events = 0;  // in it
  };
  const std::deque<Beat>& beats() const { return beats_; }  // oldest first; whole seconds only

 private:
  core::Task<> count();

  core::Clock& clock_;
  std::function<uint64_t()> durable_;
  std::deque<Beat> beats_;
  core::Scope tasks_;
};

}  // namespace headrace::server
