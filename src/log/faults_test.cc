// What the log does on a disk that fails, fills up or decays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/format.h"
#include "log/scan.h"
#include "log/testing/world.h"

namespace headrace::log {
namespace {

using testing::append;
using testing::batch_of;
using testing::deterministic_options;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ids_in;
using testing::numbered_event;
using testing::World;

const std::string first_segment = "/log/00000000000000000001.seg";

SegmentLogOptions one_segment() {
  SegmentLogOptions options = deterministic_options();
  options.segment_bytes = 1 << 20;
  return options;
}

// The position of the batch that holds event `number`, all of them written one a batch with 40 bytes of data.
uint64_t batch_of_event(World& world, uint64_t number) {
  auto file = world.disk->open(first_segment, core::Disk::Open::read);
  Window window(**file, *(*file)->size());
  auto header = read_segment_header(**file, first_segment);
  BatchScan scan(window, *header);
  for (auto batch = scan.next(); batch && *batch; batch = scan.next())
    if ((*batch)->header.events > 0 && (*batch)->header.first_offset == number) return (*batch)->position;
  ADD_FAILURE() << "event " << number << " is not there";
  return 0;
}

void append_numbered(EventLog& log, uint64_t first, uint64_t last) {
  for (uint64_t i = first; i <= last; ++i) ASSERT_TRUE(append(log, numbered_event(i)));
}

TEST(LogFaults, AFailedSyncStopsAppendsForGoodAndReadsGoOn) {
  World world;
  auto log = world.open(one_segment());
  append_numbered(*log, 1, 3);
  world.disk->fail_sync(1);
  auto failed = append(*log, numbered_event(4));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, core::Code::unavailable);
  uint64_t syncs = world.disk->syncs();
  auto after = append(*log, numbered_event(5));
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, core::Code::unavailable);
  EXPECT_EQ(world.disk->syncs(), syncs) << "a failed sync is never tried again";
  ASSERT_TRUE(log->stopped());
  EXPECT_THAT(log->stopped()->message, HasSubstr("00000000000000000001.seg"));
  EXPECT_THAT(log->stopped()->message, HasSubstr("offset 4"));
  EXPECT_EQ(log->durable(), 3U);
  EXPECT_THAT(ids_in(*log), ElementsAre("event-1", "event-2", "event-3"));
  log.reset();
  EXPECT_EQ(world.disk->syncs(), syncs);
}

TEST(LogFaults, AFailedWriteForAnotherReasonThanAFullDiskStopsAppends) {
  World world;
  auto log = world.open(one_segment());
  append_numbered(*log, 1, 2);
  world.disk->fail_write(1, 20);
  EXPECT_EQ(append(*log, numbered_event(3)).error().code, core::Code::unavailable);
  EXPECT_TRUE(log->stopped());
  EXPECT_THAT(ids_in(*log), ElementsAre("event-1", "event-2"));
}

TEST(LogFaults, AFullDiskRefusesLosesNothingAndAcceptsAgainWhenThereIsRoom) {
  World world;
  auto log = world.open(one_segment());
  append_numbered(*log, 1, 3);
  for (uint64_t room = 0; room < 200; room += 13) {
    world.disk->limit_space(world.disk->used() + room);
    auto refused = append(*log, numbered_event(1000, 5000));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, core::Code::exhausted);
    EXPECT_THAT(refused.error().message, HasSubstr("disk is full"));
    EXPECT_FALSE(log->stopped());
    EXPECT_EQ(log->durable(), 3U);
    // What power cut now leaves is a torn tail at most.
    World cut;
    cut.disk = world.disk->reboot(world.random);
    EXPECT_THAT(ids_in(*cut.open(one_segment())), ElementsAre("event-1", "event-2", "event-3"));
  }
  world.disk->limit_space(std::nullopt);
  EXPECT_THAT(append(*log, numbered_event(4))->offsets, ElementsAre(4));
  log.reset();
  EXPECT_THAT(ids_in(*world.open(one_segment())), ElementsAre("event-1", "event-2", "event-3", "event-4"));
}

TEST(LogFaults, ADiskThatFillsUpWhileGoingToTheNextSegmentIsOnlyFull) {
  for (uint64_t room = 0; room < 30'000; room += 997) {
    World world;
    auto log = world.open();
    uint64_t stored = 0;
    world.disk->limit_space(world.disk->used() + room);
    for (uint64_t i = 1; i <= 60; ++i) {
      auto appended = append(*log, numbered_event(i, 700));
      if (appended) ++stored;
      if (!appended) {
        ASSERT_EQ(appended.error().code, core::Code::exhausted) << appended.error().message;
      }
    }
    ASSERT_FALSE(log->stopped()) << room << " " << log->stopped()->message << log->stopped()->detail;
    world.disk->limit_space(std::nullopt);
    ASSERT_TRUE(append(*log, numbered_event(100, 700)));
    log.reset();
    EXPECT_EQ(ids_in(*world.open()).size(), stored + 1);
  }
}

