#include "bus/publish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/testing/world.h"
#include "events/bus.h"

namespace headrace::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::event;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing::World;

events::SubscriptionPaused word(std::string about) { return {.subscription = std::move(about), .reason = "test"}; }

TEST(Publish, ReturnsTheOffsetsAndTellsWhoSaidItAndWhy) {
  World world;
  const auto cause = event("push", "x", "the-push");
  world.say(cause);
  auto origin = Origin::because_of(cause, "pipeline", core::Actor::user("alice"));
  auto published = world.run(world.bus().say(word("one"), origin)).value();
  EXPECT_THAT(published.offsets, ElementsAre(2));
  const auto said = world.log().all().back().event;
  EXPECT_EQ(said.source, "/headrace/pipeline");
  EXPECT_EQ(said.actor(), "user:alice");
  EXPECT_EQ(said.causation_id(), "the-push");
  EXPECT_EQ(said.correlation_id(), "the-push");
  EXPECT_TRUE(core::is_uuid(said.id));
}

TEST(Publish, RefusesWhatIsTooLargeOrLacksWhatEveryEventHas) {
  World world;
  auto large = event("a");
  large.data = '"' + std::string(events::event_bytes_max, 'x') + '"';
  large.has_data = true;
  large.datacontenttype = "application/json";
  EXPECT_EQ(world.run(world.bus().publish(large)).error().code, core::Code::invalid);
  auto nameless = event("a");
  nameless.source.clear();
  EXPECT_EQ(world.run(world.bus().publish(nameless)).error().code, core::Code::invalid);
  EXPECT_EQ(world.run(world.bus().publish(std::vector<events::Event>())).error().code, core::Code::invalid);
  EXPECT_EQ(world.log().durable(), 0U);
}

TEST(Publish, PassesTheRefusalOfTheLogOn) {
  World world;
  world.log().fail_appends(core::Error{core::Code::exhausted, "The disk is full.", ""});
  EXPECT_EQ(world.run(world.bus().publish(event("a"))).error().message, "The disk is full.");
}

TEST(AcceptForeign, RefusesTheReservedSourceAndBadEvents) {
  auto ours = event("a");
  ours.source = "/headrace/pipeline";
  EXPECT_EQ(accept_foreign(ours).error().code, core::Code::denied);
  auto bad = event("");
  EXPECT_EQ(accept_foreign(bad).error().code, core::Code::invalid);
  auto large = event("a");
  large.data = '"' + std::string(events::event_bytes_max, 'x') + '"';
  large.has_data = true;
  large.datacontenttype = "application/json";
  EXPECT_THAT(accept_foreign(large).error().message, HasSubstr("256 KiB"));
  EXPECT_TRUE(accept_foreign(event("a")));
}

// --- What a handler says

TEST(Said, ARetryGetsTheFirstBatchBack) {
  World world;
  const auto cause = event("push", "x");
  world.say(cause);
  auto say = [&](std::string about) {
    Said said(world.bus(), "pipeline", cause, "pipeline.plan");
    said.add("run", word(std::move(about)));
    said.add("job:build/1", word("build"));
    return world.run(said.append()).value();
  };
  auto first = say("first");
  auto again = say("a retry that decided otherwise");
  EXPECT_THAT(first.offsets, SizeIs(2));
  EXPECT_EQ(again.offsets, first.offsets);
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(world.log().durable(), 3U);
  EXPECT_EQ(events::decode<events::SubscriptionPaused>(world.log().all()[1].event)->subscription, "first");
}

TEST(Said, OtherCausesHandlersAndStepsAreOtherBatches) {
  World world;
  const auto one = event("push"), two = event("push");
  auto say = [&](const events::Event& cause, std::string handler, std::string step, std::string key) {
    Said said(world.bus(), "pipeline", cause, std::move(handler));
    said.add(key, word("x"));
    return world.run(said.append(std::move(step)))->duplicate;
  };
  EXPECT_FALSE(say(one, "plan", "", "run"));
  EXPECT_FALSE(say(two, "plan", "", "run"));
  EXPECT_FALSE(say(one, "report", "", "run"));
  EXPECT_FALSE(say(one, "plan", "outcome", "outcome"));
  EXPECT_TRUE(say(one, "plan", "", "run"));
}

