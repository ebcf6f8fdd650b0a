#include "services/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/json.h"
#include "services/pipeline/projection.h"
#include "services/pipeline/testing/world.h"
#include "store/rebuild.h"

namespace headrace::pipeline {
namespace {

using core::Code;
using testing::Actor;
using testing::ci;
using testing::commit_id;
using testing::Conclusion;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::World;

constexpr std::string_view two_jobs = R"(name: CI
on: [push, workflow_dispatch]
jobs:
  build:
    runs-on: ubuntu-latest
    steps: [{run: make}]
  test:
    needs: build
    runs-on: ubuntu-latest
    steps: [{run: make test}]
)";

TEST(Pipeline, APushBecomesARunWithItsFirstJobs) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  std::string push = world.push(commit_id('a'));
  pipeline::Run run = world.newest();
  EXPECT_EQ(run.number, 1);
  EXPECT_EQ(run.workflow, "CI");
  EXPECT_EQ(run.branch, "main");
  EXPECT_EQ(run.commit, commit_id('a'));
  EXPECT_EQ(run.actor, "alice");
  EXPECT_EQ(run.title, "Title of aaaaaaa");
  EXPECT_EQ(run.event_id, push);
  EXPECT_EQ(run.status, Status::queued);
  EXPECT_EQ(run.url, "http://localhost/team/hello/actions/runs/" + std::to_string(run.id));
  ASSERT_THAT(run.jobs, SizeIs(2));
  EXPECT_EQ(run.jobs[0].status, Status::queued);
  EXPECT_EQ(run.jobs[1].status, Status::waiting);
  auto queued = world.said<events::JobQueued>();
  ASSERT_THAT(queued, SizeIs(1));
  EXPECT_THAT(queued[0].spec, HasSubstr("\"run_id\":\"" + std::to_string(run.id) + "\""));
  EXPECT_THAT(queued[0].labels, ElementsAre("ubuntu-latest"));
  EXPECT_NE(queued[0].id, run.id);
}

TEST(Pipeline, ARunGoesThroughItsGraphToItsEnd) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  world.begin(World::job(world.newest(), "build"));
  EXPECT_EQ(world.newest().status, Status::in_progress);
  world.end(World::job(world.newest(), "build"), Conclusion::success);
  EXPECT_EQ(World::job(world.newest(), "test").status, Status::queued);
  world.run_job("test");
  pipeline::Run run = world.newest();
  EXPECT_EQ(run.status, Status::completed);
  EXPECT_EQ(run.conclusion, Conclusion::success);
  EXPECT_EQ(run.errors, "");
  EXPECT_THAT(run.jobs[0].steps, SizeIs(1));
  EXPECT_EQ(world.count(events::RunStarted::type), 1U);
  EXPECT_EQ(world.count(events::RunFinished::type), 1U);
}

TEST(Pipeline, AFailedJobSkipsWhatNeedsItAndFailsTheRun) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  world.run_job("build", Conclusion::failure);
  pipeline::Run run = world.newest();
  EXPECT_EQ(run.conclusion, Conclusion::failure);
  EXPECT_EQ(run.errors, "The job 'build' ended as failure.");
  EXPECT_EQ(World::job(run, "test").conclusion, Conclusion::skipped);
  EXPECT_THAT(World::job(run, "test").reason, HasSubstr("'build'"));
}

TEST(Pipeline, HearingTwiceActsOnce) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)}).commit(commit_id('b'), {ci(two_jobs)});
  world.push(commit_id('a'));
  world.run_job("build");
  auto before = world.runs();
  size_t said = world.count(events::JobQueued::type);
  for (std::string_view subscription : {"pipeline.plan", "pipeline.advance"}) {
    auto sought = world.loop.run(world.bus->seek(Actor::system(), std::string(subscription), bus::Start::beginning()));
    ASSERT_TRUE(sought) << sought.error().message;
  }
  world.push(commit_id('b'));  // the same ordering key: handled after all that is heard again
  auto after = world.runs();
  ASSERT_THAT(after, SizeIs(before.size() + 1));
  EXPECT_EQ(after.front().number, 2) << "numbers have no gap";
  EXPECT_EQ(world.count(events::RunQueued::type), 2U);
  EXPECT_EQ(world.count(events::JobQueued::type), said + 1);
  EXPECT_EQ(world.count(events::RunStarted::type), 1U);
}

