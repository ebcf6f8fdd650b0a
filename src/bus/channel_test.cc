#include "bus/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/meter.h"
#include "bus/testing/world.h"

namespace headrace::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::World;

Payload payload(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

std::vector<std::string> texts(const Listener::Heard& heard) {
  std::vector<std::string> all;
  for (const auto& each : heard.payloads) all.push_back(*each);
  return all;
}

struct ChannelTest : ::testing::Test {
  Listener::Heard next(Listener& listener, core::Duration limit = 0s) { return world.run(listener.next(100, limit)); }
  World world;
  Channels& channels = world.bus().channels();
};

TEST_F(ChannelTest, EveryListenerOfTheTopicHearsTheSamePayloadUncopied) {
  auto one = channels.listen("job/1"), two = channels.listen("job/1"), other = channels.listen("job/2");
  auto line = payload("hello");
  world.run(channels.publish("job/1", line));
  auto heard = next(*one);
  EXPECT_EQ(heard.payloads.at(0).get(), line.get());
  EXPECT_THAT(texts(next(*two)), ElementsAre("hello"));
  EXPECT_THAT(texts(next(*other)), IsEmpty());
  EXPECT_TRUE(channels.heard("job/1"));
  one.reset();
  two.reset();
  EXPECT_FALSE(channels.heard("job/1"));
}

TEST_F(ChannelTest, ASlowListenerLosesTheOldestAndIsToldHowMany) {
  auto slow = channels.listen("t", {.when_full = WhenFull::drop_oldest, .queue_max = 2});
  auto quick = channels.listen("t");
  for (const char* text : {"1", "2", "3", "4", "5"}) EXPECT_TRUE(channels.offer("t", payload(text)));
  auto heard = next(*slow);
  EXPECT_THAT(texts(heard), ElementsAre("4", "5"));
  EXPECT_EQ(heard.missed, 3U);
  EXPECT_EQ(next(*quick).payloads.size(), 5U);
  EXPECT_EQ(channels.measures().dropped, 3U);
}

TEST_F(ChannelTest, BytesAreBoundedTooAndOneLargePayloadStillPasses) {
  auto listener = channels.listen("t", {.when_full = WhenFull::drop_oldest, .queue_max = 100, .queue_bytes_max = 10});
  channels.offer("t", payload("12345678"));
  channels.offer("t", payload("a payload larger than the queue"));
  EXPECT_THAT(texts(next(*listener)), ElementsAre("a payload larger than the queue"));
}

TEST_F(ChannelTest, AListenerThatMustNotLoseHoldsThePublisherBack) {
  auto careful = channels.listen("t", {.when_full = WhenFull::wait, .queue_max = 1});
  EXPECT_TRUE(channels.offer("t", payload("1")));
  EXPECT_FALSE(channels.offer("t", payload("2")));
  auto ended = std::make_shared<bool>(false);
  world.loop().spawn(testing::keep_end(channels.publish("t", payload("2")), ended));
  world.settle();
  EXPECT_FALSE(*ended);
  EXPECT_THAT(texts(next(*careful)), ElementsAre("1"));
  world.settle();
  EXPECT_TRUE(*ended);
  EXPECT_THAT(texts(next(*careful)), ElementsAre("2"));
}

TEST_F(ChannelTest, ThePatienceOfThePublisherEnds) {
  auto stuck = channels.listen("t", {.when_full = WhenFull::wait, .queue_max = 1});
  channels.offer("t", payload("1"));
  world.run(channels.publish("t", payload("2")));
  world.run(channels.publish("t", payload("3")), 10ms);
  auto heard = next(*stuck);
  EXPECT_THAT(texts(heard), ElementsAre("3"));
  EXPECT_EQ(heard.missed, 2U);
  channels.offer("t", payload("4"));
  EXPECT_FALSE(channels.offer("t", payload("5"))) << "it keeps up again, so it is waited for again";
}

TEST_F(ChannelTest, AListenerThatLeavesHoldsNobodyBack) {
  auto careful = channels.listen("t", {.when_full = WhenFull::wait, .queue_max = 1});
  channels.offer("t", payload("1"));
  auto ended = std::make_shared<bool>(false);
  world.loop().spawn(testing::keep_end(channels.publish("t", payload("2")), ended));
  world.settle();
  careful.reset();
  world.settle();
  EXPECT_TRUE(*ended);
}

TEST(Histogram, AnswersQuantilesWithinAFifth) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), core::Duration::zero());
  for (int i = 1; i <= 1'000; ++i) histogram.add(std::chrono::microseconds(i * 10));
  EXPECT_GE(histogram.quantile(0.5), 5ms);
  EXPECT_LE(histogram.quantile(0.5), 6ms);
  EXPECT_GE(histogram.quantile(0.99), 9'900us);
  EXPECT_LE(histogram.quantile(0.99), 12ms);
  histogram.add(100h);
  EXPECT_GE(histogram.quantile(1.0), 3h);
}

TEST(Rate, ForgetsWithinMinutes) {
  Rate rate;
  core::Steady now{};
  for (int second = 0; second < 600; ++second) {
    now += 1s;
    rate.add(now, 10);
  }
  EXPECT_NEAR(rate.per_second(now), 10, 0.5);
  EXPECT_LT(rate.per_second(now + 10min), 0.01);
}

}  // namespace
}  // namespace headrace::bus
