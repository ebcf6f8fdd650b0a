// The runner's process when things go wrong: killed, or not yet known to anybody.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Clone;
using support::eventually;
using support::Platform;
using support::read_file;

bool alive(pid_t pid) {
  auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  auto state = stat.rfind(") ");
  return pid > 0 && state != std::string::npos && stat[state + 2] != 'Z' && stat[state + 2] != 'X';
}

// A job at work, with what it started, also outside of its process group.
struct LongJob {
  explicit LongJob(Platform& on) : platform(on) {}
  void push() const {
    ASSERT_EQ(platform.cli({"repo", "create", "team/long"}).exit, 0);
    Clone clone(platform, "team/long", "long");
    clone.write(".github/workflows/ci.yml",
                "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n          setsid "
                "sh -c 'echo $$ > " +
                    platform.folder() + "/left; exec sleep 600' &\n          echo $$ > " + platform.folder() +
                    "/job\n          sleep 600\n");
    clone.commit("long");
    ASSERT_EQ(clone.push().exit, 0);
    ASSERT_TRUE(eventually([&] { return alive(pid_in("job")) && alive(pid_in("left")); }));
  }
  pid_t pid_in(const std::string& name) const { return std::atoi(read_file(platform.folder() + "/" + name).c_str()); }
  Platform& platform;
};

// Runners of this platform's folder that live, whether or not there is a record of them.
std::vector<pid_t> runners_of(const Platform& platform) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    auto pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && alive(pid) &&
        read_file(entry.path().string() + "/environ").find(platform.data() + "/run/runner.json") != std::string::npos)
      found.push_back(pid);
  }
  return found;
}

}  // namespace

TEST(RunnerProcess, AJobEndsWithItsRunnerThoughNothingIsStartedThatCouldCleanUp) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  LongJob job(platform);
  job.push();
  auto runner = platform.runner_pid();
  platform.kill();
  EXPECT_TRUE(alive(job.pid_in("job"))) << "a job outlives the server";
  ::kill(runner, SIGKILL);
  EXPECT_TRUE(eventually([&] { return !alive(job.pid_in("job")) && !alive(job.pid_in("left")); }));
}

// As if it had been killed before its runner wrote the record.
TEST(RunnerProcess, OneThatIsNotRecordedIsEndedByDownWithItsJobs) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  LongJob job(platform);
  job.push();
  auto runner = platform.runner_pid();
  platform.kill();
  std::filesystem::remove(platform.data() + "/run/runner.json");
  auto down = platform.cli({"down", "--data", platform.data() + "/", "--json"});
  EXPECT_EQ(down.exit, 0) << down.err;
  EXPECT_EQ(down.out, "{\"stopped\":[{\"process\":\"runner\",\"pid\":" + std::to_string(runner) + "}]}\n");
  EXPECT_FALSE(alive(runner));
  EXPECT_FALSE(alive(job.pid_in("job")));
  EXPECT_FALSE(alive(job.pid_in("left")));
}

// Kills the server from the moment on at which it has a runner, earlier or later in what it does then.
TEST(RunnerProcess, AServerThatIsKilledWhileItStartsItsRunnerLeavesOneThatTheNextServerTakesAndDownEnds) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();  // the folder is made
  platform.terminate();
  ASSERT_EQ(platform.cli({"down", "--data", platform.data()}).exit, 0);
  for (int round = 0; round < 6; ++round) {
    platform.begin();
    ASSERT_TRUE(eventually([&] { return !runners_of(platform).empty(); })) << platform.said();
    platform.kill();
    if (round % 2 == 0) {
      ASSERT_TRUE(platform.start()) << platform.said();
      EXPECT_TRUE(eventually([&] {
        return platform.http({"GET", "/api/v1/status", {}, {}}).body.find("\"name\":\"local\"") != std::string::npos;
      })) << "no runner has connected";
      EXPECT_TRUE(eventually([&] {
        auto all = runners_of(platform);
        return all.size() == 1 && all[0] == platform.runner_pid();
      })) << "not one runner, or one without a record";
    }
    EXPECT_EQ(platform.cli({"down", "--data", platform.data()}).exit, 0);
    EXPECT_TRUE(runners_of(platform).empty()) << "a runner that down did not find, round " << round;
  }
}

}  // namespace headrace
