// Opening a log from its checkpoint: the same as reading the whole segment, whatever became of the file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.h"
#include "log/testing/world.h"

namespace headrace::log {
namespace {

using testing::append;
using testing::batch_of;
using testing::deterministic_options;
using ::testing::HasSubstr;
using testing::ids_in;
using testing::numbered_event;
using testing::World;

const std::string segment = "/log/00000000000000000001.seg";
const std::string checkpoint = "/log/checkpoint";
constexpr uint64_t events = 120;

// Of each 2 KiB appended, and at the end; in one segment.
SegmentLogOptions eager() {
  SegmentLogOptions options = deterministic_options();
  options.segment_bytes = 1 << 20;
  options.checkpoint_bytes = 2048;
  options.checkpoint_bytes_least = 1;
  return options;
}

Batch scripted(uint64_t number, Offset named) {
  Batch batch = batch_of({numbered_event(number, 100)});
  batch.events.front().type = number % 10 == 0 ? "tenth" : "other";
  if (number % 4 == 0) batch.key = "key-" + std::to_string(number);
  if (number % 5 == 0) batch.expected.push_back({"numbers", named});
  return batch;
}

void fill(World& world, const SegmentLogOptions& options) {
  auto log = world.open(options);
  Offset named = 0;
  for (uint64_t i = 1; i <= events; ++i) {
    auto appended = append(*log, scripted(i, named));
    ASSERT_TRUE(appended) << appended.error().message;
    if (i % 5 == 0) named = appended->offsets.back();
  }
}

// All that a log of `events` events must answer, and go on from.
void expect_whole(World& world, const SegmentLogOptions& options) {
  auto log = world.open(options);
  ASSERT_FALSE(log->stopped()) << log->stopped()->message;
  EXPECT_EQ(log->durable(), events);
  EXPECT_EQ(ids_in(*log).size(), events);
  EXPECT_EQ(log->last_of("numbers"), events);
  EXPECT_EQ(log->read_types(1, 1000, {"tenth"})->size(), events / 10);
  EXPECT_EQ(*log->offset_of("/tests", "event-77"), 77U);
  for (uint64_t i : {uint64_t{3}, uint64_t{4}, events}) {
    auto again = append(*log, scripted(i, 0));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->offsets.front(), i);
  }
  auto next = append(*log, numbered_event(1000));
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->offsets.front(), events + 1);
  log.reset();
  auto report = SegmentLog::verify(*world.disk, world.directory);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->good()) << report->bad.front().what;
  EXPECT_EQ(report->events, events + 1);
}

TEST(LogCheckpoint, OpensALogAsReadingAllOfItDoes) {
  World with, without;
  fill(with, eager());
  fill(without, eager());
  ASSERT_TRUE(core::read_file(*with.disk, checkpoint));
  ASSERT_TRUE(without.disk->remove(checkpoint));
  expect_whole(with, eager());
  expect_whole(without, eager());
}

TEST(LogCheckpoint, ReadsWhatWasAppendedBehindIt) {
  for (uint64_t bytes : {uint64_t{3000}, uint64_t{9000}, uint64_t{100'000}}) {
    SegmentLogOptions options = eager();
    options.checkpoint_bytes = bytes;
    options.checkpoint_bytes_least = 1 << 20;  // none at the end
    World world;
    fill(world, options);
    expect_whole(world, options);
  }
}

TEST(LogCheckpoint, IsPassedOverWhereAnyByteOfItIsDamaged) {
  World world;
  fill(world, eager());
  auto whole = core::read_file(*world.disk, checkpoint);
  ASSERT_TRUE(whole);
  for (uint64_t at = 0; at < whole->size(); at += at < 120 ? 1 : 97) {
    SCOPED_TRACE("byte " + std::to_string(at));
    World damaged;
    damaged.disk = world.disk->reboot_with_everything();
    damaged.disk->flip(checkpoint, at);
    expect_whole(damaged, eager());
  }
}

TEST(LogCheckpoint, IsPassedOverWhereTheSegmentIsAnOlderCopy) {
  World world;
  auto log = world.open(eager());
  for (uint64_t i = 1; i <= 20; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
  log.reset();
  auto older = core::read_file(*world.disk, segment);
  ASSERT_TRUE(older);
  log = world.open(eager());
  for (uint64_t i = 21; i <= 60; ++i) ASSERT_TRUE(append(*log, numbered_event(i, 100)));
  log.reset();
  ASSERT_TRUE(core::write_file(*world.disk, segment, *older));
  log = world.open(eager());
  EXPECT_EQ(log->durable(), 20U);
  EXPECT_EQ(append(*log, numbered_event(21, 100))->offsets.front(), 21U);
}

TEST(LogCheckpoint, DamageInWhatItCoversIsFoundSoonAfterTheStartAndStopsAppends) {
  World world;
  fill(world, eager());
  world.disk->flip(segment, 6000);
  auto log = world.open(eager());
  auto refused = append(*log, numbered_event(1000));  // the log's thread looks before it writes, in this set-up
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, core::Code::unavailable);
  ASSERT_TRUE(log->stopped());
  EXPECT_THAT(log->stopped()->message, HasSubstr("00000000000000000001.seg is damaged"));
  EXPECT_EQ(log->read(1, 1)->front().offset, 1U) << "what is whole is read";
}

TEST(LogCheckpoint, OfOneSegmentSaysNothingOfTheNext) {
  SegmentLogOptions options = eager();
  options.segment_bytes = 8 * 1024;
  World world;
  fill(world, options);
  expect_whole(world, options);
}

}  // namespace
}  // namespace headrace::log
