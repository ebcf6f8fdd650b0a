// The service as runners meet it: what it gives away, believes, and says became of jobs. The runners here are played.
#include "services/runner/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/runner/job_context.h"
#include "services/runner/testing/world.h"

namespace headrace::runner {
namespace {

using events::Conclusion;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::hello;
using ::testing::IsEmpty;
using testing::Peer;
using ::testing::SizeIs;
using testing::World;

Finished finished(Token token, uint64_t bytes = 0, Conclusion conclusion = Conclusion::success) {
  return {.token = token,
          .conclusion = conclusion,
          .errors = {},
          .steps = {{.number = 1, .name = "Run it", .conclusion = conclusion}},
          .log_bytes = bytes,
          .log_lines = 0};
}

StepChanged first_step(Token token) { return {token, 1, "Run it", {}}; }

TEST(Runner, GivesAQueuedJobOnceToARunnerThatHasItsLabels) {
  World world;
  Peer other(world, Hello{"mac", "first", 4, {{"macos", "host"}}, {}});
  Peer peer(world, hello("local", 4));
  EXPECT_EQ(peer.expect<Welcome>().renew_seconds, 10);
  world.queue("build", "make");
  auto run = peer.expect<runner::Run>();
  EXPECT_EQ(run.job, "build");
  EXPECT_EQ(run.executor, "host");
  EXPECT_THAT(run.spec, HasSubstr("make"));
  EXPECT_EQ(peer.count<runner::Run>(), 0u);
  EXPECT_EQ(other.count<runner::Run>(), 0u);
  auto leased = world.said<events::JobLeased>();
  ASSERT_THAT(leased, SizeIs(1));
  EXPECT_EQ(leased[0].runner, "local");
  EXPECT_EQ(run.token, world.row("build").token);
}

TEST(Runner, AJobIsStartedByItsFirstStepAndFinishedWithItsLogOnDisk) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  peer.send(first_step(token));
  ASSERT_TRUE(world.until([&] { return world.said<events::JobStarted>().size() == 1; }));
  EXPECT_THAT(world.runner->live_steps("build"), SizeIs(1));
  peer.send_log(token, 0, "one\n");
  EXPECT_EQ(peer.expect<LogHave>().bytes, 4u);
  peer.send(finished(token, 4));
  EXPECT_EQ(peer.expect<Settled>().token, token);
  auto said = world.said<events::JobFinished>();
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].log.bytes, 4);
  EXPECT_EQ(world.log_of("build"), "one\n");
  EXPECT_EQ(world.runner->leases(), 0u);
  EXPECT_FALSE(world.runner->logs().growing({"build", 1}));
  EXPECT_THAT(world.runner->live_steps("build"), IsEmpty());
}

TEST(Runner, WhatAStepAnnotatesIsSeenWhileItRunsAndIsBounded) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  auto step = first_step(token);
  peer.send(step);
  step.annotations = {{"error", "expected ';'", "", "a.cc", 3, 0, 7, 0, 1}};
  peer.send(step);
  ASSERT_TRUE(world.until([&] {
    auto live = world.runner->live_steps("build");
    return live.size() == 1 && live[0].annotations == step.annotations;
  }));
  StepChanged other{token, 2, "Next", {}, {annotations_max, step.annotations[0]}};  // one more than a job may have
  peer.send(other);
  ASSERT_TRUE(world.until([&] { return world.runner->live_steps("build").size() == 2; }));
  EXPECT_THAT(world.runner->live_steps("build")[1].annotations, SizeIs(annotations_max - 1));
  step.annotations[0].message.assign(annotations_bytes_max, 'x');
  peer.send(step);
  ASSERT_TRUE(world.until([&] { return world.runner->live_steps("build")[0].annotations.empty(); }));
  EXPECT_THAT(world.said<events::JobStarted>(), SizeIs(1));
}

TEST(Runner, AFinishThatIsReportedTwiceIsSaidOnce) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  peer.send(finished(token));
  peer.send(finished(token));
  peer.expect<Settled>();
  peer.send(finished(token));
  peer.expect<Settled>();
  EXPECT_THAT(world.said<events::JobFinished>(), SizeIs(1));
  EXPECT_THAT(world.said<events::JobStarted>(), SizeIs(1)) << "that it began is said with its end";
}

