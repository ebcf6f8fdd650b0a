#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "core/task.h"

namespace headrace::core {
namespace {

Task<int> seven() { co_return 7; }
Task<> ends_by(std::exception_ptr exception) {
  std::rethrow_exception(exception);
  co_return;
}
Task<> wait_for_ever(Signal& signal) { co_await signal.wait(); }
Task<> raise_flag(bool& flag) {
  flag = true;
  co_return;
}
const auto cancelled = std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));

TEST(Loop, RunsATaskToItsValue) {
  Loop loop;
  EXPECT_EQ(loop.run(seven()), 7);
  EXPECT_EQ(loop.run(seven()), 7) << "and can be run again";
}

TEST(Loop, ThrowsWhatTheTaskThrew) {
  Loop loop;
  EXPECT_THROW(loop.run(ends_by(std::make_exception_ptr(std::out_of_range("x")))), std::out_of_range);
}

TEST(Loop, SaysThatATaskCanNeverEnd) {
  Loop loop;
  loop.post([&loop] { loop.stop(); });
  Signal signal(loop.executor());
  EXPECT_THROW(loop.run(wait_for_ever(signal)), BrokenInvariant);
}

TEST(Loop, RunsWhatOtherThreadsPostInTheOrderOfEach) {
  Loop loop;
  loop.keep_running();
  std::vector<int> heard;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&heard, i] { heard.push_back(i); });
    loop.post([&loop] { loop.stop(); });
  });
  loop.run();
  other.join();
  ASSERT_EQ(heard.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end()));
}

TEST(Loop, EndsByItselfWhenNothingIsLeft) {
  Loop loop;
  bool ran = false;
  loop.post([&ran] { ran = true; });
  loop.run();
  EXPECT_TRUE(ran);
}

TEST(Loop, PollsOnlyWhatIsReady) {
  Loop loop;
  EXPECT_EQ(loop.poll(), 0U);
  int ran = 0;
  loop.post([&] { ++ran; });
  loop.post([&] { ++ran; });
  EXPECT_EQ(loop.poll(), 2U);
  EXPECT_EQ(ran, 2);
}

TEST(Loop, HandsAnExceptionOfARootTaskToItsOwner) {
  Loop loop;
  std::string heard;
  loop.spawn(ends_by(std::make_exception_ptr(std::runtime_error("boom"))), [&](std::exception_ptr exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::runtime_error& error) {
      heard = error.what();
    }
  });
  loop.run();
  EXPECT_EQ(heard, "boom");
}

TEST(Loop, LetsAnExceptionNobodyHearsOutOfRun) {
  Loop loop;
  loop.spawn(ends_by(std::make_exception_ptr(std::runtime_error("boom"))));
  EXPECT_THROW(loop.run(), std::runtime_error);
}

TEST(Loop, CallsACancelledRootTaskAnOrdinaryEnd) {
  Loop loop;
  bool heard = false;
  loop.spawn(ends_by(cancelled), [&](std::exception_ptr) { heard = true; });
  EXPECT_NO_THROW(loop.run());
  EXPECT_FALSE(heard);
}

Task<> hold_while_waiting(std::shared_ptr<int> held, Signal& signal) {
  co_await signal.wait();
  held.reset();
}

TEST(Loop, DestroysTasksThatHaveNotFinished) {
  auto held = std::make_shared<int>(1);
  auto loop = std::make_unique<Loop>();
  {
    Signal signal(loop->executor());
    loop->spawn(hold_while_waiting(held, signal));
    loop->poll();
    EXPECT_GT(held.use_count(), 1);
  }  // which wakes it, but the loop goes before it could run
  loop.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Loop, StartsASpawnedTask) {
  Loop loop;
  bool flag = false;
  loop.spawn(raise_flag(flag));
  loop.run();
  EXPECT_TRUE(flag);
}

TEST(Cancellation, IsToldFromOtherExceptions) {
  EXPECT_TRUE(is_cancellation(cancelled));
  EXPECT_FALSE(is_cancellation(nullptr));
  EXPECT_FALSE(is_cancellation(std::make_exception_ptr(std::runtime_error("operation aborted"))));
  EXPECT_FALSE(is_cancellation(std::make_exception_ptr(boost::system::system_error(boost::asio::error::eof))));
  EXPECT_FALSE(is_cancellation(std::make_exception_ptr(7)));
}

}  // namespace
}  // namespace headrace::core