TEST(LogFaults, DamageWithALaterBatchIsCorruptionAndStopsAppendsWhileTheRestIsRead) {
  World world;
  auto log = world.open(one_segment());
  append_numbered(*log, 1, 9);
  log.reset();
  uint64_t damaged = batch_of_event(world, 5) + batch_header_bytes + item_header_bytes + 3;
  world.disk->flip(first_segment, damaged);
  log = world.open(one_segment());
  ASSERT_TRUE(log->stopped());
  EXPECT_THAT(log->stopped()->message, HasSubstr("00000000000000000001.seg"));
  EXPECT_THAT(log->stopped()->message, HasSubstr("from offset 5 on"));
  EXPECT_EQ(append(*log, numbered_event(10)).error().code, core::Code::unavailable);
  EXPECT_EQ(log->durable(), 9U);
  auto before = log->read(1, 100);
  ASSERT_TRUE(before);
  EXPECT_EQ(before->back().offset, 4U);
  auto at = log->read(5, 100);
  ASSERT_FALSE(at);
  EXPECT_EQ(at.error().code, core::Code::corrupt);
  EXPECT_THAT(at.error().message, HasSubstr("reading goes on at offset 6"));
  auto behind = log->read(6, 100);
  ASSERT_TRUE(behind) << behind.error().message;
  EXPECT_EQ(behind->front().offset, 6U);
  EXPECT_EQ(behind->back().offset, 9U);
}

TEST(LogFaults, DamageOfTheLastAcknowledgedBatchIsCorruptionOnceItIsSealed) {
  World world;
  auto log = world.open(one_segment());
  append_numbered(*log, 1, 3);
  ASSERT_TRUE(log->seal());
  log.reset();
  world.disk->flip(first_segment, batch_of_event(world, 3) + batch_header_bytes + 30);
  EXPECT_TRUE(world.open(one_segment())->stopped());
}

TEST(LogFaults, ATornLastBatchIsCutAndItsPlaceUsedAgain) {
  World world, after;
  auto log = world.open(one_segment());
  append_numbered(*log, 1, 3);
  after.disk = world.disk->reboot_with_everything();
  log.reset();
  uint64_t last = batch_of_event(after, 3);
  after.disk->flip(first_segment, last + batch_header_bytes + 30);
  auto report = SegmentLog::verify(*after.disk, "/log");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->good());
  EXPECT_EQ(report->tail, VerifyReport::Tail::torn);
  EXPECT_EQ(report->torn->position, last);
  EXPECT_EQ(report->torn->offset, 3U);
  log = after.open(one_segment());
  EXPECT_FALSE(log->stopped());
  EXPECT_EQ(log->durable(), 2U);
  EXPECT_THAT(append(*log, numbered_event(4))->offsets, ElementsAre(3));
}

TEST(LogFaults, EveryFlippedByteOfASealedLogIsFoundByVerifyOrIsPadding) {
  World world;
  SegmentLogOptions options = deterministic_options();
  options.segment_bytes = 1 << 20;
  auto log = world.open(options);
  append_numbered(*log, 1, 4);
  log.reset();
  auto file = world.disk->open(first_segment, core::Disk::Open::read);
  uint64_t size = *(*file)->size();
  for (uint64_t at = 0; at < size; at += at < segment_header_bytes - 8 && at > 64 ? 61 : 1) {
    auto disk = world.disk->reboot_with_everything();
    disk->flip(first_segment, at, std::byte{0x10});
    auto report = SegmentLog::verify(*disk, "/log");
    ASSERT_TRUE(report);
    bool seal = at >= size - batch_header_bytes;  // whose loss is a torn tail without an event in it
    if (seal) {
      EXPECT_EQ(report->tail, VerifyReport::Tail::torn) << at;
      continue;
    }
    bool padding = report->good() && report->events == 4;
    EXPECT_TRUE(!report->good() || padding) << "byte " << at;
    EXPECT_FALSE(padding && at < segment_header_bytes) << "byte " << at;
  }
}

TEST(LogFaults, ScrubFindsDecayInAClosedSegmentAndStopsAppends) {
  World world;
  auto log = world.open();
  append_numbered(*log, 1, 200);
  ASSERT_GT(log->stat().segments, 1U);
  EXPECT_TRUE(log->scrub());
  world.disk->flip(first_segment, 6000);
  auto found = log->scrub();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, core::Code::corrupt);
  EXPECT_THAT(found.error().message, HasSubstr("00000000000000000001.seg"));
  EXPECT_EQ(append(*log, numbered_event(1000)).error().code, core::Code::unavailable);
  EXPECT_TRUE(log->stopped());
}

TEST(LogFaults, IndexesAndIdsThatAreMissingOrDamagedAreMadeAgain) {
  for (bool damage : {false, true}) {
    World world;
    auto log = world.open();
    append_numbered(*log, 1, 200);
    log.reset();
    auto names = world.disk->list("/log");
    for (const auto& name : *names) {
      if (!name.ends_with(".idx") && !name.ends_with(".ids")) continue;
      if (damage) world.disk->flip("/log/" + name, 20);
      if (!damage) {
        ASSERT_TRUE(world.disk->remove("/log/" + name));
      }
    }
    log = world.open();
    EXPECT_EQ(ids_in(*log).size(), 200U);
    EXPECT_TRUE(append(*log, numbered_event(3))->duplicate);
    EXPECT_EQ(*log->offset_of("/tests", "event-77"), 77U);
  }
}

}  // namespace
}  // namespace headrace::log
