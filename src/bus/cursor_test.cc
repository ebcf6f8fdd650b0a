#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/cursor_store.h"
#include "bus/testing/world.h"
#include "events/bus.h"

namespace headrace::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::World;

struct Counting {
  explicit Counting(World& world, Start start = Start::beginning()) {
    Subscription subscription;
    subscription.name = "count";
    subscription.types = {"a"};
    subscription.start = start;
    EXPECT_TRUE(world.bus().subscribe(subscription, [this](const Delivery& d) -> core::Result<> {
      heard.push_back(d.offset());
      attempts.push_back(d.attempt());
      if (refuse.contains(d.offset())) return core::fail(core::Code::unavailable, "Not now.");
      return {};
    }));
  }
  std::set<Offset> refuse;
  std::vector<Offset> heard;
  std::vector<uint32_t> attempts;
};

TEST(Cursor, GoesOnWhereItWasAfterARestart) {
  testing::Disk disk;
  World world(disk.database());
  Counting first(world);
  world.start();
  world.say("a");
  world.say("a");
  world.settle();
  world.restart();
  world.say("a");
  Counting second(world);
  world.start();
  EXPECT_THAT(first.heard, ElementsAre(1, 2));
  EXPECT_THAT(second.heard, ElementsAre(3));
}

TEST(Cursor, ACrashRepeatsOnlyWhatWasAcknowledgedSinceTheLastFlush) {
  testing::Disk disk;
  World world(disk.database());
  Counting first(world);
  world.start();
  world.say("a");
  world.settle();
  world.advance(60ms);  // flushed
  world.say("a");
  world.settle();
  world.crash();
  Counting second(world);
  world.start();
  EXPECT_THAT(first.heard, ElementsAre(1, 2));
  EXPECT_THAT(second.heard, ElementsAre(2));
}

core::Task<core::Result<>> speak(World& world, size_t& runs, Delivery delivery) {
  ++runs;
  Said said(world.bus(), "pipeline", delivery);
  said.add("run", events::SubscriptionPaused{.subscription = "run " + std::to_string(runs), .reason = "test"});
  auto appended = co_await said.append();
  if (!appended) co_return std::unexpected(appended.error());
  co_return core::Result<>{};
}

TEST(Cursor, ACrashRepeatsTheHandlerButNotWhatItSaid) {
  testing::Disk disk;
  World world(disk.database());
  size_t runs = 0;
  for (int life = 0; life < 3; ++life) {
    Subscription subscription;
    subscription.name = "plan";
    subscription.types = {"a"};
    subscription.start = Start::beginning();
    ASSERT_TRUE(world.bus().subscribe(subscription,
                                      AsyncHandler([&](Delivery d) { return speak(world, runs, std::move(d)); })));
    world.start();
    if (life == 0) world.say("a");
    world.settle();
    world.crash();  // before the cursor is written
  }
  EXPECT_EQ(runs, 3U);
  auto said = world.said(events::SubscriptionPaused::type);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(events::decode<events::SubscriptionPaused>(said[0].event)->subscription, "run 1");
}

TEST(Cursor, IsFlushedAfterAThousandAcknowledgementsWithoutWaiting) {
  testing::Disk disk;
  World world(disk.database());
  Counting first(world);
  world.start();
  for (int i = 0; i < 1'500; ++i) world.say("a");
  world.settle();
  world.crash();
  Counting second(world);
  world.start();
  EXPECT_LE(second.heard.size(), 500U);
}

TEST(Cursor, RemembersWhichOfManyKeysWereNotDoneAndHowOftenTheyFailed) {
  testing::Disk disk;
  World world(disk.database());
  Counting first(world);
  first.refuse = {2};
  world.start();
  world.say("a", "x");
  world.say("a", "y");
  world.say("a", "z");
  world.settle();
  world.advance(100ms);
  world.crash();
  Counting second(world);
  world.start();
  EXPECT_THAT(second.heard, IsEmpty()) << "its back-off of a second has not passed";
  world.advance(2s);
  EXPECT_THAT(second.heard, ElementsAre(2));
  EXPECT_THAT(second.attempts, ElementsAre(2));
}

TEST(Cursor, AShutdownIsNoFailedAttempt) {
  testing::Disk disk;
  World world(disk.database());
  Subscription subscription;
  subscription.name = "slow";
  subscription.start = Start::beginning();
  AsyncHandler sleeping = [&](Delivery d) -> core::Task<core::Result<>> {
    struct Run {
      static core::Task<core::Result<>> sleep(core::Clock& clock, Delivery) {
        co_await clock.sleep_for(20s);
        co_return core::Result<>{};
      }
    };
    return Run::sleep(world.clock(), std::move(d));
  };
  ASSERT_TRUE(world.bus().subscribe(subscription, sleeping));
  world.start();
  world.say("a");
  world.settle();
  world.restart();
  std::vector<uint32_t> attempts;
  ASSERT_TRUE(world.bus().subscribe(subscription, [&](const Delivery& d) -> core::Result<> {
    if (d.offset() == 1) attempts.push_back(d.attempt());
    return {};
  }));
  world.start();
  EXPECT_THAT(attempts, ElementsAre(1));
}

TEST(Cursor, IsClampedToTheEndOfALogThatLostItsOwn) {
  testing::Disk disk;
  World world(disk.database());
  Counting first(world);
  world.start();
  for (int i = 0; i < 5; ++i) world.say("a");
  world.settle();
  world.advance(100ms);
  world.stop_cleanly();
  world.log().lose_after(3);
  world.crash();
  Counting second(world);
  world.say("a");  // takes offset 4 anew
  world.start();
  EXPECT_THAT(second.heard, ElementsAre(4));
}

TEST(Cursor, PacksOffsetsAsDifferences) {
  const std::vector<Offset> offsets = {11, 12, 300, 70'000, Offset{1} << 40};
  const std::string packed = pack_offsets(10, offsets);
  EXPECT_EQ(packed.size(), 1U + 1U + 2U + 3U + 6U);
  EXPECT_EQ(unpack_offsets(10, packed), offsets);
  EXPECT_EQ(unpack_offsets(10, std::string("\x80", 1)), std::nullopt) << "cut off";
  EXPECT_EQ(unpack_offsets(10, std::string(1, '\0')), std::nullopt) << "no offset twice";
}

TEST(Cursor, ASubscriptionReadsBackAsItWasWritten) {
  Subscription s;
  s.name = "hook";
  s.service = "notify";
  s.types = {"a", "b"};
  s.filter = "type = 'x'";
  s.start = Start::at(Offset{7});
  s.order_by = "subject";
  s.concurrency = 3;
  s.ack_wait = 7s;
  s.back_off = {2s, 3s};
  s.deliveries_max = 9;
  s.on_dead = OnDead::hold;
  s.sync = true;
  const auto back = subscription_from_text(to_text(s)).value();
  EXPECT_EQ(to_text(back), to_text(s));
  EXPECT_EQ(back.start.offset, 7U);
  EXPECT_EQ(back.back_off, s.back_off);
  EXPECT_EQ(back.on_dead, OnDead::hold);
}

}  // namespace
}  // namespace headrace::bus