TEST(Said, TheSameIdWithOtherContentIsAConflict) {
  World world;
  const auto cause = event("push");
  Said first(world.bus(), "pipeline", cause, "plan");
  first.add("run", word("one"));
  ASSERT_TRUE(world.run(first.append("a")));
  Said second(world.bus(), "pipeline", cause, "plan");
  second.add("run", word("two"));
  EXPECT_EQ(world.run(second.append("b")).error().code, core::Code::conflict);
}

TEST(Said, IdsAreDerivedFromWhatTheyAreAbout) {
  const auto cause = event("push", "", "the-push");
  const std::string id = derived_id("/headrace/pipeline", cause, "plan", "run");
  EXPECT_TRUE(core::is_uuid(id));
  EXPECT_EQ(id[14], '8') << "UUID version 8";
  EXPECT_EQ(id, derived_id("/headrace/pipeline", cause, "plan", "run"));
  EXPECT_NE(id, derived_id("/headrace/pipeline", cause, "plan", "run2"));
  EXPECT_NE(derived_id("s", cause, "ab", "c"), derived_id("s", cause, "a", "bc"));
}

TEST(Said, NothingToSayIsASuccess) {
  World world;
  Said said(world.bus(), "pipeline", event("push"), "plan");
  EXPECT_TRUE(world.run(said.append())->offsets.empty());
  EXPECT_EQ(world.log().durable(), 0U);
}

core::Task<core::Result<>> say_then_fail(World& world, Delivery delivery) {
  Said said(world.bus(), "pipeline", delivery);
  said.add("run", word("run"));
  auto appended = co_await said.append();
  if (!appended) co_return std::unexpected(appended.error());
  if (delivery.attempt() < 3) co_return core::fail(core::Code::unavailable, "Something later failed.");
  co_return core::Result<>{};
}

TEST(Said, AHandlerThatFailsAfterItSpokeHasSpokenOnce) {
  World world;
  Subscription subscription;
  subscription.name = "pipeline.plan";
  subscription.types = {"push"};
  ASSERT_TRUE(world.bus().subscribe(subscription,
                                    AsyncHandler([&](Delivery d) { return say_then_fail(world, std::move(d)); })));
  world.start();
  world.say("push");
  world.advance(1min);
  EXPECT_THAT(world.said(events::SubscriptionPaused::type), SizeIs(1));
  EXPECT_EQ(world.bus().measures().front().delivered, 1U);
}

// --- Sync propagation

core::Task<core::Result<>> sleep_for(World& world, core::Duration time, Delivery) {
  co_await world.clock().sleep_for(time);
  co_return core::Result<>{};
}

struct SyncTest : ::testing::Test {
  void subscribe(bool sync) {
    Subscription subscription;
    subscription.name = "slow";
    subscription.types = {"a"};
    subscription.sync = sync;
    ASSERT_TRUE(world.bus().subscribe(subscription,
                                      AsyncHandler([this](Delivery d) { return sleep_for(world, 2s, std::move(d)); })));
    world.start();
  }
  Published publish(std::chrono::milliseconds limit) {
    Publish options;
    options.sync = Sync::before_return;
    options.sync_limit = limit;
    return world.run(world.bus().publish(event("a"), options)).value();
  }
  World world;
};

TEST_F(SyncTest, AnEdgeWaitsForTheHandlersThatAskedForIt) {
  subscribe(true);
  const auto before = world.clock().now();
  EXPECT_TRUE(publish(10s).handled);
  EXPECT_GE(world.clock().now() - before, 2s);
}

TEST_F(SyncTest, ATimeOutIsNoFailureOfTheEvent) {
  subscribe(true);
  auto published = publish(1s);
  EXPECT_FALSE(published.handled);
  EXPECT_THAT(published.offsets, SizeIs(1));
  world.advance(5s);
  EXPECT_EQ(world.bus().measures().front().delivered, 1U);
}

TEST_F(SyncTest, NobodyWaitsForHandlersThatDidNotAsk) {
  subscribe(false);
  const auto before = world.clock().now();
  EXPECT_TRUE(publish(10s).handled);
  EXPECT_LT(world.clock().now() - before, 1s);
}

TEST_F(SyncTest, EventsThatMatchNoHandlerAreWaitedForByNobody) {
  subscribe(true);
  Publish options;
  options.sync = Sync::before_return;
  EXPECT_TRUE(world.run(world.bus().publish(event("other"), options))->handled);
}

}  // namespace
}  // namespace headrace::bus
