// The language of workflows as runs live it: matrices, outputs, called workflows, concurrency, inputs, runs again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "services/pipeline/projection.h"
#include "services/pipeline/testing/world.h"
#include "store/rebuild.h"

namespace headrace::pipeline {
namespace {

using testing::Actor;
using testing::ci;
using testing::commit_id;
using testing::Conclusion;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing::World;

std::vector<std::string> shown(const pipeline::Run& run) {
  std::vector<std::string> lines;
  for (const Job& job : run.jobs) {
    lines.push_back(job.key + ": " +
                    std::string(job.conclusion ? events::name_of(*job.conclusion) : name_of(job.status)));
  }
  return lines;
}

core::json::value spec_of(const World& world, std::string_view key) {
  for (const auto& job : world.said<events::JobQueued>()) {
    if (job.key == key) return *core::parse_json(job.spec);
  }
  ADD_FAILURE() << "no job " << key << " was queued";
  return {};
}

void push(World& world, std::string_view text, char commit = 'a') {
  world.files.commit(commit_id(commit), {ci(text)});
  world.push(commit_id(commit));
}

constexpr std::string_view matrix = R"(on: push
jobs:
  test:
    strategy: {STRATEGY}
    runs-on: x
    steps: [{run: a}]
  after: {needs: test, runs-on: x, steps: [{run: b}]}
)";
std::string with(std::string_view strategy) {
  std::string text(matrix);
  return text.replace(text.find("{STRATEGY}"), 10, strategy);
}

TEST(PipelineMatrix, BecomesLegsThatAllMustEnd) {
  World world;
  push(world, with("{matrix: {v: [1, 2]}}"));
  EXPECT_THAT(shown(world.newest()), ElementsAre("test (1): queued", "test (2): queued", "after: waiting"));
  EXPECT_EQ(world.newest().jobs[1].matrix, R"({"v":2})");
  EXPECT_EQ(spec_of(world, "test (2)").at("contexts").at("matrix").at("v"), 2);
  world.run_job("test (1)");
  EXPECT_THAT(shown(world.newest()), ElementsAre("test (1): success", "test (2): queued", "after: waiting"));
  world.run_job("test (2)");
  EXPECT_THAT(shown(world.newest()), ElementsAre("test (1): success", "test (2): success", "after: queued"));
}

TEST(PipelineMatrix, CancelsTheOtherLegsWhenOneFailsUnlessToldNotTo) {
  World world;
  push(world, with("{matrix: {v: [1, 2, 3]}}"));
  world.begin(World::job(world.newest(), "test (3)"));
  world.run_job("test (1)", Conclusion::failure);
  EXPECT_EQ(World::job(world.newest(), "test (2)").conclusion, Conclusion::cancelled);
  EXPECT_THAT(World::job(world.newest(), "test (2)").reason, HasSubstr("fail-fast"));
  EXPECT_EQ(World::job(world.newest(), "test (3)").status, Status::in_progress) << "its runner ends it";
  EXPECT_FALSE(world.newest().cancelled);
  world.end(World::job(world.newest(), "test (3)"), Conclusion::cancelled);
  EXPECT_THAT(shown(world.newest()),
              ElementsAre("test (1): failure", "test (2): cancelled", "test (3): cancelled", "after: skipped"));
  EXPECT_EQ(world.newest().conclusion, Conclusion::failure);
  EXPECT_EQ(world.count(events::JobCancelled::type), 2U);

  push(world, with("{fail-fast: false, matrix: {v: [1, 2]}}"), 'b');
  world.run_job("test (1)", Conclusion::failure);
  EXPECT_EQ(World::job(world.newest(), "test (2)").status, Status::queued);
}

TEST(PipelineMatrix, KeepsToMaxParallel) {
  World world;
  push(world, with("{max-parallel: 1, matrix: {v: [1, 2]}}"));
  EXPECT_THAT(shown(world.newest()), ElementsAre("test (1): queued", "test (2): waiting", "after: waiting"));
  world.run_job("test (1)");
  EXPECT_THAT(shown(world.newest()), ElementsAre("test (1): success", "test (2): queued", "after: waiting"));
}

TEST(PipelineMatrix, ComesFromTheOutputsOfAJob) {
  World world;
  push(world,
       "on: push\njobs:\n  plan: {runs-on: x, steps: [{run: a}]}\n  test:\n    needs: plan\n    strategy:\n      "
       "matrix: "
       "{v: '${{ fromJSON(needs.plan.outputs.list) }}'}\n    runs-on: x\n    steps: [{run: b}]\n");
  world.run_job("plan", Conclusion::success, {{"list", "[\"p\",\"q\"]"}});
  EXPECT_THAT(shown(world.newest()), ElementsAre("plan: success", "test (p): queued", "test (q): queued"));
  EXPECT_EQ(spec_of(world, "test (p)").at("contexts").at("needs").at("plan").at("outputs").at("list"), "[\"p\",\"q\"]");
}

TEST(PipelineMatrix, Of256LegsIsQueuedAtOnceAndBounded) {
  World world;
  std::string vector = "[0";
  for (int i = 1; i < 16; ++i) vector += ", " + std::to_string(i);
  push(world, with("{fail-fast: false, matrix: {a: " + vector + "], b: " + vector + "]}}"));
  EXPECT_EQ(world.count(events::JobQueued::type), 256U);
  EXPECT_THAT(world.newest().jobs, SizeIs(257));
  std::string big(60 * 1024, 'x');
  std::string text = with("{matrix: {a: " + vector + "], b: " + vector + "]}}");
  text.replace(text.find("run: a"), 6, "run: " + big);
  push(world, text, 'b');
  EXPECT_EQ(world.count(events::JobQueued::type), 512U) << "in several batches";
}

TEST(PipelineJobs, AnErrorInAnExpressionFailsTheJobWithItsPlace) {
  World world;
  push(world,
       "on: push\njobs:\n  a:\n    runs-on: ${{ fromJSON('x') }}\n    steps: [{run: a}]\n  b:\n    needs: a\n"
       "    if: failure()\n    runs-on: x\n    steps: [{run: a}]\n");
  EXPECT_EQ(World::job(world.newest(), "a").conclusion, Conclusion::failure);
  EXPECT_THAT(World::job(world.newest(), "a").reason, HasSubstr(".github/workflows/ci.yml (Line: 4, Col: 14): "));
  EXPECT_EQ(World::job(world.newest(), "b").status, Status::queued);
  world.run_job("b");
  EXPECT_EQ(world.newest().conclusion, Conclusion::failure);
  EXPECT_THAT(world.newest().errors, HasSubstr("Line: 4"));
}

TEST(PipelineJobs, ContinueOnErrorCountsAsSuccess) {
  World world;
  push(world,
       "on: push\njobs:\n  a: {continue-on-error: true, runs-on: x, steps: [{run: a}]}\n  b: {needs: a, runs-on: "
       "x, steps: [{run: a}]}\n");
  world.run_job("a", Conclusion::failure);
  world.run_job("b");
  EXPECT_EQ(world.newest().conclusion, Conclusion::success);
}

TEST(PipelineJobs, SeeWhatHappenedAsGitHubTellsIt) {
  World world;
  push(world,
       "on: push\njobs:\n  a: {if: github.event.head_commit.id == github.sha, runs-on: x, steps: [{run: a}]}\n"
       "  b: {if: github.event.deleted, runs-on: x, steps: [{run: a}]}\n");
  EXPECT_THAT(shown(world.newest()), ElementsAre("a: queued", "b: skipped"));
  auto payload = core::parse_json(world.said<events::RunQueued>()[0].payload);
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->at("ref"), "refs/heads/main");
  EXPECT_EQ(payload->at("created"), true);
  EXPECT_EQ(payload->at("repository").at("full_name"), "team/hello");
  EXPECT_EQ(payload->at("pusher").at("name"), "alice");
}

