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
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::World;

const core::Actor alice = core::Actor::user("alice");

// A subscription whose handler refuses what `poison` names, until it is mended.
struct Sick {
  explicit Sick(World& world, OnDead on_dead) {
    Subscription subscription;
    subscription.name = "sick";
    subscription.types = {"a"};
    subscription.start = Start::beginning();
    subscription.deliveries_max = 2;
    subscription.back_off = {1s};
    subscription.on_dead = on_dead;
    EXPECT_TRUE(world.bus().subscribe(subscription, [this](const Delivery& d) { return hear(d); }));
  }
  core::Result<> hear(const Delivery& d) {
    if (poison.contains(d.offset())) return core::fail(core::Code::invalid, "It does not agree with me.");
    heard.push_back(d.offset());
    return {};
  }
  std::set<Offset> poison;
  std::vector<Offset> heard;
};

TEST(DeadLetter, PointsToTheOriginalAndSaysWhy) {
  World world;
  Sick sick(world, OnDead::go_on);
  sick.poison = {1};
  world.start();
  world.say(event("a", "x", "the-event"));
  world.advance(5s);
  auto letters = world.bus().dead_letters("").value();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].subscription, "sick");
  EXPECT_EQ(letters[0].offset, 1U);
  EXPECT_EQ(letters[0].attempts, 2U);
  EXPECT_THAT(letters[0].error, HasSubstr("does not agree"));
  auto said = world.said(events::DeliveryDead::type);
  ASSERT_THAT(said, SizeIs(1));
  auto dead = events::decode<events::DeliveryDead>(said[0].event).value();
  EXPECT_EQ(dead.event_offset, 1);
  EXPECT_EQ(dead.event_id, "the-event");
  EXPECT_EQ(dead.attempts, 2);
  EXPECT_EQ(said[0].event.causation_id(), "the-event");
}

TEST(DeadLetter, ContinueDeliversLaterEventsOfTheKey) {
  World world;
  Sick sick(world, OnDead::go_on);
  sick.poison = {1};
  world.start();
  world.say("a", "x");
  world.say("a", "x");
  world.advance(5s);
  EXPECT_THAT(sick.heard, ElementsAre(2));
  EXPECT_EQ(world.bus().status("sick")->acknowledged, world.log().durable());
}

TEST(DeadLetter, HoldKeepsLaterEventsOfTheKeyAndListsIt) {
  World world;
  Sick sick(world, OnDead::hold);
  sick.poison = {1};
  world.start();
  world.say("a", "x");
  world.say("a", "x");
  world.say("a", "y");
  world.say("a", "x");
  world.advance(1min);
  EXPECT_THAT(sick.heard, ElementsAre(3));
  auto status = world.bus().status("sick").value();
  ASSERT_THAT(status.held, SizeIs(1));
  EXPECT_EQ(status.held[0].key, "x");
  EXPECT_EQ(status.held[0].dead, 1U);
  EXPECT_EQ(status.held[0].waiting, 2U);
  EXPECT_EQ(status.measures.held_events, 2U);
  EXPECT_EQ(status.acknowledged, 0U);
}

