// Runs without an event log; and that what is heard of a run in memory gives the rows that the projection has.
#include "services/pipeline/local_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/simulated_clock.h"
#include "events/cloudevents.h"
#include "services/pipeline/rows.h"
#include "services/pipeline/testing/world.h"

namespace headrace::pipeline {
namespace {

using events::Conclusion;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The runner is the test.
struct Hand {
  Hand()
      : runs({.clock = clock,
              .called = [this](const std::string& uses, const workflow::Source& from) { return called(uses, from); }}) {
  }

  core::Result<workflow::Source> called(const std::string& uses, const workflow::Source& from) const {
    auto found = files.find(uses);
    if (found == files.end()) return core::fail(core::Code::not_found, "There is no " + uses + ".");
    return workflow::Source{uses.substr(2), found->second, from.repository, from.commit};
  }
  core::Result<> start(std::string_view text, const std::string& only = {}, const std::string& name = "ci") {
    events::RunQueued run;
    run.run = "run-" + name;
    run.repository = "local/hello";
    run.event = "push";
    run.ref = "refs/heads/main";
    run.commit = std::string(40, 'a');
    auto begun = runs.start(run, testing::ci(text, ".github/workflows/" + name + ".yml"), workflow::Object(), only);
    hear();
    return begun;
  }
  void hear() {
    for (auto& word : runs.take())
      if (auto* queued = std::get_if<events::JobQueued>(&word)) waiting.push_back(std::move(*queued));
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> all;
    for (const auto& job : waiting)
      if (runs.job(job.job)->status == Status::queued) all.push_back(job.key);
    return all;
  }
  const events::JobQueued& queued(std::string_view key) const {
    auto found = std::ranges::find(waiting, key, &events::JobQueued::key);
    core::require(found != waiting.end(), "the job is queued");
    return *found;
  }
  void begin(std::string_view key) { runs.began(queued(key).job, "here"); }
  void end(std::string_view key, Conclusion conclusion = Conclusion::success,
           std::vector<events::JobOutput> outputs = {}) {
    begin(key);
    events::JobFinished finished;
    finished.job = queued(key).job;
    finished.conclusion = conclusion;
    finished.outputs = std::move(outputs);
    runs.ended(finished);
    hear();
  }
  std::vector<std::string> shown() const {
    std::vector<std::string> lines;
    for (const auto* run : runs.runs())
      for (const auto& job : run->rows)
        lines.push_back(job.key + ": " +
                        std::string(job.conclusion ? events::name_of(*job.conclusion) : name_of(job.status)));
    return lines;
  }
  const RunRow& run(size_t i = 0) const { return *runs.runs().at(i); }

