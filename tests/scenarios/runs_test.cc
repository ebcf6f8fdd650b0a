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

TEST(Runs, ARunIsNamedByItsIdOrItsNumberAndNothingIsGuessed) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  push_workflow(platform, workflow_of("    steps:\n      - run: true\n"));
  ASSERT_TRUE(eventually([&] { return core::integer_at(newest(platform), "id").value_or(0) > 0; }));
  const auto id = core::integer_at(newest(platform), "id").value();
  ASSERT_NE(id, 1) << "the repository has this one";
  for (const std::string& name :
       {std::to_string(id), std::string("1"), std::string("#1"), std::string("team/hello#1")}) {
    auto shown = platform.cli({"run", "view", name, "--repo", "team/hello"});
    EXPECT_EQ(shown.exit, 0) << name << shown.err;
    EXPECT_NE(shown.out.find("team/hello · ci #1"), std::string::npos) << shown.out;
  }
  EXPECT_EQ(platform.cli({"run", "view", "team/hello#1"}).exit, 0) << "the name says of which repository";
  auto nowhere = platform.cli({"run", "view", "1"}, {}, platform.folder());  // which is no clone
  EXPECT_EQ(nowhere.exit, 1);
  EXPECT_NE(nowhere.err.find("OWNER/NAME#1"), std::string::npos) << nowhere.err;
  EXPECT_EQ(platform.cli({"run", "view", "x", "--repo", "team/hello"}).exit, 1);

  ASSERT_EQ(platform.cli({"repo", "create", "team/other"}).exit, 0);
  EXPECT_EQ(platform.cli({"run", "view", std::to_string(id), "--repo", "team/other"}).exit, 1) << "it is of another";

  Clone clone(platform, "team/hello", "again");
  clone.write(".github/workflows/lint.yml", "name: lint\non: push\njobs: {}");
  clone.commit("a second workflow");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(eventually([&] {
    auto runs = platform.json({"run", "list", "--repo", "team/hello"});
    return runs.at("runs").as_array().size() == 3;
  }));
  auto both = platform.cli({"run", "cancel", "#1", "--repo", "team/hello"});
  EXPECT_EQ(both.exit, 1) << both.out;
  EXPECT_NE(both.err.find("ci (id " + std::to_string(id) + ")"), std::string::npos) << both.err;
  EXPECT_NE(both.err.find("Give the id."), std::string::npos) << both.err;
  EXPECT_EQ(platform.cli({"run", "view", "#2", "--repo", "team/hello"}).exit, 0);
}

TEST(Runs, AWorkflowIsStartedByItsNameOnTheDefaultBranch) {
  Platform platform({{}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/hand.yml",
              "name: hand\non: workflow_dispatch\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: true\n");
  clone.commit("by hand");
  ASSERT_EQ(clone.push().exit, 0);
  auto started = platform.cli({"workflow", "run", "hand.yml", "--repo", "team/hello"});
  EXPECT_EQ(started.exit, 0) << started.err;
  EXPECT_NE(started.out.find("started hand #1 of team/hello (id "), std::string::npos) << started.out;
  EXPECT_EQ(
      platform.cli({"workflow", "run", ".github/workflows/hand.yml", "--ref", "main", "--repo", "team/hello"}).exit, 0);
  auto none = platform.cli({"workflow", "run", "nosuch.yml", "--repo", "team/hello"});
  EXPECT_EQ(none.exit, 1);
  EXPECT_NE(none.err.find("nosuch.yml"), std::string::npos) << none.err;
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
