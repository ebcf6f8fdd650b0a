// The next segment's file has one owner at a time.
#include "log/spare.h"

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "core/testing/simulated_clock.h"
#include "core/testing/simulated_disk.h"

namespace headrace::log {
namespace {

constexpr uint64_t spare_bytes = 3 << 20;
const std::atomic<bool> never = false;
const std::string path = "/log/spare.seg";

struct Folder {
  Folder() { static_cast<void>(disk.make_directories("/log")); }
  core::testing::SimulatedDisk disk;
  Spare spare{disk, "/log", spare_bytes};
};

TEST(LogSpare, IsMadeOnceItIsWantedAndIsDurable) {
  Folder folder;
  ASSERT_TRUE(folder.spare.make(never));
  EXPECT_FALSE(folder.spare.ready());
  folder.spare.want();
  ASSERT_TRUE(folder.spare.make(never));
  EXPECT_TRUE(folder.spare.ready());
  EXPECT_EQ(folder.disk.used(), spare_bytes);
  ASSERT_TRUE(folder.disk.sync_directory("/log"));
  EXPECT_EQ(folder.disk.unsynced(), 0U);
}

// A job that was posted while the spare was ready may run when it is just taken and still has its name.
TEST(LogSpare, IsNeverMadeAnewWhileWhoTookItIsNotDoneWithIt) {
  Folder folder;
  folder.spare.want();
  ASSERT_TRUE(folder.spare.make(never));
  ASSERT_TRUE(folder.spare.take());
  EXPECT_FALSE(folder.spare.take());
  auto file = folder.disk.open(path, core::Disk::Open::write);
  ASSERT_TRUE((*file)->write_at(0, core::as_bytes("header")));
  ASSERT_TRUE(folder.spare.make(never));
  EXPECT_TRUE(core::read_file(folder.disk, path)->starts_with("header"));
  ASSERT_TRUE(folder.disk.rename(path, "/log/00000000000000000001.seg"));
  folder.spare.done_with();
  ASSERT_TRUE(folder.spare.make(never));
  EXPECT_TRUE(folder.spare.ready());
  EXPECT_TRUE(core::read_file(folder.disk, "/log/00000000000000000001.seg")->starts_with("header"));
}

TEST(LogSpare, OneThatTheLastRunLeftIsUsedIfItIsWhole) {
  Folder folder;
  folder.spare.want();
  ASSERT_TRUE(folder.spare.make(never));
  Spare next(folder.disk, "/log", spare_bytes);
  ASSERT_TRUE(next.find());
  EXPECT_TRUE(next.ready());
  Spare other(folder.disk, "/log", spare_bytes / 2);
  ASSERT_TRUE(other.find());
  EXPECT_FALSE(other.ready());
}

TEST(LogSpare, GivesItsRoomBackWhereItDoesNotFit) {
  Folder folder;
  folder.disk.limit_space(spare_bytes / 2);
  folder.spare.want();
  auto made = folder.spare.make(never);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, core::Code::exhausted);
  EXPECT_EQ(folder.disk.used(), 0U);
  folder.disk.limit_space(std::nullopt);
  ASSERT_TRUE(folder.spare.make(never));
  EXPECT_TRUE(folder.spare.ready());
}

TEST(LogSpare, TheProbeComparesGrowingWithOverwritingAndLeavesNothing) {
  Folder folder;
  core::testing::SimulatedClock clock;
  uint64_t before = folder.disk.syncs();
  ASSERT_TRUE(probe_prefill(folder.disk, clock, "/log", never));
  EXPECT_EQ(folder.disk.syncs() - before, 200U);
  EXPECT_EQ(folder.disk.used(), 0U);
  EXPECT_TRUE((PrefillProbe{core::Duration(214), core::Duration(139)}).gains());
  EXPECT_FALSE((PrefillProbe{core::Duration(214), core::Duration(210)}).gains());
}

}  // namespace
}  // namespace headrace::log
