// Jobs in real sandboxes, through the door that the rest of the runner uses. What a sandbox keeps out is tested in
// process/sandbox_escape_test.cc.
#include "services/runner/sandbox_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "process/proc_stat.h"
#include "process/run.h"
#include "process/testing/replaced_file.h"
#include "services/runner/disk_watch.h"
#include "services/runner/sandbox_cell.h"

namespace headrace::runner {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class SandboxExecutorTest : public ::testing::Test {
 public:
  ~SandboxExecutorTest() override {
    if (around) loop.run(around->end());
    around = nullptr;
    executor = nullptr;
    std::error_code ignored;
    std::filesystem::remove_all(top, ignored);
  }

 protected:
  SandboxExecutorTest() {
    char path[] = "/tmp/headrace-jobs-XXXXXX";
    top = ::mkdtemp(path);
    options.network = ExecutorOptions::Network::none;
  }

  JobPlace place(const std::string& name) const {
    std::string own = top + "/" + name + "/job";
    return {own, own + "/workspace", own + "/temp", {}, {}};
  }
  bool available() {
    executor = make_sandbox_executor(loop.executor(), clock, options);
    auto can = loop.run(executor->available());
    if (can) return true;
    why = can.error().message;
    return false;
  }
  core::Result<> prepare(const std::string& name = "one", JobNeeds needs = {}) {
    auto made = loop.run(executor->prepare(place(name), std::move(needs)));
    if (!made) return std::unexpected(made.error());
    around = std::move(*made);
    return {};
  }
  core::Result<std::unique_ptr<process::Child>> begin(std::string script, std::string directory = {}) {
    Command command;
    command.argv = {"sh", "-c", std::move(script)};
    for (const auto& [name, value] : around->environment()) command.environment.push_back(name + "=" + value);
    command.directory = std::move(directory);
    return loop.run(around->run(std::move(command)));
  }
  std::string sh(std::string script, std::string directory = {}) {
    auto child = begin(std::move(script), std::move(directory));
    if (!child) return child.error().message;
    auto text = loop.run(read_all(**child));
    exit = loop.run((*child)->wait()).value_or(process::Exit{});
    return text;
  }
  static core::Task<std::string> read_all(process::Child& child) {
    std::string text;
    std::array<std::byte, 4096> chunk;
    for (;;) {
      auto count = co_await child.read(process::Stream::out, chunk);
      if (!count || *count == 0) co_return text;
      text.append(reinterpret_cast<const char*>(chunk.data()), *count);
    }
  }

  std::string top, why;
  core::Loop loop;
  core::SystemClock clock;
  ExecutorOptions options;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Surroundings> around;
  process::Exit exit;
};

#define AVAILABLE_OR_SKIP() \
  if (!available()) GTEST_SKIP() << why

TEST_F(SandboxExecutorTest, AJobBeginsInItsWorkspaceAndEverythingItWritesIsItsOwn) {
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare());
  EXPECT_EQ(around->what(), Surroundings::Kind::sandbox);
  EXPECT_EQ(around->inside().workspace, "/home/runner/work/workspace");
  EXPECT_EQ(sh("pwd; echo $HOME; cd; pwd; touch file; cd /tmp && touch file"),
            "/home/runner/work/workspace\n/home/runner\n/home/runner\n");
  EXPECT_EQ(sh("pwd", "inner"),
            "The working directory '/home/runner/work/workspace/inner' does not exist. Make it, or "
            "name another one.");
  EXPECT_EQ(sh("pwd", "/tmp"), "/tmp\n");
  EXPECT_TRUE(std::filesystem::exists(top + "/one/job/home/file"));
  EXPECT_TRUE(std::filesystem::exists(top + "/one/job/tmp/file"));
}

TEST_F(SandboxExecutorTest, PathsAreTranslatedBothWays) {
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare());
  auto own = place("one");
  EXPECT_EQ(around->to_inside(own.temporary + "/x"), "/home/runner/work/temp/x");
  EXPECT_EQ(around->to_inside(own.folder + "-not"), std::nullopt);
  EXPECT_EQ(around->to_inside(top + "/one/log"), std::nullopt);
  EXPECT_EQ(around->to_host("/home/runner/work/temp/x"), own.temporary + "/x");
  EXPECT_EQ(around->to_host("/home/runner/.npmrc"), own.folder + "/home/.npmrc");
  EXPECT_EQ(around->to_host("/tmp/x"), own.folder + "/tmp/x");
  EXPECT_EQ(around->to_host("/etc/passwd"), std::nullopt);
}

