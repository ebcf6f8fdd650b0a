#include "process/child.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "core/bytes.h"
#include "core/clock.h"
#include "process/descriptor.h"
#include "process/proc_stat.h"
#include "process/run.h"

namespace headrace::process {
namespace {

using core::Code;
using core::Loop;
using core::Result;
using core::Task;
using testing::AllOf;
using testing::HasSubstr;
using namespace std::chrono_literals;

Spec shell(std::string script) {
  Spec spec;
  spec.argv = {"sh", "-c", std::move(script)};
  spec.environment = inherited_environment({"PATH"});
  return spec;
}

size_t open_descriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

Task<std::string> read_all(Child& child, Stream stream) {
  std::string text;
  std::array<std::byte, 4096> chunk;
  for (;;) {
    auto count = co_await child.read(stream, chunk);
    if (!count || *count == 0) co_return text;
    text.append(reinterpret_cast<const char*>(chunk.data()), *count);
  }
}

std::string printed_by(Spec spec, std::string input = {}) {
  Loop loop;
  const auto ran = loop.run(run(loop.executor(), std::move(spec), std::move(input), RunLimits{}));
  EXPECT_TRUE(ran) << ran.error().message;
  return ran ? ran->out : std::string();
}

Result<Ran> try_to_run(Spec spec, RunLimits limits = {}, std::string input = {}) {
  Loop loop;
  return loop.run(run(loop.executor(), std::move(spec), std::move(input), limits));
}

TEST(Child, GivesBackWhatItWasGivenAndItsExitCode) {
  Loop loop;
  const auto ran = loop.run(run(loop.executor(), shell("cat; echo to err >&2; exit 3"), "hello", RunLimits{}));
  ASSERT_TRUE(ran);
  EXPECT_EQ(ran->out, "hello");
  EXPECT_EQ(ran->err, "to err\n");
  EXPECT_EQ(ran->exit, (Exit{.code = 3, .signal = 0}));
}

TEST(Child, SaysWhichSignalKilledIt) {
  const auto ran = try_to_run(shell("kill -KILL $$"));
  ASSERT_TRUE(ran);
  EXPECT_EQ(ran->exit, (Exit{.code = 0, .signal = SIGKILL}));
  EXPECT_EQ(ran->exit.shell_code(), 137);
  EXPECT_EQ(to_string(ran->exit), "killed by signal 9 (Killed)");
}

TEST(Child, HasExactlyTheEnvironmentOfItsSpec) {
  ::setenv("HEADRACE_TEST_SECRET", "do not leak", 1);
  Spec spec;
  spec.argv = {"/usr/bin/env"};
  spec.environment = {"ONE=1"};
  EXPECT_EQ(printed_by(spec), "ONE=1\n");
}

TEST(Child, RunsInItsWorkingDirectory) {
  auto spec = shell("pwd");
  spec.directory = "/usr";
  EXPECT_EQ(printed_by(spec), "/usr\n");
}

TEST(Child, HoldsNoDescriptorButItsOwnThree) {
  // Left open across exec on purpose: only the closing at spawn protects from it.
  Descriptor listening(::socket(AF_INET, SOCK_STREAM, 0));
  Descriptor high(::fcntl(listening.get(), F_DUPFD, 200));
  EXPECT_EQ(printed_by(shell("for n in $(seq 0 255); do [ -e /proc/$$/fd/$n ] && echo $n; done")), "0\n1\n2\n");
}

TEST(Child, GetsItsExtraDescriptorsFromThreeOnInOrder) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "child_extra";
  std::ofstream(folder.string() + "1") << "first";
  std::ofstream(folder.string() + "2") << "second";
  Descriptor first(::open((folder.string() + "1").c_str(), O_RDONLY | O_CLOEXEC));
  Descriptor second(::open((folder.string() + "2").c_str(), O_RDONLY | O_CLOEXEC));
  auto spec = shell("cat <&4; cat <&3");
  spec.extra = {first.get(), second.get()};
  EXPECT_EQ(printed_by(spec), "secondfirst");
}

TEST(Child, StartsWithDefaultSignalsEvenWhereWeIgnoreThem) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto ran = try_to_run(shell("kill -PIPE $$; echo survived"));
  ASSERT_TRUE(ran);
  EXPECT_EQ(ran->exit.signal, SIGPIPE);
}