TEST(Runner, NeverGivesMoreThanItsSlotsAndFreesThemWithTheEnd) {
  World world;
  Peer peer(world, hello("local", 2));
  for (const char* job : {"a", "b", "c"}) world.queue(job);
  auto first = peer.expect<runner::Run>().token;
  peer.expect<runner::Run>();
  EXPECT_EQ(peer.count<runner::Run>(), 0u);
  peer.send(finished(first));
  EXPECT_EQ(peer.expect<runner::Run>().job, "c");
}

TEST(Runner, JobsNobodyCanTakeDoNotHoldUpThoseBehindThem) {
  World world(Policy{.leases_a_batch = 2});
  for (int i = 0; i < 9; ++i) world.queue("mac" + std::to_string(i), "true", false, {"macos"});
  world.queue("build");
  Peer peer(world, hello("local", 3));
  EXPECT_EQ(peer.expect<runner::Run>().job, "build");
}

TEST(Runner, SaysAtOnceWhyAJobWaits) {
  World world;
  EXPECT_THAT(world.runner->unserved({"linux"}).value_or(""), HasSubstr("No runner is connected"));
  Peer peer(world, hello("local"));
  peer.expect<Welcome>();
  EXPECT_EQ(world.runner->unserved({"linux"}), std::nullopt);
  EXPECT_THAT(world.runner->unserved({"linux", "gpu"}).value_or(""), HasSubstr("both the labels 'linux' and 'gpu'"));
  EXPECT_THAT(world.runner->unserved({}).value_or(""), HasSubstr("no label"));
  world.runner->replace("local");
  EXPECT_THAT(world.runner->unserved({"linux"}).value_or(""), HasSubstr("ending"));
}

// ---- leases

TEST(RunnerLease, RunsOutWithoutARenewalAndTheJobIsTriedAgain) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  world.clock.advance(seconds(25));
  peer.send(Renew{{token}});
  world.settle();
  world.clock.advance(seconds(25));
  EXPECT_THAT(world.said<events::JobLost>(), IsEmpty());
  world.clock.advance(seconds(6));
  EXPECT_EQ(peer.expect<Stale>().token, token);
  auto again = peer.expect<runner::Run>();
  EXPECT_EQ(again.attempt, 2);
  EXPECT_GT(again.token, token);
  auto lost = world.said<events::JobLost>();
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_FALSE(lost[0].steps_begun);
}

TEST(RunnerLease, IsMeasuredByTheSteadyClockWhateverTheWallClockDoes) {
  using std::chrono::hours;
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  world.clock.set_wall(world.clock.now() + hours(1));
  world.clock.advance(seconds(20));
  EXPECT_THAT(world.said<events::JobLost>(), IsEmpty()) << "an hour has passed for nobody";
  peer.send(Renew{{token}});
  world.settle();
  world.clock.set_wall(world.clock.now() - hours(2));
  world.clock.advance(seconds(29));
  EXPECT_THAT(world.said<events::JobLost>(), IsEmpty());
  world.clock.advance(seconds(2));
  EXPECT_EQ(peer.expect<Stale>().token, token) << "it has run out, though the wall clock says it was never given";
}

TEST(RunnerLease, WhoeverSpeaksWithAnOldTokenIsToldStale) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  world.clock.advance(seconds(31));
  peer.expect<Stale>();
  auto again = peer.expect<runner::Run>().token;
  peer.send_log(token, 0, "late\n");
  EXPECT_EQ(peer.expect<Stale>().token, token);
  peer.send(finished(token));
  EXPECT_EQ(peer.expect<Stale>().token, token);
  peer.send(Renew{{token}});
  EXPECT_EQ(peer.expect<Stale>().token, token);
  EXPECT_EQ(world.row("build").token, again);
  EXPECT_THAT(world.said<events::JobFinished>(), IsEmpty());
  EXPECT_EQ(world.log_of("build"), "");
}

