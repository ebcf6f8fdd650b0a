#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "core/task.h"

namespace headrace::core {
namespace {

using namespace std::chrono_literals;

Task<> note_result(Pool& pool, std::move_only_function<void()> work, std::vector<Result<>>& results) {
  results.push_back(co_await pool.run(std::move(work)));
}

// Holds the only thread of a pool until it is let go.
struct Busy {
  explicit Busy(Pool& pool, Loop& loop, std::vector<Result<>>& results) {
    loop.spawn(note_result(
        pool,
        [this] {
          started.count_down();
          go.wait();
        },
        results));
    loop.poll();
    started.wait();
  }
  std::latch started{1};
  std::latch go{1};
};

struct Pools : ::testing::Test {
  Loop loop;
  std::vector<Result<>> results;
};

TEST_F(Pools, RunWorkOnAnotherThreadAndComeBackToTheLoop) {
  Pool pool("git", {.threads = 2});
  std::thread::id worked;
  loop.spawn(note_result(pool, [&worked] { worked = std::this_thread::get_id(); }, results));
  loop.run();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_TRUE(results[0]);
  EXPECT_NE(worked, std::this_thread::get_id());
  EXPECT_NE(worked, std::thread::id());
}

TEST_F(Pools, GiveBackWhatTheWorkReturned) {
  Pool pool("git", {});
  EXPECT_EQ(loop.run(blocking(pool, [] { return 7; })).value(), 7);
  EXPECT_TRUE(loop.run(blocking(pool, [] {})));
  const auto one_result = loop.run(blocking(pool, [] { return Result<int>(8); }));
  EXPECT_EQ(one_result.value(), 8);
  const auto failed =
      loop.run(blocking(pool, []() -> Result<int> { return fail(Code::not_found, "There is no such blob."); }));
  EXPECT_EQ(failed.error().message, "There is no such blob.");
  EXPECT_EQ(*loop.run(blocking(pool, [] { return std::make_unique<int>(9); })).value(), 9);
}

TEST_F(Pools, ThrowToTheCallerWhatTheWorkThrew) {
  Pool pool("git", {});
  EXPECT_THROW(loop.run(blocking(pool, []() -> int { throw std::out_of_range("x"); })), std::out_of_range);
  EXPECT_TRUE(loop.run(blocking(pool, [] {}))) << "and the thread goes on";
}

TEST_F(Pools, RefuseWhatDoesNotFitInTheQueue) {
  Pool pool("sqlite", {.threads = 1, .queue_max = 1});
  Busy busy(pool, loop, results);
  loop.spawn(note_result(pool, [] {}, results));
  loop.poll();
  EXPECT_EQ(pool.queued(), 1U);
  loop.spawn(note_result(pool, [] {}, results));
  loop.poll();
  ASSERT_EQ(results.size(), 1U) << "the third is answered first";
  EXPECT_EQ(results[0].error().code, Code::exhausted);
  EXPECT_NE(results[0].error().message.find("'sqlite'"), std::string::npos);
  busy.go.count_down();
  loop.run();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_TRUE(results[1]);
  EXPECT_TRUE(results[2]);
}

TEST_F(Pools, RefuseWhatWaitedPastItsDeadlineWithoutRunningIt) {
  Pool pool("sqlite", {.threads = 1, .queue_max = 8, .wait_max = -1ms});  // every wait is too long
  bool ran = false;
  loop.spawn(note_result(pool, [&ran] { ran = true; }, results));
  loop.run();
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(results[0].error().code, Code::exhausted);
  EXPECT_FALSE(ran);
}

// What runs may use what the cancelled task owns: the task ends only after it.
TEST_F(Pools, WaitForWhatHasBegunWhenItsTaskIsCancelled) {
  Pool pool("git", {});
  Scope scope(loop.executor());
  std::atomic<bool> finished = false;
  std::latch started{1};
  std::latch go{1};
  auto work = [&] {
    started.count_down();
    go.wait();
    finished = true;
  };
  scope.spawn("waits", note_result(pool, work, results));
  loop.poll();
  started.wait();
  scope.cancel();
  loop.poll();
  EXPECT_EQ(scope.size(), 1U) << "cancelled, and still waiting";
  go.count_down();
  loop.run(scope.until_idle());
  EXPECT_TRUE(finished);
  EXPECT_TRUE(results.empty()) << "it was cancelled: it goes on no further";
}

TEST_F(Pools, DropWhatHasNotBegunWhenItsTaskIsCancelled) {
  Pool pool("git", {.threads = 1, .queue_max = 8});
  Busy busy(pool, loop, results);
  Scope scope(loop.executor());
  bool ran = false;
  auto work = [&ran] { ran = true; };
  scope.spawn("waits", note_result(pool, work, results));
  loop.poll();
  loop.run(scope.close());
  EXPECT_EQ(scope.size(), 0U);
  busy.go.count_down();
  loop.run();
  EXPECT_FALSE(ran);
  EXPECT_EQ(results.size(), 1U) << "only the one before it";
}

}  // namespace
}  // namespace headrace::core
