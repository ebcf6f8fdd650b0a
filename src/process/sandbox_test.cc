// Real sandboxes: what runs in them, and how it ends. What they keep out is in sandbox_escape_test.cc.
#include "process/sandbox.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>

#include <cstdlib>

#include "core/bytes.h"
#include "process/init_image.h"
#include "process/proc_stat.h"
#include "process/testing/sandbox_world.h"

namespace headrace::process {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SandboxWorld;
using namespace std::chrono_literals;

class SandboxTest : public SandboxWorld {};

bool lives(pid_t pid) {
  auto stat = read_proc_stat(pid);
  return stat && stat->state != 'Z' && stat->state != 'X';
}

TEST_F(SandboxTest, RunsProgramsOneAfterTheOtherInTheFolderOfTheJob) {
  HEADRACE_SANDBOX_OR_SKIP();
  EXPECT_EQ(sh("echo one > kept; echo out; echo err >&2").text, "out\nerr\n");
  auto second = sh("pwd; cat kept; exit 3");
  EXPECT_EQ(second.text, "/home/runner\none\n");
  EXPECT_EQ(second.exit, (Exit{.code = 3, .signal = 0}));
  EXPECT_TRUE(std::filesystem::exists(job() + "/kept"));
}

TEST_F(SandboxTest, AProgramGetsItsInputAndOpensItsOutputsByName) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto child = begin({"sh", "-c", "read word; echo $word > /dev/stderr; echo $word | tee /dev/stdout"}, true);
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_TRUE(loop.run((*child)->write(core::as_bytes("hello\n"))));
  (*child)->close_in();
  EXPECT_EQ(loop.run(read_all(**child)), "hello\nhello\nhello\n");
}

TEST_F(SandboxTest, WhatCannotBeStartedIsNamed) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto absent = begin({"no-such-program"});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, core::Code::not_found);
  EXPECT_THAT(absent.error().message, HasSubstr("no-such-program"));
  sh("echo text > data; chmod 600 data");
  auto denied = begin({"./data"});
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().code, core::Code::denied);
  InitClient::Run wanted;
  wanted.argv = {"true"};
  wanted.directory = "/home/runner/absent";
  auto nowhere = loop.run(sandbox->init().run(std::move(wanted)));
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, HasSubstr("/home/runner/absent"));
}

TEST_F(SandboxTest, AnArgumentThatCannotBePassedOnIsRefused) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto torn = begin({"echo", std::string("a\0b", 3)});
  ASSERT_FALSE(torn);
  EXPECT_EQ(torn.error().code, core::Code::invalid);
  auto large = begin({"echo", std::string(17 << 20, 'x')});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, core::Code::invalid);
  EXPECT_EQ(sh("echo still here").text, "still here\n");
}

TEST_F(SandboxTest, SignalsReachTheProcessAndItsGroup) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto child = begin({"sh", "-c", "trap 'echo interrupted; exit 7' INT; echo ready; while :; do sleep 0.05; done"});
  ASSERT_TRUE(child);
  std::array<std::byte, 64> chunk;
  ASSERT_TRUE(loop.run((*child)->read(Stream::out, chunk)));
  (*child)->signal_group(SIGINT);
  EXPECT_EQ(loop.run((*child)->wait())->code, 7);
  auto stubborn = begin({"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"});
  ASSERT_TRUE(loop.run((*stubborn)->read(Stream::out, chunk)));
  EXPECT_EQ(loop.run((*stubborn)->end(100ms))->signal, SIGKILL);
}

