#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/testing/world.h"
#include "events/bus.h"

namespace headrace::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::World;

const core::Actor alice = core::Actor::user("alice");

std::vector<Offset> offsets_of(const std::vector<Handed>& handed) {
  std::vector<Offset> offsets;
  for (const auto& each : handed) offsets.push_back(each.stored->offset);
  return offsets;
}

std::vector<Offset> offsets_of(const std::vector<Shared>& events) {
  std::vector<Offset> offsets;
  for (const auto& each : events) offsets.push_back(each->offset);
  return offsets;
}

struct PullTest : ::testing::Test {
  PullTest() {
    world.start();
    Subscription subscription;
    subscription.name = "hook";
    subscription.types = {"a"};
    subscription.start = Start::beginning();
    subscription.ack_wait = 10s;
    subscription.back_off = {1s};
    subscription.deliveries_max = 2;
    EXPECT_TRUE(world.run(world.bus().create(alice, subscription)));
  }
  std::unique_ptr<Pull> connect(size_t credit = 10) { return std::move(*world.bus().attach("hook", credit)); }
  std::vector<Offset> next(Pull& pull, size_t max = 100, core::Duration limit = 0s) {
    return offsets_of(world.run(pull.next(max, limit)).value());
  }
  Offset say(std::string key = {}) {
    const Offset offset = world.say("a", std::move(key));
    world.settle();
    return offset;
  }
  World world;
};

TEST_F(PullTest, HandsOutUpToTheCreditAndGoesOnAsIsAcknowledged) {
  auto pull = connect(2);
  const Offset a = say(), b = say(), c = say();
  EXPECT_THAT(next(*pull), ElementsAre(a, b));
  EXPECT_THAT(next(*pull), IsEmpty()) << "no credit is left";
  EXPECT_EQ(world.bus().status("hook")->waiting.front().reason, Waiting::Reason::no_credit);
  EXPECT_TRUE(pull->acknowledge(a));
  EXPECT_THAT(next(*pull), ElementsAre(c));
  EXPECT_TRUE(pull->acknowledge_to(c));
  EXPECT_EQ(pull->in_hand(), 0U);
  EXPECT_EQ(pull->acknowledge(c).error().code, core::Code::not_found);
}

TEST_F(PullTest, WaitsForTheFirstEventButNotForEver) {
  auto pull = connect();
  EXPECT_THAT(next(*pull, 10, 3s), IsEmpty());
  auto later = std::make_shared<std::optional<core::Result<std::vector<Handed>>>>();
  world.loop().spawn(testing::keep_result(pull->next(10, 1min), later));
  world.settle();
  EXPECT_FALSE(later->has_value());
  const Offset offset = say();
  ASSERT_TRUE(later->has_value());
  EXPECT_THAT(offsets_of((*later)->value()), ElementsAre(offset));
}

TEST_F(PullTest, CompetingConsumersShareTheEventsAndKeepEachKeyInOrder) {
  auto one = connect(2), two = connect(2);
  const Offset x1 = say("x"), x2 = say("x"), y = say("y"), z = say("z");
  EXPECT_THAT(next(*one), ElementsAre(x1, y));
  EXPECT_THAT(next(*two), ElementsAre(z)) << "x is at work with the other";
  EXPECT_TRUE(one->acknowledge(x1));
  EXPECT_THAT(next(*two), ElementsAre(x2));
  EXPECT_EQ(one->acknowledge(x2).error().code, core::Code::not_found);
}

TEST_F(PullTest, WhatALostConnectionHeldGoesToAnotherAndIsNoFailure) {
  auto one = connect(), two = connect();
  const Offset a = say(), b = say();
  EXPECT_THAT(next(*one), ElementsAre(a, b));
  one.reset();
  auto handed = world.run(two->next(10, 0s)).value();
  EXPECT_THAT(offsets_of(handed), ElementsAre(a, b));
  EXPECT_EQ(handed.front().attempt, 1U);
  EXPECT_EQ(world.bus().status("hook")->measures.failed, 0U);
}

TEST_F(PullTest, WhatIsNotAcknowledgedInTimeIsHandedOutAgain) {
  auto pull = connect();
  const Offset a = say();
  EXPECT_THAT(next(*pull), ElementsAre(a));
  world.advance(9s);
  EXPECT_TRUE(pull->extend(a));
  world.advance(9s);
  EXPECT_EQ(pull->in_hand(), 1U);
  world.advance(2s);
  EXPECT_EQ(pull->in_hand(), 0U);
  world.advance(2s);
  auto again = world.run(pull->next(10, 0s)).value();
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].attempt, 2U);
}

TEST_F(PullTest, RefusingBacksOffAndEndsAsADeadLetter) {
  auto pull = connect();
  const Offset a = say(), b = say();
  EXPECT_THAT(next(*pull), ElementsAre(a, b));
  EXPECT_TRUE(pull->refuse(a, "later"));
  EXPECT_THAT(next(*pull), IsEmpty()) << "not before its back-off";
  world.advance(2s);
  EXPECT_THAT(next(*pull), ElementsAre(a));
  EXPECT_TRUE(pull->refuse(a, "never"));
  EXPECT_TRUE(pull->refuse_for_good(b, "makes no sense"));
  world.settle();
  auto letters = world.bus().dead_letters("hook").value();
  ASSERT_THAT(letters, SizeIs(2));
  EXPECT_EQ(letters[0].error, "never");
  EXPECT_EQ(letters[1].attempts, 1U);
}