TEST(Pipeline, AFailedReadIsTriedAgainAndEachFileHasItsRunsAndNumbers) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs), ci(two_jobs, ".github/workflows/more.yml")});
  world.files.fail_next(1);
  auto origin = bus::Origin::root("repository", Actor::user("alice"));
  ASSERT_TRUE(world.loop.run(world.bus->say(World::push_of(commit_id('a'), "refs/heads/main"), origin)));
  while (world.files.reads() < 1) world.loop.poll();
  world.loop.poll();
  EXPECT_THAT(world.runs(), IsEmpty());
  for (int i = 1; world.count(events::RunQueued::type) < 2 && i < 100'000; ++i) {
    std::this_thread::yield();  // to the store's thread
    world.loop.poll();
    if (i % 5'000 == 0) world.clock.advance(std::chrono::seconds(1));  // towards the end of the back-off
  }
  world.settle();
  ASSERT_THAT(world.runs(), SizeIs(2));
  EXPECT_EQ(world.runs()[0].number, 1);
  EXPECT_EQ(world.runs()[1].number, 1);
}

TEST(Pipeline, IdsNeverRepeat) {
  World world;
  for (char digit : {'a', 'b', 'c'}) {
    world.files.commit(commit_id(digit), {ci(two_jobs)});
    world.push(commit_id(digit));
    world.run_job("build");
    world.run_job("test");
  }
  std::vector<int64_t> ids;
  for (const auto& run : world.said<events::RunQueued>()) ids.push_back(run.id);
  for (const auto& job : world.said<events::JobQueued>()) ids.push_back(job.id);
  EXPECT_THAT(ids, SizeIs(9));
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

TEST(Pipeline, ABrokenFileIsARunThatEndsAtOnceWithItsErrors) {
  World world;
  world.files.commit(commit_id('a'), {ci("on: push\njobs:\n  build:\n    steps: [{run: a}]\n")});
  world.push(commit_id('a'));
  pipeline::Run run = world.newest();
  EXPECT_EQ(run.status, Status::completed);
  EXPECT_EQ(run.conclusion, Conclusion::startup_failure);
  EXPECT_EQ(run.errors, ".github/workflows/ci.yml:4:5: Required property is missing: runs-on");
  EXPECT_EQ(run.workflow, ".github/workflows/ci.yml");
  EXPECT_THAT(run.jobs, IsEmpty());
}

TEST(Pipeline, WhatCannotRunYetIsRefusedBeforeAnyJob) {
  World world;
  world.files.commit(commit_id('a'),
                     {ci("on: push\njobs:\n  a:\n    runs-on: x\n    snapshot: y\n    steps:\n      - run: a\n")});
  world.push(commit_id('a'));
  EXPECT_EQ(world.newest().conclusion, Conclusion::startup_failure);
  EXPECT_EQ(world.newest().errors, ".github/workflows/ci.yml:5:5: jobs.<job_id>.snapshot is not supported yet.");
  EXPECT_EQ(world.count(events::JobQueued::type), 0U);
}

TEST(Pipeline, OnlyAppliedBranchesAndTagsRun) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)}).commit(std::string(events::no_commit), {ci(two_jobs)});
  world.push(std::string(events::no_commit));
  world.push(commit_id('a'), "refs/notes/x");
  EXPECT_THAT(world.runs(), IsEmpty());
  world.push(commit_id('a'), "refs/tags/v1");
  EXPECT_EQ(world.newest().ref, "refs/tags/v1");
  EXPECT_EQ(world.newest().branch, "");
}

