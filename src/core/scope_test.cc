#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/task.h"

namespace headrace::core {
namespace {

Task<> note_the_end(Signal& signal, std::string name, std::vector<std::string>& ended) {
  struct Note {
    std::string name;
    std::vector<std::string>& ended;
    ~Note() { ended.push_back(name); }
  } note{std::move(name), ended};
  co_await signal.wait();
}
Task<> fail_at_once() {
  throw std::runtime_error("boom");
  co_return;
}
Task<> end_at_once() { co_return; }
Task<> swallow_cancellation(Signal& first, Signal& second, bool& went_on) {
  try {
    co_await first.wait();
  } catch (...) {
    if (!is_cancellation(std::current_exception())) throw;
  }
  went_on = true;
  co_await second.wait();  // a cancelled task cannot begin another wait
  ADD_FAILURE() << "waited again after it was cancelled";
}
Task<> spawn_into(Scope& scope, std::string name, Signal& signal, std::vector<std::string>& ended) {
  scope.spawn(name, note_the_end(signal, name, ended));
  co_await signal.wait();
}

struct Scopes : ::testing::Test {
  Loop loop;
  Signal never{loop.executor()};
  std::vector<std::string> ended;
};

TEST_F(Scopes, CancelAndWaitForTheirTasksWhenClosed) {
  Scope scope(loop.executor());
  scope.spawn("a", note_the_end(never, "a", ended));
  scope.spawn("b", note_the_end(never, "b", ended));
  loop.poll();
  EXPECT_EQ(scope.size(), 2U);
  loop.run(scope.close());
  EXPECT_EQ(scope.size(), 0U);
  EXPECT_EQ(ended, (std::vector<std::string>{"a", "b"}));
}

TEST_F(Scopes, CloseAlsoTasksThatHaveNotBegun) {
  Scope scope(loop.executor());
  scope.spawn("a", note_the_end(never, "a", ended));
  loop.run(scope.close());
  EXPECT_EQ(scope.size(), 0U);
}

TEST_F(Scopes, CloseAtOnceWhenEmpty) {
  Scope scope(loop.executor());
  loop.run(scope.close());
  EXPECT_EQ(scope.size(), 0U);
}

TEST_F(Scopes, WaitUntilTheirTasksEndByThemselves) {
  Scope scope(loop.executor());
  Signal go(loop.executor());
  scope.spawn("a", note_the_end(go, "a", ended));
  loop.poll();
  loop.post([&go] { go.notify_all(); });
  loop.run(scope.until_idle());
  EXPECT_EQ(ended, std::vector<std::string>{"a"});
}

TEST_F(Scopes, ForgetATaskThatEnds) {
  Scope scope(loop.executor());
  scope.spawn("a", end_at_once());
  loop.poll();
  EXPECT_EQ(scope.size(), 0U);
}

TEST_F(Scopes, HandAnExceptionToWhoAskedAndGoOn) {
  Scope scope(loop.executor());
  int heard = 0;
  scope.spawn("a", fail_at_once(), [&](std::exception_ptr) { ++heard; });
  scope.spawn("b", note_the_end(never, "b", ended), [&](std::exception_ptr) { ++heard; });
  loop.poll();
  EXPECT_EQ(heard, 1);
  EXPECT_EQ(scope.size(), 1U);
  loop.run(scope.close());
  EXPECT_EQ(heard, 1) << "cancellation is an ordinary end";
}

TEST_F(Scopes, ReportAnExceptionNobodyAskedForUnderTheNameOfTheTask) {
  Scope scope(loop.executor());
  scope.spawn("the scrub", fail_at_once());
  ::testing::internal::CaptureStderr();
  loop.poll();
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("'the scrub' ended by an exception: boom"), std::string::npos) << said;
}

TEST_F(Scopes, KeepACancelledTaskFromWaitingAgain) {
  Scope scope(loop.executor());
  Signal second(loop.executor());
  bool went_on = false;
  scope.spawn("stubborn", swallow_cancellation(never, second, went_on));
  loop.poll();
  loop.run(scope.close());
  EXPECT_TRUE(went_on);
}

TEST_F(Scopes, MayTakeTasksFromTheirOwnTasks) {
  Scope scope(loop.executor());
  scope.spawn("outer", spawn_into(scope, "inner", never, ended));
  loop.poll();
  EXPECT_EQ(scope.size(), 2U);
  loop.run(scope.close());
  EXPECT_EQ(ended, std::vector<std::string>{"inner"});
}

// From outside of the loop a cancellation is only queued; the task may have ended when its turn comes.
TEST_F(Scopes, MayBeCancelledWhileATaskIsAboutToEnd) {
  Signal signal(loop.executor());
  {
    Scope scope(loop.executor());
    scope.spawn("a", note_the_end(signal, "a", ended));
    loop.poll();
    signal.notify_all();
  }
  std::vector<std::unique_ptr<std::string>> others;  // where the memory of what ended may be found again
  for (int round = 0; round < 10; ++round) {
    loop.poll();
    others.push_back(std::make_unique<std::string>(200, 'x'));
  }
  EXPECT_EQ(ended, std::vector<std::string>{"a"});
}

TEST_F(Scopes, CancelWhatIsLeftOnTheirWayOut) {
  {
    Scope scope(loop.executor());
    scope.spawn("a", note_the_end(never, "a", ended));
    loop.poll();
  }
  loop.poll();
  EXPECT_EQ(ended, std::vector<std::string>{"a"});
}

Task<> end_at_once(bool& ran) {
  ran = true;
  co_return;
}

TEST(Scope, ATaskThatIsCancelledBeforeItBeginsAndNeverWaitsEndsLikeAnyOther) {
  Loop loop;
  Scope scope(loop.executor());
  bool ran = false;
  scope.spawn("short", end_at_once(ran));
  scope.cancel();
  EXPECT_NO_THROW(loop.run(scope.until_idle()));
  EXPECT_EQ(scope.size(), 0U);
}

}  // namespace
}  // namespace headrace::core