TEST(PullRestart, ADurableSubscriptionIsRememberedWithItsCursor) {
  testing::Disk disk;
  World world(disk.database());
  world.start();
  Subscription subscription;
  subscription.name = "hook";
  subscription.types = {"a"};
  ASSERT_TRUE(world.run(world.bus().create(alice, subscription)));
  const Offset a = world.say("a"), b = world.say("a");
  world.settle();
  {
    auto pull = world.bus().attach("hook", 10).value();
    EXPECT_THAT(world.run(pull->next(10, 0s)).value(), SizeIs(2));
    EXPECT_TRUE(pull->acknowledge(a));
  }
  world.restart();
  world.start();
  auto pull = world.bus().attach("hook", 10).value();
  EXPECT_THAT(offsets_of(world.run(pull->next(10, 0s)).value()), ElementsAre(b));
}

TEST(Pull, AHandlerOfTheProgramCannotBeAttachedTo) {
  World world;
  Subscription subscription;
  subscription.name = "handler";
  ASSERT_TRUE(world.bus().subscribe(subscription, [](const Delivery&) -> core::Result<> { return {}; }));
  EXPECT_EQ(world.bus().attach("handler", 1).error().code, core::Code::conflict);
  EXPECT_EQ(world.bus().attach("nobody", 1).error().code, core::Code::not_found);
}

// --- Feeds

std::vector<Offset> next(World& world, Feed& feed, size_t max = 1'000, core::Duration limit = 0s) {
  return offsets_of(world.run(feed.next(max, limit)).value());
}

TEST(Feed, ReadsThePastAndThenLivesOnWithNothingMissedOrDoubled) {
  World world;
  for (int i = 0; i < 700; ++i) world.say("a");
  auto feed = world.bus().tail("", Start::beginning()).value();
  std::vector<Offset> heard;
  for (int round = 0; round < 20; ++round) {
    for (Offset offset : next(world, *feed, 100)) heard.push_back(offset);
    world.say("a");
  }
  world.settle();
  for (Offset offset : next(world, *feed)) heard.push_back(offset);
  ASSERT_THAT(heard, SizeIs(720));
  for (size_t i = 0; i < heard.size(); ++i) ASSERT_EQ(heard[i], i + 1);
  EXPECT_EQ(feed->position(), 720U);
}

TEST(Feed, StartsNowAndFilters) {
  World world;
  world.say("a");
  auto feed = world.bus().tail("type = 'a'").value();
  EXPECT_THAT(next(world, *feed), IsEmpty());
  world.say("b");
  const Offset wanted = world.say("a");
  world.settle();
  EXPECT_THAT(next(world, *feed), ElementsAre(wanted));
  EXPECT_EQ(feed->position(), wanted);
  world.say("b");
  world.settle();
  EXPECT_EQ(feed->position(), wanted + 1) << "what does not match is behind it as well";
  EXPECT_EQ(world.bus().tail("type = ").error().code, core::Code::invalid);
}

TEST(Feed, ASlowReaderIsBoundedAndSlowsOnlyItself) {
  World world;
  auto slow = world.bus().tail("").value();
  auto quick = world.bus().tail("").value();
  EXPECT_THAT(next(world, *slow), IsEmpty());
  size_t quick_heard = 0;
  for (int i = 0; i < 4'000; ++i) {
    world.say("a");
    if (i % 100 == 99) {
      world.settle();
      quick_heard += next(world, *quick).size();
    }
  }
  EXPECT_EQ(quick_heard, 4'000U);
  EXPECT_LE(slow->queued(), feed_queue_max) << "the rest is in the log";
  std::vector<Offset> heard;
  for (int round = 0; round < 100 && heard.size() < 4'000; ++round)
    for (Offset offset : next(world, *slow)) heard.push_back(offset);
  ASSERT_THAT(heard, SizeIs(4'000));
  EXPECT_EQ(std::ranges::adjacent_find(heard, std::greater_equal<>()), heard.end()) << "in order, none twice";
}

TEST(Feed, TenThousandIdleOnesAreReadForNobodyButOnce) {
  World world;
  std::vector<std::unique_ptr<Feed>> feeds;
  for (int i = 0; i < 10'000; ++i) feeds.push_back(world.bus().tail("type = 'rare'").value());
  auto waiting = std::make_shared<std::vector<std::shared_ptr<std::optional<core::Result<std::vector<Shared>>>>>>();
  for (auto& feed : feeds) {
    waiting->push_back(std::make_shared<std::optional<core::Result<std::vector<Shared>>>>());
    world.loop().spawn(testing::keep_result(feed->next(10, 1h), waiting->back()));
  }
  world.settle();
  const size_t before = world.log().reads();
  for (int i = 0; i < 100; ++i) world.say("common");
  world.settle();
  EXPECT_LE(world.log().reads() - before, 100U) << "one read a batch, not one a feed";
  for (auto& each : *waiting) ASSERT_FALSE(each->has_value());
  world.say("rare");
  world.settle();
  for (auto& each : *waiting) ASSERT_TRUE(each->has_value());
}

}  // namespace
}  // namespace headrace::bus