TEST(Pipeline, WhatRunsNothingSaysWhy) {
  World world;
  auto why = [&world](const std::string& push) {
    auto reasons = world.loop.run(world.pipeline->why_not(push));
    EXPECT_TRUE(reasons);
    return reasons ? reasons->at(0) : Reason{};
  };
  world.files.commit(commit_id('a'), {})
      .commit(commit_id('b'), {ci("on: {push: {branches: [dev]}}\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n")});
  EXPECT_THAT(why(world.push(commit_id('a'))).text, HasSubstr("The commit has no workflow file"));
  EXPECT_THAT(why(world.push(std::string(events::no_commit))).text, HasSubstr("The push deleted the ref"));
  Reason filtered = why(world.push(commit_id('b')));
  EXPECT_EQ(filtered.file, ".github/workflows/ci.yml");
  EXPECT_EQ(filtered.text, "The branch main is not matched by on.push.branches [dev].");
  EXPECT_THAT(world.runs(), IsEmpty());
  world.files.commit(commit_id('c'), {ci(two_jobs)});
  Reason started = why(world.push(commit_id('c')));
  EXPECT_TRUE(started.started);
  EXPECT_EQ(started.run, world.newest().run);
  EXPECT_EQ(world.loop.run(world.pipeline->why_not("nothing")).error().code, Code::not_found);
}

TEST(Pipeline, CancellingEndsWhatNobodyRunsAndAsksForTheRest) {
  World world;
  world.files.commit(commit_id('a'),
                     {ci(std::string(two_jobs) +
                         "  clean:\n    needs: build\n    if: always()\n    runs-on: x\n    steps: [{run: a}]\n")});
  world.push(commit_id('a'));
  pipeline::Run run = world.newest();
  world.begin(World::job(run, "build"));
  auto cancelled = world.loop.run(world.pipeline->cancel(Actor::user("bob"), run.id));
  ASSERT_TRUE(cancelled) << cancelled.error().message;
  world.settle();
  EXPECT_THAT(world.said<events::JobCancelled>(), SizeIs(2));
  EXPECT_EQ(world.said<events::JobCancelled>()[0].reason, "cancelled by bob");
  EXPECT_EQ(World::job(world.newest(), "build").status, Status::in_progress) << "its runner ends it";
  EXPECT_EQ(World::job(world.newest(), "test").conclusion, Conclusion::cancelled);
  world.end(World::job(run, "build"), Conclusion::cancelled);
  EXPECT_EQ(World::job(world.newest(), "clean").status, Status::queued) << "always() runs all the same";
  world.run_job("clean");
  EXPECT_EQ(world.newest().conclusion, Conclusion::cancelled);
  EXPECT_EQ(world.loop.run(world.pipeline->cancel(Actor::user("bob"), run.id)).error().code, Code::conflict);
}

TEST(Pipeline, CancellingARunThatNobodyTookEndsIt) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  ASSERT_TRUE(world.loop.run(world.pipeline->cancel(Actor::user("bob"), world.newest().id)));
  world.settle();
  EXPECT_EQ(world.newest().status, Status::completed);
  EXPECT_EQ(world.newest().conclusion, Conclusion::cancelled);
  EXPECT_THAT(world.newest().errors, HasSubstr("cancelled by bob"));
  EXPECT_EQ(world.count(events::RunFinished::type), 1U);
}

