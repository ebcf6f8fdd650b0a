#include "git/upkeep.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "core/random.h"
#include "git/folder.h"
#include "git/testing/bridge.h"

namespace headrace::git {
namespace {

using testing::Bridge;

constexpr uint64_t mib = uint64_t{1} << 20;

TEST(Upkeep, IsDueWhereABitmapCoversTooLittleOrTooMuchLiesAbout) {
  EXPECT_EQ(upkeep_due({}), Upkeep::nothing);
  EXPECT_EQ(upkeep_due({.packs = 1, .bytes = 100 * 1024}), Upkeep::nothing);
  EXPECT_EQ(upkeep_due({.packs = 1, .bytes = mib}), Upkeep::whole);
  EXPECT_EQ(upkeep_due({.packs = 9, .bytes = 14 * mib, .mapped_bytes = 10 * mib}), Upkeep::nothing);
  EXPECT_EQ(upkeep_due({.packs = 9, .bytes = 16 * mib, .mapped_bytes = 10 * mib}), Upkeep::whole);
  EXPECT_EQ(upkeep_due({.packs = packs_max, .bytes = 11 * mib, .mapped_bytes = 10 * mib}), Upkeep::fold);
  EXPECT_EQ(upkeep_due({.packs = 1, .bytes = mib, .mapped_bytes = mib, .loose = loose_max}), Upkeep::fold);
}

class Kept : public ::testing::Test {
 protected:
  Kept() {
    bridge_.make_repository("hello");
    bridge_.good_git({"clone", "-q", bridge_.url("hello"), "work"});
    bridge_.good_git({"checkout", "-q", "-B", "main"}, "work");
  }
  void push(const std::string& file, size_t bytes) {
    core::SeededRandom random(bytes);
    std::string text(bytes, '\0');
    random.fill(std::as_writable_bytes(std::span(text)));
    bridge_.commit("work", file, text);
    bridge_.good_git({"push", "-q", "origin", "main"}, "work");
  }
  bool maintain() {
    const auto done = loop_.run(bridge_.server.maintain(bridge_.path("hello")));
    EXPECT_TRUE(done) << done.error().message << done.error().detail;
    return done && *done;
  }
  PackState state() { return look_at_packs(bridge_.path("hello")).value(); }
  bool whole() { return bridge_.git({"fsck", "--strict"}, "hello.git").exit.succeeded(); }

  core::Loop loop_;
  Bridge bridge_{loop_};
};

TEST_F(Kept, IsARepositoryInOnePackWithABitmapThatLosesNothing) {
  push("a.bin", 400'000);
  push("b.txt", 100);
  const auto lost = bridge_.good_git({"commit-tree", "-m", "on no ref", "main^{tree}"}, "hello.git");
  EXPECT_TRUE(maintain());
  EXPECT_EQ(state().packs, 1u);
  EXPECT_EQ(state().mapped_bytes, state().bytes);
  EXPECT_TRUE(std::filesystem::exists(bridge_.path("hello") + "/objects/info/commit-graph"));
  EXPECT_EQ(bridge_.good_git({"cat-file", "-t", lost}, "hello.git"), "commit");
  EXPECT_TRUE(whole());
  EXPECT_FALSE(maintain());
  push("c.txt", 100);
  bridge_.good_git({"clone", "-q", bridge_.url("hello"), "copy"});
  EXPECT_TRUE(std::filesystem::exists(bridge_.folder + "/copy/c.txt"));
}

// Geometric by number of objects: a pack of many is left alone.
TEST_F(Kept, IsTheBitmapWhileSmallPacksAreFolded) {
  for (size_t index = 0; index < 20 * packs_max; ++index)
    bridge_.write("work/files/" + std::to_string(index), std::to_string(index));
  push("a.bin", 400'000);
  EXPECT_TRUE(maintain());
  const auto mapped = state().mapped_bytes;
  for (size_t index = 0; index < packs_max; ++index) push("small.txt", 10 + index);
  EXPECT_TRUE(maintain());
  EXPECT_LT(state().packs, 4u);
  EXPECT_EQ(state().mapped_bytes, mapped);
  EXPECT_TRUE(whole());
}

TEST_F(Kept, AreRefsInOneFileOnceNobodyPushes) {
  push("a.txt", 100);
  for (size_t index = 0; index < loose_refs_max; ++index)
    bridge_.write("hello.git/refs/tags/t" + std::to_string(index),
                  bridge_.good_git({"rev-parse", "main"}, "work") + "\n");
  {
    const auto pushing = FolderLock::try_lock(bridge_.path("hello"), FolderLock::Mode::shared);
    EXPECT_FALSE(maintain());
  }
  EXPECT_TRUE(maintain());
  EXPECT_EQ(state().loose_refs, 0u);
  EXPECT_NE(bridge_.good_git({"ls-remote", bridge_.url("hello")}).find("refs/tags/t7"), std::string::npos);
}

}  // namespace
}  // namespace headrace::git
