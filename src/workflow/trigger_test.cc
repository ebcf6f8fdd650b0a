#include "workflow/trigger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/event.h"
#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Workflow good(std::string_view text) {
  Reading reading = read(text, ".github/workflows/ci.yml");
  EXPECT_THAT(reading.errors, IsEmpty()) << reading.errors[0].message;
  return reading.workflow.value_or(Workflow{});
}

std::string with_jobs(std::string_view head) {
  return std::string(head) + "\njobs:\n  a:\n    runs-on: x\n    steps: [{run: 'true'}]\n";
}

std::string decide(std::string_view on, const Occasion& occasion) {
  Decision decision = triggers(good(with_jobs(on)), occasion);
  return (decision ? "yes: " : "no: ") + decision.reason;
}

TEST(WorkflowTriggers, DecideAPushByBranchesAndTagsAndSayWhy) {
  auto decide = [](std::string_view on, std::string ref) {
    Decision decision = triggers(good(with_jobs(on)), {.event = "push", .ref = std::move(ref)});
    return (decision ? "yes: " : "no: ") + decision.reason;
  };
  EXPECT_THAT(decide("on: push", "refs/heads/x"), "yes: on.push includes the branch x.");
  EXPECT_THAT(decide("on: push", "refs/tags/v1"), "yes: on.push includes the tag v1.");
  EXPECT_THAT(decide("on: push", "refs/notes/x"), HasSubstr("no: refs/notes/x is neither"));
  EXPECT_THAT(decide("on: [workflow_dispatch, create]", "refs/heads/x"),
              "no: on names workflow_dispatch, create, not push.");
  std::string_view branches = "on: {push: {branches: [main, 'release/**', '!release/old']}}";
  EXPECT_THAT(decide(branches, "refs/heads/release/a/b"), HasSubstr("yes"));
  EXPECT_THAT(decide(branches, "refs/heads/release/old"),
              "no: The branch release/old is not matched by on.push.branches [main, release/**, !release/old].");
  EXPECT_THAT(decide(branches, "refs/tags/v1"), "no: on.push filters only branches, so no tag starts it.");
  EXPECT_THAT(decide("on: {push: {tags: ['v*']}}", "refs/heads/main"), HasSubstr("no: on.push filters only tags"));
  EXPECT_THAT(decide("on: {push: {tags-ignore: ['v1.*']}}", "refs/tags/v1.2"),
              HasSubstr("no: The tag v1.2 is matched by"));
  EXPECT_THAT(decide("on: {push: {branches-ignore: [wip], tags: [v1]}}", "refs/tags/v1"), HasSubstr("yes"));
}

TEST(WorkflowPatterns, MatchAsGitHubsCheatSheetSays) {
  auto matches_one = [](std::string pattern, std::string_view text) { return matches({std::move(pattern)}, text); };
  EXPECT_TRUE(matches_one("feature/*", "feature/my-branch"));
  EXPECT_FALSE(matches_one("feature/*", "feature/a/b"));
  EXPECT_TRUE(matches_one("feature/**", "feature/beta-a/my-branch"));
  EXPECT_TRUE(matches_one("*", "releases"));
  EXPECT_FALSE(matches_one("*", "all/the/branches"));
  EXPECT_TRUE(matches_one("**", "every/tag"));
  EXPECT_TRUE(matches_one("*feature", "ver-10-feature"));
  EXPECT_TRUE(matches_one("v2*", "v2.0"));
  EXPECT_TRUE(matches_one("v[12].[0-9]+.[0-9]+", "v1.10.1"));
  EXPECT_FALSE(matches_one("v[12].[0-9]+.[0-9]+", "v3.1.1"));
  EXPECT_FALSE(matches_one("v[12].[0-9]+", "v1."));
  EXPECT_TRUE(matches_one("*.jsx?", "page.js"));
  EXPECT_TRUE(matches_one("*.jsx?", "page.jsx"));
  EXPECT_TRUE(matches_one("**/docs/**", "docs/hello.md"));
  EXPECT_TRUE(matches_one("**/docs/**", "dir/docs/my-file.txt"));
  EXPECT_FALSE(matches_one("**/docs/**", "mydocs/hello.md"));
  EXPECT_TRUE(matches_one("**/README.md", "js/README.md"));
  EXPECT_TRUE(matches_one("**/*src/**", "my-src/code/js/app.js"));
  EXPECT_TRUE(matches_one("**/*-post.md", "path/their-post.md"));
  EXPECT_TRUE(matches_one("a\\*b", "a*b"));
  EXPECT_FALSE(matches_one("a\\*b", "axb"));
  EXPECT_TRUE(matches_one("a[", "a["));
  EXPECT_TRUE(matches({"sub-project/**", "!sub-project/docs/**", "sub-project/docs/api"}, "sub-project/docs/api"));
  EXPECT_FALSE(matches({"!main"}, "other"));
}

