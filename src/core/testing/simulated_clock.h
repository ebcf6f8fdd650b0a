// A clock whose time moves only by advance(): hours pass in a microsecond, and the same way every time.
//
// Sleepers are resumed in the order of their deadlines (equal ones in the order they went to sleep), each at exactly
// its deadline, and the loop is polled dry before the next: what a woken task does, and a further sleep it starts,
// happens at the moment it would in the world. Work on other threads (a Pool, a log's thread) is not waited for.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "core/clock.h"
#include "core/task.h"

namespace headrace::core::testing {

class SimulatedClock final : public Clock {
 public:
  SimulatedClock();                     // drives no loop: time only
  explicit SimulatedClock(Loop& loop);  // advance() drives it; it outlives this
  ~SimulatedClock() override;

  Time now() const override;                     // 2026-01-01T00:00:00Z at first; any thread
  Steady steady() const override;                // any thread
  Task<> sleep_for(Duration duration) override;  // nothing to wait for when duration <= 0

  // Lets time pass, waking who is due on the way. From outside the loop, on its thread. duration >= 0.
  void advance(Duration duration);
  // Steps the wall clock, forwards or back, as an operator or NTP does; steady() and sleepers do not notice.
  void set_wall(Time time);
  size_t sleepers() const;  // loop thread

 private:
  struct Sleeper;
  using Sleepers = std::multimap<Steady, std::shared_ptr<Sleeper>>;

  void move_to(Steady moment);
  void poll_dry();

  Loop* loop_ = nullptr;
  mutable std::mutex mutex_;  // of wall_ and steady_
  Time wall_;
  Steady steady_{};
  // Equal keys stay in the order of insertion. Shared with the sleepers, which leave it also when their loop is
  // destroyed after this clock.
  std::shared_ptr<Sleepers> sleepers_ = std::make_shared<Sleepers>();
};

}  // namespace headrace::core::testing
