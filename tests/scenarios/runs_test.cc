// Runs that do not go well: lost, waiting, cancelled, too slow, mended and run again, or never able to start.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Clone;
using support::conclusion_of_newest;
using support::eventually;
using support::milliseconds;
using support::Platform;
using support::read_file;
using support::text_at;
namespace json = core::json;

std::string workflow_of(const std::string& job) {
  return "name: ci\non: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n" + job;
}

// A pushed workflow, nothing waited for.
void push_workflow(Platform& platform, const std::string& workflow) {
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/ci.yml", workflow);
  clone.commit("a workflow");
  ASSERT_EQ(clone.push().exit, 0);
}

json::value newest(Platform& platform) { return platform.json({"run", "view", "--repo", "team/hello"}); }
const json::value& first_job(const json::value& run) { return run.at("jobs").as_array().at(0); }

}  // namespace

TEST(Runs, AJobWhoseRunnerIsKilledRunsAgainByItself) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto effects = platform.folder() + "/effects";
  push_workflow(platform, workflow_of("    steps:\n      - run: echo $GITHUB_SHA >> " + effects + "; test $(wc -l < " +
                                      effects + ") -ge 2 || sleep 600\n"));
  ASSERT_TRUE(eventually([&] { return !read_file(effects).empty(); }));
  auto runner = platform.runner_pid();
  ::kill(runner, SIGKILL);
  EXPECT_TRUE(eventually([&] { return conclusion_of_newest(platform, "team/hello") == "success"; }))
      << core::to_text(newest(platform));
  EXPECT_NE(platform.runner_pid(), runner);
  EXPECT_EQ(core::integer_at(first_job(newest(platform)), "attempt"), 2);
}

TEST(Runs, ALabelThatNoRunnerHasIsSaidWithinASecond) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  push_workflow(platform, "on: push\njobs:\n  build:\n    runs-on: mainframe\n    steps:\n      - run: true\n");
  auto said = [&] { return platform.http({"GET", "/api/v1/runs?limit=1&repository=team/hello", {}, {}}).body; };
  ASSERT_TRUE(eventually([&] { return said().find("\"status\":\"queued\"") != std::string::npos; }));
  EXPECT_TRUE(eventually(
      [&] { return said().find("waiting_for") != std::string::npos && said().find("mainframe") != std::string::npos; },
      milliseconds(1'000)))
      << said();
  auto view = platform.cli({"run", "view", "--repo", "team/hello"});
  EXPECT_NE(view.out.find("mainframe"), std::string::npos) << view.out;
}

TEST(Runs, ACancelledRunEndsItsJobAndIsOver) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto job = platform.folder() + "/job";
  push_workflow(platform, workflow_of("    steps:\n      - run: echo $$ > " + job + "; sleep 600\n"));
  ASSERT_TRUE(eventually([&] { return !read_file(job).empty(); }));
  auto cancelled = platform.cli({"run", "cancel", "--repo", "team/hello"});
  EXPECT_EQ(cancelled.exit, 0) << cancelled.err;
  EXPECT_TRUE(eventually([&] { return conclusion_of_newest(platform, "team/hello") == "cancelled"; }))
      << core::to_text(newest(platform));
  auto pid = std::atoi(read_file(job).c_str());
  EXPECT_TRUE(eventually([&] { return ::kill(pid, 0) != 0; }, milliseconds(15'000))) << "the job's process lives on";
  auto again = platform.cli({"run", "cancel", "--repo", "team/hello"});
  EXPECT_EQ(again.exit, 1) << again.out;
  EXPECT_NE(again.err.find("over"), std::string::npos) << again.err;
  EXPECT_EQ(platform.cli({"run", "watch", "--repo", "team/hello"}).exit, 1);
}

TEST(Runs, WhatFailedRunsAgainAndWhatWasGreenDoesNot) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto good = platform.folder() + "/good", mended = platform.folder() + "/mended";
  push_workflow(platform, workflow_of("    steps:\n      - run: echo done >> " + good + "\n") +
                              "  mend:\n    runs-on: ubuntu-latest\n    steps:\n      - run: test -e " + mended + "\n");
  ASSERT_TRUE(eventually([&] { return conclusion_of_newest(platform, "team/hello") == "failure"; }))
      << core::to_text(newest(platform));
  EXPECT_EQ(platform.cli({"run", "watch", "--repo", "team/hello"}).exit, 1);
  support::write_file(mended, "");
  auto again = platform.cli({"run", "rerun", "--failed", "--repo", "team/hello"});
  ASSERT_EQ(again.exit, 0) << again.err;
  EXPECT_TRUE(eventually([&] { return conclusion_of_newest(platform, "team/hello") == "success"; }))
      << core::to_text(newest(platform));
  EXPECT_EQ(read_file(good), "done\n");
  EXPECT_EQ(core::integer_at(newest(platform), "attempt"), 2);
}

TEST(Runs, AWorkflowWithAMistakeEndsAtOnceAndNamesItsPlace) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  push_workflow(platform, "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    stepz:\n      - run: true\n");
  ASSERT_TRUE(eventually([&] { return conclusion_of_newest(platform, "team/hello") == "startup_failure"; }));
  EXPECT_NE(text_at(newest(platform), "errors").find(".github/workflows/ci.yml:5:5"), std::string::npos)
      << text_at(newest(platform), "errors");
}

TEST(Runs, AFeatureThatIsNotThereYetIsRefusedWithItsPlaceBeforeAnythingRuns) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  push_workflow(platform,
                workflow_of("    snapshot: image\n    steps:\n      - run: touch " + platform.folder() + "/ran\n"));
  ASSERT_TRUE(eventually([&] { return conclusion_of_newest(platform, "team/hello") == "startup_failure"; }))
      << core::to_text(newest(platform));
  EXPECT_NE(text_at(newest(platform), "errors").find(".github/workflows/ci.yml:6:5"), std::string::npos)
      << text_at(newest(platform), "errors");
  EXPECT_NE(::access((platform.folder() + "/ran").c_str(), F_OK), 0);
}

}  // namespace headrace
