// The workflow language end to end: real git, real runner.
#include <gtest/gtest.h>

#include "core/disk.h"
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

json::value newest(Platform& platform) { return platform.json({"run", "view", "--repo", "team/hello"}); }

std::string conclusion_of(const json::value& run, const std::string& key) {
  for (const auto& job : run.at("jobs").as_array())
    if (text_at(job, "key") == key) return text_at(job, "conclusion");
  return "no job " + key;
}

bool ends_as(Platform& platform, const std::string& conclusion) {
  return eventually([&] { return conclusion_of_newest(platform, "team/hello") == conclusion; }, milliseconds(60'000));
}

constexpr const char* caller = R"(name: ci
on: push
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: {list: '${{ steps.s.outputs.list }}'}
    steps:
      - id: s
        run: echo 'list=["p","q"]' >> "$GITHUB_OUTPUT"
  test:
    needs: plan
    strategy: {matrix: {v: '${{ fromJSON(needs.plan.outputs.list) }}'}}
    uses: ./.github/workflows/called.yml
    with: {value: '${{ matrix.v }}'}
  last:
    needs: test
    runs-on: ubuntu-latest
    steps:
      - run: test '${{ needs.test.outputs.said }}' = said-q || test '${{ needs.test.outputs.said }}' = said-p
)";
constexpr const char* called = R"(on:
  workflow_call:
    inputs: {value: {type: string, required: true}}
    outputs: {said: {value: '${{ jobs.say.outputs.said }}'}}
jobs:
  say:
    runs-on: ubuntu-latest
    outputs: {said: '${{ steps.s.outputs.said }}'}
    steps:
      - id: s
        run: echo "said=said-${{ inputs.value }}" >> "$GITHUB_OUTPUT"
)";

}  // namespace

TEST(Language, AMatrixFromOutputsCallsAWorkflowWhoseOutputsComeBack) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/ci.yml", caller);
  clone.write(".github/workflows/called.yml", called);
  clone.commit("workflows");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(ends_as(platform, "success")) << core::to_text(newest(platform));
  auto run = newest(platform);
  EXPECT_EQ(conclusion_of(run, "test (p)/say"), "success");
  EXPECT_EQ(conclusion_of(run, "test (q)/say"), "success");
  EXPECT_EQ(conclusion_of(run, "last"), "success");
}

TEST(Language, AJobChecksOutItsRepositoryAndItsTokenReachesNoFurtherAndEndsWithIt) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_EQ(platform.cli({"repo", "create", "team/other"}).exit, 0);
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  Clone clone(platform, "team/hello", "hello");
  auto kept = platform.folder() + "/kept-token";
  clone.write("answer.txt", "42\n");
  clone.write(".github/workflows/ci.yml", R"(on: push
permissions: {contents: write}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: grep -qx 42 answer.txt
      - run: test '${{ github.event.head_commit.message }}' = checkout && grep -q '"forced":false' "$GITHUB_EVENT_PATH"
      - run: |
          git tag from-the-job && git push origin from-the-job
          url="$GITHUB_SERVER_URL/team"
          ! GIT_TERMINAL_PROMPT=0 git ls-remote "${url/\/\//\/\/x:$TOKEN@}/other.git"
          printf %s "$TOKEN" > )" + kept + R"(
        env: {TOKEN: '${{ github.token }}'}
)");
  clone.commit("checkout");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(ends_as(platform, "success")) << platform.cli({"run", "log", "--repo", "team/hello"}).out;
  ASSERT_EQ(clone.git({"fetch", "--tags"}).exit, 0);
  EXPECT_EQ(clone.git({"rev-parse", "from-the-job"}).exit, 0);
  auto token = *core::read_file(*std::make_unique<core::SystemDisk>(), kept);
  ASSERT_TRUE(token.starts_with("hrj_")) << token;
  EXPECT_NE(platform
                .git(platform.folder(), {"-c", "http.extraHeader=Authorization: Bearer " + token, "-c",
                                         "credential.helper=", "ls-remote", platform.url() + "/team/hello.git"})
                .exit,
            0)
      << "the job is over";
  auto runs = platform.json({"run", "list", "--repo", "team/hello"}).at("runs").as_array().size();
  EXPECT_EQ(runs, 1U) << "what a job pushes with its own token runs nothing";
}

TEST(Language, WhatFailedRunsAgainAloneAndANewerRunEndsTheOneBefore) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto mended = platform.folder() + "/mended";
  ASSERT_EQ(platform.cli({"repo", "create", "team/hello"}).exit, 0);
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/ci.yml",
              "on: push\njobs:\n  good: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}\n  bad: {runs-on: "
              "ubuntu-latest, steps: [{run: test -e " +
                  mended + "}]}\n");
  clone.commit("one fails");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(ends_as(platform, "failure")) << core::to_text(newest(platform));
  std::string good = text_at(newest(platform).at("jobs").at(0), "job");
  ASSERT_EQ(platform.cli({"run", "rerun", "--failed", "--repo", "team/hello"}).exit, 0);
  ASSERT_TRUE(eventually([&] { return core::integer_at(newest(platform), "attempt") == 2; }));
  ASSERT_TRUE(ends_as(platform, "failure"));
  EXPECT_EQ(text_at(newest(platform).at("jobs").at(0), "job"), good) << "what was good stands as it was";

  clone.write(".github/workflows/ci.yml",
              "on: push\nconcurrency: {group: only, cancel-in-progress: true}\njobs: {a: {runs-on: ubuntu-latest, "
              "steps: [{run: 'sleep 600'}]}}\n");
  clone.commit("a long one");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(eventually([&] { return text_at(newest(platform), "status") == "in_progress"; }));
  auto first = *core::integer_at(newest(platform), "id");
  clone.write(".github/workflows/ci.yml",
              "on: push\nconcurrency: {group: only, cancel-in-progress: true}\njobs: {a: {runs-on: ubuntu-latest, "
              "steps: [{run: 'true'}]}}\n");
  clone.commit("a short one");
  ASSERT_EQ(clone.push().exit, 0);
  ASSERT_TRUE(ends_as(platform, "success")) << core::to_text(newest(platform));
  auto before = platform.json({"run", "view", std::to_string(first), "--repo", "team/hello"});
  EXPECT_EQ(text_at(before, "conclusion"), "cancelled") << core::to_text(before);
}

}  // namespace headrace
