#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/bell.h"
#include "bus/testing/world.h"
#include "events/bus.h"

namespace headrace::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::event;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::World;

Subscription named(std::string name) {
  Subscription subscription;
  subscription.name = std::move(name);
  subscription.start = Start::beginning();
  return subscription;
}

core::Result<> refused() { return core::fail(core::Code::unavailable, "Not now."); }

// Handlers that wait: each delivery stays at work until the test lets it go.
struct Workshop {
  explicit Workshop(World& of) : world(of) {}
  core::Task<core::Result<>> work(Delivery delivery) {
    at_work.push_back(delivery.offset());
    Bell bell(world.loop().executor());
    bells[delivery.offset()] = &bell;
    co_await bell.wait(0);
    bells.erase(delivery.offset());
    std::erase(at_work, delivery.offset());
    finished.push_back(delivery.offset());
    co_return core::Result<>{};
  }
  AsyncHandler handler() {
    return [this](Delivery delivery) { return work(std::move(delivery)); };
  }
  void finish(Offset offset) {
    bells.at(offset)->ring();
    world.settle();
  }
  World& world;
  std::vector<Offset> at_work, finished;
  std::map<Offset, Bell*> bells;
};

TEST(Delivery, HandsEveryMatchingEventOverInLogOrder) {
  World world;
  std::vector<Offset> heard;
  auto subscription = named("plain");
  subscription.types = {"a"};
  ASSERT_TRUE(world.bus().subscribe(subscription, [&](const Delivery& d) -> core::Result<> {
    heard.push_back(d.offset());
    return {};
  }));
  world.say("a");
  world.start();
  world.say("b");
  world.say("a");
  world.settle();
  EXPECT_THAT(heard, ElementsAre(1, 3));
}

TEST(Delivery, FiltersByCloudEventsSqlAndByDialects) {
  World world;
  std::vector<Offset> by_sql, by_dialect;
  auto sql = named("sql");
  sql.filter = "type LIKE 'com.example.%' AND partitionkey = 'x'";
  auto dialect = named("dialect");
  dialect.filter = R"([{"prefix":{"type":"com."}}])";
  ASSERT_TRUE(world.bus().subscribe(sql, [&](const Delivery& d) -> core::Result<> {
    by_sql.push_back(d.offset());
    return {};
  }));
  ASSERT_TRUE(world.bus().subscribe(dialect, [&](const Delivery& d) -> core::Result<> {
    by_dialect.push_back(d.offset());
    return {};
  }));
  world.start();
  world.say("com.example.one", "x");
  world.say("com.example.two", "y");
  world.say("org.example.one", "x");
  world.settle();
  EXPECT_THAT(by_sql, ElementsAre(1));
  EXPECT_THAT(by_dialect, ElementsAre(1, 2));
}