TEST(DeadLetter, AHeldKeyCostsNoMemoryForEventsAndOtherKeysGoOn) {
  World world;
  Sick sick(world, OnDead::hold);
  sick.poison = {1};
  world.start();
  world.say("a", "held");
  world.advance(5s);
  for (int i = 0; i < 3'000; ++i) world.say("a", "held");
  const Offset other = world.say("a", "other");
  world.settle();
  EXPECT_THAT(sick.heard, ElementsAre(other)) << "more than fit in memory wait, and the other key is still served";
  sick.poison.clear();
  ASSERT_TRUE(world.run(world.bus().replay(alice, "sick", 1)));
  world.settle();
  EXPECT_THAT(sick.heard, SizeIs(3'002));
}

TEST(DeadLetter, ReplayDeliversTheDeadOneFirstAndThenThoseThatWaited) {
  World world;
  Sick sick(world, OnDead::hold);
  sick.poison = {1};
  world.start();
  world.say("a", "x");
  world.say("a", "x");
  world.advance(5s);
  sick.poison.clear();
  ASSERT_TRUE(world.run(world.bus().replay(alice, "sick", 1)));
  world.settle();
  EXPECT_THAT(sick.heard, ElementsAre(1, 2));
  EXPECT_THAT(world.bus().dead_letters("sick").value(), IsEmpty());
  auto said = world.said(events::DeliveryReplayed::type);
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].event.actor(), "user:alice");
}

TEST(DeadLetter, ReplayWorksWhereTheOthersWentOn) {
  World world;
  Sick sick(world, OnDead::go_on);
  sick.poison = {1};
  world.start();
  world.say("a", "x");
  world.say("a", "x");
  world.advance(5s);
  sick.poison.clear();
  ASSERT_TRUE(world.run(world.bus().replay(alice, "sick", 1)));
  world.settle();
  EXPECT_THAT(sick.heard, ElementsAre(2, 1));
}

TEST(DeadLetter, AReplayThatFailsAgainIsDeadAgainAndSaidAgain) {
  World world;
  Sick sick(world, OnDead::go_on);
  sick.poison = {1};
  world.start();
  world.say("a", "x");
  world.advance(5s);
  ASSERT_TRUE(world.run(world.bus().replay(alice, "sick", 1)));
  world.advance(5s);
  EXPECT_THAT(world.bus().dead_letters("sick").value(), SizeIs(1));
  EXPECT_THAT(world.said(events::DeliveryDead::type), SizeIs(2));
}

TEST(DeadLetter, DiscardLetsTheKeyGoOnWithoutIt) {
  World world;
  Sick sick(world, OnDead::hold);
  sick.poison = {1};
  world.start();
  world.say("a", "x");
  world.say("a", "x");
  world.advance(5s);
  ASSERT_TRUE(world.run(world.bus().discard(alice, "sick", 1, "not needed")));
  world.settle();
  EXPECT_THAT(sick.heard, ElementsAre(2));
  EXPECT_THAT(world.said(events::DeliveryDiscarded::type), SizeIs(1));
  EXPECT_EQ(world.run(world.bus().discard(alice, "sick", 1, "")).error().code, core::Code::not_found);
}

TEST(DeadLetter, SurvivesARestartWithItsHeldKey) {
  testing::Disk disk;
  World world(disk.database());
  {
    Sick sick(world, OnDead::hold);
    sick.poison = {1};
    world.start();
    world.say("a", "x");
    world.say("a", "x");
    world.advance(5s);
    world.restart();
  }
  Sick well(world, OnDead::hold);
  world.start();
  world.advance(1min);
  EXPECT_THAT(well.heard, IsEmpty());
  ASSERT_THAT(world.bus().dead_letters("sick").value(), SizeIs(1));
  ASSERT_TRUE(world.run(world.bus().replay(alice, "sick", 1)));
  world.settle();
  EXPECT_THAT(well.heard, ElementsAre(1, 2));
}

TEST(DeadLetter, IsSaidAfterARestartWhereTheLogRefusedBefore) {
  testing::Disk disk;
  World world(disk.database());
  {
    Sick sick(world, OnDead::go_on);
    sick.poison = {1};
    world.start();
    world.say("a", "x");
    world.advance(500ms);
    world.log().fail_appends(core::Error{core::Code::exhausted, "The disk is full.", ""});
    world.advance(5s);
    EXPECT_THAT(world.said(events::DeliveryDead::type), IsEmpty());
    world.crash();
  }
  world.log().fail_appends(std::nullopt);
  Sick again(world, OnDead::go_on);
  world.start();
  world.advance(5s);
  EXPECT_THAT(world.said(events::DeliveryDead::type), SizeIs(1));
  EXPECT_THAT(world.bus().dead_letters("sick").value(), SizeIs(1));
}

TEST(DeadLetter, IsSaidOnceTheLogAcceptsAgain) {
  World world;
  Sick sick(world, OnDead::go_on);
  sick.poison = {1, 2};
  world.start();
  world.say("a");
  world.say("a");
  world.log().fail_appends(core::Error{core::Code::exhausted, "The disk is full.", ""});
  world.advance(30s);
  EXPECT_THAT(world.said(events::DeliveryDead::type), IsEmpty());
  world.log().fail_appends(std::nullopt);
  world.advance(30s);
  EXPECT_THAT(world.said(events::DeliveryDead::type), SizeIs(2));
}

TEST(DeadLetter, OneThatKillsEveryHandlerBringsForthNoFurtherOnes) {
  World world;
  Subscription everything;
  everything.name = "everything";
  everything.start = Start::beginning();
  everything.deliveries_max = 1;
  ASSERT_TRUE(
      world.bus().subscribe(everything, [](const Delivery&) -> core::Result<> { throw std::runtime_error("no"); }));
  world.start();
  world.say("a");
  world.advance(1h);
  EXPECT_THAT(world.said(events::DeliveryDead::type), SizeIs(1)) << "its own death is listed, but not said";
  EXPECT_LT(world.log().durable(), 5U);
}

}  // namespace
}  // namespace headrace::bus