constexpr std::string_view caller = R"(on: push
jobs:
  build: {runs-on: x, steps: [{run: a}]}
  deploy:
    needs: build
    strategy: {matrix: {region: [eu, us]}}
    uses: ./.github/workflows/deploy.yml
    with: {region: '${{ matrix.region }}'}
  last: {needs: deploy, runs-on: x, steps: [{run: 'echo ${{ needs.deploy.outputs.url }}'}]}
)";
constexpr std::string_view called = R"(on:
  workflow_call:
    inputs: {region: {type: string, required: true}}
    outputs: {url: {value: '${{ jobs.go.outputs.url }}'}}
jobs:
  check: {runs-on: x, steps: [{run: a}]}
  go: {needs: check, runs-on: '${{ inputs.region }}', steps: [{run: a}], outputs: {url: u}}
)";

TEST(PipelineCalls, RunTheJobsOfTheCalledFileAndPassOutputsOn) {
  World world;
  world.files.commit(commit_id('a'), {ci(caller), ci(called, ".github/workflows/deploy.yml")});
  world.push(commit_id('a'));
  world.run_job("build");
  EXPECT_THAT(
      shown(world.newest()),
      ElementsAre("build: success", "deploy (eu): in_progress", "deploy (eu)/check: queued", "deploy (eu)/go: waiting",
                  "deploy (us): in_progress", "deploy (us)/check: queued", "deploy (us)/go: waiting", "last: waiting"));
  for (const char* region : {"eu", "us"}) {
    std::string key = std::string("deploy (") + region + ")/";
    world.run_job(key + "check");
    EXPECT_THAT(world.said<events::JobQueued>().back().labels, ElementsAre(region));
    world.run_job(key + "go", Conclusion::success, {{"url", std::string("https://") + region}});
  }
  EXPECT_EQ(World::job(world.newest(), "deploy (eu)").conclusion, Conclusion::success);
  auto needs = spec_of(world, "last").at("contexts").at("needs").at("deploy");
  EXPECT_EQ(needs.at("result"), "success");
  EXPECT_EQ(needs.at("outputs").at("url"), "https://us");
  world.run_job("last");
  EXPECT_EQ(world.newest().conclusion, Conclusion::success);
}

