#include "log/segment_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "log/testing/world.h"

namespace headrace::log {
namespace {

using testing::append;
using testing::batch_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ids_in;
using ::testing::IsEmpty;
using testing::numbered_event;
using testing::read_all;
using testing::World;
using namespace std::chrono_literals;

Batch keyed(std::vector<events::Event> events, std::string key) {
  Batch batch = batch_of(std::move(events));
  batch.key = std::move(key);
  return batch;
}

Batch expecting(events::Event event, std::string key, Offset offset) {
  Batch batch = batch_of({std::move(event)});
  batch.expected.push_back({std::move(key), offset});
  return batch;
}

std::vector<std::string> numbered(uint64_t first, uint64_t last) {
  std::vector<std::string> ids;
  for (uint64_t i = first; i <= last; ++i) ids.push_back("event-" + std::to_string(i));
  return ids;
}

TEST(SegmentLog, GivesEventsBackInOrderWithTheirOffsets) {
  World world;
  auto log = world.open();
  EXPECT_EQ(log->durable(), 0U);
  EXPECT_EQ(log->first(), 0U);
  EXPECT_THAT(append(*log, numbered_event(1))->offsets, ElementsAre(1));
  EXPECT_THAT(append(*log, batch_of({numbered_event(2), numbered_event(3)}))->offsets, ElementsAre(2, 3));
  EXPECT_EQ(log->durable(), 3U);
  EXPECT_EQ(log->first(), 1U);
  auto all = read_all(*log);
  ASSERT_EQ(all.size(), 3U);
  for (uint64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all[i].offset, i + 1);
    EXPECT_EQ(all[i].event, numbered_event(i + 1));
    EXPECT_EQ(all[i].time, world.clock.now());
  }
  EXPECT_THAT(*log->read(4, 10), IsEmpty());
  EXPECT_EQ(log->read(2, 1)->front().offset, 2U);
}

TEST(SegmentLog, KeepsEverythingOverARestartAndGoesOnBehindIt) {
  World world;
  {
    auto log = world.open();
    for (uint64_t i = 1; i <= 300; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
    EXPECT_GT(log->stat().segments, 2U);
  }
  auto log = world.open();
  EXPECT_EQ(log->durable(), 300U);
  EXPECT_EQ(ids_in(*log), numbered(1, 300));
  EXPECT_THAT(append(*log, numbered_event(301))->offsets, ElementsAre(301));
  EXPECT_EQ(ids_in(*log), numbered(1, 301));
}

TEST(SegmentLog, AnEventStoredAlreadyIsADuplicateForEver) {
  World world;
  auto log = world.open();
  for (uint64_t i = 1; i <= 300; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
  for (int restart = 0; restart < 2; ++restart) {
    for (uint64_t i : {1U, 150U, 300U}) {
      auto again = append(*log, numbered_event(i, 100));
      ASSERT_TRUE(again);
      EXPECT_TRUE(again->duplicate);
      EXPECT_THAT(again->offsets, ElementsAre(i));
      auto other = append(*log, numbered_event(i, 99));
      ASSERT_FALSE(other);
      EXPECT_EQ(other.error().code, core::Code::conflict);
    }
    log.reset();
    log = world.open();
  }
  EXPECT_EQ(log->durable(), 300U);
}

TEST(SegmentLog, AKeySeenBeforeGivesTheFirstBatchsOffsets) {
  World world;
  auto log = world.open();
  auto first = append(*log, keyed({numbered_event(1), numbered_event(2)}, "job:build/2"));
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->duplicate);
  for (uint64_t i = 10; i < 300; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
  for (int restart = 0; restart < 2; ++restart) {
    auto again = append(*log, keyed({numbered_event(1000)}, "job:build/2"));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->offsets, first->offsets);
    log.reset();
    log = world.open();
  }
}

TEST(SegmentLog, ABatchThatRepeatsSomeEventsStoresTheOthers) {
  World world;
  auto log = world.open();
  ASSERT_TRUE(append(*log, numbered_event(1)));
  ASSERT_TRUE(append(*log, numbered_event(2)));
  auto mixed = append(*log, keyed({numbered_event(3), numbered_event(1), numbered_event(4)}, "mixed"));
  ASSERT_TRUE(mixed);
  EXPECT_FALSE(mixed->duplicate);
  EXPECT_THAT(mixed->offsets, ElementsAre(3, 1, 4));
  log.reset();
  log = world.open();
  EXPECT_THAT(append(*log, keyed({numbered_event(9)}, "mixed"))->offsets, ElementsAre(3, 1, 4));
  EXPECT_EQ(ids_in(*log), numbered(1, 4));
}

TEST(SegmentLog, ABatchCountsOnlyIfWhatItExpectsHolds) {
  World world;
  auto log = world.open();
  EXPECT_EQ(*log->last_of("numbers/hello"), 0U);
  ASSERT_TRUE(append(*log, expecting(numbered_event(1), "numbers/hello", 0)));
  EXPECT_EQ(*log->last_of("numbers/hello"), 1U);
  auto stale = append(*log, expecting(numbered_event(2), "numbers/hello", 0));
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, core::Code::conflict);
  EXPECT_THAT(stale.error().message, HasSubstr("ended at offset 1"));
  for (uint64_t i = 10; i < 300; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
  for (int restart = 0; restart < 2; ++restart) {
    Offset last = *log->last_of("numbers/hello");
    auto next = append(*log, expecting(numbered_event(1000 + last), "numbers/hello", last));
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(*log->last_of("numbers/hello"), next->offsets.back());
    log.reset();
    log = world.open();
  }
}

TEST(SegmentLog, AppendingTaskResumesOnItsLoopWithTheAnswer) {
  World world;
  core::Loop loop;
  auto log = world.open();
  auto answer = loop.run(log->append(batch_of({numbered_event(1)})));
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->offsets, ElementsAre(1));
}

TEST(SegmentLog, ASecondProcessOnTheFolderIsRefusedWithTheFolderAndTheRemedy) {
  World world;
  auto log = world.open();
  auto second = world.try_open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, core::Code::conflict);
  EXPECT_THAT(second.error().message, HasSubstr("/log"));
  EXPECT_THAT(second.error().message, HasSubstr("headrace down"));
}

}  // namespace
}  // namespace headrace::log
