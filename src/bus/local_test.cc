#include "bus/local.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>

#include "bus/bus.h"
#include "bus/testing/world.h"

// The bus as a library, on a real log, a real thread and the real clock: nothing here waits for time to pass.
namespace headrace::bus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Heard {
  void add(const events::Event& event) {
    std::lock_guard lock(mutex);
    ids.push_back(event.subject);
  }
  std::vector<std::string> all() {
    std::lock_guard lock(mutex);
    return ids;
  }
  std::mutex mutex;
  std::vector<std::string> ids;
};

TEST(Local, PublishesDurablyAndReturnsWhenItsHandlersHaveRun) {
  testing::Disk disk;
  Local bus(disk.folder());
  Heard heard;
  auto subscription = bus.subscribe("type LIKE 'com.example.%'", [&](const events::Event& event) { heard.add(event); });
  auto published =
      bus.publish({.type = "com.example.greeted", .data = R"({"hello":"world"})", .subject = "one"}).value();
  EXPECT_THAT(heard.all(), ElementsAre("one"));
  EXPECT_TRUE(published.handled);
  EXPECT_EQ(published.durability, log::Durability::disk);
  bus.publish({.type = "org.other", .subject = "two"});
  bus.publish({.type = "com.example.greeted", .subject = "three"});
  EXPECT_THAT(heard.all(), ElementsAre("one", "three"));
}

TEST(Local, AHandlerThatLeftHearsNothingMore) {
  testing::Disk disk;
  Local bus(disk.folder());
  Heard heard;
  auto subscription = bus.subscribe("", [&](const events::Event& event) { heard.add(event); });
  bus.publish({.type = "a", .subject = "one"});
  subscription.leave();
  bus.publish({.type = "a", .subject = "two"});
  EXPECT_THAT(heard.all(), ElementsAre("one"));
}

TEST(Local, AnswersPublishAsyncOnItsThreadAndRefusesToWaitForItself) {
  testing::Disk disk;
  Local bus(disk.folder());
  std::promise<core::Result<Published>> outcome;
  auto subscription = bus.subscribe("", [&](const events::Event& event) {
    if (event.subject == "outer") outcome.set_value(bus.publish({.type = "a", .subject = "inner"}));
  });
  std::promise<Offset> offset;
  bus.publish_async({.type = "a", .subject = "outer"},
                    [&](core::Result<Published> published) { offset.set_value(published->offsets.front()); });
  EXPECT_EQ(offset.get_future().get(), 1U);
  auto within = outcome.get_future().get();
  ASSERT_FALSE(within);
  EXPECT_THAT(within.error().message, HasSubstr("publish_async"));
}

TEST(Local, ADurableSubscriptionGoesOnWhereItWas) {
  testing::Disk disk;
  Subscription durable;
  durable.name = "reader";
  durable.start = Start::beginning();
  durable.sync = true;
  Heard heard;
  auto hear = [&](const events::Event& event) { heard.add(event); };
  {
    Local bus(disk.folder());
    auto subscription = bus.subscribe(durable, hear).value();
    bus.publish({.type = "a", .subject = "one"});
  }
  {
    Local bus(disk.folder());
    bus.publish({.type = "a", .subject = "two"}, Sync::no);
  }
  Local bus(disk.folder());
  auto subscription = bus.subscribe(durable, hear).value();
  bus.publish({.type = "a", .subject = "three"});
  EXPECT_THAT(heard.all(), ElementsAre("one", "two", "three"));
}

core::Task<core::Result<>> greet_back(Local& bus, Delivery delivery) {
  if (delivery.event().subject != "hello") co_return core::Result<>{};
  Draft answer{.type = "a", .subject = "and hello to you"};
  auto published = co_await bus.publish_task(std::move(answer));
  if (!published) co_return std::unexpected(published.error());
  co_return core::Result<>{};
}

TEST(Local, HandlersMayBeTasksThatPublish) {
  testing::Disk disk;
  Local bus(disk.folder());
  Subscription greeter;
  greeter.name = "greeter";
  greeter.sync = true;
  std::promise<void> answered;
  auto subscription =
      bus.subscribe(greeter, Local::HearTask([&](Delivery d) { return greet_back(bus, std::move(d)); })).value();
  auto hearing = bus.subscribe("subject = 'and hello to you'", [&](const events::Event&) { answered.set_value(); });
  EXPECT_TRUE(bus.publish({.type = "a", .subject = "hello"})->handled);
  answered.get_future().wait();
}

TEST(Local, SaysWhyItCannotOpenOrHear) {
  testing::Disk disk;
  Local bus(disk.folder());
  EXPECT_EQ(Local::open(disk.folder()).error().code, core::Code::conflict);
  EXPECT_THROW(Local{disk.folder()}, std::runtime_error);
  EXPECT_THROW(auto held = bus.subscribe("type = ", [](const events::Event&) {}), std::runtime_error);
}

TEST(Local, ManyThreadsPublishAndEveryEventIsHeardOnceInLogOrder) {
  testing::Disk disk;
  Local bus(disk.folder());
  Heard heard;
  auto subscription = bus.subscribe("", [&](const events::Event& event) { heard.add(event); });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&bus, t] {
      for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(bus.publish({.type = "a", .subject = std::to_string(t) + "/" + std::to_string(i)}));
    });
  for (auto& thread : threads) thread.join();
  auto all = heard.all();
  ASSERT_EQ(all.size(), 200U);
  for (int t = 0; t < 4; ++t) {
    int next = 0;
    for (const auto& subject : all)
      if (subject.starts_with(std::to_string(t) + "/")) {
        EXPECT_EQ(subject, std::to_string(t) + "/" + std::to_string(next++));
      }
  }
}

TEST(Local, AHeldThatOutlivesTheBusIsHarmless) {
  testing::Disk disk;
  Held held;
  {
    Local bus(disk.folder());
    held = bus.subscribe("", [](const events::Event&) {});
  }
  held.leave();
}

}  // namespace
}  // namespace headrace::bus
