// Real git.
#include "cli/exec_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace headrace::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;
namespace fs = std::filesystem;

TEST(ExecRemote, NamesServerAndRepositoryHoweverItIsWritten) {
  auto expected = std::pair<std::string, std::string>("https://github.com", "team/hello");
  for (const char* url :
       {"https://github.com/team/hello.git", "https://github.com/team/hello/", "git@github.com:team/hello.git",
        "ssh://git@github.com:22/team/hello", "https://x:secret@github.com/team/hello"})
    EXPECT_EQ(parse_remote(url), expected) << url;
  EXPECT_EQ(parse_remote("http://127.0.0.1:8080/team/hello.git").first, "http://127.0.0.1:8080");
  EXPECT_EQ(parse_remote("https://gitlab.com/group/sub/name.git").second, "sub/name");
  for (const char* none : {"", "/srv/git/hello.git", "../hello", "file:///srv/a/b", "https://github.com"})
    EXPECT_EQ(parse_remote(none).second, "") << none;
}

class ExecFolder : public ::testing::Test {
 protected:
  ExecFolder() {
    std::string name = ::testing::TempDir() + "exec-folder-XXXXXX";
    top_ = fs::canonical(::mkdtemp(name.data())).string();
    at_ = top_ + "/work";
    fs::create_directories(at_);
    for (const char* setting : {"AUTHOR_NAME=Ada", "AUTHOR_EMAIL=a@b", "COMMITTER_NAME=Ada", "COMMITTER_EMAIL=a@b"}) {
      std::string entry = std::string("GIT_") + setting;
      ::setenv(entry.substr(0, entry.find('=')).c_str(), entry.substr(entry.find('=') + 1).c_str(), 1);
    }
  }
  ~ExecFolder() override { fs::remove_all(top_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((fs::path(at_) / path).parent_path());
    std::ofstream(at_ + "/" + path) << text;
  }
  std::string git(const std::string& words) const {
    std::string out = top_ + "/out";
    EXPECT_EQ(::system(("cd '" + at_ + "' && git " + words + " >'" + out + "' 2>&1").c_str()), 0) << words;
    std::ifstream in(out);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }
  void repository() {
    git("init -q -b main");
    write("a.txt", "a\n");
    write(".gitignore", "ignored\n");
    git("add .");
    git("commit -qm First");
  }
  Folder look(const std::string& sub = "") {
    auto folder = loop_.run(look_at_folder(loop_.executor(), at_ + sub));
    EXPECT_TRUE(folder) << (folder ? "" : folder.error().message);
    return folder ? *folder : Folder();
  }
  Snapshot snap(const Folder& folder) {
    auto taken = loop_.run(take_snapshot(loop_.executor(), folder, top_ + "/snap" + std::to_string(++snaps_)));
    EXPECT_TRUE(taken) << (taken ? "" : taken.error().message);
    return taken ? *taken : Snapshot();
  }
  std::string within(const Snapshot& snapshot, const std::string& words) const {
    return git("--git-dir=" + snapshot.repository + " " + words);
  }

  std::string top_, at_;
  int snaps_ = 0;
  core::Loop loop_;
};

TEST_F(ExecFolder, IsKnownFromASubfolderWithItsBranchRemoteAndCommit) {
  repository();
  git("remote add origin git@github.com:team/hello.git");
  git("config user.name Grace");
  write("deep/er/x", "");
  Folder folder = look("/deep/er");
  EXPECT_EQ(folder.root, at_);
  EXPECT_EQ(folder.ref, "refs/heads/main");
  EXPECT_EQ(folder.full_name, "team/hello");
  EXPECT_EQ(folder.server_url, "https://github.com");
  EXPECT_EQ(folder.actor, "Grace");
  EXPECT_EQ(folder.title, "First");
  EXPECT_EQ(folder.head, git("rev-parse HEAD"));
}

TEST_F(ExecFolder, ATagIsMeantWhereHeadIsOnNoBranch) {
  repository();
  git("tag -a v1 -m v1");
  git("checkout -q --detach");
  EXPECT_EQ(look().ref, "refs/tags/v1");
  EXPECT_EQ(look().branch(), "");
}

TEST_F(ExecFolder, IsItsCommitWhereEverythingIsCommitted) {
  repository();
  write("ignored", "x");
  Snapshot snapshot = snap(look());
  EXPECT_FALSE(snapshot.changed);
  EXPECT_EQ(snapshot.commit, git("rev-parse HEAD"));
}

TEST_F(ExecFolder, IsACommitOnTopWithWhatIsNotCommittedAndNothingIsChangedByIt) {
  repository();
  write("a.txt", "changed\n");
  write("new.txt", "new\n");
  write("ignored", "x");
  write("staged.txt", "staged\n");
  git("add staged.txt");
  std::string before = git("status --porcelain"), objects = git("count-objects");
  Snapshot snapshot = snap(look());
  EXPECT_TRUE(snapshot.changed);
  EXPECT_EQ(within(snapshot, "show " + snapshot.commit + ":a.txt"), "changed");
  EXPECT_EQ(within(snapshot, "ls-tree -r --name-only " + snapshot.commit), ".gitignore\na.txt\nnew.txt\nstaged.txt");
  EXPECT_EQ(within(snapshot, "rev-parse " + snapshot.commit + "~1"), git("rev-parse HEAD"));
  EXPECT_EQ(within(snapshot, "rev-parse refs/heads/main"), snapshot.commit);
  EXPECT_EQ(git("status --porcelain"), before);
  EXPECT_EQ(git("count-objects"), objects) << "nothing is written into the repository at hand";
  EXPECT_EQ(snap(look()).commit, snapshot.commit) << "the same files are the same commit";
  std::vector<std::pair<char, std::string>> changes;
  for (const auto& change : snapshot.changes) changes.emplace_back(change.kind, change.path);
  EXPECT_THAT(changes, Contains(Pair('M', "a.txt")));
  EXPECT_THAT(changes, Contains(Pair('A', "new.txt")));
}

TEST_F(ExecFolder, WorksWithoutACommitAndWithoutARepository) {
  write("a.txt", "a\n");
  write(".github/workflows/ci.yml", "on: push\n");
  write("deep/x", "x\n");
  Folder bare = look("/deep");
  EXPECT_FALSE(bare.git);
  EXPECT_EQ(bare.root, at_);
  EXPECT_EQ(bare.full_name, "local/work");
  Snapshot files = snap(bare);
  EXPECT_EQ(within(files, "ls-tree -r --name-only HEAD"), ".github/workflows/ci.yml\na.txt\ndeep/x");
  git("init -q -b trunk");
  Folder fresh = look();
  EXPECT_TRUE(fresh.git);
  EXPECT_EQ(fresh.ref, "refs/heads/trunk");
  EXPECT_EQ(within(snap(fresh), "ls-tree -r --name-only HEAD"), ".github/workflows/ci.yml\na.txt\ndeep/x");
}

TEST_F(ExecFolder, AWorktreeOfAnotherFolderIsItsOwn) {
  repository();
  git("worktree add -q ../other -b side");
  write("a.txt", "only here\n");
  auto other = loop_.run(look_at_folder(loop_.executor(), top_ + "/other"));
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(other->root, top_ + "/other");
  EXPECT_EQ(other->ref, "refs/heads/side");
  EXPECT_FALSE(snap(*other).changed);
}

}  // namespace
}  // namespace headrace::cli