TEST(WorkflowPatterns, CostNoMoreThanTheirLengthTimesTheTexts) {
  std::string stars, folders;
  for (int i = 0; i < 300; ++i) stars += "*a", folders += "**/";
  EXPECT_FALSE(matches({stars + "b"}, std::string(2000, 'a')));
  EXPECT_TRUE(matches({folders + "x"}, "x"));
}

TEST(WorkflowTriggers, DecideByTheFilesThatAPushChanged) {
  auto push = [](std::vector<std::string> paths) {
    return Occasion{.event = "push", .ref = "refs/heads/main", .changed_paths = std::move(paths)};
  };
  std::string_view paths = "on: {push: {paths: ['src/**', '!src/doc/**']}}";
  EXPECT_THAT(decide(paths, push({"src/a.cc", "README.md"})), HasSubstr("yes"));
  EXPECT_EQ(decide(paths, push({"src/doc/a.md", "README.md"})),
            "no: No changed file is matched by on.push.paths [src/**, !src/doc/**].");
  std::string_view ignored = "on: {push: {paths-ignore: ['**.md']}}";
  EXPECT_THAT(decide(ignored, push({"src/doc/a.md", "a.cc"})), HasSubstr("yes"));
  EXPECT_EQ(decide(ignored, push({"README.md"})), "no: Every changed file is matched by on.push.paths-ignore [**.md].");
  EXPECT_THAT(decide(paths, {.event = "push", .ref = "refs/heads/main"}), HasSubstr("yes")) << "what is not known";
  EXPECT_THAT(decide(paths, {.event = "push", .ref = "refs/tags/v1", .changed_paths = {{"x"}}}), HasSubstr("yes"))
      << "a tag has no changed files";
}

TEST(WorkflowTriggers, WordsInAMessageSkipRuns) {
  for (const char* message : {"Fix [skip ci]", "[ci skip] a", "a\n\n[no ci]", "[SKIP ACTIONS]", "x [actions skip]",
                              "Title\n\n\nskip-checks: true", "Title\n\nBody\n\n\nskip-checks:true\n"})
    EXPECT_NE(skip_word(message), "") << message;
  for (const char* message : {"skip ci", "[skip]", "Title\n\nskip-checks: true", "skip-checks: true", "[skip  ci]", ""})
    EXPECT_EQ(skip_word(message), "") << message;
}

TEST(WorkflowTriggers, DecideAPullRequestByTypeAndTargetBranch) {
  auto pull_request = [](std::string action, std::string base) {
    return Occasion{.event = "pull_request", .action = std::move(action), .base_ref = std::move(base)};
  };
  EXPECT_THAT(decide("on: pull_request", pull_request("synchronize", "main")), HasSubstr("yes"));
  EXPECT_EQ(decide("on: pull_request", pull_request("labeled", "main")),
            "no: The type labeled is not among the types that pull_request has by default [opened, synchronize, "
            "reopened].");
  std::string_view labeled = "on: {pull_request: {types: [labeled], branches: [main, 'release/*']}}";
  EXPECT_THAT(decide(labeled, pull_request("labeled", "refs/heads/release/1")), HasSubstr("yes"));
  EXPECT_THAT(decide(labeled, pull_request("opened", "main")),
              HasSubstr("The type opened is not among on.pull_request.types [labeled]."));
  EXPECT_EQ(decide(labeled, pull_request("labeled", "dev")),
            "no: The branch dev is not matched by on.pull_request.branches [main, release/*].");
  EXPECT_THAT(decide("on: {pull_request: {branches-ignore: ['wip/**']}}", pull_request("opened", "wip/a/b")),
              HasSubstr("no: The branch wip/a/b is matched by on.pull_request.branches-ignore"));
}