TEST(PipelineCalls, AFileThatIsNotThereRefusesTheRun) {
  World world;
  push(world, "on: push\njobs: {a: {uses: ./.github/workflows/none.yml}}\n");
  EXPECT_EQ(world.newest().conclusion, Conclusion::startup_failure);
  EXPECT_THAT(world.newest().errors, HasSubstr(".github/workflows/ci.yml:2:"));
}

TEST(PipelineCalls, AFailedJobBelowFailsTheCallerAndRunsAgainAlone) {
  World world;
  world.files.commit(commit_id('a'), {ci(caller), ci(called, ".github/workflows/deploy.yml")});
  world.push(commit_id('a'));
  world.run_job("build");
  world.run_job("deploy (eu)/check", Conclusion::failure);
  world.settle();
  world.run_job("deploy (us)/check");
  pipeline::Run run = world.newest();
  if (run.status != Status::completed) world.run_job("deploy (us)/go");
  EXPECT_EQ(World::job(world.newest(), "deploy (eu)").conclusion, Conclusion::failure);
  EXPECT_EQ(world.newest().conclusion, Conclusion::failure);
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), run.id, Jobs::failed)));
  world.settle();
  EXPECT_EQ(World::job(world.newest(), "build").conclusion, Conclusion::success);
  EXPECT_EQ(World::job(world.newest(), "deploy (eu)/check").status, Status::queued);
}

