#include "services/runner/summary_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/simulated_disk.h"

namespace headrace::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const LogName job{"019ab0f2-7d30-7c55-8000-2b9f10c4d6aa", 1};

TEST(SummaryStore, KeepsPiecesByStepAndThenInTheOrderOfTheirNumbers) {
  core::testing::SimulatedDisk disk;
  const SummaryStore store(disk, "/data/logs");
  EXPECT_THAT(*store.pieces(job), IsEmpty());
  EXPECT_EQ(*store.bytes(job), 0U);
  ASSERT_TRUE(store.keep(job, 10, 3, "ten"));
  ASSERT_TRUE(store.keep(job, 2, 12, "two again"));
  ASSERT_TRUE(store.keep(job, 2, 1, "two"));
  EXPECT_THAT(*store.pieces(job), ElementsAre(SummaryPiece{2, 1, 3}, SummaryPiece{2, 12, 9}, SummaryPiece{10, 3, 3}));
  EXPECT_EQ(*store.read(job, {2, 12, 9}), "two again");
  EXPECT_EQ(*store.bytes(job), 15U);
  EXPECT_THAT(*store.pieces({job.job, 2}), IsEmpty()) << "another attempt has its own";
}

TEST(SummaryStore, WhatItHasKeptIsThereAfterAPowerCut) {
  core::testing::SimulatedDisk disk;
  const SummaryStore store(disk, "/data/logs");
  ASSERT_TRUE(store.keep(job, 1, 1, "kept"));
  auto after = disk.reboot_with_nothing_unsynced();
  EXPECT_EQ(*SummaryStore(*after, "/data/logs").read(job, {1, 1, 4}), "kept");
}

TEST(SummaryStore, IsBoundedInPiecesAndBytes) {
  core::testing::SimulatedDisk disk;
  const SummaryStore store(disk, "/data/logs");
  auto large = store.keep(job, 1, 1, std::string(summary_bytes_max + 1, 'x'));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, core::Code::invalid);
  for (int64_t number = 1; number <= static_cast<int64_t>(summaries_a_job_max); ++number)
    ASSERT_TRUE(store.keep(job, 1, number, "x"));
  EXPECT_FALSE(store.keep(job, 1, 99, "x"));
  EXPECT_TRUE(store.keep(job, 1, 5, "y")) << "one that is there is told again";
}

TEST(SummaryStore, PassesOverWhatIsNoneOfItsFiles) {
  core::testing::SimulatedDisk disk;
  const SummaryStore store(disk, "/data/logs");
  ASSERT_TRUE(store.keep(job, 1, 1, "x"));
  const std::string folder = "/data/logs/aa/" + job.job + "-1.summary/";
  for (const char* name : {"1-2.md.new", "x-1.md", "1.md", "-", "1-.md"})
    ASSERT_TRUE(disk.open(folder + name, core::Disk::Open::create)) << name;
  EXPECT_THAT(*store.pieces(job), ElementsAre(SummaryPiece{1, 1, 1}));
}

}  // namespace
}  // namespace headrace::runner
