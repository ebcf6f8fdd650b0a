// Power cuts at every change the log makes to its disk, with what the disk may keep chosen in every way or by chance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "log/testing/world.h"

namespace headrace::log {
namespace {

using testing::append;
using testing::batch_of;
using testing::deterministic_options;
using testing::numbered_event;
using testing::read_all;
using testing::World;

constexpr size_t exhaustive_choices_max = 7;  // every subset of so many unsynced things, a sample of more
constexpr int sampled_subsets = 24;
constexpr uint64_t script_batches = 34;

uint64_t seed_of_run() {
  const char* given = std::getenv("HEADRACE_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20261123;
}

SegmentLogOptions small_segments(SegmentLogOptions::Prefill prefill) {
  SegmentLogOptions options = deterministic_options();
  options.segment_bytes = 8 * 1024;
  options.prefill = prefill;
  return options;
}

// One event, then three at once with a key, then one that expects; over and over, with data of growing sizes.
Batch scripted(uint64_t step, Offset last_named) {
  Batch batch = batch_of({numbered_event(step * 10, 30 + step * 41 % 700)});
  if (step % 3 == 1) {
    batch.events.push_back(numbered_event(step * 10 + 1));
    batch.events.push_back(numbered_event(step * 10 + 2, 600));
    batch.key = "step-" + std::to_string(step);
  }
  if (step % 3 == 2) batch.expected.push_back({"numbers", last_named});
  return batch;
}

struct Told {
  std::vector<events::Event> acknowledged;
  Offset last_named = 0;
};

// Appends until the power goes.
Told run_script(World& world, const SegmentLogOptions& options) {
  Told told;
  auto log = world.try_open(options);
  if (!log) return told;
  for (uint64_t step = 1; step <= script_batches; ++step) {
    Batch batch = scripted(step, told.last_named);
    auto appended = append(**log, batch);
    if (!appended) return told;
    for (auto& event : batch.events) told.acknowledged.push_back(std::move(event));
    if (!batch.expected.empty()) told.last_named = appended->offsets.back();
    if (step % 5 == 0 && !(*log)->seal()) return told;
  }
  return told;
}

// What must hold of any disk that a power cut may leave.
void expect_nothing_lost(std::unique_ptr<core::testing::SimulatedDisk> disk, const Told& told,
                         const SegmentLogOptions& options) {
  World after(99);
  after.disk = std::move(disk);
  auto log = after.try_open(options);
  ASSERT_TRUE(log) << log.error().message << log.error().detail;
  ASSERT_FALSE((*log)->stopped()) << (*log)->stopped()->message;
  auto stored = read_all(**log);
  ASSERT_GE(stored.size(), told.acknowledged.size());
  std::set<std::string> seen;
  for (size_t i = 0; i < stored.size(); ++i) {
    ASSERT_EQ(stored[i].offset, i + 1);
    ASSERT_TRUE(seen.insert(stored[i].event.id).second) << stored[i].event.id << " is doubled";
    if (i < told.acknowledged.size()) {
      ASSERT_EQ(stored[i].event, told.acknowledged[i]);
    }
  }
  // At most the batch that was being written is there besides, and whole.
  ASSERT_LE(stored.size(), told.acknowledged.size() + 3);
  ASSERT_GE(*(*log)->last_of("numbers"), told.last_named);
  for (size_t i = 0; i < told.acknowledged.size(); i += 7) {
    auto again = append(**log, told.acknowledged[i]);
    ASSERT_TRUE(again && again->duplicate) << told.acknowledged[i].id;
  }
  auto next = append(**log, numbered_event(1'000'000));
  ASSERT_TRUE(next) << next.error().message;
  ASSERT_EQ(next->offsets.front(), stored.size() + 1);
  log->reset();
  auto report = SegmentLog::verify(*after.disk, after.directory);
  ASSERT_TRUE(report);
  ASSERT_TRUE(report->good()) << report->bad.front().what;
  ASSERT_EQ(report->events, stored.size() + 1);
  ASSERT_EQ(report->tail, VerifyReport::Tail::sealed);
}

void cut_everywhere(const SegmentLogOptions& options) {
  uint64_t seed = seed_of_run();
  SCOPED_TRACE("HEADRACE_SEED=" + std::to_string(seed));
  core::SeededRandom chance(seed);
  uint64_t total = 0;
  {
    World whole;
    ASSERT_EQ(run_script(whole, options).acknowledged.size(), 12U * 3 + 11 + 11);
    total = whole.disk->operations();
  }
  ASSERT_GT(total, 2 * script_batches);
  for (uint64_t operation = 0; operation <= total; ++operation) {
    SCOPED_TRACE("power cut after change " + std::to_string(operation) + " of " + std::to_string(total));
    World world;
    world.disk->cut_power_after(operation);
    Told told = run_script(world, options);
    size_t choices = world.disk->unsynced();
    if (choices <= exhaustive_choices_max) {
      for (uint64_t mask = 0; mask < uint64_t{1} << choices; ++mask) {
        auto kept = [&](size_t choice) { return (mask >> choice & 1) != 0; };
        ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(world.disk->reboot(kept), told, options)) << "subset " << mask;
      }
      continue;
    }
    ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(world.disk->reboot_with_nothing_unsynced(), told, options));
    ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(world.disk->reboot_with_everything(), told, options));
    for (int i = 0; i < sampled_subsets; ++i)
      ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(world.disk->reboot(chance), told, options)) << "sample " << i;
  }
}

TEST(LogCrash, KeepsEveryAcknowledgedEventWhereverThePowerFailsOnGrowingSegments) {
  cut_everywhere(small_segments(SegmentLogOptions::Prefill::never));
}

TEST(LogCrash, KeepsEveryAcknowledgedEventWhereverThePowerFailsOnPrefilledSegments) {
  cut_everywhere(small_segments(SegmentLogOptions::Prefill::always));
}

TEST(LogCrash, KeepsEveryAcknowledgedEventWhereverThePowerFailsWithCheckpoints) {
  SegmentLogOptions options = small_segments(SegmentLogOptions::Prefill::never);
  options.checkpoint_bytes = 1500;
  options.checkpoint_bytes_least = 1;
  cut_everywhere(options);
}

// A cut, a start, a cut during the recovery or what follows, a start: nothing acknowledged before either is lost.
TEST(LogCrash, KeepsEverythingWhenPowerFailsAgainDuringRecovery) {
  uint64_t seed = seed_of_run();
  SCOPED_TRACE("HEADRACE_SEED=" + std::to_string(seed));
  core::SeededRandom chance(seed);
  SegmentLogOptions options = small_segments(SegmentLogOptions::Prefill::never);
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    World world(chance.next());
    world.disk->cut_power_after(chance.below(150));
    Told told = run_script(world, options);
    World second(chance.next());
    second.disk = world.disk->reboot(chance);
    second.disk->cut_power_after(chance.below(12));
    {
      auto log = second.try_open(options);
      if (log) {
        auto stored = read_all(**log);
        ASSERT_GE(stored.size(), told.acknowledged.size());
        for (size_t i = told.acknowledged.size(); i < stored.size(); ++i) told.acknowledged.push_back(stored[i].event);
        auto appended = append(**log, numbered_event(2'000'000, 900));
        if (appended) told.acknowledged.push_back(numbered_event(2'000'000, 900));
      }
    }
    ASSERT_NO_FATAL_FAILURE(expect_nothing_lost(second.disk->reboot(chance), told, options));
  }
}

}  // namespace
}  // namespace headrace::log