TEST_F(SandboxExecutorTest, TheLogTellsTheTierOfLimitsAndTheNetwork) {
  AVAILABLE_OR_SKIP();
  JobNeeds needs;
  needs.limits.memory_bytes = uint64_t{2} << 30;
  needs.limits.processors = 1.5;
  ASSERT_TRUE(prepare("one", needs));
  auto lines = around->description();
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("Limits by"), HasSubstr("memory 2 GiB"), HasSubstr("4096 processes"))));
  EXPECT_THAT(lines, Contains(AnyOf(HasSubstr("cgroup v1"), HasSubstr("cgroup v2"), HasSubstr("rlimits"))));
  EXPECT_THAT(lines, Contains(HasSubstr("Network: none")));
}

TEST_F(SandboxExecutorTest, FilesGoInAndOutWithoutFollowingWhatTheJobPutInTheirPlace) {
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare());
  auto own = place("one");
  std::ofstream(top + "/treasure") << "treasure";
  ASSERT_TRUE(around->write(own.temporary + "/deep/script.sh", "echo from a script"));
  EXPECT_EQ(sh("sh ../temp/deep/script.sh; echo value > ../temp/out"), "from a script\n");
  EXPECT_EQ(around->read(own.temporary + "/out", 100), "value\n");
  EXPECT_EQ(around->read(own.temporary + "/out", 3).error().code, core::Code::exhausted);
  EXPECT_EQ(around->read(own.temporary + "/absent", 3).error().code, core::Code::not_found);
  sh("cd ../temp; ln -s " + top + "/treasure link; mkfifo pipe; ln -s .. up; mkdir folder; ln -s " + top + " out-of");
  for (const char* trap : {"/link", "/pipe", "/folder", "/up/out", "/out-of/treasure", "/../../../treasure"})
    EXPECT_EQ(around->read(own.temporary + trap, 100).error().code, core::Code::invalid) << trap;
  EXPECT_EQ(around->read(top + "/treasure", 100).error().code, core::Code::invalid);
  ASSERT_TRUE(around->write(own.temporary + "/link", "new")) << "the link is replaced, not followed";
  ASSERT_TRUE(around->write(own.temporary + "/pipe", "new"));
  EXPECT_FALSE(around->write(own.temporary + "/out-of/planted", "new"));
  EXPECT_FALSE(std::filesystem::exists(top + "/planted"));
  EXPECT_EQ(sh("cat ../temp/link ../temp/pipe"), "newnew");
}

TEST_F(SandboxExecutorTest, WhatAHardLinkHoldsIsNotWrittenOver) {
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare());
  auto own = place("one");
  ASSERT_TRUE(around->write(own.temporary + "/first", "secret"));
  sh("ln ../temp/first kept");
  ASSERT_TRUE(around->write(own.temporary + "/first", "other"));
  EXPECT_EQ(sh("cat kept ../temp/first"), "secretother");
}

TEST_F(SandboxExecutorTest, JobsSeeNothingOfEachOther) {
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare("one"));
  sh("echo mine > ../secret");
  auto first = std::move(around);
  ASSERT_TRUE(prepare("two"));
  EXPECT_EQ(sh("find / -name secret 2>/dev/null; ls /home/runner/work"), "home\ntemp\ntmp\ntools\nworkspace\n");
  loop.run(first->end());
}

TEST_F(SandboxExecutorTest, ASharedFolderIsSeenAndNotWritten) {
  AVAILABLE_OR_SKIP();
  std::filesystem::create_directories(top + "/cache");
  std::filesystem::permissions(top + "/cache", std::filesystem::perms(0755));
  std::ofstream(top + "/cache/object") << "shared";
  JobPlace wanted = place("one");
  wanted.mounts = {{top + "/cache", "/opt/cache", true}};
  auto made = loop.run(executor->prepare(wanted, {}));
  ASSERT_TRUE(made) << made.error().message;
  around = std::move(*made);
  EXPECT_EQ(sh("cat /opt/cache/object; echo x 2>/dev/null > /opt/cache/object || echo refused"), "sharedrefused\n");
  EXPECT_EQ(around->to_inside(top + "/cache/object"), "/opt/cache/object");
}