constexpr std::string_view grouped = R"(on: push
concurrency: {group: 'deploy-${{ github.ref_name }}'SETTING}
jobs:
  a: {runs-on: x, steps: [{run: a}]}
)";
std::string group_with(std::string_view setting) {
  std::string text(grouped);
  return text.replace(text.find("SETTING"), 7, setting);
}
std::vector<std::string> states(World& world) {  // oldest first
  std::vector<std::string> lines;
  for (const auto& run : world.runs()) {
    std::string line(run.conclusion ? events::name_of(*run.conclusion) : name_of(run.status));
    lines.insert(lines.begin(), run.waits ? "waits" : line);
  }
  return lines;
}

TEST(PipelineConcurrency, OneRunsOneWaitsAndTheNewestTakesThePlaceOfTheWaiting) {
  World world;
  push(world, group_with(""), 'a');
  push(world, group_with(""), 'b');
  EXPECT_THAT(states(world), ElementsAre("queued", "waits"));
  push(world, group_with(""), 'c');
  EXPECT_THAT(states(world), ElementsAre("queued", "cancelled", "waits"));
  world.restart();
  pipeline::Run first = world.runs().back();
  world.begin(first.jobs[0]);
  world.end(first.jobs[0], Conclusion::success);
  EXPECT_THAT(states(world), ElementsAre("success", "cancelled", "queued"));
  EXPECT_EQ(World::job(world.newest(), "a").status, Status::queued);
}

TEST(PipelineConcurrency, CancelInProgressEndsTheRunBefore) {
  World world;
  push(world, group_with(", cancel-in-progress: true"), 'a');
  push(world, group_with(", cancel-in-progress: true"), 'b');
  EXPECT_THAT(states(world), ElementsAre("cancelled", "queued"));
  EXPECT_THAT(world.runs()[1].errors, HasSubstr("of the same concurrency group"));
  EXPECT_EQ(world.newest().group, "deploy-main");
}

TEST(PipelineConcurrency, QueueMaxLetsManyWait) {
  World world;
  for (char commit : {'a', 'b', 'c'}) push(world, group_with(", queue: max"), commit);
  EXPECT_THAT(states(world), ElementsAre("queued", "waits", "waits"));
}

TEST(PipelineConcurrency, HoldsForJobsToo) {
  World world;
  push(world,
       "on: push\njobs:\n  a: {concurrency: one, runs-on: x, steps: [{run: a}]}\n  b: {concurrency: One, runs-on: "
       "x, steps: [{run: a}]}\n");
  EXPECT_THAT(shown(world.newest()), ElementsAre("a: queued", "b: waiting"));
  world.run_job("a");
  EXPECT_THAT(shown(world.newest()), ElementsAre("a: success", "b: queued"));
  push(world, "on: push\nconcurrency: z\njobs: {a: {concurrency: Z, runs-on: x, steps: [{run: a}]}}\n", 'b');
  EXPECT_EQ(world.newest().conclusion, Conclusion::failure);
  EXPECT_THAT(world.newest().errors, HasSubstr("which its own run has"));
}

TEST(PipelineCommands, DispatchChecksInputsAgainstTheirTypes) {
  World world;
  world.files.commit(
      commit_id('a'),
      {ci("on:\n  workflow_dispatch:\n    inputs:\n      count: {type: number, default: 3}\n      level: "
          "{type: choice, options: [low, high]}\njobs:\n  a:\n    if: inputs.count == 3\n    runs-on: "
          "'${{ inputs.level }}'\n    steps: [{run: a}]\n")});
  world.files.point("refs/heads/main", commit_id('a'));
  auto dispatch = [&world](std::string inputs) {
    return world.loop.run(world.pipeline->dispatch(Actor::user("bob"), "team/hello", ".github/workflows/ci.yml",
                                                   "refs/heads/main", std::move(inputs)));
  };
  ASSERT_TRUE(dispatch(R"({"level":"high"})"));
  EXPECT_THAT(world.said<events::JobQueued>().back().labels, ElementsAre("high"));
  EXPECT_EQ(spec_of(world, "a").at("contexts").at("inputs").at("count"), 3);
  auto payload = core::parse_json(world.said<events::RunQueued>().back().payload);
  ASSERT_TRUE(payload);  // its inputs are texts, as in the webhook
  EXPECT_EQ(core::to_text(payload->at("inputs")), R"({"count":"3","level":"high"})");
  EXPECT_EQ(dispatch(R"({"level":"middle"})").error().code, core::Code::invalid);
  EXPECT_EQ(dispatch(R"({"none":1})").error().code, core::Code::invalid);
  EXPECT_EQ(dispatch("[]").error().code, core::Code::invalid);
}