TEST(RunnerLease, ALostJobFailsAfterTheLastAttempt) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  for (int attempt = 1; attempt <= 3; ++attempt) {
    EXPECT_EQ(peer.expect<runner::Run>().attempt, attempt);
    world.clock.advance(seconds(31));
  }
  ASSERT_TRUE(world.until([&] { return world.said<events::JobFinished>().size() == 1; }));
  auto said = world.said<events::JobFinished>()[0];
  EXPECT_EQ(said.conclusion, Conclusion::failure);
  EXPECT_THAT(said.errors, HasSubstr("3 times"));
}

TEST(RunnerLease, ARestrictedJobIsTriedAgainOnlyIfItHadNotBegun) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("deploy", "true", true);
  auto first = peer.expect<runner::Run>();
  EXPECT_TRUE(first.restricted);
  world.clock.advance(seconds(31));
  auto token = peer.expect<runner::Run>().token;
  peer.send(Begin{token});
  EXPECT_EQ(peer.expect<Begun>().token, token);
  EXPECT_THAT(world.said<events::JobStarted>(), SizeIs(1)) << "said before the runner was told";
  world.clock.advance(seconds(31));
  ASSERT_TRUE(world.until([&] { return world.said<events::JobFinished>().size() == 1; }));
  EXPECT_THAT(world.said<events::JobFinished>()[0].errors, HasSubstr("had begun"));
}

TEST(RunnerLease, ABeginWithAnOldTokenIsNotGranted) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("deploy", "true", true);
  auto token = peer.expect<runner::Run>().token;
  world.clock.advance(seconds(31));
  peer.expect<runner::Run>();
  peer.send(Begin{token});
  EXPECT_EQ(peer.expect<Stale>().token, token);
  EXPECT_THAT(world.said<events::JobStarted>(), IsEmpty());
}

// ---- connections

TEST(RunnerConnection, ASecondRunnerUnderOneNameIsRefused) {
  World world;
  Peer peer(world, hello("local"));
  peer.expect<Welcome>();
  Peer other(world, hello("local", 1, {}, "second"));
  EXPECT_THAT(other.expect<Refused>().reason, HasSubstr("Another runner"));
  EXPECT_TRUE(other.until_ended());
  EXPECT_THAT(world.runner->connected(), SizeIs(1));
}

TEST(RunnerConnection, OneThatDoesNotAnswerAnyMoreLosesItsNameToAnotherProcess) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  peer.fall_silent();
  Peer successor(world, hello("local", 1, {}, "second"));
  world.settle();
  EXPECT_EQ(successor.count<Welcome>() + successor.count<Refused>(), 0u) << "while the old one is asked";
  world.clock.advance(seconds(5));
  successor.expect<Welcome>();
  auto again = successor.expect<runner::Run>();
  EXPECT_EQ(again.attempt, 2);
  EXPECT_GT(again.token, token);
  EXPECT_THAT(world.runner->connected(), SizeIs(1));
  EXPECT_THAT(world.said<events::JobLost>(), SizeIs(1));
}

TEST(RunnerConnection, OfTwoThatComeForTheNameOfASilentOneOneGetsIt) {
  World world;
  Peer peer(world, hello("local"));
  peer.expect<Welcome>();
  peer.fall_silent();
  Peer second(world, hello("local", 1, {}, "second"));
  Peer third(world, hello("local", 1, {}, "third"));
  world.settle();
  world.clock.advance(seconds(5));
  world.settle();
  EXPECT_EQ(second.count<Welcome>() + third.count<Welcome>(), 1u);
  EXPECT_EQ(second.count<Refused>() + third.count<Refused>(), 1u);
}

TEST(RunnerConnection, TheSameProcessTakesItsPlaceAtOnceThoughItsOldConnectionIsSilent) {
  World world;
  Peer peer(world, hello("local"));
  peer.expect<Welcome>();
  peer.fall_silent();
  Peer again(world, hello("local"));
  again.expect<Welcome>();
}