TEST_F(SandboxExecutorTest, AReadyOneIsTakenAndAnotherIsMadeInItsPlace) {
  AVAILABLE_OR_SKIP();
  JobNeeds needs;
  loop.run(executor->keep_ready(2, top + "/ready", needs));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(top + "/ready"), {}), 2);
  ASSERT_TRUE(prepare("one", needs));
  EXPECT_FALSE(std::filesystem::exists(top + "/ready/1")) << "its folder is the job's now";
  EXPECT_EQ(sh("pwd; echo x > file"), "/home/runner/work/workspace\n");
  EXPECT_TRUE(std::filesystem::exists(top + "/one/job/workspace/file"));
  JobNeeds others;
  others.limits.open_files = 100;
  auto first = std::move(around);
  ASSERT_TRUE(prepare("two", others)) << "made for it alone";
  EXPECT_EQ(sh("ulimit -n"), "100\n");
  loop.run(first->end());
}

TEST_F(SandboxExecutorTest, AReadyOneThatDiedIsNotGivenToAJob) {
  AVAILABLE_OR_SKIP();
  loop.run(executor->keep_ready(1, top + "/ready", {}));
  auto taken = loop.run(executor->prepare(place("zero"), {}));
  ASSERT_TRUE(taken);
  auto filled = std::chrono::steady_clock::now() + 20s;
  while (!std::filesystem::exists(top + "/ready/2/tmp") && std::chrono::steady_clock::now() < filled)
    loop.run(clock.sleep_for(5ms));
  ::kill(-(*taken)->leader(), SIGKILL);
  loop.run((*taken)->end());
  ASSERT_TRUE(prepare("one"));
  EXPECT_EQ(sh("echo fine"), "fine\n");
}

TEST_F(SandboxExecutorTest, EndingAJobEndsItsProcessesAndTellsWhatItUsed) {
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare());
  EXPECT_GT(around->leader(), 0);
  auto child = begin("(setsid sleep 1000 &); i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 1000");
  ASSERT_TRUE(child);
  loop.run(clock.sleep_for(200ms));
  auto used = loop.run(around->end());
  ASSERT_TRUE(used);
  EXPECT_EQ(loop.run((*child)->wait())->signal, SIGKILL);
  auto late = begin("true");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, core::Code::unavailable);
}

TEST_F(SandboxExecutorTest, NothingOfAJobRunsOnceItHasEndedAndTheSandboxIsGoneSoonAfter) {
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare());
  const pid_t leader = around->leader();
  const std::string beat = top + "/one/job/workspace/beat";
  // The step ends once it has left its group: what is in the group ends with it.
  sh("(setsid sh -c 'while :; do echo x >> beat; done' >/dev/null 2>&1 &); until [ -s beat ]; do :; done");
  auto deadline = std::chrono::steady_clock::now() + 20s;
  ASSERT_TRUE(loop.run(around->end()));
  const auto size = std::filesystem::file_size(beat);
  auto gone = [leader] {
    auto stat = process::read_proc_stat(leader);
    return !stat || stat->state == 'Z';
  };
  while (!gone() && std::chrono::steady_clock::now() < deadline) loop.run(clock.sleep_for(1ms));
  EXPECT_TRUE(gone());
  EXPECT_EQ(std::filesystem::file_size(beat), size) << "nobody has written to it since";
}

TEST_F(SandboxExecutorTest, TooMuchMemoryIsSaidAsSuch) {
  AVAILABLE_OR_SKIP();
  JobNeeds needs;
  needs.limits.memory_bytes = uint64_t{128} << 20;
  ASSERT_TRUE(prepare("one", needs));
  sh("exit 1");
  EXPECT_EQ(around->limit_hit(), std::nullopt);
  sh("exec python3 -c 'import time\nx=bytearray(400<<20)\nfor i in range(0,len(x),4096): x[i]=1\ntime.sleep(100)'");
  EXPECT_EQ(exit.signal, SIGKILL);
  sh("true");
  EXPECT_EQ(around->limit_hit(), "It was killed: over its memory limit of 128 MiB.");
}

TEST(MemoryOfAJob, LeavesTheMachineWhatKeepsItAlive) {
  constexpr uint64_t gib = uint64_t{1} << 30;
  EXPECT_EQ(memory_of_a_job(64 * gib), 56 * gib);
  EXPECT_EQ(memory_of_a_job(4 * gib), 3 * gib);
  EXPECT_EQ(memory_of_a_job(gib), gib / 2);
  EXPECT_GT(memory_of_a_job(), 0U);
}

TEST_F(SandboxExecutorTest, TooMuchOnDiskEndsTheJobAndIsSaidAsSuch) {
  AVAILABLE_OR_SKIP();
  JobNeeds needs;
  needs.limits.disk_bytes = uint64_t{16} << 20;
  ASSERT_TRUE(prepare("one", needs));
  sh("dd if=/dev/urandom of=big bs=1M count=64 2>/dev/null; sync; sleep 1000");
  EXPECT_EQ(exit.signal, SIGKILL);
  ASSERT_TRUE(around->limit_hit());
  EXPECT_THAT(*around->limit_hit(), AllOf(HasSubstr("folder holds"), HasSubstr("over its limit of 16 MiB")));
  EXPECT_THAT(sh("echo more"), HasSubstr("over its limit of 16 MiB"));
}

