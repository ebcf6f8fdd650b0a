#include "bus/topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace headrace::bus {
namespace {

using ::testing::ElementsAre;

TEST(Topic, CallsHandlersInTheOrderTheyCame) {
  Topic<int> topic;
  std::vector<std::string> heard;
  auto one = topic.subscribe([&](int n) { heard.push_back("one " + std::to_string(n)); });
  auto two = topic.subscribe([&](int n) { heard.push_back("two " + std::to_string(n)); });
  topic.publish(7);
  EXPECT_THAT(heard, ElementsAre("one 7", "two 7"));
}

TEST(Topic, AHandlerThatLeftIsNotCalledAndItsPlaceIsGone) {
  Topic<> topic;
  int calls = 0;
  {
    auto held = topic.subscribe([&] { ++calls; });
    topic.publish();
  }
  topic.publish();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(topic.handlers(), 0U);
}

TEST(Topic, HandlersMayComeGoAndPublishWhileTheyAreCalled) {
  Topic<int> topic;
  std::vector<int> heard;
  Held self;
  std::vector<Held> more;
  self = topic.subscribe([&](int depth) {
    heard.push_back(depth);
    self.leave();
    more.push_back(topic.subscribe([&](int inner) { heard.push_back(100 + inner); }));
    if (depth < 2) topic.publish(depth + 1);
  });
  topic.publish(1);
  EXPECT_THAT(heard, ElementsAre(1, 102));
}

TEST(Topic, ManyTopicsThatShareAPlaceInTheCacheStayApart) {
  std::vector<std::unique_ptr<Topic<int>>> topics;
  std::vector<Held> held;
  std::vector<int> sums(100);
  for (size_t i = 0; i < sums.size(); ++i) {
    topics.push_back(std::make_unique<Topic<int>>());
    held.push_back(topics.back()->subscribe([&sums, &topics, i](int n) {
      sums[i] += n;
      if (i + 32 < topics.size()) topics[i + 32]->publish(n);  // the same place, while it is in use
    }));
  }
  for (size_t i = 0; i < 32; ++i) topics[i]->publish(1);
  for (size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(sums[i], 1) << i;
}

TEST(Topic, AHeldLeftAfterItsTopicIsGoneIsHarmless) {
  auto topic = std::make_unique<Topic<int>>();
  auto held = topic->subscribe([](int) {});
  topic.reset();
  held.leave();
}

TEST(Topic, ThreadsPublishWhileOthersComeAndGo) {
  Topic<int> topic;
  std::atomic<int> sum = 0;
  auto always = topic.subscribe([&](int n) { sum += n; });
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) topic.publish(1);
    });
  for (int i = 0; i < 500; ++i) auto brief = topic.subscribe([](int) {});
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sum, 6'000);
}

}  // namespace
}  // namespace headrace::bus