TEST(RunnerConnection, ATokenOfAnotherRunnerIsRefused) {
  World world;
  Peer peer(world, hello("local"), "other");
  EXPECT_THAT(peer.expect<Refused>().reason, HasSubstr("'other'"));
  EXPECT_TRUE(peer.until_ended());
  EXPECT_THAT(world.runner->connected(), IsEmpty());
}

TEST(RunnerConnection, ARunnerSpeaksOnlyOfItsOwnJobs) {
  World world;
  Peer peer(world, hello("local"));
  Peer thief(world, Hello{"thief", "first", 1, {{"macos", "host"}}, {}});
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  thief.send(finished(token));
  EXPECT_EQ(thief.expect<Stale>().token, token);
  thief.send_log(token, 0, "forged\n");
  EXPECT_EQ(thief.expect<Stale>().token, token);
  thief.send(first_step(token));
  thief.send(Renew{{token}});
  EXPECT_EQ(thief.expect<Stale>().token, token);
  world.settle();
  EXPECT_EQ(world.row("build").state, JobState::leased);
  EXPECT_EQ(world.log_of("build"), "");
}

TEST(RunnerConnection, WhoDoesNotSayHelloIsClosed) {
  World world;
  Peer peer(world, hello("local", 0));
  EXPECT_THAT(peer.expect<Refused>().reason, HasSubstr("slots"));
  net::Client client(world.loop.executor(), world.clock, testing::at(world.socket()));
  net::ClientRequest request;
  request.url = "http://localhost/";
  request.headers.set("Authorization", "Bearer mute");
  net::WebSocketOptions options;
  options.subprotocols.emplace_back(subprotocol);
  auto silent = world.loop.run(client.websocket(std::move(request), std::move(options)));
  ASSERT_TRUE(silent);
  world.settle();
  world.clock.advance(seconds(11));
  auto first = world.loop.run((*silent)->receive());
  while (first && *first) first = world.loop.run((*silent)->receive());
  EXPECT_EQ((*silent)->close_code(), net::CloseCode::policy);
}

TEST(RunnerConnection, WhatIsNoMessageEndsIt) {
  World world;
  for (int way = 0; way < 3; ++way) {
    Peer peer(world, hello("local"));
    peer.expect<Welcome>();
    if (way == 0) peer.pass({net::Message::Kind::text, "{\"type\":\"sing\"}"});
    if (way == 1) peer.pass({net::Message::Kind::binary, "short"});
    if (way == 2) peer.send(Settled{7});
    EXPECT_FALSE(peer.expect<Refused>().reason.empty());
    EXPECT_TRUE(peer.until_ended());
    ASSERT_TRUE(world.until([&] { return world.runner->connected().empty(); }));
  }
}

TEST(RunnerConnection, TheSameProcessKeepsItsLeaseOverANewConnection) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  world.queue("build");
  auto token = peer->expect<runner::Run>().token;
  peer->send_log(token, 0, "one\n");
  peer->expect<LogHave>();
  peer->cut();
  Peer again(world, hello("local", 1, {token}));
  auto have = again.expect<LogHave>();
  EXPECT_TRUE(have.resend);
  EXPECT_EQ(have.bytes, 4u);
  world.queue("next");
  EXPECT_EQ(again.count<runner::Run>(), 0u) << "its slot is taken by the job it has";
  again.send_log(token, 0, "one\ntwo\n");
  EXPECT_EQ(again.expect<LogHave>().bytes, 8u);
  again.send(finished(token, 8));
  again.expect<Settled>();
  EXPECT_EQ(world.log_of("build"), "one\ntwo\n");
  EXPECT_EQ(again.expect<runner::Run>().job, "next");
  EXPECT_THAT(world.said<events::JobLost>(), IsEmpty());
}

TEST(RunnerConnection, AJobThatDidNotReachItsRunnerIsGivenToItAgain) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  peer->expect<Welcome>();
  world.queue("build");
  ASSERT_TRUE(world.until([&] { return world.runner->leases() == 1; }));
  peer->cut();
  Peer again(world, hello("local"));
  auto run = again.expect<runner::Run>();
  EXPECT_EQ(run.attempt, 1);
  EXPECT_THAT(world.said<events::JobLeased>(), SizeIs(1));
  EXPECT_THAT(world.said<events::JobLost>(), IsEmpty());
}

