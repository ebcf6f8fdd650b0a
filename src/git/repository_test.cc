#include "git/repository.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <map>

#include "git/folder.h"
#include "git/names.h"
#include "git/testing/bridge.h"

namespace headrace::git {
namespace {

using core::Code;
using testing::Bridge;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const std::string zero(40, '0');

class Reading : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto url = bridge_.make_repository("hello");
    bridge_.good_git({"clone", "-q", url, "work"});
    bridge_.good_git({"checkout", "-q", "-B", "main"}, "work");
    first_ = bridge_.commit("work", "src/a.txt", "one\ntwo\nthree\n");
    second_ = bridge_.commit("work", "README.md", "read me\n");
    third_ = bridge_.commit("work", "src/a.txt", "one\n2\nthree\n");
    bridge_.good_git({"push", "-q", "origin", "main"}, "work");
    repository_ = std::move(*Repository::open(bridge_.path("hello")));
  }

  core::Loop loop_;
  Bridge bridge_{loop_};
  std::string first_, second_, third_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(Reading, NamesComeDownToCommits) {
  bridge_.good_git({"tag", "-a", "v1", "-m", "first", first_}, "work");
  bridge_.good_git({"push", "-q", "origin", "v1", second_ + ":refs/heads/feature/x"}, "work");
  EXPECT_EQ(*repository_->resolve("HEAD"), third_);
  EXPECT_EQ(*repository_->resolve("main"), third_);
  EXPECT_EQ(*repository_->resolve("refs/heads/main"), third_);
  EXPECT_EQ(*repository_->resolve("feature/x"), second_);
  EXPECT_EQ(*repository_->resolve("v1"), first_);
  EXPECT_EQ(*repository_->resolve(first_), first_);
  EXPECT_EQ(*repository_->resolve(first_.substr(0, 9)), first_);
  for (const auto* bad : {"", "nothing", "HEAD~1", ":/one", "main^{tree}", "refs/heads/../main", "12345"})
    EXPECT_EQ(repository_->resolve(bad).error().code, Code::not_found) << bad;
}

TEST_F(Reading, WhatAPushBroughtIsItsCommitsAndTheFilesThatDiffer) {
  auto range = repository_->commits_between(third_, {first_, zero}, 10);
  ASSERT_TRUE(range) << range.error().message;
  EXPECT_THAT(range->commits, ElementsAre(third_, second_));
  EXPECT_FALSE(range->more);
  auto cut = repository_->commits_between(third_, {}, 2);
  EXPECT_THAT(cut->commits, ElementsAre(third_, second_));
  EXPECT_TRUE(cut->more);
  using enum FileDiff::Status;
  auto changed = repository_->changed_paths(first_, third_, 10);
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_THAT(changed->paths, ElementsAre(ChangedPath{added, "README.md"}, ChangedPath{modified, "src/a.txt"}));
  EXPECT_THAT(repository_->changed_paths(third_, first_, 1)->paths, ElementsAre(ChangedPath{deleted, "README.md"}));
  EXPECT_TRUE(repository_->changed_paths(third_, first_, 1)->more);
  EXPECT_THAT(repository_->changed_paths("", first_, 10)->paths, ElementsAre(ChangedPath{added, "src/a.txt"}));
  EXPECT_EQ(repository_->changed_paths(zero, first_, 10).error().code, Code::not_found);
}

TEST_F(Reading, ABranchCalledLikeACommitDoesNotStandInForIt) {
  bridge_.good_git({"update-ref", "refs/heads/" + first_, third_}, "hello.git");
  EXPECT_EQ(*repository_->resolve(first_), first_);
}

TEST_F(Reading, HiddenRefsHaveNoName) {
  bridge_.good_git({"update-ref", "refs/headrace/keep/1", first_}, "hello.git");
  EXPECT_FALSE(repository_->resolve("refs/headrace/keep/1"));
  EXPECT_THAT(*repository_->refs(""), ElementsAre(Field(&Ref::name, "refs/heads/main")));
  EXPECT_THAT(*repository_->all_refs(),
              ElementsAre(Field(&Ref::name, "refs/headrace/keep/1"), Field(&Ref::name, "refs/heads/main")));
}

TEST_F(Reading, TreesAndFilesAreReadWithinBounds) {
  const auto root = repository_->tree("main", "");
  ASSERT_TRUE(root);
  ASSERT_THAT(*root, SizeIs(2));
  EXPECT_EQ((*root)[0].name, "README.md");
  EXPECT_EQ((*root)[0].size, 8u);
  EXPECT_EQ((*root)[1].kind, Kind::tree);
  EXPECT_THAT(*repository_->tree("main", "/src/"), ElementsAre(Field(&Entry::name, "a.txt")));
  EXPECT_EQ(repository_->blob(second_, "src/a.txt", 100)->content, "one\ntwo\nthree\n");
  const auto cut = repository_->blob("main", "src/a.txt", 4);
  EXPECT_EQ(cut->content, "one\n");
  EXPECT_EQ(cut->size, 12u);
  EXPECT_TRUE(cut->truncated());
  EXPECT_EQ(repository_->blob_by_id(cut->id, 100)->content, "one\n2\nthree\n");
  EXPECT_EQ(repository_->blob("main", "src", 4).error().code, Code::not_found);
  EXPECT_EQ(repository_->tree("main", "README.md").error().code, Code::not_found);
  EXPECT_THAT(repository_->blob("main", "no/such", 4).error().message, HasSubstr("no/such"));
}

TEST_F(Reading, HistoryComesInPagesNewestFirst) {
  const auto page = repository_->log({.from = "main", .count = 2});
  ASSERT_TRUE(page);
  ASSERT_THAT(page->commits, SizeIs(2));
  EXPECT_EQ(page->commits[0].id, third_);
  EXPECT_EQ(page->commits[0].message, "change src/a.txt\n");
  EXPECT_EQ(page->commits[0].author.email, "a@example.org");
  ASSERT_TRUE(page->next);
  const auto rest = repository_->log({.from = "main", .skip = *page->next, .count = 2});
  EXPECT_THAT(rest->commits, ElementsAre(Field(&Commit::id, first_)));
  EXPECT_FALSE(rest->next);
}

TEST_F(Reading, TheHistoryOfAPathHasTheCommitsThatChangedIt) {
  const auto page = repository_->log({.from = "main", .path = "src/a.txt"});
  ASSERT_TRUE(page);
  EXPECT_THAT(page->commits, ElementsAre(Field(&Commit::id, third_), Field(&Commit::id, first_)));
}

TEST_F(Reading, OfEachEntryTheCommitIsKnownThatChangedItLast) {
  const auto changes = [&](std::string_view revision, std::string_view path) {
    std::map<std::string, std::string> found;
    for (const auto& one : repository_->last_changes(revision, path).value())
      found[one.name] = one.commit ? one.commit->id : "";
    return found;
  };
  using Found = std::map<std::string, std::string>;
  EXPECT_EQ(changes("main", ""), (Found{{"README.md", second_}, {"src", third_}}));
  EXPECT_EQ(changes("main", "/src/"), (Found{{"a.txt", third_}}));
  EXPECT_EQ(changes(second_, ""), (Found{{"README.md", second_}, {"src", first_}}));

  // A branch changes one file, its merge brings it; another is merged without what it changed.
  bridge_.good_git({"checkout", "-q", "-b", "side", second_}, "work");
  const auto side = bridge_.commit("work", "side.txt", "of the side\n");
  bridge_.good_git({"checkout", "-q", "main"}, "work");
  bridge_.good_git({"merge", "-q", "--no-ff", "-m", "merge", "side"}, "work");
  bridge_.good_git({"checkout", "-q", "-b", "dropped"}, "work");
  bridge_.commit("work", "README.md", "never mind\n");
  bridge_.good_git({"checkout", "-q", "main"}, "work");
  const auto fourth = bridge_.commit("work", "src/b.txt", "b\n");
  bridge_.good_git({"merge", "-q", "-s", "ours", "-m", "without it", "dropped"}, "work");
  bridge_.good_git({"push", "-q", "origin", "main"}, "work");
  EXPECT_EQ(changes("main", ""), (Found{{"README.md", second_}, {"side.txt", side}, {"src", fourth}}));
  EXPECT_EQ(changes("main", "src"), (Found{{"a.txt", third_}, {"b.txt", fourth}}));

  // As it was before it was taken back.
  bridge_.commit("work", "side.txt", "another\n");
  const auto back = bridge_.commit("work", "side.txt", "of the side\n");
  bridge_.good_git({"push", "-q", "origin", "main"}, "work");
  EXPECT_EQ(changes("main", "").at("side.txt"), back);

  EXPECT_EQ(repository_->last_changes("main", "nothing").error().code, Code::not_found);
  EXPECT_EQ(repository_->last_changes("main", "README.md").error().code, Code::not_found);
  EXPECT_EQ(repository_->last_changes("none", "").error().code, Code::not_found);
}

TEST_F(Reading, DifferencesAreUnifiedPatches) {
  const auto diff = repository_->diff_of(third_);
  ASSERT_TRUE(diff);
  ASSERT_THAT(diff->files, SizeIs(1));
  EXPECT_EQ(diff->additions, 1u);
  EXPECT_EQ(diff->deletions, 1u);
  EXPECT_THAT(diff->files[0].patch, HasSubstr("@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"));
  const auto all = repository_->diff(first_, third_);
  EXPECT_THAT(all->files, SizeIs(2));
  const auto root = repository_->diff_of(first_);
  EXPECT_THAT(root->files, ElementsAre(Field(&FileDiff::status, FileDiff::Status::added)));
  EXPECT_EQ(root->files[0].old_id, zero);
}

TEST_F(Reading, RenamesAndBinariesAreSeenAndLongPatchesLeftOut) {
  bridge_.good_git({"mv", "src/a.txt", "b.txt"}, "work");
  bridge_.write("work/image", std::string("\0\1\2\3", 4));
  std::string lines;
  for (int line = 0; line < 60'000; ++line) lines += "line\n";
  const auto fourth = bridge_.commit("work", "long.txt", lines);
  bridge_.good_git({"push", "-q", "origin", "main"}, "work");
  const auto diff = repository_->diff_of(fourth);
  ASSERT_TRUE(diff);
  ASSERT_THAT(diff->files, SizeIs(3));
  EXPECT_EQ(diff->files[0].status, FileDiff::Status::renamed);
  EXPECT_EQ(diff->files[0].old_path, "src/a.txt");
  EXPECT_TRUE(diff->files[1].binary);
  EXPECT_TRUE(diff->files[2].cut);
  EXPECT_TRUE(diff->truncated);
  EXPECT_EQ(diff->files[2].additions, 60'000u);
  EXPECT_EQ(diff->files_total, 3u);
  for (const auto* name : {"src/a.txt", "b.txt"}) {
    const auto one = repository_->diff_of(fourth, name);
    ASSERT_TRUE(one);
    EXPECT_THAT(one->files, ElementsAre(Field(&FileDiff::status, FileDiff::Status::renamed))) << name;
    EXPECT_FALSE(one->truncated);
  }
}

TEST_F(Reading, AncestryIsKnown) {
  EXPECT_TRUE(*repository_->is_ancestor(first_, third_));
  EXPECT_TRUE(*repository_->is_ancestor(first_, first_));
  EXPECT_FALSE(*repository_->is_ancestor(third_, first_));
  EXPECT_FALSE(*repository_->is_ancestor(zero, first_));
  EXPECT_EQ(*repository_->merge_base(second_, third_), second_);
  EXPECT_EQ(*repository_->default_branch(), "main");
  EXPECT_TRUE(*repository_->has_object(first_));
  EXPECT_FALSE(*repository_->has_object(zero));
}

TEST_F(Reading, WhatIsNoRepositoryIsNotFound) {
  EXPECT_EQ(Repository::open(bridge_.root() + "/nothing.git").error().code, Code::not_found);
  EXPECT_EQ(Repository::open(bridge_.root()).error().code, Code::not_found);
}

TEST_F(Reading, RefsMoveByCompareAndSwapAllOrNone) {
  const auto path = bridge_.path("hello");
  const std::vector<RefMove> make = {{"refs/heads/side", zero, first_}, {"refs/heads/other", zero, second_}};
  ASSERT_TRUE(move_refs(path, make));
  EXPECT_EQ(*repository_->resolve("side"), first_);
  const std::vector<RefMove> half = {{"refs/heads/side", first_, third_}, {"refs/heads/other", first_, third_}};
  const auto refused = move_refs(path, half);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("refs/heads/other"));
  EXPECT_EQ(*repository_->resolve("side"), first_);
  const std::vector<RefMove> remove = {{"refs/heads/side", first_, zero}, {"refs/heads/other", "", third_}};
  ASSERT_TRUE(move_refs(path, remove));
  EXPECT_FALSE(repository_->resolve("side"));
  EXPECT_EQ(*repository_->resolve("other"), third_);
}

TEST_F(Reading, ALockIsSharedByPushesAndHeldAloneByWhoSettles) {
  using Mode = FolderLock::Mode;
  const auto path = bridge_.path("hello");
  auto push = FolderLock::try_lock(path, Mode::shared);
  auto other = FolderLock::try_lock(path, Mode::shared);
  ASSERT_TRUE(push && *push && other && *other);
  EXPECT_EQ(*FolderLock::try_lock(path, Mode::alone), nullptr);
  push->reset();
  other->reset();
  auto alone = FolderLock::try_lock(path, Mode::alone);
  ASSERT_TRUE(alone && *alone);
  EXPECT_EQ(*FolderLock::try_lock(path, Mode::shared), nullptr);
  EXPECT_EQ(FolderLock::try_lock(bridge_.root() + "/nothing.git", Mode::shared).error().code, Code::not_found);
}

TEST_F(Reading, LeftoversOfAKilledGitAreRemovedAndNothingElse) {
  const auto path = bridge_.path("hello");
  bridge_.good_git({"push", "-q", "origin", "main:tmp_branch"}, "work");
  for (const auto* leftover :
       {"refs/heads/main.lock", "packed-refs.lock", "objects/tmp_objdir-incoming-x/pack/a", "objects/pack/tmp_pack_x"})
    bridge_.write(std::string("hello.git/") + leftover, "x");
  EXPECT_FALSE(bridge_.git({"push", "origin", "main~1:main", "--force"}, "work").exit.succeeded());
  const auto alone = FolderLock::try_lock(path, FolderLock::Mode::alone);
  ASSERT_TRUE(alone && *alone);
  EXPECT_EQ(*remove_leftovers(path, **alone), 4u);
  EXPECT_EQ(*repository_->resolve("tmp_branch"), third_);
  EXPECT_EQ(*repository_->resolve("main"), third_);
}

TEST_F(Reading, ARepositoryIsMadeOnceAndRemovedWhole) {
  const auto path = bridge_.path("other");
  ASSERT_TRUE(create_bare(path, "trunk"));
  EXPECT_EQ(create_bare(path, "trunk").error().code, Code::conflict);
  EXPECT_EQ(*(*Repository::open(path))->default_branch(), "trunk");
  EXPECT_EQ((*Repository::open(path))->resolve("HEAD").error().code, Code::not_found);
  EXPECT_TRUE(remove_bare(path));
  EXPECT_TRUE(remove_bare(path));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Reading, TheLargestFileOfAPushIsFoundInQuarantine) {
  EXPECT_EQ((*largest_file(bridge_.path("hello") + "/objects"))->bytes, 14u);
  EXPECT_EQ(*largest_file(bridge_.path("hello") + "/objects/info"), std::nullopt);
}

}  // namespace
}  // namespace headrace::git
