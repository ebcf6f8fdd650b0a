// What runs are given besides their files: variables of a moment, and trust in their author.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "services/pipeline/testing/world.h"

namespace headrace::pipeline {
namespace {

using testing::Actor;
using testing::ci;
using testing::commit_id;
using testing::Conclusion;
using testing::World;
using workflow::Value;

core::json::value spec_of(const World& world, std::string_view key) {
  core::json::value found;
  for (const auto& job : world.said<events::JobQueued>())
    if (job.key == key) found = *core::parse_json(job.spec);
  if (found.is_null()) ADD_FAILURE() << "no job " << key << " was queued";
  return found;
}

Variables variables(const std::string& level, const std::string& of_prod) {
  Variables made;
  made.of_run.set("LEVEL", Value(level));
  made.of_environments["PROD"].set("LEVEL", Value(of_prod));
  return made;
}

constexpr std::string_view two_jobs = R"(on: [push, workflow_dispatch]
run-name: at ${{ vars.LEVEL }}
jobs:
  build: {runs-on: x, steps: [{run: "${{ vars.LEVEL }} ${{ secrets.KEY }}"}]}
  deploy:
    needs: build
    if: vars.LEVEL == 'one'
    runs-on: x
    environment: prod
    steps: [{run: "${{ vars.level }} ${{ github.token }}"}]
)";

TEST(PipelineSettings, ARunSeesTheVariablesOfTheMomentItWasPlanned) {
  World world;
  world.settings.by_moment = {{4, variables("one", "prod one")}, {9, variables("two", "prod two")}};
  world.settings.now = 4;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  EXPECT_EQ(world.newest().title, "at one");
  EXPECT_EQ(world.said<events::RunQueued>().at(0).variables_at, 4);
  world.settings.now = 9;
  world.restart();  // what it remembered of the run is gone
  world.run_job("build");
  EXPECT_EQ(core::to_text(spec_of(world, "deploy").at("contexts").at("vars")), R"({"LEVEL":"prod one"})");
  EXPECT_EQ(world.said<events::JobQueued>().back().environment, "prod");
}

TEST(PipelineSettings, ARunAgainSeesTodaysVariables) {
  World world;
  world.settings.by_moment = {{4, variables("one", "")}, {9, variables("two", "")}};
  world.settings.now = 4;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  world.run_job("build", Conclusion::failure);
  world.settings.now = 9;
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), world.newest().id, Jobs::all)));
  world.settle();
  EXPECT_EQ(world.said<events::RunQueued>().back().variables_at, 9);
  EXPECT_EQ(core::to_text(spec_of(world, "build").at("contexts").at("vars")), R"({"LEVEL":"two"})");
}

TEST(PipelineSettings, JobsOfAnAuthorWithoutWriteHaveNoSecretsAndATokenThatReads) {
  World world;
  world.settings.strangers = {"alice"};
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  EXPECT_TRUE(world.said<events::RunQueued>().at(0).untrusted);
  auto spec = spec_of(world, "build");
  EXPECT_EQ(spec.at("secrets"), "withheld");
  EXPECT_EQ(spec.at("permissions").at("contents"), "read");
  world.run_job("build", Conclusion::failure);
  world.settings.strangers.clear();
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), world.newest().id, Jobs::all)));
  world.settle();
  EXPECT_EQ(spec_of(world, "build").at("secrets"), "withheld") << "who runs it again is not its author";
}

TEST(PipelineSettings, JobsOfAnAuthorWhoMayWriteHaveThem) {
  World world;
  world.settings.strangers = {"alice"};
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  auto started = world.loop.run(
      world.pipeline->dispatch(Actor::user("bob"), "team/hello", ".github/workflows/ci.yml", "refs/heads/main"));
  ASSERT_FALSE(started) << "the ref is not there";
  world.files.point("refs/heads/main", commit_id('a'));
  started = world.loop.run(
      world.pipeline->dispatch(Actor::user("bob"), "team/hello", ".github/workflows/ci.yml", "refs/heads/main"));
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(spec_of(world, "build").at("secrets"), "all");
  EXPECT_EQ(spec_of(world, "build").at("permissions").at("contents"), "write");
}

}  // namespace
}  // namespace headrace::pipeline