TEST(RunnerConnection, AnotherProcessUnderTheNameHasLostTheJobsOfTheOldOneAtOnce) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  world.queue("build");
  peer->expect<runner::Run>();
  peer->cut();
  Peer again(world, hello("local", 1, {}, "second"));
  EXPECT_EQ(again.expect<runner::Run>().attempt, 2);
  EXPECT_THAT(world.said<events::JobLost>(), SizeIs(1));
}

TEST(RunnerConnection, TokensItDoesNotKnowAreAnsweredWithTheHello) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  world.queue("build");
  auto token = peer->expect<runner::Run>().token;
  peer->send(finished(token));
  peer->expect<Settled>();
  peer->cut();
  Peer again(world, hello("local", 1, {token, 99'999}));
  EXPECT_EQ(again.expect<Settled>().token, token);
  EXPECT_EQ(again.expect<Stale>().token, 99'999u);
}

// ---- restarts of the server

TEST(RunnerRestart, LeasesAndLogsGoOnAndTheEndIsSaidOnce) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  world.queue("build");
  auto token = peer->expect<runner::Run>().token;
  peer->send(first_step(token));
  peer->send_log(token, 0, "one\n");
  peer->expect<LogHave>();
  world.settle();
  peer->cut();
  world.restart();
  EXPECT_TRUE(world.runner->logs().growing({"build", 1}));
  Peer again(world, hello("local", 1, {token}));
  EXPECT_EQ(again.expect<LogHave>().bytes, 4u);
  again.send(StepChanged{token, 2, "Next", {}});
  again.send_log(token, 4, "two\n");
  again.send(finished(token, 8));
  again.expect<Settled>();
  EXPECT_EQ(world.log_of("build"), "one\ntwo\n");
  EXPECT_THAT(world.said<events::JobStarted>(), SizeIs(1));
  EXPECT_THAT(world.said<events::JobFinished>(), SizeIs(1));
  EXPECT_THAT(world.said<events::JobLeased>(), SizeIs(1));
}

TEST(RunnerRestart, GivesOneFullLeaseOfGrace) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  world.queue("build");
  peer->expect<runner::Run>();
  peer->cut();
  world.clock.advance(seconds(29));
  world.restart();
  world.clock.advance(seconds(29));
  world.settle();
  EXPECT_THAT(world.said<events::JobLost>(), IsEmpty());
  world.clock.advance(seconds(2));
  ASSERT_TRUE(world.until([&] { return world.said<events::JobLost>().size() == 1; }));
  EXPECT_EQ(world.said<events::JobRequeued>().size(), 1u);
}

// ---- cancelling

TEST(RunnerCancel, AJobThatWaitsIsNotGivenAway) {
  World world;
  world.queue("build");
  world.cancel("build");
  Peer peer(world, hello("local"));
  peer.expect<Welcome>();
  EXPECT_EQ(peer.count<runner::Run>(), 0u);
  EXPECT_EQ(world.row("build").state, JobState::cancelled);
}

TEST(RunnerCancel, AJobAtWorkIsCancelledAtItsRunner) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  world.cancel("build");
  auto cancel = peer.expect<Cancel>();
  EXPECT_EQ(cancel.token, token);
  EXPECT_EQ(cancel.reason, "cancelled by alice");
}

TEST(RunnerCancel, ARunnerThatWasAwayHearsItWhenItIsBack) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  world.queue("build");
  auto token = peer->expect<runner::Run>().token;
  peer->cut();
  world.cancel("build");
  world.settle();
  Peer again(world, hello("local", 1, {token}));
  EXPECT_EQ(again.expect<Cancel>().token, token);
}

