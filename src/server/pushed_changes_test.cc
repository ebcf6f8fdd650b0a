#include "server/pushed_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "git/testing/bridge.h"

namespace headrace::server {
namespace {

using git::testing::Bridge;
using pipeline::Changes;
using pipeline::Comparison;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

const std::string none(40, '0');

class PushedChanges : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto url = bridge_.make_repository("hello");
    bridge_.good_git({"clone", "-q", url, "work"});
    bridge_.good_git({"checkout", "-q", "-B", "main"}, "work");
    first_ = bridge_.commit("work", "src/a.txt", "one\n");
    second_ = bridge_.commit("work", "README.md", "read me\n");
    push("main");
  }
  void push(const std::string& what) { bridge_.good_git({"push", "-q", "--force", "origin", what}, "work"); }
  Changes look(const std::string& before, const std::string& after, std::vector<Branch> branches,
               Comparison::Kind kind = Comparison::Kind::push) {
    auto repository = std::move(*git::Repository::open(bridge_.path("hello")));
    auto changes =
        changes_of(*repository, {.kind = kind, .ref = "", .before = before, .after = after}, branches, "main");
    EXPECT_TRUE(changes) << (changes ? "" : changes.error().message);
    return changes.value_or(Changes());
  }
  static std::vector<std::string> ids(const Changes& changes) {
    std::vector<std::string> list;
    for (const auto& commit : changes.commits) list.push_back(commit.id);
    return list;
  }

  core::Loop loop_;
  Bridge bridge_{loop_};
  std::string first_, second_;
};

TEST_F(PushedChanges, OfABranchAreItsCommitsOldestFirstAndWhatDiffersBetweenItsEnds) {
  auto third = bridge_.commit("work", "src/a.txt", "two\n");
  push("main");
  auto changes = look(first_, third, {{"refs/heads/main", first_}});
  EXPECT_THAT(ids(changes), ElementsAre(second_, third));
  EXPECT_THAT(changes.commits[0].added, ElementsAre("README.md"));
  EXPECT_THAT(changes.commits[1].modified, ElementsAre("src/a.txt"));
  EXPECT_TRUE(changes.commits[0].distinct);
  EXPECT_EQ(changes.head->id, third);
  EXPECT_THAT(changes.head->time, HasSubstr("T"));
  EXPECT_THAT(changes.changed_paths, Optional(ElementsAre("README.md", "src/a.txt")));
  EXPECT_EQ(changes.base_ref, "");
}

TEST_F(PushedChanges, OfANewBranchBeginWhereItsFirstOwnCommitDoes) {
  auto own = bridge_.commit("work", "b.txt", "b\n");
  push("HEAD:refs/heads/topic");
  auto changes = look(none, own, {{"refs/heads/main", second_}});
  EXPECT_THAT(ids(changes), ElementsAre(own));
  EXPECT_THAT(changes.changed_paths, Optional(ElementsAre("b.txt")));
  auto same = look(none, second_, {{"refs/heads/main", second_}});
  EXPECT_THAT(same.changed_paths, Optional(IsEmpty())) << "nothing is new";
  EXPECT_EQ(same.base_ref, "refs/heads/main");
  EXPECT_FALSE(same.head->distinct);
  auto root = look(none, second_, {});
  EXPECT_THAT(root.changed_paths, Optional(ElementsAre("README.md", "src/a.txt"))) << "against nothing";
}

TEST_F(PushedChanges, OfACommitThatAnotherBranchHadAreNotDistinct) {
  auto changes = look(first_, second_, {{"refs/heads/main", first_}, {"refs/heads/topic", second_}});
  ASSERT_THAT(changes.commits, SizeIs(1));
  EXPECT_FALSE(changes.commits[0].distinct);
}

TEST_F(PushedChanges, OfAPushThatRewritesCompareTheTwoEnds) {
  bridge_.good_git({"reset", "-q", "--hard", first_}, "work");
  auto other = bridge_.commit("work", "c.txt", "c\n");
  push("main");
  auto changes = look(second_, other, {{"refs/heads/main", second_}});
  EXPECT_THAT(ids(changes), ElementsAre(other));
  EXPECT_THAT(changes.changed_paths, Optional(ElementsAre("README.md", "c.txt")));
  EXPECT_THAT(look(std::string(40, 'd'), other, {}).paths_note, HasSubstr("not there any more"));
}

TEST_F(PushedChanges, OfAChangeLeaveOutWhatItsTargetDidSince) {
  bridge_.good_git({"checkout", "-q", "-b", "topic", first_}, "work");
  auto topic = bridge_.commit("work", "b.txt", "b\n");
  push("topic");
  auto changes = look(second_, topic, {}, Comparison::Kind::change);
  EXPECT_THAT(changes.changed_paths, Optional(ElementsAre("b.txt")));
}

TEST_F(PushedChanges, AreBounded) {
  for (size_t i = 0; i <= pipeline::changed_paths_max; ++i)
    bridge_.write("work/many/" + std::to_string(i) + ".txt", std::string(3, 'x'));
  bridge_.good_git({"add", "."}, "work");
  bridge_.good_git({"commit", "-q", "-m", std::string(pipeline::message_bytes_max + 100, 'm')}, "work");
  push("main");
  auto head = bridge_.good_git({"rev-parse", "HEAD"}, "work").substr(0, 40);
  auto changes = look(second_, head, {});
  EXPECT_EQ(changes.head->message.size(), pipeline::message_bytes_max);
  EXPECT_THAT(changes.changed_paths, Optional(SizeIs(pipeline::changed_paths_max)));
  EXPECT_THAT(changes.paths_note, HasSubstr("see the first 300"));
}

}  // namespace
}  // namespace headrace::server