TEST(Child, WritesToAFileThatIsAppendedTo) {
  const auto path = testing::TempDir() + "child_file.log";
  std::filesystem::remove(path);
  for (int turn = 0; turn < 2; ++turn) {
    Loop loop;
    auto spec = shell("echo out; echo err >&2");
    spec.out = Redirect::file(path);
    spec.err = Redirect::same_as_out();
    auto child = spawn(loop.executor(), spec);
    ASSERT_TRUE(child);
    EXPECT_TRUE(loop.run((*child)->wait())->succeeded());
  }
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "out\nerr\nout\nerr\n");
}

TEST(Child, AMissingProgramIsNamedWithTheRemedy) {
  Spec by_name;
  by_name.argv = {"no-such-program-anywhere"};
  const auto unknown = try_to_run(by_name);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::not_found);
  EXPECT_THAT(unknown.error().message, AllOf(HasSubstr("no-such-program-anywhere"), HasSubstr("Install it")));

  Spec not_executable;
  not_executable.argv = {"/etc/passwd"};
  const auto refused = try_to_run(not_executable);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
}

TEST(Child, AMissingInterpreterIsNotTakenForAMissingProgram) {
  const auto path = testing::TempDir() + "child_script";
  std::ofstream(path) << "#!/no/such/interpreter\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  Spec spec;
  spec.argv = {path};
  const auto ran = try_to_run(spec);
  ASSERT_FALSE(ran);
  EXPECT_THAT(ran.error().message, HasSubstr("interpreter"));
}

TEST(Child, AMissingWorkingDirectoryIsNamed) {
  auto spec = shell("true");
  spec.directory = "/no/such/folder";
  const auto ran = try_to_run(spec);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, Code::not_found);
  EXPECT_THAT(ran.error().message, HasSubstr("/no/such/folder"));
}

TEST(Child, WritingToOneThatClosedItsInputIsAnErrorAndNotTheEndOfUs) {
  Loop loop;
  auto spec = shell("exec 0<&-; echo closed; sleep 60");
  spec.in = Redirect::pipe();
  spec.out = Redirect::pipe();
  auto child = spawn(loop.executor(), spec);
  ASSERT_TRUE(child);
  std::array<std::byte, 16> line;
  ASSERT_TRUE(loop.run((*child)->read(Stream::out, line)));
  const std::string much(1 << 20, 'x');
  const auto written = loop.run((*child)->write(core::as_bytes(much)));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::unavailable);
}

TEST(Child, EndsItsWholeGroupByKillWhenTermIsIgnored) {
  Loop loop;
  auto spec = shell("trap '' TERM; sleep 600 & echo $!; wait; sleep 600");
  spec.out = Redirect::pipe();
  auto child = spawn(loop.executor(), spec);
  ASSERT_TRUE(child);
  std::array<std::byte, 32> line;
  const auto length = loop.run((*child)->read(Stream::out, line));
  ASSERT_TRUE(length);
  const auto exit = loop.run((*child)->end(1ms));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->signal, SIGKILL);
  // The end of its output comes only when the grandchild, which holds it too, is gone.
  EXPECT_EQ(loop.run(read_all(**child, Stream::out)), "");
}

TEST(Child, LeftoversOfItsGroupEndWithIt) {
  Loop loop;
  auto spec = shell("sleep 600 & exit 0");
  spec.out = Redirect::pipe();
  auto child = spawn(loop.executor(), spec);
  ASSERT_TRUE(child);
  EXPECT_TRUE(loop.run((*child)->wait())->succeeded());
  EXPECT_EQ(loop.run(read_all(**child, Stream::out)), "");
}

