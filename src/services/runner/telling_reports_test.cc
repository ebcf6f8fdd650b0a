// Test reports of a job, from what its runner tells to events.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.h"
#include "core/testing/simulated_disk.h"
#include "events/tests.h"
#include "report/pack.h"
#include "services/runner/reports.h"
#include "services/runner/testing/world.h"

namespace headrace::runner {
namespace {

using testing::hello;
using ::testing::IsEmpty;
using testing::Peer;
using ::testing::SizeIs;
using testing::World;

Reported two_cases(Token token, int64_t step = 1, int64_t number = 1) {
  auto report = report::read(
      "<testsuite><testcase classname='C' name='a' time='0.5'/><testcase name='b'><failure message='1 is not 2'/>"
      "</testcase></testsuite>");
  auto told = told_of(token, step, "build/junit.xml", *report);
  told.number = number;
  return told;
}

// A runner with the job `build` at work.
struct AtWorkOnBuild {
  AtWorkOnBuild() : peer(world, hello("local")) {
    world.queue("build");
    token = peer.expect<runner::Run>().token;
  }
  // Everything told before has been dealt with.
  void settle() {
    peer.send_log(token, 0, "x");
    peer.expect<LogHave>();
  }
  World world;
  Peer peer;
  Token token = 0;
};

TEST(RunnerReports, AreSaidWithTheirTotalsAndResultsWhileTheJobRuns) {
  AtWorkOnBuild at;
  at.peer.send(two_cases(at.token));
  at.settle();
  auto suites = at.world.said<events::TestSuiteFinished>();
  ASSERT_THAT(suites, SizeIs(1));
  EXPECT_EQ(suites[0].job, "build");
  EXPECT_EQ(suites[0].file, "build/junit.xml");
  EXPECT_EQ(suites[0].conclusion, events::Conclusion::failure);
  EXPECT_EQ(suites[0].reason, "1 of 2 cases failed");
  EXPECT_EQ(suites[0].totals.passed, 1);
  EXPECT_EQ(suites[0].totals.duration_us, 500'000);
  auto results = at.world.said<events::TestResults>();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].report, suites[0].report);
  auto cases = report::unpack(*core::from_base64(results[0].packed));
  ASSERT_TRUE(cases && cases->size() == 2);
  EXPECT_EQ(cases->at(0).message, "1 is not 2");
  EXPECT_THAT(at.world.said<events::JobFinished>(), IsEmpty());
}

TEST(RunnerReports, ToldTwiceAreSaidOnceAndOfAnotherStepAgain) {
  AtWorkOnBuild at;
  at.peer.send(two_cases(at.token));
  at.peer.send(two_cases(at.token));
  at.peer.send(two_cases(at.token, 2));
  at.settle();
  auto suites = at.world.said<events::TestSuiteFinished>();
  ASSERT_THAT(suites, SizeIs(2));
  EXPECT_NE(suites[0].report, suites[1].report);
}

TEST(RunnerReports, ThatAreNotGoodAreNotSaidAndTheJobGoesOn) {
  AtWorkOnBuild at;
  auto damaged = two_cases(at.token);
  damaged.parts[0] = "AAAA";
  auto more = two_cases(at.token);
  more.told = 3;
  auto below = two_cases(at.token);
  below.totals.passed = -1;
  auto many = two_cases(at.token);
  many.parts.resize(report::parts_max + 1, many.parts[0]);
  for (const auto& reported : {damaged, more, below, many}) at.peer.send(reported);
  at.settle();
  EXPECT_THAT(at.world.said<events::TestSuiteFinished>(), IsEmpty());
  EXPECT_THAT(at.world.said<events::TestResults>(), IsEmpty());
}

TEST(RunnerReports, AreAnsweredOnceTheyAreOnTheLogAndThoseThatAreNotGoodTooForNobodyWantsThem) {
  AtWorkOnBuild at;
  at.peer.send(two_cases(at.token, 1, 5));
  auto told = at.peer.expect<Told>();
  EXPECT_EQ(told.number, 5);
  EXPECT_FALSE(told.again);
  EXPECT_THAT(at.world.said<events::TestSuiteFinished>(), SizeIs(1));
  auto damaged = two_cases(at.token, 1, 6);
  damaged.parts = {"AQ=="};
  at.peer.send(damaged);
  told = at.peer.expect<Told>();
  EXPECT_EQ(told.number, 6);
  EXPECT_FALSE(told.again);
  auto of_before = two_cases(at.token, 2, 0);
  at.peer.send(of_before);
  at.settle();
  EXPECT_THAT(at.world.said<events::TestSuiteFinished>(), SizeIs(2));
  EXPECT_EQ(at.peer.count<Told>(), 0U) << "who sends no number waits for no answer";
}

TEST(RunnerSummaries, AreKeptBesideTheLogOnceHoweverOftenToldAndCountedAtTheEnd) {
  AtWorkOnBuild at;
  const auto& store = at.world.runner->summaries();
  at.peer.send(Summary{at.token, 2, 3, "third\n"});
  at.peer.send(Summary{at.token, 1, 1, "first\n"});
  at.peer.send(Summary{at.token, 1, 1, "first\n"});
  for (int answer = 0; answer < 3; ++answer) EXPECT_FALSE(at.peer.expect<Told>().again);
  const LogName name{"build", 1};
  auto pieces = store.pieces(name);
  ASSERT_TRUE(pieces) << pieces.error().message;
  EXPECT_THAT(*pieces, ::testing::ElementsAre(SummaryPiece{1, 1, 6}, SummaryPiece{3, 2, 6}));
  EXPECT_EQ(*store.read(name, pieces->at(1)), "third\n");
  at.settle();
  at.peer.send(Finished{.token = at.token, .errors = {}, .steps = {}, .log_bytes = 1, .log_lines = 0});
  at.peer.expect<Settled>();
  auto finished = at.world.said<events::JobFinished>();
  ASSERT_THAT(finished, SizeIs(1));
  EXPECT_EQ(finished[0].summary_bytes, 12);
}

TEST(RunnerSummaries, BeyondWhatAJobMayHaveAreRefusedForGood) {
  AtWorkOnBuild at;
  for (int64_t number = 1; number <= static_cast<int64_t>(summaries_a_job_max) + 1; ++number) {
    at.peer.send(Summary{at.token, number, 1, "x"});
    EXPECT_FALSE(at.peer.expect<Told>().again);
  }
  at.peer.send(Summary{at.token, 99, 0, "of no step"});
  EXPECT_FALSE(at.peer.expect<Told>().again);
  EXPECT_THAT(*at.world.runner->summaries().pieces({"build", 1}), SizeIs(summaries_a_job_max));
}

TEST(RunnerSummaries, ThatADiskCannotTakeNowAreAskedForAgain) {
  core::testing::SimulatedDisk disk;
  World world({}, &disk);
  Peer peer(world, hello("local"));
  world.queue("build");
  const auto token = peer.expect<runner::Run>().token;
  disk.limit_space(disk.used());
  peer.send(Summary{token, 1, 1, std::string(10'000, 'x')});
  world.settle();
  world.clock.advance(std::chrono::seconds(1));
  auto told = peer.expect<Told>();
  EXPECT_TRUE(told.again);
  EXPECT_EQ(told.number, 1);
  disk.limit_space({});
  peer.send(Summary{token, 1, 1, std::string(10'000, 'x')});
  EXPECT_FALSE(peer.expect<Told>().again);
  EXPECT_EQ(*world.runner->summaries().bytes({"build", 1}), 10'000U);
}

TEST(RunnerReports, OfAJobThatIsNotTheRunnersAreRefused) {
  AtWorkOnBuild at;
  at.peer.send(two_cases(at.token + 100));
  EXPECT_EQ(at.peer.expect<Stale>().token, at.token + 100);
  EXPECT_THAT(at.world.said<events::TestSuiteFinished>(), IsEmpty());
}

}  // namespace
}  // namespace headrace::runner
