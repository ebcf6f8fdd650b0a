// What is particular to a push that is carried out here: the processes it starts, what it syncs, what it refuses. That
// it does as receive-pack does is the business of serve_test.cc.
#include "git/direct_push.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/random.h"
#include "git/connected.h"
#include "git/report.h"
#include "git/testing/bridge.h"

namespace headrace::git {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::Bridge;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::string zero(40, '0');

// A git that notes what it is asked to do, and how often it syncs.
class Noted {
 public:
  Noted() {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no folder for a test");
    std::ofstream(program()) << "#!/bin/sh\necho \"$*\" >>" << folder_ << "/asked\nexport GIT_TRACE2_EVENT=" << folder_
                             << "/trace\nexec git \"$@\"\n";
    ::chmod(program().c_str(), 0700);
  }
  ~Noted() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;

  std::string program() const { return folder_ + "/git"; }
  void forget() const {
    fs::remove(folder_ + "/asked");
    fs::remove(folder_ + "/trace");
  }
  std::vector<std::string> asked() const { return lines("asked"); }
  // How often its processes synced a file as `how` says: "hardware-flush" or "writeout-only".
  int synced(const std::string& how) const {
    int total = 0;
    for (const auto& line : lines("trace")) {
      const auto key = "\"category\":\"fsync\",\"key\":\"fsync/" + how + "\",\"value\":\"";
      if (const size_t at = line.find(key); at != std::string::npos) total += std::stoi(line.substr(at + key.size()));
    }
    return total;
  }

 private:
  std::vector<std::string> lines(const std::string& name) const {
    std::ifstream in(folder_ + "/" + name);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  std::string folder_ = (fs::temp_directory_path() / "headrace-noted-XXXXXX").string();
};

class Direct : public ::testing::Test {
 protected:
  Direct() {
    bridge_.make_repository("hello");
    bridge_.good_git({"clone", "-q", bridge_.url("hello"), "work"});
    bridge_.good_git({"checkout", "-q", "-B", "main"}, "work");
    head_ = bridge_.commit("work", "folder/file.txt", "one\n");
    bridge_.good_git({"push", "-q", "origin", "main"}, "work");
    noted_.forget();
    bridge_.recorder.accepted.clear();
  }
  static ServeOptions with(const Noted& noted) {
    ServeOptions options;
    options.git = noted.program();
    return options;
  }
  std::string push(const std::vector<std::string>& what, bool good = true) {
    std::vector<std::string> arguments = {"push", "origin"};
    arguments.insert(arguments.end(), what.begin(), what.end());
    const auto ran = bridge_.git(arguments, "work");
    EXPECT_EQ(ran.exit.succeeded(), good) << ran.err;
    return ran.err;
  }
  std::string ref(const std::string& name) {
    return bridge_.git({"rev-parse", "-q", "--verify", name}, "hello.git").out.substr(0, 40);
  }
  // What is answered to one command and a pack.
  std::string by_hand(const std::string& command, const std::string& pack) {
    std::string body = to_packet(command + std::string(1, '\0') + " report-status") + "0000" + pack;
    std::string answer;
    const ReadBody read = [&body](std::span<std::byte> bytes) -> core::Task<core::Result<size_t>> {
      const size_t count = std::min(bytes.size(), body.size());
      std::copy_n(reinterpret_cast<const std::byte*>(body.data()), count, bytes.begin());
      body.erase(0, count);
      co_return count;
    };
    const WriteChunk write = [&answer](std::span<const std::byte> bytes) -> core::Task<core::Result<>> {
      answer.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      co_return core::Result<>{};
    };
    const Request request{bridge_.path("hello"), "", false};
    noted_.forget();
    EXPECT_TRUE(loop_.run(bridge_.server.receive_pack(request, bridge_.recorder, read, write)));
    return answer;
  }
  std::vector<std::string> names_below(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(bridge_.path("hello") + "/" + folder))
      names.push_back(entry.path().filename());
    return names;
  }

