#include "core/testing/simulated_clock.h"

#include <gtest/gtest.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <string>
#include <vector>

namespace headrace::core {
namespace {

using namespace std::chrono_literals;
using testing::SimulatedClock;

struct Woken {
  std::string name;
  Duration at;  // since the clock began
  bool operator==(const Woken&) const = default;
};

Task<> sleep_and_note(SimulatedClock& clock, Duration duration, std::string name, std::vector<Woken>& woken) {
  co_await clock.sleep_for(duration);
  woken.push_back({std::move(name), clock.steady().time_since_epoch()});
}
Task<> tick(SimulatedClock& clock, Duration period, std::vector<Woken>& woken) {
  while (true) co_await sleep_and_note(clock, period, "tick", woken);
}
Task<size_t> race(SimulatedClock& clock, Duration first, Duration second) {
  using namespace boost::asio::experimental::awaitable_operators;
  auto winner = co_await (clock.sleep_for(first) || clock.sleep_for(second));
  co_return winner.index();
}
Task<> note_winner(SimulatedClock& clock, std::vector<size_t>& winners) {
  winners.push_back(co_await race(clock, 2s, 1s));
}

struct Clocks : ::testing::Test {
  Loop loop;
  SimulatedClock clock{loop};
  std::vector<Woken> woken;
};

TEST_F(Clocks, MoveOnlyWhenTheyAreAdvanced) {
  const auto now = clock.now();
  const auto steady = clock.steady();
  EXPECT_EQ(format_time(now), "2026-01-01T00:00:00Z");
  clock.advance(90s);
  EXPECT_EQ(clock.now() - now, 90s);
  EXPECT_EQ(clock.steady() - steady, 90s);
}

TEST_F(Clocks, WakeSleepersInTheOrderOfTheirDeadlines) {
  loop.spawn(sleep_and_note(clock, 3s, "three", woken));
  loop.spawn(sleep_and_note(clock, 1s, "one", woken));
  loop.spawn(sleep_and_note(clock, 2s, "two", woken));
  loop.spawn(sleep_and_note(clock, 1s, "one more", woken));
  clock.advance(2s);
  EXPECT_EQ(woken, (std::vector<Woken>{{"one", 1s}, {"one more", 1s}, {"two", 2s}}));
  EXPECT_EQ(clock.sleepers(), 1U);
  clock.advance(999ms);
  EXPECT_EQ(woken.size(), 3U);
  clock.advance(1ms);
  EXPECT_EQ(woken.back(), (Woken{"three", 3s}));
}

TEST_F(Clocks, WakeWhoGoesToSleepOnTheWay) {
  loop.spawn(tick(clock, 10s, woken));
  clock.advance(35s);
  EXPECT_EQ(woken, (std::vector<Woken>{{"tick", 10s}, {"tick", 20s}, {"tick", 30s}}));
}

TEST_F(Clocks, LetWhoSleepsForNothingGoOnAtOnce) {
  loop.spawn(sleep_and_note(clock, 0s, "zero", woken));
  loop.spawn(sleep_and_note(clock, -1s, "less", woken));
  loop.poll();
  EXPECT_EQ(woken.size(), 2U);
}

TEST_F(Clocks, StepTheWallWithoutWakingAnyone) {
  loop.spawn(sleep_and_note(clock, 1s, "one", woken));
  loop.poll();
  clock.set_wall(clock.now() + 1h);
  clock.advance(0s);
  EXPECT_TRUE(woken.empty());
  const auto steady = clock.steady();
  clock.set_wall(clock.now() - 2h);
  EXPECT_EQ(clock.steady(), steady);
}

TEST_F(Clocks, LoseASleeperThatIsCancelled) {
  Scope scope(loop.executor());
  scope.spawn("sleeps", sleep_and_note(clock, 1s, "one", woken));
  loop.poll();
  EXPECT_EQ(clock.sleepers(), 1U);
  loop.run(scope.close());
  EXPECT_EQ(clock.sleepers(), 0U);
  clock.advance(2s);
  EXPECT_TRUE(woken.empty());
}

TEST_F(Clocks, CancelTheLoserOfARace) {
  std::vector<size_t> winners;
  loop.spawn(note_winner(clock, winners));
  clock.advance(1s);
  EXPECT_EQ(winners, std::vector<size_t>{1});
  EXPECT_EQ(clock.sleepers(), 0U);
}

TEST_F(Clocks, AreLeftQuietlyByACancelledRace) {
  Scope scope(loop.executor());
  std::vector<size_t> winners;
  int escaped = 0;
  scope.spawn("races", note_winner(clock, winners), [&](std::exception_ptr) { ++escaped; });
  loop.poll();
  loop.run(scope.close());
  EXPECT_TRUE(winners.empty());
  EXPECT_EQ(escaped, 0) << "both branches were cancelled, which is an ordinary end";
}

TEST_F(Clocks, SleepVeryLong) {
  loop.spawn(sleep_and_note(clock, Duration::max(), "never", woken));
  clock.advance(24h * 365);
  EXPECT_TRUE(woken.empty());
}

TEST(Clock, WithoutALoopOnlyTellsTheTime) {
  SimulatedClock clock;
  const auto before = clock.now();
  clock.advance(5s);
  EXPECT_EQ(clock.now() - before, 5s);
}

TEST(Clock, MayGoBeforeTheLoopWhoseTasksSleepOnIt) {
  auto loop = std::make_unique<Loop>();
  auto clock = std::make_unique<SimulatedClock>(*loop);
  std::vector<Woken> woken;
  loop->spawn(sleep_and_note(*clock, 1s, "one", woken));
  loop->poll();
  clock.reset();
  loop.reset();
  EXPECT_TRUE(woken.empty());
}

TEST(SystemClock, OfTheSystemGoesForward) {
  SystemClock clock;
  const auto before = clock.steady();
  Loop loop;
  loop.run(clock.sleep_for(1us));
  EXPECT_GE(clock.steady() - before, 1us);
  EXPECT_GT(clock.now(), std::chrono::sys_days{std::chrono::year{2024} / 1 / 1});
}

}  // namespace
}  // namespace headrace::core