TEST(Delivery, ANewHandlerStartsAtNowUnlessItAsksForMore) {
  World world;
  world.say("a");
  world.advance(10s);
  const auto later = world.clock().now();
  world.say("a");
  world.say("a");
  std::map<std::string, std::vector<Offset>> heard;
  auto hear = [&](std::string name, Start start) {
    auto subscription = named(name);
    subscription.start = start;
    ASSERT_TRUE(world.bus().subscribe(subscription, [&heard, name](const Delivery& d) -> core::Result<> {
      heard[name].push_back(d.offset());
      return {};
    }));
  };
  hear("now", Start::now());
  hear("beginning", Start::beginning());
  hear("offset", Start::at(Offset{3}));
  hear("time", Start::at(later));
  world.start();
  world.say("a");
  world.settle();
  EXPECT_THAT(heard["now"], ElementsAre(4));
  EXPECT_THAT(heard["beginning"], ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(heard["offset"], ElementsAre(3, 4));
  EXPECT_THAT(heard["time"], ElementsAre(2, 3, 4));
}

TEST(Delivery, KeysRunSideBySideAndOneKeyNeverDoes) {
  World world;
  Workshop shop(world);
  ASSERT_TRUE(world.bus().subscribe(named("work"), shop.handler()));
  world.start();
  for (const char* key : {"x", "x", "y", "y", "z"}) world.say("a", key);
  world.settle();
  EXPECT_THAT(shop.at_work, ElementsAre(1, 3, 5));
  shop.finish(3);
  EXPECT_THAT(shop.at_work, ElementsAre(1, 5, 4));
  shop.finish(1);
  EXPECT_THAT(shop.at_work, ElementsAre(5, 4, 2));
  for (Offset left : {5U, 4U, 2U}) shop.finish(left);
}

TEST(Delivery, NeverWorksOnMoreThanItsConcurrency) {
  World world;
  Workshop shop(world);
  auto subscription = named("work");
  subscription.concurrency = 2;
  ASSERT_TRUE(world.bus().subscribe(subscription, shop.handler()));
  world.start();
  for (int i = 0; i < 5; ++i) world.say("a", "key" + std::to_string(i));
  world.settle();
  EXPECT_THAT(shop.at_work, ElementsAre(1, 2));
  shop.finish(1);
  EXPECT_THAT(shop.at_work, ElementsAre(2, 3));
  for (Offset left : {2U, 3U, 4U, 5U}) shop.finish(left);
}

TEST(Delivery, TriesAgainAfterTheBackOffAndKeepsTheOrderOfTheKey) {
  World world;
  std::vector<std::pair<Offset, uint32_t>> heard;
  auto subscription = named("flaky");
  subscription.back_off = {1s, 10s};
  ASSERT_TRUE(world.bus().subscribe(subscription, [&](const Delivery& d) {
    heard.emplace_back(d.offset(), d.attempt());
    return d.offset() == 1 && d.attempt() < 3 ? refused() : core::Result<>{};
  }));
  world.start();
  world.say("a", "x");
  world.say("a", "x");
  world.say("a", "y");
  world.settle();
  EXPECT_THAT(heard, ElementsAre(std::pair(1, 1), std::pair(3, 1))) << "2 waits behind 1, 3 has another key";
  world.advance(800ms);
  EXPECT_THAT(heard, SizeIs(2)) << "not before 0.9 times the pause";
  world.advance(400ms);
  EXPECT_THAT(heard, SizeIs(3));
  world.advance(8s);
  EXPECT_THAT(heard, SizeIs(3)) << "the second pause is ten times as long";
  world.advance(4s);
  EXPECT_THAT(heard, ElementsAre(std::pair(1, 1), std::pair(3, 1), std::pair(1, 2), std::pair(1, 3), std::pair(2, 1)));
}

TEST(Delivery, AHandlerThatThrowsForEverDoesNotStopTheOthers) {
  World world;
  size_t thrown = 0;
  std::vector<Offset> heard;
  auto bad = named("bad");
  bad.deliveries_max = 3;
  ASSERT_TRUE(world.bus().subscribe(bad, [&](const Delivery&) -> core::Result<> {
    ++thrown;
    throw std::runtime_error("poison");
  }));
  ASSERT_TRUE(world.bus().subscribe(named("good"), [&](const Delivery& d) -> core::Result<> {
    heard.push_back(d.offset());
    return {};
  }));
  world.start();
  for (int i = 0; i < 3; ++i) world.say("a", "x");
  world.settle();
  EXPECT_THAT(heard, ElementsAre(1, 2, 3));
  world.advance(5min);
  auto letters = world.bus().dead_letters("bad").value();
  ASSERT_THAT(letters, SizeIs(Gt(2U))) << "the three, and what the bus says of them";
  EXPECT_THAT(letters.front().error, HasSubstr("poison"));
  EXPECT_EQ(letters.front().attempts, 3U);
}

TEST(Delivery, AHandlerThatNeverReturnsIsCancelledAndCountsAsFailed) {
  World world;
  Workshop shop(world);
  auto subscription = named("slow");
  subscription.ack_wait = 5s;
  subscription.back_off = {1s};
  ASSERT_TRUE(world.bus().subscribe(subscription, shop.handler()));
  world.start();
  world.say("a", "x");
  world.advance(4s);
  EXPECT_THAT(shop.at_work, ElementsAre(1));
  EXPECT_EQ(world.bus().measures().front().failed, 0U);
  world.advance(1500ms);
  EXPECT_EQ(world.bus().measures().front().failed, 1U);
  EXPECT_THAT(world.bus().status("slow")->waiting.front().detail, HasSubstr("5000 ms"));
  world.advance(1s);
  EXPECT_THAT(shop.at_work, SizeIs(2)) << "handed over again";
  shop.finish(1);
}

core::Task<core::Result<>> extend_once(World& world, Delivery delivery) {
  co_await world.clock().sleep_for(4s);
  delivery.extend();
  co_await world.clock().sleep_for(4s);
  co_return core::Result<>{};
}

TEST(Delivery, ExtendingBeginsTheAcknowledgementWaitAnew) {
  World world;
  auto subscription = named("long");
  subscription.ack_wait = 5s;
  ASSERT_TRUE(
      world.bus().subscribe(subscription, AsyncHandler([&](Delivery d) { return extend_once(world, std::move(d)); })));
  world.start();
  world.say("a");
  world.advance(9s);
  EXPECT_EQ(world.bus().measures().front().delivered, 1U);
  EXPECT_EQ(world.bus().measures().front().failed, 0U);
}

core::Task<> wait_until(const Offset& applied, Bell& bell, Offset offset) {
  while (applied < offset) co_await bell.wait(bell.rung());
}

TEST(Delivery, WaitsUntilTheGateLetsTheOffsetThrough) {
  World world;
  Offset applied = 0;
  Bell bell(world.loop().executor());
  std::vector<Offset> heard;
  auto subscription = named("reactor");
  subscription.gate = [&](Offset offset) { return wait_until(applied, bell, offset); };
  ASSERT_TRUE(world.bus().subscribe(subscription, [&](const Delivery& d) -> core::Result<> {
    heard.push_back(d.offset());
    return {};
  }));
  world.start();
  world.say("a");
  world.say("a");
  world.settle();
  EXPECT_THAT(heard, IsEmpty());
  ASSERT_THAT(world.bus().status("reactor")->waiting, SizeIs(1));
  EXPECT_EQ(world.bus().status("reactor")->waiting.front().reason, Waiting::Reason::gate);
  applied = 1;
  bell.ring();
  world.settle();
  EXPECT_THAT(heard, ElementsAre(1));
  applied = 2;
  bell.ring();
  world.settle();
  EXPECT_THAT(heard, ElementsAre(1, 2));
}

TEST(Delivery, AGateThatThrowsHoldsTheEventBackAndIsAskedAgain) {
  World world;
  bool broken = true;
  std::vector<Offset> heard;
  auto subscription = named("reactor");
  subscription.gate = [&](Offset) -> core::Task<> {
    if (broken) throw std::runtime_error("projection stopped");
    return world.clock().sleep_for(1ns);
  };
  ASSERT_TRUE(world.bus().subscribe(subscription, [&](const Delivery& d) -> core::Result<> {
    heard.push_back(d.offset());
    return {};
  }));
  world.start();
  world.say("a");
  world.advance(3s);
  EXPECT_THAT(heard, IsEmpty());
  broken = false;
  world.advance(3s);
  EXPECT_THAT(heard, ElementsAre(1));
}

TEST(Delivery, AnUnreadableLogIsSaidAndReadAgain) {
  World world;
  std::vector<Offset> heard;
  ASSERT_TRUE(world.bus().subscribe(named("reader"), [&](const Delivery& d) -> core::Result<> {
    heard.push_back(d.offset());
    return {};
  }));
  world.say("a");
  world.log().fail_reads(core::Error{core::Code::corrupt, "Segment 1 is damaged.", ""});
  world.start();
  world.advance(2s);
  EXPECT_EQ(world.bus().status("reader")->waiting.front().reason, Waiting::Reason::log_unreadable);
  world.log().fail_reads(std::nullopt);
  world.advance(2s);
  EXPECT_THAT(heard, ElementsAre(1));
}

TEST(Delivery, AThousandEventsOfOneKeyPassInOrderWithoutTakingTheLoop) {
  World world;
  std::vector<Offset> heard;
  ASSERT_TRUE(world.bus().subscribe(named("many"), [&](const Delivery& d) -> core::Result<> {
    heard.push_back(d.offset());
    return {};
  }));
  world.start();
  for (int i = 0; i < 5'000; ++i) world.say("a", "x");
  world.settle();
  EXPECT_THAT(heard, SizeIs(5'000));
  EXPECT_TRUE(std::ranges::is_sorted(heard));
}

TEST(Delivery, ANameTwiceIsAConflictAndAFilterThatIsNoneIsInvalid) {
  World world;
  auto handler = [](const Delivery&) -> core::Result<> { return {}; };
  ASSERT_TRUE(world.bus().subscribe(named("one"), handler));
  EXPECT_EQ(world.bus().subscribe(named("one"), handler).error().code, core::Code::conflict);
  auto bad = named("two");
  bad.filter = "type = ";
  EXPECT_EQ(world.bus().subscribe(bad, handler).error().code, core::Code::invalid);
  EXPECT_EQ(world.bus().subscribe(named("no spaces"), handler).error().code, core::Code::invalid);
}

TEST(Delivery, MeasuresTellAgeLengthRatesAndTimes) {
  World world;
  Workshop shop(world);
  ASSERT_TRUE(world.bus().subscribe(named("work"), shop.handler()));
  world.start();
  world.say("a", "x");
  world.say("a", "x");
  world.advance(2s);
  auto before = world.bus().measures().front();
  EXPECT_EQ(before.queue_length, 2U);
  EXPECT_TRUE(before.queue_exact);
  EXPECT_EQ(before.in_flight, 1U);
  EXPECT_EQ(before.oldest_unacknowledged, 2s);
  shop.finish(1);
  shop.finish(2);
  auto after = world.bus().measures().front();
  EXPECT_EQ(after.delivered, 2U);
  EXPECT_EQ(after.queue_length, 0U);
  EXPECT_GT(after.delivered_per_second, 0);
  EXPECT_GE(after.handler_p99, 2s);
  EXPECT_LT(after.handler_p99, 2500ms);
  EXPECT_GE(after.response_p99, 2s);
}

}  // namespace
}  // namespace headrace::bus
