#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include "bus/bell.h"
#include "bus/testing/world.h"
#include "events/bus.h"

namespace headrace::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::World;

const core::Actor alice = core::Actor::user("alice");

// A handler that ignores its cancellation.
core::Task<core::Result<>> hold_out(core::Clock& clock) {
  const auto until = clock.steady() + 1h;
  while (clock.steady() < until) {
    co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
    co_await clock.sleep_for(1h);
  }
  co_return core::Result<>{};
}

struct Counting {
  explicit Counting(World& world) {
    Subscription subscription;
    subscription.name = "count";
    subscription.service = "tests";
    subscription.types = {"a"};
    subscription.start = Start::beginning();
    EXPECT_TRUE(world.bus().subscribe(subscription, [this](const Delivery& d) -> core::Result<> {
      heard.push_back(d.offset());
      return {};
    }));
  }
  std::vector<Offset> heard;
};

TEST(Control, PausesAndResumesAndBothAreEventsWithTheirActor) {
  World world;
  Counting count(world);
  world.start();
  ASSERT_TRUE(world.run(world.bus().pause(alice, "count", "maintenance")));
  const Offset while_paused = world.say("a");
  world.settle();
  EXPECT_THAT(count.heard, IsEmpty());
  auto status = world.bus().status("count").value();
  EXPECT_TRUE(status.paused);
  EXPECT_THAT(status.waiting.front().detail, HasSubstr("maintenance"));
  ASSERT_TRUE(world.run(world.bus().resume(alice, "count")));
  world.settle();
  EXPECT_THAT(count.heard, ElementsAre(while_paused));
  ASSERT_THAT(world.said(events::SubscriptionPaused::type), SizeIs(1));
  EXPECT_EQ(world.said(events::SubscriptionPaused::type)[0].event.actor(), "user:alice");
  EXPECT_THAT(world.said(events::SubscriptionResumed::type), SizeIs(1));
}

TEST(Control, APauseSurvivesAnUncleanEnd) {
  testing::Disk disk;
  World world(disk.database());
  Counting first(world);
  world.start();
  ASSERT_TRUE(world.run(world.bus().pause(alice, "count", "")));
  world.crash();
  Counting second(world);
  world.say("a");
  world.start();
  EXPECT_THAT(second.heard, IsEmpty());
}

TEST(Control, AfterARestoreEverySubscriptionStartsPaused) {
  Options options;
  options.start_paused = true;
  World world(":memory:", options);
  Counting count(world);
  world.say("a");
  world.start();
  EXPECT_THAT(count.heard, IsEmpty());
  ASSERT_TRUE(world.run(world.bus().resume(alice, "count")));
  world.settle();
  EXPECT_THAT(count.heard, ElementsAre(1));
}

TEST(Control, SeeksBackByOffsetAndByTime) {
  World world;
  Counting count(world);
  world.start();
  world.say("a");
  const auto moment = world.clock().now() + 1s;
  world.advance(10s);
  const Offset later = world.say("a");
  world.settle();
  count.heard.clear();
  ASSERT_TRUE(world.run(world.bus().seek(alice, "count", Start::at(moment))));
  world.settle();
  EXPECT_THAT(count.heard, ElementsAre(later));
  count.heard.clear();
  ASSERT_TRUE(world.run(world.bus().seek(alice, "count", Start::at(Offset{1}))));
  world.settle();
  EXPECT_THAT(count.heard, ElementsAre(1, later));
  EXPECT_THAT(world.said(events::SubscriptionSought::type), SizeIs(2));
}

TEST(Control, TwoMovesAtOnceAreAConflict) {
  World world;
  Subscription subscription;
  subscription.name = "slow";
  subscription.start = Start::beginning();
  AsyncHandler stubborn = [&](Delivery) { return hold_out(world.clock()); };
  ASSERT_TRUE(world.bus().subscribe(subscription, stubborn));
  world.start();
  world.say("a");
  world.settle();
  auto first = std::make_shared<std::optional<core::Result<>>>();
  world.loop().spawn(testing::keep_result(world.bus().seek(alice, "slow", Start::beginning()), first));
  world.settle();
  EXPECT_FALSE(first->has_value()) << "its handler does not end when it is cancelled";
  EXPECT_EQ(world.run(world.bus().seek(alice, "slow", Start::beginning())).error().code, core::Code::conflict);
  world.advance(6s);
  ASSERT_TRUE(first->has_value()) << "and is not waited for any longer";
  EXPECT_TRUE(first->value());
}

TEST(Control, SeekingForwardSkips) {
  World world;
  Counting count(world);
  ASSERT_TRUE(world.run(world.bus().pause(alice, "count", "")));
  world.start();
  for (int i = 0; i < 3; ++i) world.say("a");
  world.settle();
  ASSERT_TRUE(world.run(world.bus().seek(alice, "count", Start::now())));
  ASSERT_TRUE(world.run(world.bus().resume(alice, "count")));
  const Offset next = world.say("a");
  world.settle();
  EXPECT_THAT(count.heard, ElementsAre(next));
}