TEST(PipelineCommands, RerunsOnlyTheLegThatFailedAndWhatNeedsIt) {
  World world;
  push(world, with("{fail-fast: false, matrix: {v: [1, 2]}}"));
  world.run_job("test (1)");
  world.run_job("test (2)", Conclusion::failure);
  int64_t id = world.newest().id;
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), id, Jobs::failed)));
  world.settle();
  EXPECT_THAT(shown(world.newest()), ElementsAre("test (1): success", "test (2): queued", "after: waiting"));
  world.run_job("test (2)");
  world.run_job("after");
  EXPECT_EQ(world.newest().conclusion, Conclusion::success);
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), id, Jobs::one, "test (1)")));
  world.settle();
  EXPECT_THAT(shown(world.newest()), ElementsAre("test (1): queued", "test (2): success", "after: waiting"));
  EXPECT_EQ(world.newest().attempt, 3);
}

TEST(PipelineCommands, ForceCancelsWhatWouldRunAlways) {
  World world;
  push(world,
       "on: push\njobs:\n  a: {runs-on: x, steps: [{run: a}]}\n  b: {needs: a, if: always(), runs-on: x, steps: "
       "[{run: a}]}\n");
  ASSERT_TRUE(world.loop.run(world.pipeline->cancel(Actor::user("bob"), world.newest().id, Force::yes)));
  world.settle();
  EXPECT_THAT(shown(world.newest()), ElementsAre("a: cancelled", "b: cancelled"));
  EXPECT_EQ(world.newest().conclusion, Conclusion::cancelled);
}

TEST(PipelineCommands, ForceTellsTheRunnerToEndAJobAtOnceAlsoOneThatIsEndingInGoodOrder) {
  World world;
  push(world, "on: push\njobs:\n  a: {runs-on: x, steps: [{run: a, if: always()}]}\n");
  world.begin(world.job(world.newest(), "a"));
  for (auto force : {Force::no, Force::no, Force::yes})
    ASSERT_TRUE(world.loop.run(world.pipeline->cancel(Actor::user("bob"), world.newest().id, force)));
  std::vector<bool> forced;
  for (const auto& said : world.said<events::JobCancelled>()) forced.push_back(said.forced);
  EXPECT_THAT(forced, ElementsAre(false, true));
}

TEST(PipelineLanguage, StateRebuiltFromTheLogIsEqual) {
  World world;
  world.files.commit(commit_id('a'), {ci(caller), ci(called, ".github/workflows/deploy.yml")});
  world.push(commit_id('a'));
  world.run_job("build", Conclusion::success, {{"x", "1"}});
  world.run_job("deploy (eu)/check", Conclusion::failure);
  push(world, group_with(", cancel-in-progress: true"), 'b');
  push(world, group_with(", cancel-in-progress: true"), 'c');
  push(world, with("{matrix: {v: [1, 2]}}"), 'd');
  world.run_job("test (1)", Conclusion::failure);
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), world.newest().id, Jobs::failed)));
  world.settle();
  world.store->stop();
  RunsProjection projection;
  auto rebuilt = store::rebuild({&projection}, world.log, world.folder.path(), "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message << rebuilt.error().detail;
  EXPECT_FALSE(rebuilt->front().difference) << rebuilt->front().difference->what;
  EXPECT_EQ(rebuilt->front().digest, rebuilt->front().digest_before);
}

}  // namespace
}  // namespace headrace::pipeline
