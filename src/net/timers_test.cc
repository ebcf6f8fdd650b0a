#include "net/timers.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "core/random.h"
#include "core/testing/simulated_clock.h"

namespace headrace::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Alarm final : Deadline {
  explicit Alarm(core::Clock& time) : clock(time) {}
  void due() override {
    ++times;
    at = clock.steady();
  }
  core::Clock& clock;
  int times = 0;
  core::Steady at{};
};

struct TimersTest : ::testing::Test {
  core::Loop loop;
  core::testing::SimulatedClock clock{loop};
  std::optional<Timers> timers{std::in_place, loop.executor(), clock, milliseconds(250)};
};

TEST_F(TimersTest, AreDueWithinTwoTicksAndNeverEarly) {
  core::SeededRandom random(7);
  std::vector<std::unique_ptr<Alarm>> alarms;
  std::vector<core::Steady> wanted;
  for (int i = 0; i < 500; ++i) {
    const milliseconds wait(random.below(300'000));  // also beyond what the wheel holds at once
    wanted.push_back(clock.steady() + wait);
    timers->arm(*alarms.emplace_back(std::make_unique<Alarm>(clock)), wait);
    clock.advance(milliseconds(random.below(50)));
  }
  clock.advance(seconds(301));
  for (size_t i = 0; i < alarms.size(); ++i) {
    EXPECT_EQ(alarms[i]->times, 1);
    EXPECT_GE(alarms[i]->at, wanted[i]);
    EXPECT_LE(alarms[i]->at, wanted[i] + milliseconds(500));
  }
}

TEST_F(TimersTest, CanBeMovedBothWaysAndDisarmed) {
  Alarm later(clock), sooner(clock), never(clock);
  for (Alarm* alarm : {&later, &sooner, &never}) timers->arm(*alarm, seconds(10));
  clock.advance(seconds(5));
  timers->arm(later, seconds(10));
  timers->arm(sooner, seconds(1));
  timers->disarm(never);
  clock.advance(seconds(2));
  EXPECT_EQ(sooner.times, 1);
  clock.advance(seconds(4));
  EXPECT_EQ(later.times, 0);
  clock.advance(seconds(10));
  EXPECT_EQ(later.times, 1);
  EXPECT_EQ(never.times, 0);
}

TEST_F(TimersTest, LeaveNoTickingBehindWhenNothingIsArmed) {
  Alarm alarm(clock);
  timers->arm(alarm, seconds(1));
  clock.advance(seconds(3));
  EXPECT_EQ(clock.sleepers(), 0u) << "an idle server does not wake up";
  timers->arm(alarm, seconds(1));
  clock.advance(hours(1));
  EXPECT_EQ(alarm.times, 2);
}

TEST_F(TimersTest, OutliveTheirDeadlinesAndTheOtherWayRound) {
  auto gone = std::make_unique<Alarm>(clock);
  timers->arm(*gone, seconds(1));
  gone.reset();
  Alarm alarm(clock);
  timers->arm(alarm, seconds(1));
  clock.advance(milliseconds(300));
  timers.reset();
  clock.advance(seconds(5));
  EXPECT_EQ(alarm.times, 0);
}

struct Chain final : Deadline {
  Chain(Timers& of, Deadline* also) : timers(of), other(also) {}
  void due() override {
    if (++times < 3) timers.arm(*this, milliseconds(0));
    if (other) timers.disarm(*other);
  }
  Timers& timers;
  Deadline* other;
  int times = 0;
};

TEST_F(TimersTest, MayArmAndDisarmWhileOneIsDue) {
  Alarm other(clock);
  Chain chain(*timers, &other);
  timers->arm(chain, seconds(1));
  timers->arm(other, seconds(1));
  clock.advance(seconds(5));
  EXPECT_EQ(chain.times, 3);
  EXPECT_EQ(other.times, 0) << "disarmed by one that was due in the same tick, before it";
}

}  // namespace
}  // namespace headrace::net