TEST(Pipeline, RerunningAllIsTheNextAttemptOfTheSameRun) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  int64_t id = world.newest().id;
  EXPECT_EQ(world.loop.run(world.pipeline->rerun(Actor::user("bob"), id, Jobs::all)).error().code, Code::conflict);
  world.run_job("build", Conclusion::failure);
  std::string first_build = World::job(world.newest(), "build").job;
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), id, Jobs::all)));
  pipeline::Run again = world.newest();
  EXPECT_EQ(again.id, id);
  EXPECT_EQ(again.number, 1);
  EXPECT_EQ(again.attempt, 2);
  EXPECT_EQ(again.status, Status::queued);
  EXPECT_FALSE(again.conclusion);
  EXPECT_NE(World::job(again, "build").job, first_build);
  EXPECT_EQ(World::job(again, "test").status, Status::waiting);
  world.run_job("build");
  world.run_job("test");
  EXPECT_EQ(world.newest().conclusion, Conclusion::success);
  EXPECT_THAT(world.runs(), SizeIs(1));
}

TEST(Pipeline, ShowsEachAttemptAsItEnded) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  int64_t id = world.newest().id;
  world.run_job("build");
  world.run_job("test", Conclusion::failure);
  auto first = world.newest();
  world.clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), id, Jobs::failed)));
  world.run_job("test");
  world.clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), id, Jobs::all)));
  auto attempt = [&](int64_t number) { return world.loop.run(world.pipeline->view_attempt(id, number)); };
  ASSERT_TRUE(attempt(1) && attempt(2) && attempt(3));
  EXPECT_EQ(to_json(*attempt(1)), to_json(first));
  EXPECT_EQ(attempt(2)->conclusion, Conclusion::success);
  EXPECT_EQ(World::job(*attempt(2), "build").job, World::job(first, "build").job) << "it did not run again";
  EXPECT_NE(World::job(*attempt(2), "test").job, World::job(first, "test").job);
  EXPECT_EQ(attempt(3)->status, Status::queued);
  EXPECT_EQ(attempt(3)->created_at, first.created_at) << "a run is made once";
  EXPECT_EQ(*attempt(3)->queued_at - *first.queued_at, std::chrono::hours(2));
  for (int64_t none : {0, 4, -1}) {
    EXPECT_EQ(attempt(none).error().code, Code::not_found);
    EXPECT_THAT(attempt(none).error().message, HasSubstr("its attempts are 1 to 3"));
  }
}

TEST(Pipeline, FindsRunsByTheirNumberAndByWhenTheyWereMade) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs), {".github/workflows/lint.yml", std::string(two_jobs)}});
  world.push(commit_id('a'));
  world.clock.advance(std::chrono::hours(1));
  world.files.commit(commit_id('b'), {ci(two_jobs)});
  world.push(commit_id('b'));
  RunQuery query;
  query.repository = "team/hello";
  query.number = 1;
  EXPECT_THAT(world.loop.run(world.pipeline->list(query))->runs, SizeIs(2)) << "each workflow counts for itself";
  query.number = 2;
  auto second = world.loop.run(world.pipeline->list(query))->runs;
  ASSERT_THAT(second, SizeIs(1));
  query.number = 3;
  EXPECT_THAT(world.loop.run(world.pipeline->list(query))->runs, IsEmpty());
  RunSearch search;
  search.repository = "team/hello";
  search.from = second[0].created_at;
  EXPECT_EQ(world.loop.run(world.pipeline->search(search))->ids, std::vector<int64_t>{second[0].id});
  search = {};
  search.repository = "team/hello";
  search.to = *second[0].created_at - core::Duration(1);
  EXPECT_EQ(world.loop.run(world.pipeline->search(search))->total, 2);
}

TEST(Pipeline, RerunningFailedJobsKeepsTheOthers) {
  World world;
  world.files.commit(commit_id('a'), {ci(std::string(two_jobs) +
                                         "  after:\n    needs: test\n    runs-on: x\n    steps: [{run: a}]\n")});
  world.push(commit_id('a'));
  int64_t id = world.newest().id;
  world.run_job("build");
  world.run_job("test", Conclusion::failure);
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), id, Jobs::failed)));
  pipeline::Run again = world.newest();
  ASSERT_THAT(again.jobs, SizeIs(3));
  EXPECT_EQ(again.jobs[0].key, "build");
  EXPECT_EQ(again.jobs[0].conclusion, Conclusion::success);
  EXPECT_EQ(again.jobs[1].status, Status::queued);
  EXPECT_EQ(again.jobs[2].status, Status::waiting);
  world.run_job("test");
  world.run_job("after");
  EXPECT_EQ(world.newest().conclusion, Conclusion::success);
  EXPECT_EQ(world.loop.run(world.pipeline->rerun(Actor::user("bob"), id, Jobs::failed)).error().code, Code::conflict);
}