TEST(WorkflowTriggers, DecideTheOtherEventsByWhatTheyAreAbout) {
  std::string_view run = "on: {workflow_run: {workflows: [CI, 'Build+Test'], types: [completed], branches: [main]}}";
  Occasion finished{.event = "workflow_run", .action = "completed", .base_ref = "main", .workflow = "CI"};
  EXPECT_THAT(decide(run, finished), HasSubstr("yes"));
  finished.workflow = "Build+Test";
  EXPECT_THAT(decide(run, finished), HasSubstr("yes")) << "a name is first taken as it is";
  finished.workflow = "Docs";
  EXPECT_THAT(decide(run, finished), HasSubstr("no: The workflow Docs is not among"));
  EXPECT_THAT(
      decide("on: {repository_dispatch: {types: [deploy]}}", {.event = "repository_dispatch", .action = "deploy"}),
      HasSubstr("yes"));
  EXPECT_THAT(
      decide("on: {repository_dispatch: {types: [deploy]}}", {.event = "repository_dispatch", .action = "other"}),
      HasSubstr("no"));
  std::string_view schedule = "on: {schedule: [{cron: '5 4 * * *'}, {cron: '0 0 * * 0'}]}";
  EXPECT_THAT(decide(schedule, {.event = "schedule", .cron = "0 0 * * 0"}), HasSubstr("yes"));
  EXPECT_THAT(decide(schedule, {.event = "schedule", .cron = "1 1 * * 1"}), HasSubstr("no"));
  EXPECT_THAT(decide("on: {release: {types: [published]}}", {.event = "release", .action = "created"}),
              HasSubstr("no"));
  EXPECT_THAT(decide("on: issues", {.event = "issues", .action = "pinned"}), HasSubstr("yes"));
  EXPECT_THAT(decide("on: create", {.event = "create", .ref = "refs/heads/x"}), HasSubstr("yes"));
}

TEST(WorkflowTriggers, StartAtAnyEventThatAFilterMatches) {
  events::Event incident;
  incident.id = "1";
  incident.source = "/monitor";
  incident.type = "dev.cdevents.incident.detected.0.3.0";
  Occasion occasion{.event = "event", .cloud_event = &incident};
  EXPECT_THAT(decide("on: {event: \"type LIKE 'dev.cdevents.incident.%'\"}", occasion), HasSubstr("yes"));
  EXPECT_THAT(decide("on: {event: {filter: {prefix: {type: dev.cdevents.incident}}}}", occasion), HasSubstr("yes"));
  EXPECT_THAT(decide("on: {event: \"source = '/else'\"}", occasion), HasSubstr("no: The filter of on.event"));
  EXPECT_THAT(read(with_jobs("on: {event: 'type ='}"), "x").errors[0].message, HasSubstr("The filter does not read"));
  EXPECT_THAT(read(with_jobs("on: event"), "x").errors[0].message, HasSubstr("needs a filter"));
}

TEST(WorkflowCron, IsHeldAgainstItsFiveFields) {
  for (const char* good : {"* * * * *", "*/5 * * * *", "0 0 1 1 *", "30 5 * * 1-5", "15,45 */2 * JAN-MAR sun,Sat",
                           "5/15 0 31 12 6", "0  0 * * 0", "0 0 * * *\n", " 0\t0 * * * "}) {
    EXPECT_EQ(cron_problem(good), "") << good;
  }
  for (const char* bad : {"", "* * * *", "* * * * * *", "@yearly", "60 * * * *", "* 24 * * *", "* * 0 * *",
                          "* * * 13 *", "* * * * 7", "5-1 * * * *", "*/0 * * * *", "a * * * *", "1,,2 * * * *",
                          "1-2-3 * * * *", "-1 * * * *", "* * * * mo", "1/2/3 * * * *"}) {
    EXPECT_THAT(cron_problem(bad), HasSubstr("Write minute, hour")) << bad;
  }
  EXPECT_THAT(read(with_jobs("on: {schedule: [{cron: '@daily'}]}"), "x").errors[0].message,
              HasSubstr("words such as @daily"));
}

TEST(WorkflowCron, FindsTheNextTime) {
  using namespace std::chrono;
  auto next = [](std::string_view cron, sys_seconds after) { return next_time(cron, after); };
  sys_seconds monday = sys_days(2026y / November / 23) + hours(10) + minutes(7) + seconds(30);
  EXPECT_EQ(next("*/5 * * * *", monday), sys_days(2026y / November / 23) + hours(10) + minutes(10));
  EXPECT_EQ(next("7 10 * * *", monday), sys_days(2026y / November / 24) + hours(10) + minutes(7));
  EXPECT_EQ(next("0 0 29 2 *", monday), sys_seconds(sys_days(2028y / February / 29)));
  EXPECT_EQ(next("0 0 13 * 5", monday), sys_seconds(sys_days(2026y / November / 27))) << "either day is enough";
  EXPECT_EQ(next("0 0 * * sun", monday), sys_seconds(sys_days(2026y / November / 29)));
  EXPECT_EQ(next("0 0 30 2 *", monday), std::nullopt);
  EXPECT_EQ(next("nonsense", monday), std::nullopt);
}

}  // namespace
}  // namespace headrace::workflow