  core::Loop loop;
  core::testing::SimulatedClock clock{loop};
  std::map<std::string, std::string> files;
  LocalRuns runs;
  std::vector<events::JobQueued> waiting;
};

TEST(LocalRuns, GoOnByNeedsAndEndWithTheLastJob) {
  Hand hand;
  ASSERT_TRUE(
      hand.start("on: push\njobs:\n  a: {runs-on: x, steps: [{run: a}]}\n  b: {needs: a, runs-on: x, steps: "
                 "[{run: b}]}\n"));
  EXPECT_THAT(hand.shown(), ElementsAre("a: queued", "b: waiting"));
  hand.begin("a");
  EXPECT_EQ(hand.run().status, Status::in_progress);
  hand.end("a");
  EXPECT_THAT(hand.shown(), ElementsAre("a: success", "b: queued"));
  EXPECT_FALSE(hand.runs.over());
  hand.end("b", Conclusion::failure);
  EXPECT_TRUE(hand.runs.over());
  EXPECT_EQ(hand.run().conclusion, Conclusion::failure);
  EXPECT_THAT(hand.run().errors, HasSubstr("'b' ended as failure"));
}

TEST(LocalRuns, AMatrixOfOutputsCallsAWorkflowWhoseOutputsComeBack) {
  Hand hand;
  hand.files["./.github/workflows/say.yml"] =
      "on:\n  workflow_call:\n    inputs: {v: {type: string}}\n    outputs: {said: {value: '${{ jobs.say.outputs.x "
      "}}'}}\njobs:\n  say: {runs-on: x, outputs: {x: '1'}, steps: [{run: a}]}\n";
  ASSERT_TRUE(hand.start(
      "on: push\njobs:\n  plan: {runs-on: x, steps: [{run: a}]}\n  test:\n    needs: plan\n    strategy: {matrix: {v: "
      "'${{ fromJSON(needs.plan.outputs.list) }}'}}\n    uses: ./.github/workflows/say.yml\n    with: {v: '${{ "
      "matrix.v "
      "}}'}\n  last:\n    needs: test\n    runs-on: x\n    steps: [{run: 'echo ${{ needs.test.outputs.said }}'}]\n"));
  hand.end("plan", Conclusion::success, {{"list", "[\"p\",\"q\"]"}});
  EXPECT_THAT(hand.keys(), ElementsAre("test (p)/say", "test (q)/say"));
  hand.end("test (p)/say");
  hand.end("test (q)/say", Conclusion::success, {{"x", "from q"}});
  EXPECT_THAT(hand.keys(), ElementsAre("last"));
  auto spec = *core::parse_json(hand.queued("last").spec);
  EXPECT_EQ(spec.at("contexts").at("needs").at("test").at("outputs").at("said"), "from q");
}

TEST(LocalRuns, FailFastEndsTheOtherLegsAndMaxParallelHoldsThemBack) {
  Hand hand;
  ASSERT_TRUE(
      hand.start("on: push\njobs:\n  t: {strategy: {max-parallel: 2, matrix: {v: [1, 2, 3]}}, runs-on: x, "
                 "steps: [{run: a}]}\n"));
  EXPECT_THAT(hand.shown(), ElementsAre("t (1): queued", "t (2): queued", "t (3): waiting"));
  hand.begin("t (2)");
  hand.end("t (1)", Conclusion::failure);
  EXPECT_THAT(hand.shown(), ElementsAre("t (1): failure", "t (2): in_progress", "t (3): cancelled"));
  EXPECT_TRUE(hand.runs.job(hand.queued("t (2)").job)->cancel_asked) << "whoever has it ends it";
}

TEST(LocalRuns, OneOfAConcurrencyGroupRunsAndTheNextBeginsWhenItHasEnded) {
  Hand hand;
  const char* text = "on: push\nconcurrency: one\njobs:\n  a: {runs-on: x, steps: [{run: a}]}\n";
  ASSERT_TRUE(hand.start(text, "", "first"));
  ASSERT_TRUE(hand.start(text, "", "second"));
  EXPECT_THAT(hand.waiting, SizeIs(1));
  hand.end("a");
  ASSERT_THAT(hand.waiting, SizeIs(2));
  EXPECT_EQ(hand.waiting[1].run, "run-second");
}

TEST(LocalRuns, ANewerRunThatWantsItsGroupEndsTheOlder) {
  Hand hand;
  const char* text =
      "on: push\nconcurrency: {group: one, cancel-in-progress: true}\njobs:\n  a: {runs-on: x, steps: [{run: a}]}\n";
  ASSERT_TRUE(hand.start(text, "", "first"));
  ASSERT_TRUE(hand.start(text, "", "second"));
  EXPECT_EQ(hand.run(0).conclusion, Conclusion::cancelled);
  ASSERT_THAT(hand.waiting, SizeIs(2));
  EXPECT_EQ(hand.waiting[1].run, "run-second");
}

TEST(LocalRuns, CancelledEndWhatWaitsButNotWhatAlwaysRunsUnlessForced) {
  const char* text =
      "on: push\njobs:\n  a: {runs-on: x, steps: [{run: a}]}\n  b: {needs: a, runs-on: x, steps: [{run: b}]}\n  "
      "clean: {needs: b, if: always(), runs-on: x, steps: [{run: c}]}\n";
  Hand hand;
  ASSERT_TRUE(hand.start(text));
  hand.begin("a");
  hand.runs.cancel("cancelled by Ctrl-C", Force::no);
  EXPECT_THAT(hand.shown(), ElementsAre("a: in_progress", "b: cancelled", "clean: queued"));
  hand.hear();
  hand.runs.cancel("at once", Force::yes);
  EXPECT_THAT(hand.shown(), ElementsAre("a: in_progress", "b: cancelled", "clean: cancelled"));
  hand.end("a", Conclusion::cancelled);
  EXPECT_EQ(hand.run().conclusion, Conclusion::cancelled);
}

TEST(LocalRuns, AFileThatCannotRunIsARunThatEndedWithThePlace) {
  Hand hand;
  ASSERT_TRUE(hand.start("on: push\njobs:\n  a: {runs-on: x, steps: [{run: a}], needs: nobody}\n"));
  EXPECT_EQ(hand.run().conclusion, Conclusion::startup_failure);
  EXPECT_THAT(hand.run().errors, HasSubstr(".github/workflows/ci.yml:3:"));
  EXPECT_THAT(hand.waiting, IsEmpty());
  EXPECT_TRUE(hand.runs.over());
}

constexpr const char* five = R"(on: push
jobs:
  a: {runs-on: x, steps: [{run: a}]}
  b: {needs: a, runs-on: x, steps: [{run: a}]}
  c: {needs: b, runs-on: x, steps: [{run: a}]}
  d: {runs-on: x, steps: [{run: a}]}
  e: {uses: ./.github/workflows/inner.yml}
)";
constexpr const char* inner =
    "on: workflow_call\njobs:\n  x: {runs-on: x, steps: [{run: a}]}\n  y: {needs: x, runs-on: x, steps: [{run: a}]}\n";

TEST(LocalRuns, OneJobAloneBringsWhatItNeeds) {
  Hand hand;
  hand.files["./.github/workflows/inner.yml"] = inner;
  ASSERT_TRUE(hand.start(five, "b"));
  EXPECT_THAT(hand.shown(), ElementsAre("a: queued", "b: waiting"));
  Hand caller;
  caller.files = hand.files;
  ASSERT_TRUE(caller.start(five, "e"));
  EXPECT_THAT(caller.shown(), ElementsAre("e: waiting", "e/x: queued", "e/y: waiting"));
  Hand within;
  within.files = hand.files;
  ASSERT_TRUE(within.start(five, "e/x"));
  EXPECT_THAT(within.shown(), ElementsAre("e: waiting", "e/x: queued"));
  Hand nobody;
  nobody.files = hand.files;
  auto started = nobody.start(five, "f");
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, ".github/workflows/ci.yml has no job 'f'.");
  EXPECT_TRUE(nobody.runs.over());
}