TEST(Control, AHandlerOfTheProgramCannotBeDeletedAndWhatIsGoneCan) {
  testing::Disk disk;
  World world(disk.database());
  {
    Counting count(world);
    world.start();
    EXPECT_EQ(world.run(world.bus().remove(alice, "count")).error().code, core::Code::conflict);
    world.restart();
  }
  world.start();
  auto status = world.bus().status("count").value();
  EXPECT_FALSE(status.present);
  EXPECT_EQ(status.waiting.front().reason, Waiting::Reason::absent);
  EXPECT_TRUE(world.run(world.bus().remove(alice, "count")));
  EXPECT_EQ(world.bus().status("count").error().code, core::Code::not_found);
  EXPECT_THAT(world.said(events::SubscriptionDeleted::type), SizeIs(1));
}

TEST(Control, DeletingAPullSubscriptionEndsItsConnections) {
  World world;
  world.start();
  Subscription subscription;
  subscription.name = "hook";
  ASSERT_TRUE(world.run(world.bus().create(alice, subscription)));
  auto pull = world.bus().attach("hook", 1).value();
  ASSERT_TRUE(world.run(world.bus().remove(alice, "hook")));
  EXPECT_EQ(world.run(pull->next(1, 1min)).error().code, core::Code::not_found);
}

TEST(Control, UnsubscribingKeepsTheCursorForTheNextHandlerOfTheName) {
  World world;
  Counting first(world);
  world.start();
  world.say("a");
  world.settle();
  world.run(world.bus().unsubscribe("count"));
  const Offset meanwhile = world.say("a");
  world.settle();
  Counting second(world);
  world.settle();
  EXPECT_THAT(first.heard, ElementsAre(1));
  EXPECT_THAT(second.heard, ElementsAre(meanwhile));
}

TEST(Control, RoutesTellWhoHearsAndWhoSays) {
  World world;
  Counting count(world);
  world.bus().says("pipeline", {"run", "job"});
  world.start();
  auto routes = world.bus().routes();
  ASSERT_THAT(routes, SizeIs(3));
  EXPECT_EQ(routes[0].subscription, "count");
  EXPECT_EQ(routes[0].service, "tests");
  EXPECT_EQ(routes[0].state, "running");
  EXPECT_THAT(routes[0].types, ElementsAre("a"));
  EXPECT_EQ(routes[1].way, Route::Way::says);
  EXPECT_EQ(routes[1].service, "bus");
  EXPECT_THAT(routes[1].types, Contains(std::string(events::DeliveryDead::type)));
  EXPECT_THAT(routes[2].types, ElementsAre("job", "run"));
}

// --- Stalls

struct StallTest : ::testing::Test {
  StallTest() {
    Subscription subscription;
    subscription.name = "work";
    subscription.types = {"a"};
    subscription.ack_wait = 1h;
    EXPECT_TRUE(world.bus().subscribe(subscription, AsyncHandler([this](Delivery d) { return work(std::move(d)); })));
    world.start();
  }
  core::Task<core::Result<>> work(Delivery) {
    while (!done) co_await bell.wait(bell.rung());
    co_return core::Result<>{};
  }
  std::string reason() {
    auto said = world.said(events::SubscriptionStalled::type);
    return said.empty() ? "" : events::decode<events::SubscriptionStalled>(said.back().event)->reason;
  }
  World world;
  Bell bell{world.loop().executor()};
  bool done = false;
};

TEST_F(StallTest, AHandlerThatDoesNotEndIsSaidOnceAndSoIsItsRecovery) {
  world.say("a");
  world.advance(25s);
  EXPECT_THAT(world.said(events::SubscriptionStalled::type), IsEmpty());
  world.advance(20s);
  EXPECT_THAT(world.said(events::SubscriptionStalled::type), SizeIs(1));
  EXPECT_THAT(reason(), HasSubstr("handler: "));
  EXPECT_TRUE(world.bus().status("work")->stalled);
  world.advance(10min);
  EXPECT_THAT(world.said(events::SubscriptionStalled::type), SizeIs(1));
  done = true;
  bell.ring();
  world.advance(15s);
  ASSERT_THAT(world.said(events::SubscriptionRecovered::type), SizeIs(1));
  EXPECT_FALSE(world.bus().status("work")->stalled);
}

TEST_F(StallTest, APauseWithWorkWaitingIsAStallAndSaysSo) {
  ASSERT_TRUE(world.run(world.bus().pause(alice, "work", "lunch")));
  world.advance(5min);
  EXPECT_THAT(world.said(events::SubscriptionStalled::type), IsEmpty()) << "nothing waits";
  world.say("a");
  world.advance(1min);
  EXPECT_EQ(reason(), "paused: Paused: lunch");
}

TEST_F(StallTest, AnIdleSubscriptionIsNotStalled) {
  world.advance(24h);
  world.say("b");
  world.advance(24h);
  EXPECT_THAT(world.said(events::SubscriptionStalled::type), IsEmpty());
}

TEST(Stall, AHeldKeyIsSaidToHoldAndOneThatHearsEverythingMakesNoLoop) {
  World world;
  Subscription everything;
  everything.name = "everything";
  everything.order_by = "*";
  everything.deliveries_max = 1;
  everything.on_dead = OnDead::hold;
  ASSERT_TRUE(
      world.bus().subscribe(everything, [](const Delivery&) { return core::fail(core::Code::invalid, "No."); }));
  world.start();
  world.say("a");
  world.advance(24h);
  auto said = world.said(events::SubscriptionStalled::type);
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_THAT(events::decode<events::SubscriptionStalled>(said[0].event)->reason, HasSubstr("held-key: "));
  EXPECT_LT(world.log().durable(), 6U);
}

}  // namespace
}  // namespace headrace::bus