TEST_F(SandboxTest, WhatAProcessLeavesInItsGroupGoesWithItOrStaysAsWasAskedFor) {
  HEADRACE_SANDBOX_OR_SKIP();
  sh("sleep 1000 & sleep 1000 &");
  EXPECT_EQ(sh("ps ax | grep -c '[s]leep 1000'").text, "0\n");
  InitClient::Run wanted;
  wanted.argv = {"sh", "-c", "sleep 1000 >/dev/null 2>&1 &"};
  wanted.environment = {"PATH=/usr/bin:/bin"};
  wanted.directory = "/";
  wanted.leftovers = Spec::Leftovers::keep;
  auto keeper = loop.run(sandbox->init().run(std::move(wanted)));
  ASSERT_TRUE(keeper);
  ASSERT_TRUE(loop.run((*keeper)->wait()));
  EXPECT_EQ(sh("ps ax | grep -c '[s]leep 1000'").text, "1\n");
}

TEST_F(SandboxTest, EndingItEndsEverythingWithinAtOnce) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto child = begin({"sh", "-c", "(setsid sleep 1000 &) ; sleep 1000"});
  ASSERT_TRUE(child);
  pid_t pid = sandbox->pid();
  loop.run(sandbox->end());
  EXPECT_EQ(loop.run((*child)->wait())->signal, SIGKILL);
  EXPECT_FALSE(lives(pid));
  auto late = begin({"true"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, core::Code::unavailable);
}

TEST_F(SandboxTest, KillingItsParentOutsideEndsWhatRuns) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto child = begin({"sleep", "1000"});
  ASSERT_TRUE(child);
  EXPECT_EQ((*child)->pid(), sandbox->pid());
  ::kill(-sandbox->pid(), SIGKILL);
  EXPECT_EQ(loop.run((*child)->wait())->signal, SIGKILL);
  EXPECT_FALSE(sandbox->init().alive());
}

TEST_F(SandboxTest, TwoHundredProcessesOneAfterTheOtherLeaveNoDescriptorBehind) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto open = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  sh("true");
  auto before = open();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(sh("true").exit.succeeded());
  EXPECT_EQ(open(), before);
  EXPECT_EQ(sh("ls /proc/self/fd | wc -l").text, "4\n") << "0, 1, 2 and the folder that ls reads";
}

TEST_F(SandboxTest, ManyProcessesAtATimeEachTellTheirOwnEnd) {
  HEADRACE_SANDBOX_OR_SKIP();
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 50; ++i) {
    auto child = begin({"sh", "-c", "exit " + std::to_string(i)});
    ASSERT_TRUE(child);
    children.push_back(std::move(*child));
  }
  for (int i = 0; i < 50; ++i) EXPECT_EQ(loop.run(children[static_cast<size_t>(i)]->wait())->code, i);
}

