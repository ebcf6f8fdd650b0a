// Reading by time and type, trimming, watching, durability, producers side by side, and what lives on two threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "log/testing/world.h"

namespace headrace::log {
namespace {

using testing::append;
using testing::batch_of;
using testing::deterministic_options;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ids_in;
using ::testing::IsEmpty;
using testing::numbered_event;
using testing::read_all;
using testing::World;
using namespace std::chrono_literals;

constexpr int many = 300;  // enough for several small segments

TEST(SegmentLog, FindsTheFirstOffsetAtOrAfterATime) {
  World world;
  auto log = world.open();
  EXPECT_EQ(*log->at(world.clock.now()), std::nullopt);
  std::vector<core::Time> times;
  for (uint64_t i = 1; i <= many; ++i) {
    if (i % 3 == 1) world.clock.advance(10s);
    ASSERT_TRUE(append(*log, numbered_event(i, 100)));
    times.push_back(world.clock.now());
  }
  for (int restart = 0; restart < 2; ++restart) {
    for (uint64_t i = 1; i <= many; i += 7) {
      Offset first_of_its_time = (i - 1) / 3 * 3 + 1;
      EXPECT_EQ(*log->at(times[i - 1]), first_of_its_time);
      EXPECT_EQ(*log->at(times[i - 1] - 1ns), first_of_its_time);
    }
    EXPECT_EQ(*log->at(times.back() + 1ns), std::nullopt);
    EXPECT_EQ(*log->at({}), 1U);
    log.reset();
    log = world.open();
  }
}

TEST(SegmentLog, LogTimeNeverGoesBackWhenTheClockDoes) {
  World world;
  auto log = world.open();
  auto start = world.clock.now();
  ASSERT_TRUE(append(*log, numbered_event(1)));
  world.clock.set_wall(start - 1h);
  ASSERT_TRUE(append(*log, numbered_event(2)));
  log.reset();
  log = world.open();
  ASSERT_TRUE(append(*log, numbered_event(3)));
  for (const auto& stored : read_all(*log)) EXPECT_EQ(stored.time, start);
}

TEST(SegmentLog, ReadsOnlyTheTypesAskedFor) {
  World world;
  auto log = world.open();
  for (uint64_t i = 1; i <= many; ++i) {
    auto event = numbered_event(i, 100);
    event.type = i < 100 ? "early" : i % 10 == 0 ? "tenth" : "other";
    ASSERT_TRUE(append(*log, event));
  }
  for (int restart = 0; restart < 2; ++restart) {
    auto tenth = log->read_types(1, 1000, {"tenth"});
    ASSERT_TRUE(tenth);
    ASSERT_EQ(tenth->size(), 21U);
    for (size_t i = 0; i < tenth->size(); ++i) EXPECT_EQ((*tenth)[i].offset, 100 + 10 * i);
    EXPECT_EQ(log->read_types(1, 1000, {"tenth", "early"})->size(), 120U);
    EXPECT_EQ(log->read_types(150, 1, {"tenth"})->front().offset, 150U);
    EXPECT_THAT(*log->read_types(1, 1000, {"never"}), IsEmpty());
    EXPECT_THAT(*log->read_types(100, 1000, {"early"}), IsEmpty());
    log.reset();
    log = world.open();
  }
}

TEST(SegmentLog, ReadsOldSegmentsFromDiskAndRecentOnesFromMemoryAlike) {
  World world;
  SegmentLogOptions options = deterministic_options();
  options.tail_cache_bytes = 3000;
  auto log = world.open(options);
  std::vector<events::Event> events;
  for (uint64_t i = 1; i <= many; ++i) {
    events.push_back(numbered_event(i, i % 300));
    ASSERT_TRUE(append(*log, events.back()));
  }
  for (Offset from = 1; from <= many; from += 11) {
    auto some = log->read(from, 30);
    ASSERT_TRUE(some);
    ASSERT_EQ(some->size(), std::min<size_t>(30, many - from + 1));
    for (size_t i = 0; i < some->size(); ++i) EXPECT_EQ((*some)[i].event, events[from - 1 + i]);
  }
}

TEST(SegmentLog, AReaderThatMemoryRunsAwayFromIsGivenNoEventTwice) {
  World world;
  SegmentLogOptions options = deterministic_options();
  options.tail_cache_bytes = 4'000;
  options.segment_bytes = 64 << 20;
  auto log = world.open(options);
  std::atomic<bool> over = false;
  std::thread writer([&] {
    for (uint64_t i = 1; i <= 4'000; ++i) EXPECT_TRUE(append(*log, numbered_event(i, 200)));
    over = true;
  });
  while (!over) {
    const Offset durable = log->durable();
    auto read = log->read(durable > 8 ? durable - 8 : 1, 1'000);
    EXPECT_TRUE(read);
    for (size_t i = 1; read && i < read->size(); ++i) EXPECT_EQ((*read)[i].offset, (*read)[i - 1].offset + 1);
  }
  writer.join();
}

TEST(SegmentLog, OneReadGivesAboutAMebibyteAtMostAndAtLeastOneEvent) {
  World world;
  SegmentLogOptions options = deterministic_options();
  options.segment_bytes = 64 << 20;
  auto log = world.open(options);
  for (uint64_t i = 1; i <= 8; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 250'000)));
  EXPECT_EQ(log->read(1, 100)->size(), 5U);
}

TEST(SegmentLog, TrimForgetsWholeSegmentsThatEndBeforeTheOffset) {
  World world;
  auto log = world.open();
  for (uint64_t i = 1; i <= many; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
  size_t segments = log->stat().segments;
  ASSERT_TRUE(log->trim(200));
  EXPECT_LT(log->stat().segments, segments);
  Offset first = log->first();
  EXPECT_GT(first, 1U);
  EXPECT_LE(first, 200U);
  EXPECT_EQ(log->read(1, 1)->front().offset, first);
  EXPECT_EQ(*log->offset_of("/tests", "event-1"), std::nullopt);
  EXPECT_EQ(*log->offset_of("/tests", "event-250"), 250U);
  log.reset();
  EXPECT_TRUE(SegmentLog::verify(*world.disk, "/log")->good());
  log = world.open();
  EXPECT_EQ(log->first(), first);
  EXPECT_FALSE(append(*log, numbered_event(1, 100))->duplicate) << "what was forgotten is new again";
}

TEST(SegmentLog, AMemoryAcknowledgementComesBeforeTheSyncAndReadersWaitForIt) {
  World world;
  auto log = world.open();
  ASSERT_TRUE(append(*log, numbered_event(1)));
  world.disk->fail_sync(1);
  Batch batch = batch_of({numbered_event(2)});
  batch.durability = Durability::memory;
  auto answer = append(*log, batch);
  ASSERT_TRUE(answer) << "it does not wait for the sync, which fails";
  EXPECT_EQ(answer->durability, Durability::memory);
  EXPECT_THAT(answer->offsets, ElementsAre(2));
  EXPECT_FALSE(append(*log, numbered_event(3)));
  EXPECT_EQ(log->durable(), 1U);
  EXPECT_THAT(ids_in(*log), ElementsAre("event-1"));
}

TEST(SegmentLog, RefusesWhatNoLogCanTakeWithTheReason) {
  World world;
  auto log = world.open();
  auto refused = [&](Batch batch) { return append(*log, std::move(batch)).error(); };
  EXPECT_THAT(refused(batch_of({})).message, HasSubstr("1 to 1000 events"));
  auto no_type = numbered_event(1);
  no_type.type.clear();
  EXPECT_THAT(refused(batch_of({no_type})).message, HasSubstr("has no type"));
  EXPECT_THAT(refused(batch_of({numbered_event(1, 300'000)})).message, HasSubstr("256 KiB"));
  EXPECT_THAT(refused(batch_of({numbered_event(1), numbered_event(1)})).message, HasSubstr("same source and id"));
  std::vector<events::Event> large;
  for (uint64_t i = 0; i < 30; ++i) large.push_back(numbered_event(i, 250'000));
  EXPECT_THAT(refused(batch_of(large)).message, HasSubstr("send it in parts"));
  Batch key = batch_of({numbered_event(1)});
  key.key.assign(600, 'k');
  EXPECT_EQ(refused(key).code, core::Code::invalid);
  EXPECT_EQ(log->durable(), 0U);
}

// The log's thread is held in an answer while more comes than may wait.
TEST(SegmentLog, MoreThanMayBePendingIsRefusedAsExhausted) {
  World world;
  SegmentLogOptions options = deterministic_options();
  options.pending_bytes_max = 100'000;
  auto log = world.open(options);
  std::promise<void> entered, go_on;
  log->submit(batch_of({numbered_event(1)}), [&](core::Result<Appended>) {
    entered.set_value();
    go_on.get_future().wait();
  });
  entered.get_future().wait();
  std::atomic<int> stored = 0, exhausted = 0;
  std::promise<void> all;
  for (uint64_t i = 2; i < 12; ++i)
    log->submit(batch_of({numbered_event(i, 20'000)}), [&](core::Result<Appended> answer) {
      if (answer) ++stored;
      if (!answer && answer.error().code == core::Code::exhausted) ++exhausted;
      if (stored + exhausted == 10) all.set_value();
    });
  go_on.set_value();
  all.get_future().wait();
  EXPECT_EQ(stored, 4);
  EXPECT_EQ(exhausted, 6);
  EXPECT_TRUE(append(*log, numbered_event(50, 20'000)));
}

TEST(SegmentLog, WatchersHearOfEachBatchUntilTheyLeave) {
  World world;
  auto log = world.open();
  std::vector<Offset> heard;
  auto watch = log->watch([&](Offset durable) { heard.push_back(durable); });
  ASSERT_TRUE(append(*log, numbered_event(1)));
  ASSERT_TRUE(append(*log, batch_of({numbered_event(2), numbered_event(3)})));
  ASSERT_TRUE(append(*log, numbered_event(1))->duplicate);
  ASSERT_TRUE(log->seal());  // the answers before it are given, and told
  EXPECT_THAT(heard, ElementsAre(1, 3));
  watch.reset();
  ASSERT_TRUE(append(*log, numbered_event(4)));
  ASSERT_TRUE(log->seal());
  EXPECT_THAT(heard, ElementsAre(1, 3));
}

TEST(SegmentLog, AnIdleLogSealsItselfSoThatItsTailIsKnownToBeWhole) {
  World world;
  SegmentLogOptions options = deterministic_options();
  options.idle_seal = 1ms;
  auto log = world.open(options);
  ASSERT_TRUE(append(*log, numbered_event(1)));
  while (log->stat().batches_written < 2) std::this_thread::yield();
  auto report = SegmentLog::verify(*world.disk->reboot_with_nothing_unsynced(), "/log");
  EXPECT_EQ(report->tail, VerifyReport::Tail::sealed);
  EXPECT_EQ(report->events, 1U);
}

// Several tasks append in one turn of the loop: their answers come with one wake-up of it.
core::Task<> append_one(EventLog& log, uint64_t number, int& done) {
  Batch batch;
  batch.events.push_back(numbered_event(number));
  auto answer = co_await log.append(std::move(batch));
  if (answer) ++done;
}

TEST(SegmentLog, ManyTasksOfOneLoopAreAnsweredWithOnePostABatch) {
  World world;
  core::Loop loop;
  auto log = world.open();
  std::promise<void> entered, go_on;
  log->submit(batch_of({numbered_event(0)}), [&](core::Result<Appended>) {
    entered.set_value();
    go_on.get_future().wait();
  });
  entered.get_future().wait();
  int done = 0;
  for (uint64_t i = 1; i <= 20; ++i) loop.spawn(append_one(*log, i, done));
  loop.poll();
  go_on.set_value();
  ASSERT_TRUE(log->seal());
  EXPECT_EQ(done, 0);
  size_t handlers = loop.poll();
  EXPECT_EQ(done, 20);
  EXPECT_LE(handlers, 1U + 20U) << "one post, and the ends of the tasks";
  EXPECT_EQ(log->stat().batches_written, 3U) << "the first, the twenty, the seal";
}

TEST(SegmentLog, ProducersAndReadersSideBySideLoseAndDoubleNothing) {
  constexpr uint64_t each = 150;
  constexpr uint64_t producers = 4;
  World world;
  SegmentLogOptions options = deterministic_options();
  options.housekeeping = SegmentLogOptions::Housekeeping::own_thread;
  options.prefill = SegmentLogOptions::Prefill::always;
  options.idle_seal = 1ms;
  options.scrub_pause = 1ms;
  auto log = world.open(options);
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  std::atomic<uint64_t> answered = 0;
  for (uint64_t producer = 0; producer < producers; ++producer)
    threads.emplace_back([&, producer] {
      for (uint64_t i = 0; i < each; ++i)
        if (append(*log, numbered_event(producer * 1000 + i, 200))) ++answered;
    });
  std::thread reader([&] {
    Offset next = 1;
    while (!stop || next <= log->durable()) {
      auto some = log->read(next, 10);
      ASSERT_TRUE(some) << some.error().message;
      for (const auto& stored : *some) ASSERT_EQ(stored.offset, next++);
      ASSERT_TRUE(log->at(world.clock.now()));
      ASSERT_TRUE(log->offset_of("/tests", "event-1005"));
    }
  });
  for (auto& thread : threads) thread.join();
  stop = true;
  reader.join();
  EXPECT_EQ(answered, each * producers);
  auto ids = ids_in(*log);
  EXPECT_EQ(ids.size(), each * producers);
  EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), each * producers);
  log.reset();
  EXPECT_TRUE(SegmentLog::verify(*world.disk, "/log")->good());
}

TEST(SegmentLog, ReadsOfflineWithoutChangingAnything) {
  World world;
  auto log = world.open();
  for (uint64_t i = 1; i <= many; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
  EXPECT_EQ(SegmentLog::open_read_only(*world.disk, world.clock, "/log").error().code, core::Code::conflict);
  EXPECT_EQ(SegmentLog::verify(*world.disk, "/log").error().code, core::Code::conflict);
  log.reset();
  uint64_t before = world.disk->operations();
  {
    auto reading = SegmentLog::open_read_only(*world.disk, world.clock, "/log");
    ASSERT_TRUE(reading);
    EXPECT_EQ(ids_in(**reading).size(), many);
    EXPECT_EQ(*(*reading)->offset_of("/tests", "event-7"), 7U);
    EXPECT_EQ(append(**reading, numbered_event(1000)).error().code, core::Code::unavailable);
  }
  EXPECT_EQ(world.disk->operations(), before);
}

TEST(SegmentLog, PrefilledSegmentsAreUsedOnceTheyAreReady) {
  World world;
  SegmentLogOptions options = deterministic_options();
  options.prefill = SegmentLogOptions::Prefill::always;
  auto log = world.open(options);
  for (uint64_t i = 1; i <= many; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
  EXPECT_TRUE(log->stat().prefilled);
  log.reset();
  log = world.open(options);
  EXPECT_TRUE(log->stat().prefilled);
  EXPECT_EQ(ids_in(*log).size(), many);
}

TEST(SegmentLog, RunsOfIdsAreMergedSoThatFewAreAsked) {
  World world;
  SegmentLogOptions options = deterministic_options();
  options.segment_bytes = 6 * 1024;
  options.filter_bytes_max = 512;
  auto log = world.open(options);
  for (uint64_t i = 1; i <= 900; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
  ASSERT_GT(log->stat().segments, 64U);
  auto names = world.disk->list("/log");
  auto runs = std::ranges::count_if(*names, [](const std::string& name) { return name.ends_with(".ids"); });
  EXPECT_LE(runs, 16);
  for (uint64_t i = 1; i <= 900; i += 13) EXPECT_EQ(*log->offset_of("/tests", "event-" + std::to_string(i)), i);
  EXPECT_EQ(*log->offset_of("/tests", "event-901"), std::nullopt);
}

}  // namespace
}  // namespace headrace::log