TEST_F(SandboxExecutorTest, ListensForTheRunnerOnTheLoopbackOfTheJob) {
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare());
  auto listener = loop.run(around->listen());
  ASSERT_TRUE(listener) << listener.error().message;
  EXPECT_EQ(sh("python3 -c 'import socket; socket.create_connection((\"127.0.0.1\"," + std::to_string(listener->port) +
               "),5); print(\"connected\")'"),
            "connected\n");
}

TEST_F(SandboxExecutorTest, AContainerWithoutAnEngineIsRefusedWithTheReason) {
  options.engine = "no-such-engine";
  AVAILABLE_OR_SKIP();
  JobNeeds needs;
  needs.container.emplace().image = "alpine";
  auto refused = prepare("one", needs);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::Code::unavailable);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("No container engine"), HasSubstr("no-such-engine")));
}

TEST_F(SandboxExecutorTest, PortsOfServicesThatASandboxCannotHaveAreRefusedWithTheRemedy) {
  AVAILABLE_OR_SKIP();
  for (const char* port : {"53:53/udp", "8000-8010", "x"}) {
    JobNeeds needs;
    needs.services.emplace_back().name = "postgres";
    needs.services[0].container.ports = {port};
    auto refused = prepare(std::string("job-") + port[0], needs);
    ASSERT_FALSE(refused) << port;
    if (refused.error().code == core::Code::unavailable) GTEST_SKIP() << refused.error().message;
    EXPECT_EQ(refused.error().code, core::Code::invalid) << port;
  }
}

TEST_F(SandboxExecutorTest, WithoutControlGroupsTheLogSaysThatLimitsAreWeaker) {
  options.cgroup_root = top + "/no-groups";
  AVAILABLE_OR_SKIP();
  JobNeeds needs;
  needs.limits.memory_bytes = uint64_t{64} << 20;
  ASSERT_TRUE(prepare("one", needs));
  EXPECT_THAT(around->description(), Contains(AllOf(HasSubstr("rlimits"), HasSubstr("weaker"))));
  sh("exec python3 -c 'import time\nx=bytearray(200<<20)\nfor i in range(0,len(x),4096): x[i]=1\ntime.sleep(100)'");
  EXPECT_EQ(exit.signal, SIGKILL);
  sh("true");
  EXPECT_EQ(around->limit_hit(), "It was killed: over its memory limit of 64 MiB.");
}

TEST_F(SandboxExecutorTest, ANetworkOfItsOwnHasAWayOutOrTheLogSaysWhyNot) {
  options.network = ExecutorOptions::Network::own;
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare());
  auto lines = around->description();
  bool out = sh("cat /proc/net/dev").find("tap0") != std::string::npos;
  EXPECT_THAT(lines, Contains(HasSubstr(out ? "with a way out" : "Network: none but its own loopback")));
  if (out) {
    EXPECT_EQ(sh("cat /etc/resolv.conf | head -1"), "nameserver 10.0.2.3\n");
  }
}

TEST_F(SandboxExecutorTest, WithoutAWayOutTheReasonIsInTheLog) {
  options.network = ExecutorOptions::Network::own;
  process::testing::ReplacedFile library(process::testing::libslirp_file(), "");
  if (!library) GTEST_SKIP() << "this user may not mount";
  AVAILABLE_OR_SKIP();
  ASSERT_TRUE(prepare());
  EXPECT_THAT(around->description(), Contains(AllOf(HasSubstr("Network: none"), HasSubstr("--sandbox-network host"))));
}

TEST(DiskBytes, CountsWhatIsBelowAndFollowsNoLink) {
  char path[] = "/tmp/headrace-disk-XXXXXX";
  std::string top = ::mkdtemp(path);
  std::filesystem::create_directories(top + "/a/b");
  std::ofstream(top + "/a/b/file") << std::string(100'000, 'x');
  std::filesystem::create_directory_symlink("/usr", top + "/a/link");
  auto bytes = disk_bytes_below(top, 1'000'000);
  std::filesystem::remove_all(top);
  EXPECT_GE(bytes, 100'000U);
  EXPECT_LT(bytes, 1'000'000U);
}

}  // namespace
}  // namespace headrace::runner
