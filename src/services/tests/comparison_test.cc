#include "services/tests/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::tests {
namespace {

using report::Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string blob(std::vector<Mark> marks) {
  std::string text;
  append_marks(text, std::move(marks));
  return text;
}

TEST(TestMarks, ComeBackInOrderOfTests) {
  std::string text = blob({{300, Outcome::errored, false, 5'000'000}, {1, Outcome::passed, true, {}}});
  append_marks(text, {{7, Outcome::not_run, false, 0}});
  EXPECT_THAT(marks_of(text), ElementsAre(Mark{1, Outcome::passed, true, {}}, Mark{7, Outcome::not_run, false, 0},
                                          Mark{300, Outcome::errored, false, 5'000'000}));
  EXPECT_THAT(marks_of(""), IsEmpty());
  EXPECT_THAT(marks_of(text.substr(0, 3)), SizeIs(::testing::Le(1U)));
}

TEST(TestChanges, AreFromPassedToBadAndBackOnTheBranch) {
  auto now = blob({{1, Outcome::failed}, {2, Outcome::passed}, {3, Outcome::passed}, {4, Outcome::errored}});
  auto before = blob({{1, Outcome::passed}, {2, Outcome::errored}, {3, Outcome::passed}, {4, Outcome::failed}});
  EXPECT_THAT(changes_in(now, before, {}, 100), ElementsAre(Change{1, Outcome::failed, Outcome::passed, false},
                                                            Change{2, Outcome::passed, Outcome::errored, false}));
}

TEST(TestChanges, NewAndSkippedTestsChangeNothing) {
  auto now = blob({{1, Outcome::failed}, {2, Outcome::skipped}, {3, Outcome::failed}});
  auto before = blob({{2, Outcome::passed}, {3, Outcome::not_run}});
  EXPECT_THAT(changes_in(now, before, {}, 100), IsEmpty());
  EXPECT_THAT(changes_in(now, std::nullopt, {}, 100), IsEmpty());
}

TEST(TestChanges, BothResultsOnOneTreeAreFlaky) {
  auto now = blob({{1, Outcome::failed}, {2, Outcome::passed}, {3, Outcome::passed}});
  auto green = blob({{1, Outcome::passed}, {2, Outcome::passed}});
  auto red = blob({{2, Outcome::errored}, {3, Outcome::skipped}});
  EXPECT_THAT(changes_in(now, std::nullopt, {green, red}, 100),
              ElementsAre(Change{1, Outcome::failed, {}, true}, Change{2, Outcome::passed, {}, true}));
}

TEST(TestChanges, BothResultsWithinAReportAreFlaky) {
  auto now = blob({{1, Outcome::failed}, {1, Outcome::passed}, {2, Outcome::passed, true}});
  EXPECT_THAT(changes_in(now, std::nullopt, {}, 100),
              ElementsAre(Change{1, Outcome::failed, {}, true}, Change{2, Outcome::passed, {}, true}));
}

TEST(TestChanges, AreBounded) {
  std::vector<Mark> good, bad;
  for (int64_t test = 1; test <= 50; ++test) {
    good.push_back({test, Outcome::passed});
    bad.push_back({test, Outcome::failed});
  }
  EXPECT_THAT(changes_in(blob(bad), blob(good), {}, 10), SizeIs(10));
}

}  // namespace
}  // namespace headrace::tests
