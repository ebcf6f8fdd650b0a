#include "services/runner/problem_matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view gcc =
    R"j({"problemMatcher":[{"owner":"gcc","pattern":[{"regexp":"^(.+?):(\\d+):(\\d+)?:?\\s+(?:fatal\\s+)?(warning|error):\\s+(.*)$",
        "file":1,"line":2,"column":3,"severity":4,"message":5}]}]})j";
constexpr std::string_view eslint =
    R"j({"problemMatcher":[{"owner":"eslint","pattern":[{"regexp":"^([^\\s].*)$","file":1},
        {"regexp":"^\\s+(\\d+):(\\d+)\\s+(error|warning|info)\\s+(.*)\\s\\s+(.*)$","line":1,"column":2,"severity":3,"message":4,
         "code":5,"loop":true}]}]})j";

TEST(ProblemMatchers, ALineOfACompilerBecomesAProblem) {
  ProblemMatchers matchers;
  ASSERT_TRUE(matchers.add(gcc));
  auto found = matchers.match("\x1b[1msrc/a.cc:12:7:\x1b[0m warning: unused \x1b[35;1m'x'\x1b[0m");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->file, "src/a.cc");
  EXPECT_EQ(found->line, "12");
  EXPECT_EQ(found->column, "7");
  EXPECT_EQ(found->severity, "warning");
  EXPECT_EQ(found->message, "unused 'x'");
  EXPECT_FALSE(matchers.match("make: *** [all] Error 1"));
  EXPECT_EQ(matchers.match("a.c:3: error: no")->column, "") << "a group that took no part";
}

TEST(ProblemMatchers, TheLastOfSeveralPatternsLoops) {
  ProblemMatchers matchers;
  ASSERT_TRUE(matchers.add(eslint));
  EXPECT_FALSE(matchers.match("test.js"));
  auto first = matchers.match("  1:0   error  Missing \"use strict\" statement                 strict");
  auto second = matchers.match("  5:10  warning  'addOne' is defined but never used      no-unused-vars");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->file, "test.js");
  EXPECT_EQ(second->file, "test.js");
  EXPECT_EQ(second->line, "5");
  EXPECT_EQ(second->code, "no-unused-vars");
  EXPECT_FALSE(matchers.match(" nothing of the kind")) << "ends the loop";
  EXPECT_FALSE(matchers.match("  9:9  error  x  y"));
}

TEST(ProblemMatchers, ThreePatternsMatchThreeLinesThatFollowEachOther) {
  ProblemMatchers matchers;
  ASSERT_TRUE(matchers.add(
      R"j({"problemMatcher":[{"owner":"three","severity":"notice","pattern":[{"regexp":"^file (.*)$","file":1},
          {"regexp":"^line (.*)$","line":1},{"regexp":"^says (.*)$","message":1}]}]})j"));
  for (auto line : {"file a", "file b", "line 7"}) EXPECT_FALSE(matchers.match(line));
  auto found = matchers.match("says hello");
  ASSERT_TRUE(found);
  EXPECT_EQ(std::tie(found->file, found->line, found->message, found->severity),
            std::tuple("b", "7", "hello", "notice"));
  for (auto line : {"file a", "something else", "line 7", "says hello"}) EXPECT_FALSE(matchers.match(line)) << line;
  for (auto line : {"file a", "line 1"}) EXPECT_FALSE(matchers.match(line));
  matchers.forget_lines();
  EXPECT_FALSE(matchers.match("says hello")) << "of the step before";
}

TEST(ProblemMatchers, TheNewestCountsAndReplacesItsOwners) {
  ProblemMatchers matchers;
  auto of = [](std::string owner, std::string message) {
    return R"j({"problemMatcher":[{"owner":")j" + owner + R"j(","pattern":[{"regexp":"(x)()","message":)j" + message +
           "}]}]}";
  };
  ASSERT_TRUE(matchers.add(of("a", "1")));
  ASSERT_TRUE(matchers.add(of("b", "2")));
  EXPECT_EQ(matchers.match("x")->message, "");
  ASSERT_TRUE(matchers.add(of("B", "1")));
  EXPECT_EQ(matchers.match("x")->message, "x");
  matchers.remove("b");
  ASSERT_TRUE(matchers.remove_those_of(of("a", "1")));
  EXPECT_TRUE(matchers.empty());
}

