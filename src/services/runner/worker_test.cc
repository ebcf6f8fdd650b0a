// Service and worker together: real processes, a real socket, and everything that can go between them.
#include "services/runner/worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/testing/simulated_disk.h"
#include "process/child.h"
#include "services/runner/leftovers.h"
#include "services/runner/testing/world.h"
#include "store/rebuild.h"

namespace headrace::runner {
namespace {

using events::Conclusion;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Field;
using testing::Hand;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Peer;
using ::testing::SizeIs;
using testing::World;

// A script that prints numbers, one a line, and waits for the file `go` half way.
std::string counting(const World& world, int lines) {
  std::string half = std::to_string(lines / 2);
  return "seq 1 " + half + "; until [ -e " + world.folder.file("go") + " ]; do sleep 0.01; done; seq $((" + half +
         "+1)) " + std::to_string(lines);
}

void go(const World& world) { std::ofstream(world.folder.file("go")) << "go"; }

// What step 1 printed, without times.
std::vector<std::string> printed(const std::string& log) {
  std::vector<std::string> lines;
  std::istringstream in(log);
  for (std::string line; std::getline(in, line);) {
    if (line.size() >= 30 && line.substr(27, 3) == " 1 ") lines.push_back(line.substr(30));
    if (!lines.empty() && lines.back() == "##[endgroup]") lines.clear();  // what the runner says of the step
  }
  return lines;
}

std::vector<std::string> numbers(int to) {
  std::vector<std::string> all;
  for (int i = 1; i <= to; ++i) all.push_back(std::to_string(i));
  return all;
}

size_t ended(World& world) { return world.said<events::JobFinished>().size(); }

TEST(RunnerWorker, RunsAJobKeepsItsLogAndLeavesNothingBehind) {
  World world;
  Hand hand(world, "local");
  world.queue("build", "echo hello; echo there >&2");
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  auto finished = world.said<events::JobFinished>()[0];
  EXPECT_EQ(finished.conclusion, Conclusion::success);
  EXPECT_THAT(printed(world.log_of("build")), ::testing::ElementsAre("hello", "there"));
  EXPECT_EQ(static_cast<size_t>(finished.log.bytes), world.log_of("build").size());
  EXPECT_EQ(finished.log.lines, std::ranges::count(world.log_of("build"), '\n'));
  EXPECT_TRUE(
      world.until([&] { return hand.worker().jobs() == 0 && std::filesystem::is_empty(world.folder.file("local")); }));
}

TEST(RunnerWorker, FiftyJobsRunOverFourSlotsEachOnce) {
  World world;
  Hand hand(world, "local", 4);
  size_t most = 0;
  for (int i = 0; i < 50; ++i) world.queue("job-" + std::to_string(i));
  ASSERT_TRUE(world.until([&] {
    most = std::max(most, hand.worker().jobs());
    return ended(world) == 50;
  }));
  std::set<std::string> jobs;
  for (const auto& finished : world.said<events::JobFinished>()) jobs.insert(finished.job);
  EXPECT_THAT(jobs, SizeIs(50));
  EXPECT_THAT(world.said<events::JobLeased>(), SizeIs(50));
  EXPECT_THAT(world.said<events::JobStarted>(), SizeIs(50));
  EXPECT_THAT(world.said<events::JobFinished>(), Each(Field(&events::JobFinished::conclusion, Conclusion::success)));
  EXPECT_LE(most, 4u);
  EXPECT_TRUE(world.until([&] { return world.runner->leases() == 0; }));
}

TEST(RunnerWorker, NoLineIsMissingOrDoubledWhereTheServerIsDestroyedAndRebuilt) {
  World world;
  Hand hand(world, "local");
  world.queue("build", counting(world, 20'000));
  ASSERT_TRUE(world.until([&] { return world.log_of("build").size() > 100'000; }));
  auto token = world.row("build").token;
  world.restart();
  go(world);
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  EXPECT_EQ(printed(world.log_of("build")), numbers(20'000));
  EXPECT_EQ(world.row("build").token, token);
  EXPECT_THAT(world.said<events::JobLeased>(), SizeIs(1));
  EXPECT_THAT(world.said<events::JobStarted>(), SizeIs(1));
  EXPECT_TRUE(world.until([&] { return hand.worker().jobs() == 0; }));
}

TEST(RunnerWorker, NoLineIsMissingOrDoubledHoweverOftenTheServerGoes) {
  World world;
  Hand hand(world, "local");
  world.queue("build", "for i in $(seq 1 400); do echo $i; [ $((i % 20)) = 0 ] && sleep 0.01; done; true");
  ASSERT_TRUE(world.until([&] { return world.runner->leases() == 1; }));
  for (int restart = 0; restart < 5; ++restart) {
    world.settle();
    world.restart();
  }
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  EXPECT_EQ(printed(world.log_of("build")), numbers(400));
}

TEST(RunnerWorker, AJobThatEndsWhileTheServerIsAwayIsSettledOnceWhenItIsBack) {
  World world;
  Hand hand(world, "local");
  world.queue("build", counting(world, 100));
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  auto end = world.folder.file("local") + "/" + std::to_string(world.row("build").token) + "/end.json";
  world.close();
  go(world);
  ASSERT_TRUE(world.until([&] { return std::filesystem::exists(end); }));
  world.open();
  ASSERT_TRUE(world.until([&] { return hand.worker().jobs() == 0; }));
  EXPECT_EQ(ended(world), 1u);
  EXPECT_EQ(printed(world.log_of("build")), numbers(100));
}

TEST(RunnerWorker, OneThatIsKilledLosesItsJobAtOnceToItsSuccessor) {
  World world;
  auto hand = std::make_unique<Hand>(world, "local");
  world.queue("build", counting(world, 10));
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  hand.reset();
  EXPECT_THAT(world.said<events::JobLost>(), IsEmpty());
  go(world);
  Hand successor(world, "local");
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  ASSERT_THAT(world.said<events::JobLost>(), SizeIs(1));
  EXPECT_TRUE(world.said<events::JobLost>()[0].steps_begun);
  EXPECT_EQ(world.said<events::JobFinished>()[0].attempt, 2);
  EXPECT_EQ(printed(world.log_of("build", 2)), numbers(10));
}

bool alive(pid_t pid) {
  std::string stat;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), stat);
  auto state = stat.rfind(") ");
  return pid > 0 && state != std::string::npos && stat[state + 2] != 'Z';
}

// What is left where a worker was killed between starting a step and writing anything down about it.
TEST(RunnerWorker, AStepThatNobodyWroteDownEndsBeforeItsFolderIsTakenOver) {
  World world;
  process::Spec step;
  step.argv = {"/bin/sh", "-c", "sleep 600 & sleep 600"};
  step.environment = {"PATH=/usr/bin:/bin", tracking_of(world.folder.file("local") + "/4711")};
  auto left = process::spawn(world.loop.executor(), step);
  ASSERT_TRUE(left);
  step.environment.back() = tracking_of(world.folder.file("local2") + "/4711");
  auto of_another = process::spawn(world.loop.executor(), step);
  ASSERT_TRUE(of_another);
  ASSERT_TRUE(alive((*left)->pid()));
  Hand successor(world, "local");
  EXPECT_TRUE(world.until([&] { return !alive((*left)->pid()); }));
  EXPECT_TRUE(alive((*of_another)->pid()));
}

TEST(RunnerWorker, EveryProcessOfAJobIsMarkedWhateverTheWorkflowSets) {
  World world;
  Hand hand(world, "local");
  world.queue("build", "tr '\\0' '\\n' < /proc/$$/environ | grep ^RUNNER_TRACKING_ID=");
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  auto folder = world.folder.file("local") + "/" + std::to_string(world.row("build").token);
  EXPECT_THAT(printed(world.log_of("build")), ::testing::ElementsAre(::testing::StartsWith(tracking_of(folder))));
}

TEST(RunnerWorker, ARestrictedJobThatHadBegunIsNotRunTwice) {
  World world;
  auto hand = std::make_unique<Hand>(world, "local");
  world.queue("deploy", "echo once >> " + world.folder.file("effects") + "; sleep 1000", true);
  ASSERT_TRUE(world.until([&] { return std::filesystem::exists(world.folder.file("effects")); }));
  EXPECT_THAT(world.said<events::JobStarted>(), SizeIs(1)) << "on the log before the step began";
  hand.reset();
  Hand successor(world, "local");
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  EXPECT_EQ(world.said<events::JobFinished>()[0].conclusion, Conclusion::failure);
  EXPECT_THAT(world.said<events::JobFinished>()[0].errors, HasSubstr("not tried again"));
  EXPECT_THAT(world.said<events::JobRequeued>(), IsEmpty());
}

TEST(RunnerWorker, AnEndThatWasNotSettledIsReportedByTheNextProcess) {
  World world;
  auto hand = std::make_unique<Hand>(world, "local");
  world.queue("build", counting(world, 10));
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  auto end = world.folder.file("local") + "/" + std::to_string(world.row("build").token) + "/end.json";
  world.close();
  go(world);
  ASSERT_TRUE(world.until([&] { return std::filesystem::exists(end); }));
  hand.reset();
  world.open();
  Hand successor(world, "local");
  ASSERT_TRUE(world.until([&] { return successor.worker().jobs() == 0 && ended(world) == 1; }));
  EXPECT_EQ(world.said<events::JobFinished>()[0].conclusion, Conclusion::success);
  EXPECT_EQ(printed(world.log_of("build")), numbers(10));
  EXPECT_THAT(world.said<events::JobLost>(), IsEmpty());
}

TEST(RunnerWorker, ALeaseThatRanOutEndsTheJobHere) {
  World world;
  auto options = Hand::options(world, "local", 1);
  Hand hand(world, options);
  world.queue("build", "trap 'exit 1' INT; while true; do sleep 0.02; done", true);
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  // Nothing renews it, for the worker's own time stands still; but what it had said when the job began may still come.
  ASSERT_TRUE(world.until([&] {
    if (ended(world) == 0) world.clock.advance(seconds(31));
    return ended(world) == 1;
  }));
  ASSERT_TRUE(world.until([&] { return hand.worker().jobs() == 0; }));
  EXPECT_FALSE(hand.ended());
}

TEST(RunnerWorker, CancellingEndsTheStepAndTheJobIsCancelled) {
  World world;
  Hand hand(world, "local");
  world.queue("build", "sleep 1000");
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  world.cancel("build");
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  EXPECT_EQ(world.said<events::JobFinished>()[0].conclusion, Conclusion::cancelled);
}

TEST(RunnerWorker, CancellingByForceEndsAStepThatAlwaysRuns) {
  World world;
  Hand hand(world, "local");
  core::json::array steps{
      {{"number", 1}, {"name", "Stays"}, {"if", "always()"}, {"run", "trap '' INT TERM; sleep 1000"}},
      {{"number", 2}, {"name", "Cleans"}, {"if", "always()"}, {"run", "sleep 1000"}}};
  world.queue("build", "", false, {"linux"}, std::move(steps));
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  world.cancel("build", true);
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  auto finished = world.said<events::JobFinished>()[0];
  EXPECT_EQ(finished.conclusion, Conclusion::cancelled);
  ASSERT_EQ(finished.steps.size(), 2u);
  EXPECT_EQ(finished.steps[1].conclusion, Conclusion::skipped);
}

TEST(RunnerWorker, CancellingWhileTheServerIsAwayIsHeardAfterwards) {
  World world;
  Hand hand(world, "local");
  world.queue("build", "sleep 1000");
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  world.cancel("build");
  world.restart();
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  EXPECT_EQ(world.said<events::JobFinished>()[0].conclusion, Conclusion::cancelled);
}

TEST(RunnerWorker, ADiskOfTheServerThatIsFullPausesTheLogAndCostsNoLine) {
  core::testing::SimulatedDisk disk;
  World world({}, &disk);
  Hand hand(world, "local");
  disk.limit_space(disk.used() + 3'000);
  world.queue("build", "seq 1 2000");
  ASSERT_TRUE(world.until([&] { return world.runner->leases() == 1 && hand.worker().jobs() == 1; }));
  for (int second = 0; second < 3; ++second) {
    world.settle();
    world.clock.advance(seconds(1));
  }
  EXPECT_EQ(ended(world), 0u);
  disk.limit_space({});
  ASSERT_TRUE(world.until([&] {
    world.clock.advance(std::chrono::milliseconds(10));
    return ended(world) == 1;
  }));
  EXPECT_EQ(printed(world.log_of("build")), numbers(2000));
}

TEST(RunnerWorker, ALogThatCannotBeOpenedIsTriedAgain) {
  core::testing::SimulatedDisk disk;
  World world({}, &disk);
  Hand hand(world, "local");
  disk.fail_sync(1);  // of the log, at the end
  world.queue("build", "seq 1 5");
  ASSERT_TRUE(world.until([&] {
    world.clock.advance(std::chrono::milliseconds(10));
    return ended(world) == 1;
  }));
  EXPECT_EQ(printed(world.log_of("build")), numbers(5));
  EXPECT_THAT(world.said<events::JobFinished>(), SizeIs(1));
}

std::string waiting(const World& world) {
  return "until [ -e " + world.folder.file("go") + " ]; do sleep 0.01; done; ";
}

// A script that writes a report of one failed case, named as its number, and a summary.
std::string reporting(int number) {
  const std::string name = std::to_string(number);
  return "echo \"<testsuite><testcase name='t" + name + "'><failure message='no " + name +
         "'/></testcase></testsuite>\" > \"$HEADRACE_REPORTS/" + name + ".xml\"; echo 'summary " + name +
         "' >> \"$GITHUB_STEP_SUMMARY\"; ";
}

std::vector<std::string> reported(World& world) {
  std::vector<std::string> files;
  for (const auto& suite : world.said<events::TestSuiteFinished>()) files.push_back(suite.file);
  return files;
}

std::string summary_of(World& world, const std::string& job, int64_t attempt = 1) {
  std::string all;
  const auto& store = world.runner->summaries();
  auto pieces = store.pieces({job, attempt});
  for (const auto& piece : pieces.value_or(std::vector<SummaryPiece>{})) all += *store.read({job, attempt}, piece);
  return all;
}

TEST(RunnerWorker, WhatIsFoundWhileTheServerIsAwayIsToldOnceWhenItIsBackAndBeforeTheEnd) {
  World world;
  Hand hand(world, "local");
  world.queue("build", waiting(world) + reporting(1));
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  auto folder = world.folder.file("local") + "/" + std::to_string(world.row("build").token);
  world.close();
  go(world);
  ASSERT_TRUE(world.until([&] { return std::filesystem::exists(folder + "/end.json"); }));
  EXPECT_TRUE(std::filesystem::exists(folder + "/found/1"));
  world.open();
  ASSERT_TRUE(world.until([&] { return hand.worker().jobs() == 0; }));
  EXPECT_THAT(reported(world), ::testing::ElementsAre("$HEADRACE_REPORTS/1.xml"));
  EXPECT_EQ(summary_of(world, "build"), "summary 1\n");
  EXPECT_EQ(world.said<events::JobFinished>()[0].summary_bytes, 10);
  auto events = world.log.read(1, 100'000);
  EXPECT_TRUE(events::is<events::JobFinished>(events->back().event)) << "the end comes last";
}

TEST(RunnerWorker, WhatAKilledOneFoundAndPrintedIsToldByTheNext) {
  World world;
  auto hand = std::make_unique<Hand>(world, "local");
  core::json::array steps;
  steps.push_back(
      core::json::object{{"number", 1}, {"name", "Test"}, {"run", waiting(world) + reporting(1) + "echo printed"}});
  steps.push_back(core::json::object{{"number", 2}, {"name", "Wait"}, {"run", "sleep 600"}});
  auto began = [&] { return world.row("build").state == JobState::started; };
  world.queue("build", "", false, {"linux"}, std::move(steps));
  ASSERT_TRUE(world.until(began));
  auto folder = world.folder.file("local") + "/" + std::to_string(world.row("build").token);
  world.close();  // nothing reaches the server any more ...
  go(world);
  ASSERT_TRUE(world.until([&] { return std::filesystem::exists(folder + "/found/2"); }));
  hand.reset();  // ... and then the runner is killed
  world.open();
  Hand successor(world, "local");
  ASSERT_TRUE(world.until([&] { return world.said<events::JobLost>().size() == 1; }));
  EXPECT_THAT(reported(world), Contains("$HEADRACE_REPORTS/1.xml"));
  EXPECT_EQ(summary_of(world, "build"), "summary 1\n");
  EXPECT_THAT(printed(world.log_of("build")), ::testing::ElementsAre("printed"));
  ASSERT_TRUE(world.until([&] { return world.row("build").attempt == 2; })) << "and the job is tried again";
}

TEST(RunnerWorker, AJobKnowsTheNameOfItsRunner) {
  World world;
  Hand hand(world, "local");
  world.queue("build", "echo \"by $RUNNER_NAME\"");
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  EXPECT_THAT(printed(world.log_of("build")), Contains("by local"));
}

TEST(RunnerWorker, AReportThatCannotBeReadIsAWarningOnItsLine) {
  World world;
  Hand hand(world, "local");
  world.queue("build", "printf '<testsuite>\\n<testcase' > junit.xml");
  ASSERT_TRUE(world.until([&] { return ended(world) == 1; }));
  auto finished = world.said<events::JobFinished>()[0];
  EXPECT_EQ(finished.conclusion, Conclusion::success);
  ASSERT_THAT(finished.annotations, SizeIs(1));
  EXPECT_EQ(finished.annotations[0].level, "warning");
  EXPECT_EQ(finished.annotations[0].file, "junit.xml");
  EXPECT_EQ(finished.annotations[0].line, 2);
  EXPECT_EQ(finished.annotations[0].step, 1);
  EXPECT_THAT(world.log_of("build"), HasSubstr(" 1 ##[warning]The test report junit.xml:2:"));
  EXPECT_THAT(reported(world), IsEmpty());
}

TEST(RunnerWorker, DrainedItEndsWhenItsJobHasEnded) {
  World world;
  Hand hand(world, "local");
  world.queue("build", counting(world, 10));
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  world.runner->replace("local");
  world.settle();
  EXPECT_FALSE(hand.ended());
  go(world);
  ASSERT_TRUE(world.until([&] { return hand.ended(); }));
  EXPECT_TRUE(hand.outcome());
  EXPECT_EQ(ended(world), 1u);
}

TEST(RunnerWorker, StoppedItCancelsItsJobsAndTellsOfTheirEnd) {
  World world;
  Hand hand(world, "local");
  world.queue("build", "sleep 1000");
  ASSERT_TRUE(world.until([&] { return world.row("build").state == JobState::started; }));
  hand.worker().stop("the runner was stopped");
  ASSERT_TRUE(world.until([&] { return hand.ended(); }));
  ASSERT_EQ(ended(world), 1u);
  EXPECT_EQ(world.said<events::JobFinished>()[0].conclusion, Conclusion::cancelled);
  EXPECT_EQ(world.said<events::JobFinished>()[0].errors, "the runner was stopped");
}

TEST(RunnerWorker, StoppedTwiceItEndsAtOnceWithAllItStarted) {
  World world;
  auto options = Hand::options(world, "local", 1);
  options.times.interrupt = options.times.terminate = seconds(3600);
  Hand hand(world, options);
  world.queue("build", "trap '' INT TERM; echo $$ > " + world.folder.file("pid") + "; while true; do sleep 0.02; done");
  ASSERT_TRUE(world.until([&] {
    return std::filesystem::exists(world.folder.file("pid")) && world.row("build").state == JobState::started;
  }));
  hand.worker().stop("enough");
  world.settle();
  EXPECT_FALSE(hand.ended());
  hand.worker().stop("enough");
  ASSERT_TRUE(world.until([&] { return hand.ended(); }));
  std::ifstream in(world.folder.file("pid"));
  int pid = 0;
  in >> pid;
  EXPECT_TRUE(world.until([&] { return !std::filesystem::exists("/proc/" + std::to_string(pid)); }));
}

TEST(RunnerWorker, ARefusalEndsItWithTheServersReason) {
  World world;
  Peer peer(world, testing::hello("local"));
  peer.expect<Welcome>();
  Hand hand(world, "local");
  ASSERT_TRUE(world.until([&] { return hand.ended(); }));
  ASSERT_FALSE(hand.outcome());
  EXPECT_THAT(hand.outcome().error().message, HasSubstr("Another runner"));
}

TEST(RunnerProjection, RebuiltItEqualsTheOneKeptLive) {
  World world;
  {
    Hand hand(world, "local", 2);
    for (const char* job : {"a", "b", "c"}) world.queue(job, std::string(job) == "b" ? "exit 3" : "true");
    world.queue("never", "true", true, {"gpu"});
    ASSERT_TRUE(world.until([&] { return ended(world) == 3; }));
    world.queue("long", "sleep 1000");
    ASSERT_TRUE(world.until([&] { return world.row("long").state == JobState::started; }));
    world.cancel("never");
  }
  {
    Hand successor(world, "local");
    ASSERT_TRUE(
        world.until([&] { return world.row("long").attempt == 2 && world.row("long").state == JobState::started; }));
    world.cancel("long");
    ASSERT_TRUE(world.until([&] { return ended(world) == 4; }));
  }
  world.close();
  JobsProjection projection;
  auto rebuilt = store::rebuild({&projection}, world.log, world.folder.file("projections"), "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message;
  ASSERT_THAT(*rebuilt, SizeIs(1));
  EXPECT_FALSE((*rebuilt)[0].difference);
  EXPECT_EQ((*rebuilt)[0].digest, (*rebuilt)[0].digest_before);
}

}  // namespace
}  // namespace headrace::runner
