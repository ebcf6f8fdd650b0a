#include "services/repository/settle.h"

#include <gmock/gmock.h>

#include "services/repository/push_desk.h"
#include "services/repository/ref_policy.h"
#include "services/repository/repository.h"

namespace headrace::repository {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string none(events::no_commit);

PushRow push(const std::string& id, const std::string& ref, const std::string& from, const std::string& to) {
  PushRow row;
  row.push = id;
  row.updates.push_back({ref, from, to, false, false});
  return row;
}

std::vector<std::string> applied(const Settlement& settlement) {
  std::vector<std::string> ids;
  for (const auto& one : settlement.pushes)
    if (one.updates.front().applied) ids.push_back(one.push.push);
  return ids;
}

TEST(Settle, NothingIsSaidWhereLogAndRefsAgree) {
  EXPECT_TRUE(settle({}, {{"refs/heads/main", "a"}}, {{"refs/heads/main", "a"}}).empty());
}

TEST(Settle, APushWhoseRefsMovedIsApplied) {
  const auto settlement =
      settle({push("one", "refs/heads/main", "a", "b")}, {{"refs/heads/main", "a"}}, {{"refs/heads/main", "b"}});
  EXPECT_THAT(applied(settlement), ElementsAre("one"));
  EXPECT_THAT(settlement.unexplained, IsEmpty());
}

TEST(Settle, APushWhoseRefsDidNotMoveIsNot) {
  const auto settlement =
      settle({push("one", "refs/heads/main", "a", "b")}, {{"refs/heads/main", "a"}}, {{"refs/heads/main", "a"}});
  ASSERT_EQ(settlement.pushes.size(), 1u);
  EXPECT_THAT(applied(settlement), IsEmpty());
}

TEST(Settle, PushesThatFollowedEachOtherAreAllApplied) {
  const auto settlement =
      settle({push("one", "refs/heads/main", none, "a"), push("two", "refs/heads/main", "a", "b"),
              push("three", "refs/heads/main", "b", none), push("four", "refs/heads/main", none, "c")},
             {}, {{"refs/heads/main", "c"}});
  EXPECT_THAT(applied(settlement), ElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(settlement.unexplained, IsEmpty());
}

TEST(Settle, AWayThereAndBackIsApplied) {
  const auto settlement = settle({push("one", "refs/heads/main", "a", "b"), push("two", "refs/heads/main", "b", "a")},
                                 {{"refs/heads/main", "a"}}, {{"refs/heads/main", "a"}});
  EXPECT_THAT(applied(settlement), ElementsAre("one", "two"));
}

TEST(Settle, ABranchMadeAndDeletedMeanwhileIsSaid) {
  const auto settlement =
      settle({push("one", "refs/heads/x", none, "a"), push("two", "refs/heads/x", "a", none)}, {}, {});
  EXPECT_THAT(applied(settlement), ElementsAre("one", "two"));
}

TEST(Settle, OfTwoPushesOfTheSameCommitOnlyOneMovedTheRef) {
  // The first was killed, the second said its outcome: the log has the commit, and nothing is left to be explained.
  const auto settlement =
      settle({push("one", "refs/heads/main", "a", "b")}, {{"refs/heads/main", "b"}}, {{"refs/heads/main", "b"}});
  EXPECT_THAT(applied(settlement), IsEmpty());
  const auto both = settle({push("one", "refs/heads/main", "a", "b"), push("two", "refs/heads/main", "a", "b")},
                           {{"refs/heads/main", "a"}}, {{"refs/heads/main", "b"}});
  EXPECT_THAT(applied(both), ElementsAre("two"));
}

TEST(Settle, WhatNoPushExplainsIsSaidWithThePartThatOneDoes) {
  const auto behind = settle({}, {{"refs/heads/gone", "a"}, {"refs/heads/main", "a"}},
                             {{"refs/heads/main", "b"}, {"refs/heads/new", "c"}});
  EXPECT_THAT(behind.unexplained, ElementsAre(events::RefUpdate{"refs/heads/gone", "a", none},
                                              events::RefUpdate{"refs/heads/main", "a", "b"},
                                              events::RefUpdate{"refs/heads/new", none, "c"}));
  const auto half =
      settle({push("one", "refs/heads/main", "b", "c")}, {{"refs/heads/main", "a"}}, {{"refs/heads/main", "c"}});
  EXPECT_THAT(half.unexplained, ElementsAre(events::RefUpdate{"refs/heads/main", "a", "b"}));
  EXPECT_THAT(applied(half), ElementsAre("one"));
}

TEST(RefPolicy, OnlyBranchesTagsAndNotesMove) {
  EXPECT_TRUE(check_changes(
      {{"refs/heads/main", none, none}, {"refs/tags/v1", none, none}, {"refs/notes/commits", none, none}}));
  for (const auto* ref : {"refs/headrace/keep/1", "refs/for/main", "refs/pull/1/head", "refs/heads/HEAD"}) {
    const auto answer = check_changes({{ref, none, none}});
    ASSERT_FALSE(answer) << ref;
    EXPECT_EQ(answer.error().code, core::Code::denied);
  }
  const std::vector<git::RefChange> many(refs_a_push_max + 1, {"refs/heads/main", none, none});
  EXPECT_THAT(check_changes(many).error().message, HasSubstr("in parts"));
}

TEST(PushParts, AreFewNearlyEqualAndFitAnEvent) {
  const auto sizes = [](size_t count, size_t name_bytes) {
    std::vector<size_t> result;
    for (const auto& part : in_parts(std::vector<git::RefChange>(count, {std::string(name_bytes, 'x'), none, none})))
      result.push_back(part.size());
    return result;
  };
  EXPECT_THAT(sizes(1, 20), ElementsAre(1));
  EXPECT_THAT(sizes(400, 20), ElementsAre(400));
  EXPECT_THAT(sizes(401, 20), ElementsAre(201, 200));
  EXPECT_THAT(sizes(1'201, 20), ElementsAre(301, 300, 300, 300));
  for (const size_t size : sizes(refs_a_push_max, 1'000)) EXPECT_LT(size * (1'000 + 256), ref_text_an_event_max);
}

}  // namespace
}  // namespace headrace::repository