TEST_F(SandboxTest, ASocketOfItsLoopbackIsLentOutside) {
  HEADRACE_SANDBOX_OR_SKIP();
  auto listener = loop.run(sandbox->init().listen());
  ASSERT_TRUE(listener) << listener.error().message;
  auto child = begin({"python3", "-c",
                      "import socket; s=socket.create_connection(('127.0.0.1'," + std::to_string(listener->port) +
                          ")); s.sendall(b'hello'); print('sent')"});
  ASSERT_TRUE(child);
  EXPECT_EQ(loop.run(read_all(**child)), "sent\n");
  Descriptor taken(::accept4(listener->socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(taken);
  char text[8] = {};
  EXPECT_EQ(::read(taken.get(), text, sizeof text), 5);
  EXPECT_STREQ(text, "hello");
}

TEST_F(SandboxTest, AFolderThatMovesOutsideStaysInItsPlaceWithin) {
  HEADRACE_SANDBOX_OR_SKIP();
  ASSERT_EQ(::rename(job().c_str(), (top + "/moved").c_str()), 0);
  EXPECT_TRUE(sh("echo here > file").exit.succeeded());
  EXPECT_TRUE(std::filesystem::exists(top + "/moved/file"));
}

TEST_F(SandboxTest, LimitsOfProcessesHoldWithoutControlGroups) {
  auto wanted = options();
  wanted.processes = 20;
  wanted.open_files = 64;
  wanted.file_bytes = 1 << 20;
  if (!start(wanted)) GTEST_SKIP() << "no sandbox on this machine: " << why;
  EXPECT_EQ(sh("ulimit -n").text, "64\n");
  auto forked = python(
      "import os,time\nn=0\ntry:\n  while n<200:\n    pid=os.fork()\n    if pid==0: time.sleep(100)\n    n+=1\n"
      "except OSError as e: print('refused', n<20, e.errno)");
  EXPECT_EQ(forked.text, "refused True 11\n");
  auto large = sh("dd if=/dev/zero of=big bs=1M count=3 2>/dev/null; echo $?; stat -c %s big");
  EXPECT_THAT(large.text, HasSubstr("1048576"));
}

TEST_F(SandboxTest, TheWatchEndsWhatTakesTooMuchMemoryWhereNoControlGroupDoes) {
  auto wanted = options();
  wanted.memory_watch_bytes = 100 << 20;
  if (!start(wanted)) GTEST_SKIP() << "no sandbox on this machine: " << why;
  auto hungry = python("import time\nx=bytearray(300<<20)\nfor i in range(0,len(x),4096): x[i]=1\ntime.sleep(100)");
  EXPECT_EQ(hungry.exit.signal, SIGKILL);
  sh("true");  // what was said before has been heard
  EXPECT_GT(sandbox->init().memory_exceeded(), uint64_t{100} << 20);
  EXPECT_EQ(sh("echo goes on").text, "goes on\n");
}

TEST_F(SandboxTest, AControlGroupBoundsMemoryOfAllTogetherAndTellsOfIt) {
  if (!start_bounded({.memory_bytes = 128 << 20, .processes = 100, .processors = 1.5}))
    GTEST_SKIP() << "no bounded sandbox on this machine: " << why;
  EXPECT_FALSE(group->memory_was_short());
  EXPECT_EQ(sh("echo fine").text, "fine\n");
  auto hungry = python("x=bytearray(300<<20)\nfor i in range(0,len(x),4096): x[i]=1\nprint('had it all')");
  EXPECT_EQ(hungry.exit.signal, SIGKILL) << hungry.text;
  EXPECT_TRUE(group->memory_was_short());
  EXPECT_GT(group->memory_peak_bytes().value_or(0), uint64_t{64} << 20);
  EXPECT_EQ(sh("echo goes on").text, "goes on\n") << "the init is not what is killed";
}

TEST(SandboxStart, SaysWhatCouldNotBeDone) {
  core::Loop loop;
  SandboxOptions wanted;
  wanted.mounts = {{"/no-such-folder", "/home/runner", false}};
  if (::geteuid() == 0) wanted.user = SandboxUser::first;
  auto made = loop.run(Sandbox::start(loop.executor(), wanted));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, core::Code::unavailable);
  EXPECT_THAT(made.error().message, HasSubstr("/no-such-folder: No such file or directory"));
}

TEST(SandboxStart, MakesNothingWithoutAFilterOfSystemCalls) {
  auto program = InitFile::get();
  ASSERT_TRUE(program);
  SandboxPlan plan;
  plan.push_back({.kind = init::StepKind::hostname, .text = "runner"});
  auto steps = memory_file("steps", encode(plan));
  Descriptor control(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(steps && control);
  Spec spec;
  spec.argv = {(*program)->path(), "make", ::geteuid() == 0 ? std::to_string(SandboxUser::first) : "-", "--"};
  spec.extra = {control.get(), steps->get()};
  spec.directory = "/";
  core::Loop loop;
  auto ran = loop.run(run(loop.executor(), std::move(spec), {}, RunLimits()));
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_FALSE(ran->exit.succeeded());
  EXPECT_EQ(ran->err, "headrace-init: the steps: Invalid argument\n");
}

// The program itself again, in a user name space that allows none within.
TEST(SandboxStart, TellsWhatHelpsWhereNameSpacesAreRefused) {
  if (const char* refused = std::getenv("HEADRACE_TEST_NO_NAME_SPACES"); refused != nullptr) {
    core::Loop loop;
    auto made = loop.run(Sandbox::start(loop.executor(), SandboxOptions()));
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message, AllOf(HasSubstr("name spaces of its own: No space left on device"),
                                            HasSubstr("user.max_user_namespaces"), HasSubstr("AppArmor")));
    return;
  }
  Descriptor program(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(program);
  Spec spec;
  spec.argv = {"unshare",
               "--user",
               "--map-root-user",
               "sh",
               "-c",
               "echo 1 > /proc/sys/user/max_user_namespaces && exec unshare --user --map-user=1000 /proc/self/fd/3 "
               "--gtest_filter=SandboxStart.TellsWhatHelpsWhereNameSpacesAreRefused --gtest_output="};
  spec.environment = inherited_environment({"PATH"});
  spec.environment.push_back("HEADRACE_TEST_NO_NAME_SPACES=1");
  spec.extra = {program.get()};
  spec.directory = "/";
  core::Loop loop;
  auto ran = loop.run(run(loop.executor(), std::move(spec), {}, RunLimits()));
  ASSERT_TRUE(ran) << ran.error().message;
  if (ran->err.find("unshare failed") != std::string::npos) GTEST_SKIP() << ran->err;
  EXPECT_TRUE(ran->exit.succeeded()) << ran->out << ran->err;
}

TEST(SandboxUser, IsSharedByNobody) {
  auto one = SandboxUser::take();
  auto two = SandboxUser::take();
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->id(), two->id());
  EXPECT_GE(one->id(), SandboxUser::first);
}

TEST(SandboxPlan, NamesNothingOfTheHostButItsAllowList) {
  SandboxOptions wanted;
  wanted.mounts = {{"/somewhere/job", "/home/runner/work", false}};
  for (const auto& step : plan_sandbox(wanted)) {
    if (step.kind != init::StepKind::mount) continue;
    const auto& source = step.text;
    bool allowed = source.starts_with("/usr") || source.starts_with("/etc/") || source == "/sys/devices/system/cpu" ||
                   source == "/somewhere/job" || source == "/bin" || source == "/sbin" || source.starts_with("/lib");
    EXPECT_TRUE(allowed) << source;
    EXPECT_THAT(source, Not(HasSubstr("shadow")));
    EXPECT_THAT(source, Not(HasSubstr("private")));
    EXPECT_EQ(step.flags & init::mount_writable, source == "/somewhere/job" ? init::mount_writable : 0U) << source;
    EXPECT_EQ(step.flags & init::mount_device, 0U) << source;
  }
}

TEST(SandboxSteps, AreReadAsTheyWereWritten) {
  SandboxPlan plan;
  plan.push_back({.kind = init::StepKind::file, .number = 0444, .place = "/etc/name", .text = std::string("a\0b", 3)});
  plan.push_back({.kind = init::StepKind::loopback});
  auto text = encode(plan);
  size_t at = 0;
  init::StepRead read;
  ASSERT_TRUE(init::next_step(text.data(), text.size(), at, read));
  EXPECT_EQ(read.step.kind, init::StepKind::file);
  EXPECT_EQ(read.step.number, 0444U);
  EXPECT_STREQ(read.place, "/etc/name");
  EXPECT_EQ(std::string(read.text, read.bytes), std::string("a\0b", 3));
  ASSERT_TRUE(init::next_step(text.data(), text.size(), at, read));
  EXPECT_EQ(read.bytes, 0U);
  EXPECT_FALSE(init::next_step(text.data(), text.size(), at, read));
  EXPECT_EQ(at, text.size());
}

TEST(SandboxSteps, ThatAreNotWholeAreRefused) {
  SandboxPlan plan;
  plan.push_back({.kind = init::StepKind::link, .place = "/a", .text = "b"});
  const auto whole = encode(plan);
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    size_t at = 0;
    init::StepRead read;
    std::string torn = whole.substr(0, bytes);
    EXPECT_FALSE(init::next_step(torn.data(), torn.size(), at, read)) << bytes;
    EXPECT_EQ(at, 0U);
  }
}

}  // namespace
}  // namespace headrace::process