TEST(Child, DestroyedWhileRunningIsKilledAndReaped) {
  pid_t pid = 0;
  {
    Loop loop;
    auto child = spawn(loop.executor(), shell("sleep 600"));
    ASSERT_TRUE(child);
    pid = (*child)->pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Child, DestroyedWhileSomebodyWaitedIsKilledAndReaped) {
  Loop loop;
  auto child = spawn(loop.executor(), shell("sleep 600"));
  ASSERT_TRUE(child);
  const pid_t pid = (*child)->pid();
  auto waits = [](Child& one) -> Task<> { static_cast<void>(co_await one.wait()); };
  core::Scope scope(loop.executor());
  scope.spawn("waiter", waits(**child));
  core::SystemClock clock;
  loop.run(clock.sleep_for(std::chrono::milliseconds(1)));
  loop.run(scope.close());
  child->reset();
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(Child, AnAbandonedOneThatIsToBeKeptLivesOn) {
  Loop loop;
  auto spec = shell("sleep 600");
  spec.abandoned = Spec::Abandoned::keep;
  spec.group = Spec::Group::session;
  pid_t pid = 0;
  {
    auto child = spawn(loop.executor(), spec);
    ASSERT_TRUE(child);
    pid = (*child)->pid();
  }
  ASSERT_EQ(::kill(pid, 0), 0);
  EXPECT_EQ(::getsid(pid), pid);
  ::kill(pid, SIGKILL);
}

TEST(Child, AllWhoWaitGetTheSameExit) {
  Loop loop;
  auto spec = shell("read line; exit 7");
  spec.in = Redirect::pipe();
  auto child = spawn(loop.executor(), spec);
  ASSERT_TRUE(child);
  int answers = 0;
  auto waits = [](Child& one, int& count) -> Task<> {
    const auto exit = co_await one.wait();
    if (exit && exit->code == 7) ++count;
  };
  core::Scope scope(loop.executor());
  for (int waiter = 0; waiter < 3; ++waiter) scope.spawn("waiter", waits(**child, answers));
  (*child)->close_in();
  loop.run(scope.until_idle());
  EXPECT_EQ(answers, 3);
  EXPECT_EQ(loop.run((*child)->wait())->code, 7);
}

Task<> run_one(core::Executor executor, int number, int& right) {
  RunLimits limits;
  auto ran = co_await run(executor, shell("cat; exit 5"), std::to_string(number), limits);
  if (ran && ran->out == std::to_string(number) && ran->exit.code == 5) ++right;
}

TEST(Child, TwoHundredAtOnceAllEndWellAndLeaveNoDescriptorOpen) {
  constexpr int children = 200;
  Loop loop;
  static_cast<void>(loop.run(run(loop.executor(), shell("true"), {}, RunLimits{})));
  const auto before = open_descriptors();
  int right = 0;
  {
    core::Scope scope(loop.executor());
    for (int number = 0; number < children; ++number) scope.spawn("child", run_one(loop.executor(), number, right));
    loop.run(scope.until_idle());
  }
  EXPECT_EQ(right, children);
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Child, AFailedSpawnLeavesNoDescriptorOpen) {
  Loop loop;
  const auto before = open_descriptors();
  Spec spec = shell("true");
  spec.in = spec.out = spec.err = Redirect::pipe();
  spec.directory = "/no/such/folder";
  EXPECT_FALSE(spawn(loop.executor(), spec));
  spec.directory = {};
  spec.err = Redirect::file("/no/such/folder/file");
  EXPECT_FALSE(spawn(loop.executor(), spec));
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Run, AProgramThatSaysTooMuchIsEnded) {
  const auto ran = try_to_run(shell("yes"), RunLimits{.output_bytes_max = 100'000});
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, Code::exhausted);
}

TEST(Run, AProgramThatTakesTooLongIsEnded) {
  const auto ran = try_to_run(shell("sleep 600"), RunLimits{.deadline = 5ms, .grace = 0ms});
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, Code::unavailable);
  EXPECT_THAT(ran.error().message, HasSubstr("5 ms"));
}

TEST(Run, InputIsWrittenWhileOutputIsRead) {
  const std::string much(3 << 20, 'y');
  const auto ran = try_to_run(shell("cat"), RunLimits{.output_bytes_max = size_t{4} << 20}, much);
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->out, much);
}

TEST(ProcStat, ReadsTheStartTimeOfAProcessWhateverItsName) {
  const auto stat = parse_proc_stat("7 (a) R ) b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0 0\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->start_time, 4242u);
  EXPECT_FALSE(parse_proc_stat("7 (a) S 1 2 3"));
  EXPECT_FALSE(parse_proc_stat("7 (a"));
  EXPECT_FALSE(parse_proc_stat(""));
}

}  // namespace
}  // namespace headrace::process
