#include "server/streaming.h"

#include <gtest/gtest.h>

namespace headrace::server {
namespace {

struct Seen {
  bool entered = false;
  bool left = false;
};

// Says that it has ended when its frame is unwound.
core::Task<> wait_for_ever(core::Loop& loop, Seen& seen) {
  struct Leave {
    Seen& seen;
    ~Leave() { seen.left = true; }
  } leave{seen};
  seen.entered = true;
  core::Signal never(loop.executor());
  co_await never.wait();
}

core::Task<> end_at_once() { co_return; }

core::Task<> fail_at_once() {
  throw std::runtime_error("broken");
  co_return;
}

core::Task<> race(core::Loop& loop, Seen& one, Seen& other, bool& child_was_gone) {
  struct Leave {
    Seen &one, &other;
    bool& gone;
    ~Leave() { gone = one.left && other.left; }
  } leave{one, other, child_was_gone};
  co_await until_one_ends(loop, wait_for_ever(loop, one), wait_for_ever(loop, other));
}

TEST(UntilOneEnds, CancelsTheOtherAndWaitsForIt) {
  core::Loop loop;
  Seen seen;
  loop.run(until_one_ends(loop, wait_for_ever(loop, seen), end_at_once()));
  EXPECT_TRUE(seen.entered);
  EXPECT_TRUE(seen.left);
}

TEST(UntilOneEnds, ThrowsWhatOneOfThemThrows) {
  core::Loop loop;
  Seen seen;
  EXPECT_THROW(loop.run(until_one_ends(loop, fail_at_once(), wait_for_ever(loop, seen))), std::runtime_error);
  EXPECT_TRUE(seen.left);
}

// A server that shuts down cuts what is left by cancelling: what the two use must still be there while they unwind.
TEST(UntilOneEnds, WaitsForBothBeforeItUnwindsWhenItIsCancelledItself) {
  core::Loop loop;
  Seen one, other;
  bool gone = false;
  core::Scope scope(loop.executor());
  scope.spawn("race", race(loop, one, other, gone));
  loop.poll();
  ASSERT_TRUE(one.entered && other.entered);
  scope.cancel();
  loop.poll();
  EXPECT_EQ(scope.size(), 0U);
  EXPECT_TRUE(gone);
}

}  // namespace
}  // namespace headrace::server