TEST(Pipeline, DispatchRunsAFileThatAllowsIt) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs), ci("on: push\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n",
                                                       ".github/workflows/push.yml")});
  world.files.point("refs/heads/main", commit_id('a'));
  auto dispatch = [&world](std::string file) {
    return world.loop.run(
        world.pipeline->dispatch(Actor::user("bob"), "team/hello", std::move(file), "refs/heads/main"));
  };
  auto id = dispatch(".github/workflows/ci.yml");
  ASSERT_TRUE(id) << id.error().message;
  auto run = world.loop.run(world.pipeline->view(*id));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->event, "workflow_dispatch");
  EXPECT_EQ(run->actor, "bob");
  EXPECT_EQ(run->jobs[0].status, Status::queued);
  EXPECT_EQ(dispatch(".github/workflows/push.yml").error().code, Code::invalid);
  EXPECT_EQ(dispatch(".github/workflows/none.yml").error().code, Code::not_found);
  EXPECT_EQ(*dispatch(".github/workflows/ci.yml") > *id, true);
  EXPECT_EQ(world.newest().number, 2);
}

TEST(Pipeline, ALostAndRequeuedJobIsQueuedAgain) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  Job build = World::job(world.newest(), "build");
  world.begin(build);
  events::JobRequeued again{
      .job = build.job, .run = build.run, .repository = build.repository, .attempt = 2, .reason = "lost"};
  world.say(again, "runner");
  EXPECT_EQ(World::job(world.newest(), "build").status, Status::queued);
  EXPECT_EQ(World::job(world.newest(), "build").attempt, 2);
  world.run_job("build");
  EXPECT_EQ(World::job(world.newest(), "test").status, Status::queued);
  EXPECT_EQ(world.count(events::RunStarted::type), 1U);
}

TEST(Pipeline, WordsOfOtherToolsChangeNothing) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  Job build = World::job(world.newest(), "build");
  events::JobFinished finished;
  finished.job = build.job;
  finished.run = build.run;
  finished.repository = build.repository;
  finished.name = build.name;
  auto header = world.bus->header(bus::Origin::root("x", Actor::system()));
  header.source = "/elsewhere/ci";
  auto published = world.loop.run(world.bus->publish(events::encode(finished, header)));
  ASSERT_TRUE(published);
  world.settle();
  EXPECT_EQ(World::job(world.newest(), "build").status, Status::queued);
}

TEST(Pipeline, GoesOnAfterARestartWithPlansMadeAgain) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  Job build = World::job(world.newest(), "build");
  world.begin(build);
  world.restart();
  world.end(build, Conclusion::success);
  EXPECT_EQ(World::job(world.newest(), "test").status, Status::queued);
  EXPECT_THAT(world.said<events::JobQueued>().back().spec, HasSubstr("make test"));
  world.run_job("test");
  EXPECT_EQ(world.newest().conclusion, Conclusion::success);
}

TEST(Pipeline, WhatWaitsIsSkippedWhereItsFileIsGone) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  world.restart();
  world.files.forget(commit_id('a'));
  world.run_job("build");
  EXPECT_EQ(World::job(world.newest(), "test").conclusion, Conclusion::skipped);
  EXPECT_THAT(World::job(world.newest(), "test").reason, HasSubstr("cannot be found any more"));
  EXPECT_EQ(world.newest().status, Status::completed);
}

