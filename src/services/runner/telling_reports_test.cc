// Test reports of a job, from what its runner tells to events.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.h"
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

Reported two_cases(Token token, int64_t step = 1) {
  auto report = report::read(
      "<testsuite><testcase classname='C' name='a' time='0.5'/><testcase name='b'><failure message='1 is not 2'/>"
      "</testcase></testsuite>");
  return told_of(token, step, "build/junit.xml", *report);
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

TEST(RunnerReports, OfAJobThatIsNotTheRunnersAreRefused) {
  AtWorkOnBuild at;
  at.peer.send(two_cases(at.token + 100));
  EXPECT_EQ(at.peer.expect<Stale>().token, at.token + 100);
  EXPECT_THAT(at.world.said<events::TestSuiteFinished>(), IsEmpty());
}

}  // namespace
}  // namespace headrace::runner
