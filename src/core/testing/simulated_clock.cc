#include "core/testing/simulated_clock.h"

#include <boost/asio/this_coro.hpp>

namespace headrace::core::testing {

namespace {

constexpr Time first_moment = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

Steady later(Steady from, Duration duration) {
  return duration > Steady::max() - from ? Steady::max() : from + duration;
}

}  // namespace

struct SimulatedClock::Sleeper {
  explicit Sleeper(Executor executor) : signal(std::move(executor)) {}
  Signal signal;
  bool due = false;
};

SimulatedClock::SimulatedClock() : wall_(first_moment) {}
SimulatedClock::SimulatedClock(Loop& loop) : loop_(&loop), wall_(first_moment) {}
SimulatedClock::~SimulatedClock() = default;

Time SimulatedClock::now() const {
  std::lock_guard lock(mutex_);
  return wall_;
}

Steady SimulatedClock::steady() const {
  std::lock_guard lock(mutex_);
  return steady_;
}

Task<> SimulatedClock::sleep_for(Duration duration) {
  if (duration <= Duration::zero()) co_return;
  struct Bed {  // left also when the sleep is cancelled
    std::shared_ptr<Sleepers> sleepers;
    Sleepers::iterator place;
    ~Bed() { sleepers->erase(place); }
  };
  auto sleeper = std::make_shared<Sleeper>(co_await boost::asio::this_coro::executor);
  Bed bed{sleepers_, sleepers_->emplace(later(steady(), duration), sleeper)};
  while (!sleeper->due) co_await sleeper->signal.wait();
}

void SimulatedClock::advance(Duration duration) {
  require(duration >= Duration::zero(), "simulated time moves forward");
  poll_dry();
  const Steady end = later(steady(), duration);
  while (true) {
    auto next = sleepers_->begin();
    while (next != sleepers_->end() && next->second->due) ++next;  // woken, but not yet out of bed
    if (next == sleepers_->end() || next->first > end) break;
    move_to(next->first);
    next->second->due = true;
    next->second->signal.notify_all();
    poll_dry();
  }
  move_to(end);
  poll_dry();
}

void SimulatedClock::set_wall(Time time) {
  std::lock_guard lock(mutex_);
  wall_ = time;
}

size_t SimulatedClock::sleepers() const { return sleepers_->size(); }

void SimulatedClock::move_to(Steady moment) {
  std::lock_guard lock(mutex_);
  wall_ += moment - steady_;
  steady_ = moment;
}

void SimulatedClock::poll_dry() {
  if (loop_ == nullptr) return;
  while (loop_->poll() > 0) {
  }
}

}  // namespace headrace::core::testing
