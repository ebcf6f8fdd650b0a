// Jobs where nobody chose an executor: in sandboxes, by push, as root and as an ordinary user, and what is left of
// them.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "support/sandboxes.h"

namespace headrace {

namespace {

using support::Clone;
using support::eventually;
using support::in_sandboxes;
using support::makes_sandboxes;
using support::Platform;
using support::processes_with;
using support::run_of;
using support::text_at;

constexpr uid_t ordinary_user = 65'534;

// Names of numbers: folders of jobs.
size_t job_folders(const Platform& platform) {
  size_t count = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(platform.data() + "/runner", error))
    if (std::atoi(entry.path().filename().c_str()) > 0) ++count;
  return count;
}

// A job that sleeps, with a child that left its session; both are found by a length of sleep that nobody else has.
struct Sleeper {
  explicit Sleeper(Platform& on) : platform(on), words("sleep 86399." + std::to_string(on.port())) {}
  void push() const {
    ASSERT_EQ(platform.cli({"repo", "create", "team/sleeper"}).exit, 0);
    Clone clone(platform, "team/sleeper", "sleeper");
    clone.write(".github/workflows/ci.yml",
                "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n          setsid " +
                    words + " &\n          " + words + "\n");
    clone.commit("sleep");
    ASSERT_EQ(clone.push().exit, 0);
    ASSERT_TRUE(eventually([&] { return processes_with(words) >= 2; })) << platform.said();
  }
  bool gone() const {
    return eventually([&] { return processes_with(words) == 0; });
  }
  Platform& platform;
  std::string words;
};

std::string looking_around(const Platform& platform) {
  return "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n"
         "      - run: |\n          test \"$(id -un)\" = runner\n          test ! -e " +
         platform.data() +
         "\n          test \"$PWD\" = \"$GITHUB_WORKSPACE\"\n          echo kept > file\n"
         "      - run: |\n          test \"$(cat file)\" = kept\n          mkdir -p locked/within\n"
         "          chmod 000 locked/within locked\n";
}

// The program as an ordinary user runs it; empty where that user cannot reach it.
std::string program_of_ordinary_user(const Platform& platform) {
  auto path = platform.folder() + "/ordinary";
  support::write_file(
      path, "#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups " + platform.program() + " \"$@\"\n");
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  auto tried = support::run({{path, "--version"}, platform.environment(), "/", {}, false}, platform.streams());
  return tried.exit == 0 ? path : "";
}

void give_to_ordinary_user(const std::string& folder) {
  ASSERT_EQ(::chown(folder.c_str(), ordinary_user, ordinary_user), 0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    ASSERT_EQ(::lchown(entry.path().c_str(), ordinary_user, ordinary_user), 0);
}

// HEADRACE_BINARY for one Platform.
class Program {
 public:
  explicit Program(const std::string& path) {
    if (const char* before = std::getenv("HEADRACE_BINARY")) before_ = before;
    ::setenv("HEADRACE_BINARY", path.c_str(), 1);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (before_)
      ::setenv("HEADRACE_BINARY", before_->c_str(), 1);
    else
      ::unsetenv("HEADRACE_BINARY");
  }

 private:
  std::optional<std::string> before_;
};

}  // namespace

TEST(Sandboxed, APushRunsIsolatedThoughNobodyAskedForItAndItsFolderGoes) {
  Platform platform(in_sandboxes());
  ASSERT_TRUE(platform.start()) << platform.said();
  if (!makes_sandboxes(platform)) GTEST_SKIP() << platform.said();
  auto run = run_of(platform, "team/isolated", looking_around(platform));
  EXPECT_EQ(text_at(run, "conclusion"), "success") << platform.cli({"run", "log", "--repo", "team/isolated"}).out;
  EXPECT_TRUE(eventually([&] { return job_folders(platform) == 0; })) << "a folder of the job stays";
}

TEST(Sandboxed, TheWholePlatformOfAnOrdinaryUserDoesTheSame) {
  if (::geteuid() != 0) GTEST_SKIP() << "who is no other user cannot become one; the test before this one is the same";
  Platform tools(in_sandboxes());
  std::filesystem::permissions(tools.folder(), std::filesystem::perms(0755));
  auto program = program_of_ordinary_user(tools);
  if (program.empty()) GTEST_SKIP() << "an ordinary user cannot run " << tools.program();
  Program chosen(program);
  Platform platform(in_sandboxes());
  give_to_ordinary_user(platform.folder());
  ASSERT_TRUE(platform.start()) << platform.said();
  if (!makes_sandboxes(platform)) GTEST_SKIP() << platform.said();
  auto run = run_of(platform, "team/ordinary", looking_around(platform));
  EXPECT_EQ(text_at(run, "conclusion"), "success") << platform.cli({"run", "log", "--repo", "team/ordinary"}).out;
  EXPECT_TRUE(eventually([&] { return job_folders(platform) == 0; })) << "a folder that the job closed stays";
}

TEST(Sandboxed, ACancelledJobLeavesNothing) {
  Platform platform(in_sandboxes());
  ASSERT_TRUE(platform.start()) << platform.said();
  if (!makes_sandboxes(platform)) GTEST_SKIP() << platform.said();
  Sleeper job(platform);
  job.push();
  auto cancelled = platform.cli({"run", "cancel", "--repo", "team/sleeper"});
  EXPECT_EQ(cancelled.exit, 0) << cancelled.err;
  EXPECT_TRUE(job.gone());
  EXPECT_TRUE(eventually([&] { return support::conclusion_of_newest(platform, "team/sleeper") == "cancelled"; }));
}

TEST(Sandboxed, AJobEndsWithItsRunnerThoughNothingIsStartedThatCouldCleanUp) {
  Platform platform(in_sandboxes());
  ASSERT_TRUE(platform.start()) << platform.said();
  if (!makes_sandboxes(platform)) GTEST_SKIP() << platform.said();
  Sleeper job(platform);
  job.push();
  auto runner = platform.runner_pid();
  platform.kill();
  EXPECT_GE(processes_with(job.words), 2U) << "a job outlives the server";
  ::kill(runner, SIGKILL);
  EXPECT_TRUE(job.gone());
}

TEST(Sandboxed, DownLeavesNoProcess) {
  Platform platform(in_sandboxes());
  ASSERT_TRUE(platform.start()) << platform.said();
  if (!makes_sandboxes(platform)) GTEST_SKIP() << platform.said();
  Sleeper job(platform);
  job.push();
  EXPECT_EQ(platform.cli({"down", "--data", platform.data()}).exit, 0);
  EXPECT_TRUE(job.gone());
  EXPECT_TRUE(eventually([&] { return processes_with(platform.data()) == 0; }));
}

TEST(Sandboxed, WhereNoneCanBeMadeTheJobIsRefusedWithReasonAndRemedy) {
  Platform tools(in_sandboxes());
  auto path = tools.folder() + "/without";
  support::write_file(path, "#!/bin/sh\nexec " + support::without_name_spaces() + " " + tools.program() + " \"$@\"\n");
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  Program chosen(path);
  Platform platform(in_sandboxes());
  ASSERT_TRUE(platform.start()) << platform.said();
  EXPECT_FALSE(makes_sandboxes(platform));
  EXPECT_NE(platform.said().find("--label ubuntu-latest=host"), std::string::npos) << platform.said();
  auto run = run_of(platform, "team/refused",
                    "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ran\n");
  EXPECT_EQ(text_at(run, "conclusion"), "failure");
  auto shown = platform.cli({"run", "view", "--json", "--repo", "team/refused"}).out +
               platform.cli({"run", "log", "--repo", "team/refused"}).out;
  EXPECT_NE(shown.find("user.max_user_namespaces"), std::string::npos) << shown;
  EXPECT_NE(shown.find("--label ubuntu-latest=host"), std::string::npos) << shown;
}

}  // namespace headrace