TEST(RunnerCancel, TheRunnerIsToldToEndAJobAtOnceNowAndWhenItIsBack) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  world.queue("build");
  auto token = peer->expect<runner::Run>().token;
  world.cancel("build");
  EXPECT_FALSE(peer->expect<Cancel>().forced);
  world.cancel("build", true);
  EXPECT_TRUE(peer->expect<Cancel>().forced);
  peer->cut();
  world.cancel("build");
  world.settle();
  Peer again(world, hello("local", 1, {token}));
  EXPECT_TRUE(again.expect<Cancel>().forced) << "at once stays at once";
}

TEST(RunnerCancel, ACancelledJobThatIsLostEndsAsCancelled) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  world.queue("build");
  peer->expect<runner::Run>();
  peer->cut();
  world.cancel("build");
  world.settle();
  world.clock.advance(seconds(31));
  ASSERT_TRUE(world.until([&] { return world.said<events::JobFinished>().size() == 1; }));
  EXPECT_EQ(world.said<events::JobFinished>()[0].conclusion, Conclusion::cancelled);
  EXPECT_THAT(world.said<events::JobRequeued>(), IsEmpty());
}

TEST(RunnerCancel, ACancelThatCrossesTheRequeueingEndsTheJob) {
  World world;
  world.queue("build");
  Token token = 0;
  {
    Peer peer(world, hello("local"));
    token = peer.expect<runner::Run>().token;
  }
  world.cancel("build");
  world.say(
      events::JobRequeued{.job = "build", .run = "run", .repository = "team/hello", .attempt = 2, .reason = "lost"});
  ASSERT_TRUE(world.until([&] { return world.said<events::JobFinished>().size() == 1; }));
  EXPECT_EQ(world.said<events::JobFinished>()[0].conclusion, Conclusion::cancelled);
  EXPECT_GT(token, 0u);
}

// ---- ending

TEST(RunnerDrain, TellsAllGivesNothingNewAndWaitsForWhatIsAtWork) {
  World world;
  Peer peer(world, hello("local", 2));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  core::Scope scope(world.loop.executor());
  scope.spawn("drain", world.runner->drain(std::chrono::hours(1)));
  peer.expect<Drain>();
  world.queue("next");
  Peer late(world, hello("late"));
  late.expect<Drain>();
  EXPECT_EQ(late.count<runner::Run>() + peer.count<runner::Run>(), 0u);
  EXPECT_EQ(scope.size(), 1u);
  peer.send(finished(token));
  world.loop.run(scope.until_idle());
  EXPECT_EQ(world.row("next").state, JobState::queued);
}

TEST(RunnerReplace, TheOldOneEndsAndTheNewOneStays) {
  World world;
  auto peer = std::make_unique<Peer>(world, hello("local"));
  peer->expect<Welcome>();
  world.runner->replace("local");
  peer->expect<Drain>();
  peer->cut();
  Peer old(world, hello("local"));
  old.expect<Drain>();
  old.cut();
  Peer fresh(world, hello("local", 1, {}, "second"));
  fresh.expect<Welcome>();
  EXPECT_EQ(fresh.count<Drain>(), 0u);
  world.queue("build");
  EXPECT_EQ(fresh.expect<runner::Run>().job, "build");
}

// ---- logs

TEST(RunnerLog, AGapIsAskedForOnceAndFilled) {
  World world;
  Peer peer(world, hello("local"));
  world.queue("build");
  auto token = peer.expect<runner::Run>().token;
  peer.send_log(token, 4, "two\n");
  peer.send_log(token, 8, "three\n");
  auto have = peer.expect<LogHave>();
  EXPECT_TRUE(have.resend);
  EXPECT_EQ(have.bytes, 0u);
  EXPECT_EQ(peer.count<LogHave>(), 0u);
  peer.send(finished(token, 14));
  EXPECT_EQ(peer.count<Settled>(), 0u) << "its log is not here yet";
  peer.send_log(token, 0, "one\ntwo\nthree\n");
  EXPECT_EQ(peer.expect<LogHave>().bytes, 14u);
  peer.send(finished(token, 14));
  peer.expect<Settled>();
  EXPECT_EQ(world.log_of("build"), "one\ntwo\nthree\n");
}

}  // namespace
}  // namespace headrace::runner