  Noted noted_;
  core::Loop loop_;
  Bridge bridge_{loop_, with(noted_)};
  std::string head_;
};

TEST_F(Direct, AnOrdinaryPushStartsOneProcess) {
  const auto later = bridge_.commit("work", "more.txt", "more\n");
  push({"main"});
  EXPECT_THAT(noted_.asked(), ElementsAre(HasSubstr("index-pack")));
  EXPECT_EQ(ref("refs/heads/main"), later);
  EXPECT_TRUE(bridge_.recorder.durable);
  EXPECT_THAT(names_below("objects"), Each(Not(HasSubstr("tmp_"))));
  EXPECT_TRUE(bridge_.git({"fsck", "--strict"}, "hello.git").exit.succeeded());
}

TEST_F(Direct, APushThatBringsNothingAndADeletionStartNone) {
  push({"main:feature/x"});
  push({":feature/x"});
  EXPECT_THAT(noted_.asked(), IsEmpty());
  EXPECT_EQ(ref("refs/heads/feature/x"), "");
  EXPECT_THAT(bridge_.recorder.accepted, SizeIs(2));
}

TEST_F(Direct, ListingRefsStartsNone) {
  for (const std::string version : {"0", "1", "2"})
    EXPECT_THAT(bridge_.good_git({"-c", "protocol.version=" + version, "ls-remote", bridge_.url("hello")}),
                HasSubstr("refs/heads/main"));
  EXPECT_THAT(noted_.asked(), IsEmpty());
}

TEST_F(Direct, AMovedFolderAndAMergeAreFoundWhole) {
  bridge_.good_git({"checkout", "-q", "-b", "side"}, "work");
  bridge_.commit("work", "side.txt", "side\n");
  push({"side"});
  bridge_.good_git({"checkout", "-q", "main"}, "work");
  bridge_.good_git({"mv", "folder", "other"}, "work");
  bridge_.good_git({"commit", "-q", "-m", "moved"}, "work");
  bridge_.good_git({"merge", "-q", "--no-edit", "side"}, "work");
  noted_.forget();
  push({"main"});
  EXPECT_THAT(noted_.asked(), ElementsAre(HasSubstr("index-pack")));
  EXPECT_TRUE(bridge_.git({"fsck", "--strict"}, "hello.git").exit.succeeded());
}

TEST_F(Direct, WhatHangsOnNoRefIsLookedThroughByGit) {
  bridge_.good_git({"tag", "first"}, "work");
  bridge_.commit("work", "more.txt", "more\n");
  push({"main"});
  noted_.forget();
  push({"first:refs/heads/old"});
  EXPECT_THAT(noted_.asked(), ElementsAre(HasSubstr("rev-list")));
  EXPECT_EQ(ref("refs/heads/old"), head_);
}

TEST_F(Direct, ATipThatLacksAFileMovesNothing) {
  // A commit that is there, on no ref, and whose file is not: what an interrupted copy left.
  const auto commit = bridge_.commit("work", "lost.txt", "lost\n");
  const auto blob = bridge_.good_git({"rev-parse", "main:lost.txt"}, "work");
  bridge_.good_git({"fetch", "-q", bridge_.folder + "/work", "main:side"}, "hello.git");
  bridge_.good_git({"update-ref", "-d", "refs/heads/side"}, "hello.git");
  ASSERT_TRUE(fs::remove(bridge_.path("hello") + "/objects/" + blob.substr(0, 2) + "/" + blob.substr(2)));
  const std::string nothing(
      "PACK\0\0\0\2\0\0\0\0\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd"
      "\x3e\xd3\x1e",
      32);
  const auto answer = by_hand(zero + " " + commit + " refs/heads/lost", nothing);
  EXPECT_THAT(answer, AllOf(HasSubstr("unpack ok"), HasSubstr("ng refs/heads/lost missing necessary objects")));
  EXPECT_THAT(noted_.asked(), ElementsAre(HasSubstr("rev-list")));
  EXPECT_EQ(ref("refs/heads/lost"), "");
  EXPECT_THAT(bridge_.recorder.accepted, IsEmpty());
  EXPECT_THAT(by_hand(zero + " " + std::string(40, '1') + " refs/heads/lost", nothing),
              HasSubstr("missing necessary objects"));
}

TEST_F(Direct, TheBranchOfHeadIsNotDeleted) {
  EXPECT_THAT(push({":main"}, false), HasSubstr("deletion of the current branch prohibited"));
  EXPECT_EQ(ref("refs/heads/main"), head_);
}

TEST_F(Direct, ABranchLeadsToACommit) {
  EXPECT_THAT(push({"main^{tree}:refs/heads/tree", "main:refs/heads/good"}, false),
              AllOf(HasSubstr("is no commit"), HasSubstr("failed to update ref")));
  EXPECT_EQ(ref("refs/heads/tree"), "");
  EXPECT_EQ(ref("refs/heads/good"), head_);
  push({"main^{tree}:refs/tags/tree"});
}

TEST_F(Direct, ABranchHasNoRoomBelowOrAboveAnother) {
  push({"main:refs/heads/a/b"});
  bridge_.good_git({"pack-refs", "--all"}, "hello.git");
  EXPECT_THAT(push({"main:refs/heads/a"}, false), HasSubstr("failed to update ref"));
  EXPECT_THAT(push({"main:refs/heads/a/b/c"}, false), HasSubstr("failed to update ref"));
  EXPECT_EQ(ref("refs/heads/a"), "");
  EXPECT_EQ(ref("refs/heads/a/b/c"), "");
}

TEST_F(Direct, AMaliciousTreeIsRefused) {
  const auto blob = bridge_.good_git({"rev-parse", "main:folder/file.txt"}, "work");
  bridge_.write("tree", "100644 blob " + blob + "\t.git\n");
  process::Spec spec;
  spec.argv = {"sh", "-c", "git mktree <../tree"};
  spec.directory = bridge_.folder + "/work";
  spec.environment = process::inherited_environment({"PATH"});
  auto made = loop_.run(process::run(loop_.executor(), std::move(spec), "", {}));
  const auto commit = bridge_.good_git({"commit-tree", "-m", "bad", made->out.substr(0, 40)}, "work");
  EXPECT_THAT(push({commit + ":refs/heads/bad"}, false), HasSubstr("unpacker error"));
  EXPECT_EQ(ref("refs/heads/bad"), "");
}

// What survives a power cut: the pack and its index by git, their names, the ref and its name by us.
TEST_F(Direct, GitSyncsThePackAndItsIndex) {
  bridge_.commit("work", "more.txt", "more\n");
  push({"main"});
  EXPECT_GE(noted_.synced("hardware-flush"), 2);
}

TEST_F(Direct, GitSyncsWhatALargePushBrings) {
  core::SeededRandom random(3);
  std::string much(3 << 20, '\0');
  random.fill(std::as_writable_bytes(std::span(much)));
  bridge_.commit("work", "large.bin", much);
  noted_.forget();
  push({"main"});
  EXPECT_THAT(noted_.asked(), ElementsAre(HasSubstr("receive-pack")));
  EXPECT_GE(noted_.synced("hardware-flush"), 2);  // objects or their pack, and the ref
}

TEST(PushReport, IsCutIntoBandsAndEndsTheAnswer) {
  EXPECT_EQ(on_band(Band::words, "hi\n"), std::string("0008\002hi\n"));
  EXPECT_EQ(on_band(Band::data, std::string(70'000, 'x')).size(), 70'000 + 2 * 5u);
  PushHead head;
  head.changes = {{"refs/heads/a", zero, zero}, {"refs/heads/b", zero, zero}};
  EXPECT_EQ(push_report(head, "ok", {"", ""}), "");
  head.capabilities = {"report-status"};
  EXPECT_EQ(push_report(head, "ok", {"", "no\nnever"}),
            "000eunpack ok\n0014ok refs/heads/a\n0017ng refs/heads/b no\n0000");
}

// --- Idleness.

TEST(Idle, AGitThatIsSilentIsEnded) {
  Noted place;
  const auto silent = place.program() + "-silent";
  std::ofstream(silent) << "#!/bin/sh\ncase \"$*\" in *info-refs*) exec git \"$@\" ;; *) echo $$ >" << silent
                        << ".pid; exec sleep 1000 ;; esac\n";
  ::chmod(silent.c_str(), 0700);
  ServeOptions options;
  options.git = silent;
  options.idle_max = std::chrono::milliseconds(50);
  core::Loop loop;
  Bridge bridge(loop, options);
  bridge.make_repository("quiet");
  const Request request{bridge.path("quiet"), "version=2", false};
  const std::string fetch = to_packet("command=fetch\n") + "0001" + to_packet("want " + std::string(40, '1') + "\n") +
                            to_packet("done\n") + "0000";
  size_t read = 0;
  const ReadBody body = [&](std::span<std::byte> bytes) -> core::Task<core::Result<size_t>> {
    const size_t count = std::min(bytes.size(), fetch.size() - read);
    std::copy_n(reinterpret_cast<const std::byte*>(fetch.data()) + read, count, bytes.begin());
    read += count;
    co_return count;
  };
  const WriteChunk write = [](std::span<const std::byte>) -> core::Task<core::Result<>> { co_return core::Result<>{}; };
  const auto served = loop.run(bridge.server.upload_pack(request, body, write));
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().code, core::Code::unavailable);
  EXPECT_THAT(served.error().message, HasSubstr("git was ended"));
  pid_t pid = 0;
  std::ifstream(silent + ".pid") >> pid;
  ASSERT_GT(pid, 0);
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_EQ(bridge.server.counters().running, 0u);
}

TEST(Idle, AClientThatStopsInTheMiddleOfItsPushIsLetGo) {
  ServeOptions options;
  options.idle_max = std::chrono::milliseconds(50);
  core::Loop loop;
  Bridge bridge(loop, options);
  bridge.make_repository("quiet");
  const Request request{bridge.path("quiet"), "", false};
  const std::string head =
      to_packet(zero + " " + std::string(40, '1') + " refs/heads/x" + std::string(1, '\0') + " report-status") + "0000";
  bool sent = false;
  core::Signal never(loop.executor());
  const ReadBody body = [&](std::span<std::byte> bytes) -> core::Task<core::Result<size_t>> {
    if (std::exchange(sent, true)) co_await never.wait();
    std::copy_n(reinterpret_cast<const std::byte*>(head.data()), head.size(), bytes.begin());
    co_return head.size();
  };
  const WriteChunk write = [](std::span<const std::byte>) -> core::Task<core::Result<>> { co_return core::Result<>{}; };
  const auto served = loop.run(bridge.server.receive_pack(request, bridge.recorder, body, write));
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().code, core::Code::unavailable);
  EXPECT_EQ(bridge.server.counters().running, 0u);
}

}  // namespace
}  // namespace headrace::git