TEST(Pipeline, ShowsAnyMomentOfThePast) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  log::Offset moment = world.log.durable();
  int64_t id = world.newest().id;
  world.run_job("build", Conclusion::failure);
  auto then = world.loop.run(world.pipeline->view(id, moment));
  ASSERT_TRUE(then) << then.error().message;
  EXPECT_EQ(then->status, Status::queued);
  EXPECT_EQ(then->jobs[0].status, Status::queued);
  EXPECT_EQ(world.loop.run(world.pipeline->view(id, 1)).error().code, Code::not_found);
}

TEST(Pipeline, ListsNewestFirstPageByPage) {
  World world;
  for (char digit : {'a', 'b', 'c'}) {
    world.files.commit(commit_id(digit), {ci(two_jobs)});
    world.push(commit_id(digit), digit == 'b' ? "refs/heads/dev" : "refs/heads/main");
  }
  RunQuery query;
  query.repository = "team/hello";
  query.limit = 2;
  auto first = world.loop.run(world.pipeline->list(query));
  ASSERT_TRUE(first);
  ASSERT_THAT(first->runs, SizeIs(2));
  EXPECT_EQ(first->runs[0].number, 3);
  query.cursor = first->next;
  auto second = world.loop.run(world.pipeline->list(query));
  ASSERT_THAT(second->runs, SizeIs(1));
  EXPECT_EQ(second->runs[0].number, 1);
  EXPECT_EQ(second->next, "");
  RunQuery dev;
  dev.branch = "dev";
  EXPECT_THAT(world.loop.run(world.pipeline->list(dev))->runs, SizeIs(1));
  RunQuery other;
  other.repository = "team/other";
  EXPECT_THAT(world.loop.run(world.pipeline->list(other))->runs, IsEmpty());
  RunQuery wrong;
  wrong.cursor = "x";
  EXPECT_EQ(world.loop.run(world.pipeline->list(wrong)).error().code, Code::invalid);
  wrong = {};
  wrong.limit = 0;
  EXPECT_EQ(world.loop.run(world.pipeline->list(wrong)).error().code, Code::invalid);
}

TEST(Pipeline, PrintsRunsAsTheCommandDoes) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)});
  world.push(commit_id('a'));
  world.run_job("build", Conclusion::failure);
  auto page = core::parse_json(to_json(*world.loop.run(world.pipeline->list({}))));
  ASSERT_TRUE(page);
  const auto& run = page->at("runs").at(0);
  EXPECT_EQ(run.at("status"), "completed");
  EXPECT_EQ(run.at("conclusion"), "failure");
  EXPECT_EQ(run.at("branch"), "main");
  const auto& build = run.at("jobs").at(0);
  EXPECT_EQ(build.at("name"), "build");
  EXPECT_EQ(build.at("steps").at(0).at("name"), "Run make");
  EXPECT_EQ(build.at("steps").at(0).at("conclusion"), "failure");
}

TEST(Pipeline, StateRebuiltFromTheLogIsEqual) {
  World world;
  world.files.commit(commit_id('a'), {ci(two_jobs)}).commit(commit_id('b'), {ci("on: push")});
  world.push(commit_id('a'));
  world.run_job("build");
  world.run_job("test", Conclusion::failure);
  ASSERT_TRUE(world.loop.run(world.pipeline->rerun(Actor::user("bob"), world.newest().id, Jobs::failed)));
  world.push(commit_id('b'));
  world.settle();
  world.store->stop();
  RunsProjection projection;
  auto rebuilt = store::rebuild({&projection}, world.log, world.folder.path(), "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message << rebuilt.error().detail;
  ASSERT_THAT(*rebuilt, SizeIs(1));
  EXPECT_FALSE(rebuilt->front().difference) << rebuilt->front().difference->what;
  EXPECT_EQ(rebuilt->front().digest, rebuilt->front().digest_before);
  EXPECT_GT(rebuilt->front().events, 10U);
}

}  // namespace
}  // namespace headrace::pipeline