TEST(ProblemMatchers, AnExpressionThatRunsAwayIsRemovedAndSaid) {
  ProblemMatchers matchers;
  ASSERT_TRUE(matchers.add(R"j({"problemMatcher":[{"owner":"evil","pattern":[{"regexp":"^(a|aa)+$","message":1}]},
                                                 {"owner":"deep","pattern":[{"regexp":"^(((a*)*)*)*b$","message":1}]}]})j"));
  std::string line(10'000, 'a');
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(matchers.match(line + "!"));
  auto removed = matchers.removals();
  EXPECT_THAT(removed, ::testing::Contains(HasSubstr("Removing issue matcher 'evil'. Matcher failed 3 times.")));
  EXPECT_THAT(matchers.removals(), IsEmpty());
}

TEST(ProblemMatchers, BytesThatAreNoUtf8AndHugeLinesAreMet) {
  ProblemMatchers matchers;
  ASSERT_TRUE(matchers.add(gcc));
  EXPECT_FALSE(matchers.match("\xff\xfe: error"));
  EXPECT_TRUE(matchers.match("a\xff.c:1:1: error: b"));
  EXPECT_FALSE(matchers.match("a.c:1:1: error: " + std::string(matcher_line_bytes_max, 'x')));
}

TEST(ProblemMatchers, WhatIsWrongIsSaidInGitHubsWords) {
  auto refusal = [](std::string text) {
    ProblemMatchers matchers;
    auto added = matchers.add(text);
    return added ? std::string("accepted") : added.error().message;
  };
  auto one = [](std::string inside) { return R"j({"problemMatcher":[{)j" + inside + "}]}"; };
  EXPECT_EQ(refusal("{}"), "accepted");
  EXPECT_THAT(refusal("{"), HasSubstr("JSON"));
  EXPECT_EQ(refusal(one(R"j("pattern":[])j")), "Owner must not be empty");
  EXPECT_EQ(refusal(one(R"j("owner":"a")j")), "Matcher 'a' does not contain any patterns");
  EXPECT_EQ(refusal(one(R"j("owner":"a","severity":"fatal")j")),
            "Matcher 'a' contains unexpected default severity 'fatal'");
  EXPECT_EQ(refusal(one(R"j("owner":"a","pattern":[{"regexp":"(x)","file":1}])j")),
            "At least one pattern must set 'message'");
  EXPECT_THAT(refusal(one(R"j("owner":"a","pattern":[{"regexp":"(x)","message":2}])j")), HasSubstr("out of range"));
  EXPECT_EQ(
      refusal(one(R"j("owner":"a","pattern":[{"regexp":"(x)","file":1},{"regexp":"(x)","file":1,"message":1}])j")),
      "The property 'file' is set twice");
  EXPECT_EQ(refusal(one(R"j("owner":"a","pattern":[{"regexp":"(x)","message":1,"loop":true}])j")),
            "Only the last pattern in a multiline matcher may set 'loop'");
  EXPECT_THAT(refusal(one(R"j("owner":"a","pattern":[{"regexp":"(x","message":1}])j")),
              HasSubstr("'(x' cannot be read"));
  EXPECT_EQ(
      refusal(
          R"j({"problemMatcher":[{"owner":"a","pattern":[{"regexp":"x","message":0}]},{"owner":"A","pattern":[{"regexp":"x","message":0}]}]})j"),
      "Duplicate owner name 'a'");
}

TEST(ProblemMatchers, ExpressionsAreEcmascripts) {
  ProblemMatchers matchers;
  ASSERT_TRUE(matchers.add(
      R"j({"problemMatcher":[{"owner":"js","pattern":[{"regexp":"^\\u0041[^]\\d+(?<name>.)\\/$","message":1}]}]})j"));
  EXPECT_EQ(matchers.match("A-12x/")->message, "x");
}

}  // namespace
}  // namespace headrace::runner