// ---- rows.h and projection.cc say the same

template <class T>
bool heard_as(RunRow& run, const log::Stored& stored) {
  if (!events::is<T>(stored.event)) return false;
  auto said = events::decode<T>(stored.event);
  if (said->run == run.run) hear(run, *said, stored.event.time);
  return true;
}
template <class T>
bool heard_word(RunRow& run, const log::Stored& stored) {
  if (!events::is<T>(stored.event)) return false;
  auto said = events::decode<T>(stored.event);
  if (said->run == run.run) hear(run, Word(*said), stored.event.time);
  return true;
}

void begin_as(RunRow& run, const events::RunQueued& said, core::Time at) {
  if (said.run != run.run) return;
  auto created_at = run.created_at.value_or(at);
  auto first_actor = run.first_actor.empty() ? said.actor : run.first_actor;
  run = run_of(said);
  run.created_at = created_at;
  run.first_actor = first_actor;
  run.waits = said.waits;
  run.queued_at = at;
  for (const auto& job : said.jobs) {
    run.rows.push_back(row_of(said.run, said.attempt, job));
    run.rows.back().repository = said.repository;
  }
}

RunRow heard_from(const testing::World& world, const std::string& uuid) {
  RunRow run;
  run.run = uuid;
  for (const log::Stored& stored : world.log.all()) {
    if (events::is<events::RunQueued>(stored.event))
      begin_as(run, *events::decode<events::RunQueued>(stored.event), *stored.event.time);
    heard_word<events::JobExpanded>(run, stored);
    heard_word<events::JobQueued>(run, stored);
    heard_word<events::JobSkipped>(run, stored);
    heard_word<events::JobSettled>(run, stored);
    heard_word<events::JobCancelled>(run, stored);
    heard_as<events::JobStarted>(run, stored);
    heard_as<events::JobFinished>(run, stored);
    heard_as<events::RunStarted>(run, stored);
    heard_as<events::RunCancelled>(run, stored);
    heard_as<events::RunAdmitted>(run, stored);
    heard_as<events::RunFinished>(run, stored);
  }
  run.jobs = shown(run.rows);
  return run;
}

void expect_equal_rows(testing::World& world) {
  for (pipeline::Run projected : world.runs()) {
    RunRow heard = heard_from(world, projected.run);
    projected.group.clear();  // of the run's words, not of its course
    for (Job& job : projected.jobs) job.attempt = 1;
    EXPECT_EQ(to_json(static_cast<const pipeline::Run&>(heard)), to_json(projected));
  }
}

TEST(Rows, HeardInMemoryAreThoseOfTheProjection) {
  testing::World world;
  world.files.commit(
      testing::commit_id('a'),
      {testing::ci("on: push\njobs:\n  plan: {runs-on: x, steps: [{run: a}]}\n  test:\n    needs: plan\n    strategy: "
                   "{matrix: {v: '${{ fromJSON(needs.plan.outputs.list) }}'}}\n    uses: "
                   "./.github/workflows/inner.yml\n  bad: {runs-on: '${{ fromJSON(1) }}', steps: [{run: a}]}\n  "
                   "late: {needs: bad, if: always(), runs-on: x, steps: [{run: a}]}\n  never: {needs: bad, runs-on: x, "
                   "steps: [{run: a}]}\n"),
       testing::ci(inner, ".github/workflows/inner.yml")});
  world.push(testing::commit_id('a'));
  expect_equal_rows(world);
  world.run_job("plan", Conclusion::success, {{"list", "[1,2]"}});
  expect_equal_rows(world);
  world.begin(testing::World::job(world.newest(), "test (2)/x"));
  world.run_job("test (1)/x", Conclusion::failure);
  expect_equal_rows(world);
  EXPECT_TRUE(world.loop.run(world.pipeline->cancel(core::Actor::user("alice"), world.newest().id)));
  world.settle();
  expect_equal_rows(world);
  world.end(testing::World::job(world.newest(), "test (2)/x"), Conclusion::cancelled);
  world.run_job("late");
  expect_equal_rows(world);
  EXPECT_TRUE(world.newest().conclusion);
}

}  // namespace
}  // namespace headrace::pipeline
