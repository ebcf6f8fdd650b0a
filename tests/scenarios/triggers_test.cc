// What starts runs, end to end: real git, real runner.
#include <gtest/gtest.h>

#include "support/http.h"
#include "support/platform.h"

namespace headrace {

namespace {

using support::Clone;
using support::conclusion_of_newest;
using support::eventually;
using support::milliseconds;
using support::Platform;
using support::text_at;
namespace json = core::json;

json::array runs(Platform& platform, const std::string& repository) {
  return platform.json({"run", "list", "--repo", repository}).at("runs").as_array();
}

bool ends_as(Platform& platform, const std::string& repository, const std::string& conclusion) {
  return eventually([&] { return conclusion_of_newest(platform, repository) == conclusion; }, milliseconds(60'000));
}

}  // namespace

TEST(Triggers, AJobSeesAllCommitsOfItsPushAndFiltersOnPathsSeeWhatChanged) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/ci.yml", R"(on: {push: {paths: ['src/**']}}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: test '${{ join(github.event.commits.*.message, '|') }}' = 'one|two'
      - run: test '${{ github.event.head_commit.added[0] }}' = src/b.txt
      - run: test '${{ github.event.repository.full_name }}' = team/hello
)");
  clone.commit("workflow");
  ASSERT_EQ(clone.push().exit, 0);
  clone.write("README.md", "words\n");
  clone.commit("words");
  ASSERT_EQ(clone.push().exit, 0);
  clone.write("src/a.txt", "a\n");
  clone.commit("one");
  clone.write("src/b.txt", "b\n");
  clone.commit("two");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(ends_as(platform, "team/hello", "success")) << platform.cli({"run", "log", "--repo", "team/hello"}).out;
  EXPECT_EQ(runs(platform, "team/hello").size(), 1U) << "two pushes changed nothing below src";
}

TEST(Triggers, AWorkflowOfAnotherRepositoryRunsAndWhatEndsStartsTheNext) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/shared"}).exit, 0);
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  Clone shared(platform, "team/shared", "shared");
  shared.write(".github/workflows/build.yml",
               "on: {workflow_call: {inputs: {word: {type: string}}}}\njobs: {b: {runs-on: ubuntu-latest, steps: "
               "[{run: 'test ${{ inputs.word }} = hello'}]}}\n");
  shared.commit("shared");
  ASSERT_EQ(shared.push().exit, 0);
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/a.yml",
              "name: CI\non: push\njobs: {a: {uses: team/shared/.github/workflows/build.yml@main, with: {word: "
              "hello}}}\n");
  clone.write(".github/workflows/b.yml",
              "on: {workflow_run: {workflows: [CI], types: [completed]}}\njobs: {next: {runs-on: ubuntu-latest, steps: "
              "[{run: 'test ${{ github.event.workflow_run.conclusion }} = success'}]}}\n");
  clone.commit("workflows");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(eventually([&] { return runs(platform, "team/hello").size() == 2; }, milliseconds(60'000)));
  ASSERT_TRUE(ends_as(platform, "team/hello", "success")) << core::to_text(runs(platform, "team/hello"));
  for (const auto& run : runs(platform, "team/hello")) EXPECT_EQ(text_at(run, "conclusion"), "success");
}

TEST(Triggers, GitHubsPathsStartWorkflowsAndEventsOfOtherToolsDoWhereAFilterSaysSo) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/ci.yml", R"(on:
  workflow_dispatch: {inputs: {word: {type: string}}}
  repository_dispatch: {types: [deploy]}
  event: "type = 'com.example.done'"
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: test '${{ inputs.word || github.event.client_payload.word || github.event.data.word }}' = hello
)");
  clone.commit("workflow");
  ASSERT_EQ(clone.push().exit, 0);
  const std::string at = "/api/v3/repos/team/hello";
  EXPECT_EQ(
      platform
          .http(
              {"POST", at + "/actions/workflows/ci.yml/dispatches", {}, R"({"ref":"main","inputs":{"word":"hello"}})"})
          .status,
      204);
  EXPECT_EQ(
      platform.http({"POST", at + "/dispatches", {}, R"({"event_type":"deploy","client_payload":{"word":"hello"}})"})
          .status,
      204);
  EXPECT_EQ(platform.http({"POST", at + "/dispatches", {}, R"({"event_type":"other"})"}).status, 204);
  ASSERT_TRUE(eventually([&] { return runs(platform, "team/hello").size() == 2; }));
  auto published =
      platform.cli({"event", "publish", "-"}, R"({"specversion":"1.0","id":"1","source":"https://ci.example",
"type":"com.example.done","data":{"word":"hello"}})");
  ASSERT_EQ(published.exit, 0) << published.err;
  ASSERT_TRUE(eventually([&] { return runs(platform, "team/hello").size() == 3; }, milliseconds(60'000)));
  auto all_good = [&] {
    for (const auto& run : runs(platform, "team/hello"))
      if (text_at(run, "conclusion") != "success") return false;
    return true;
  };
  EXPECT_TRUE(eventually(all_good, milliseconds(60'000))) << core::to_text(runs(platform, "team/hello"));
}

}  // namespace headrace
