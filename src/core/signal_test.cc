#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

#include "core/task.h"

namespace headrace::core {
namespace {

using namespace std::chrono_literals;

Task<> wait_and_note(Signal& signal, int number, std::vector<int>& woken) {
  co_await signal.wait();
  woken.push_back(number);
}
Task<> wait_within(Signal& signal, std::chrono::nanoseconds limit, std::vector<bool>& answers) {
  answers.push_back(co_await signal.wait_for(limit));
}

struct Signals : ::testing::Test {
  Loop loop;
  std::unique_ptr<Signal> signal = std::make_unique<Signal>(loop.executor());
  std::vector<int> woken;
};

TEST_F(Signals, WakeAllWhoWaitInTheOrderTheyCame) {
  for (int i = 0; i < 3; ++i) loop.spawn(wait_and_note(*signal, i, woken));
  loop.poll();
  EXPECT_TRUE(woken.empty());
  signal->notify_all();
  loop.poll();
  EXPECT_EQ(woken, (std::vector<int>{0, 1, 2}));
}

TEST_F(Signals, DoNotRememberAWakeNobodyWaitedFor) {
  signal->notify_all();
  loop.spawn(wait_and_note(*signal, 1, woken));
  loop.poll();
  EXPECT_TRUE(woken.empty());
}

TEST_F(Signals, WakeAllWhenTheyGo) {
  loop.spawn(wait_and_note(*signal, 1, woken));
  loop.poll();
  signal.reset();
  loop.poll();
  EXPECT_EQ(woken, std::vector<int>{1});
}

TEST_F(Signals, TellAWakeFromATimeOut) {
  std::vector<bool> answers;
  loop.spawn(wait_within(*signal, 1h, answers));
  loop.poll();
  signal->notify_all();
  loop.poll();
  EXPECT_EQ(answers, std::vector<bool>{true});
  loop.run(wait_within(*signal, 1us, answers));
  EXPECT_EQ(answers, (std::vector<bool>{true, false}));
}

TEST_F(Signals, ForgetAWaiterThatWasCancelled) {
  {
    Scope scope(loop.executor());
    scope.spawn("waits", wait_and_note(*signal, 1, woken));
    loop.poll();
    loop.run(scope.close());
  }
  signal->notify_all();
  loop.poll();
  EXPECT_TRUE(woken.empty());
}

}  // namespace
}  // namespace headrace::core
