// Time, injected: production has the system's clock, a test owns a simulated one (core/testing/simulated_clock.h).
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/task.h"

namespace headrace::core {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::sys_time<Duration>;  // wall clock, UTC, for what people and other machines read
using Steady = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // never steps, for measuring and waiting

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;       // any thread
  virtual Steady steady() const = 0;  // any thread
  // Loop only. Ends early, by the exception of cancellation, when its task is cancelled.
  virtual Task<> sleep_for(Duration duration) = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override;
  Steady steady() const override;
  Task<> sleep_for(Duration duration) override;
};

// RFC 3339 in UTC with as many fraction digits as needed of 0, 3, 6, 9: "2026-11-23T07:16:00.123456Z".
std::string format_time(Time time);

// RFC 3339, any offset, up to nine fraction digits (more are cut). Fails with Code::invalid, naming what is wrong.
Result<Time> parse_time(std::string_view text);

}  // namespace headrace::core
