// One coarse timer wheel for the deadlines of all connections: a timer each cost 12 % of throughput. To move a deadline
// further away is one store. Due up to two ticks late, never early. Internal to net; loop thread only.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "core/clock.h"
#include "core/task.h"

namespace headrace::net {

// A place in a ring; alone it is a ring of one.
struct Link {
  Link* before = this;
  Link* after = this;
  Link() = default;
  ~Link() { leave(); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  bool alone() const { return after == this; }
  void leave();
  void join(Link& ring);  // as its last; alone before
};

// A deadline and what happens then. Leaves the wheel when destroyed.
class Deadline : private Link {
 public:
  virtual ~Deadline() = default;

 protected:
  virtual void due() = 0;  // once for each time it was armed; may arm again, must not destroy the wheel

 private:
  friend class Timers;
  static constexpr uint64_t never = std::numeric_limits<uint64_t>::max();
  uint64_t when_ = never;  // in ticks
  uint64_t slot_ = 0;      // the tick at which the wheel looks at it, at most when_
};

class Timers {
 public:
  Timers(core::Executor executor, core::Clock& clock, core::Duration tick);  // the clock outlives this
  ~Timers();                                                                 // what is still armed is never due
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  void arm(Deadline& deadline, core::Duration from_now);
  void disarm(Deadline& deadline) { deadline.when_ = Deadline::never; }  // its slot drops it later

 private:
  // What the ticking task holds on to: it may end after the wheel has gone.
  struct Face {
    Face(Timers* of, core::Executor executor) : timers(of), armed(std::move(executor)) {}
    Timers* timers;
    core::Signal armed;
  };

  static core::Task<> tick_on(std::shared_ptr<Face> face);
  uint64_t now_ticks() const { return static_cast<uint64_t>(clock_.steady().time_since_epoch() / tick_); }
  void link(Deadline& deadline);
  bool advance();  // false: nothing is armed
  void run_slot(Link& slot);

  static constexpr uint64_t slots = 512;

  core::Clock& clock_;
  core::Duration tick_;
  uint64_t now_;
  bool resting_ = true;  // nothing is armed, and now_ stands still
  std::array<Link, slots> wheel_;
  std::shared_ptr<Face> face_;  // shared with the ticking task
  core::Scope ticking_;
};

}  // namespace headrace::net
