#include "process/adopt.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "process/child.h"

namespace headrace::process {
namespace {

using core::Code;
using core::Loop;
using testing::HasSubstr;
using namespace std::chrono_literals;

Spec sleeper() {
  Spec spec;
  spec.argv = {"/bin/sleep", "600"};
  return spec;
}

std::string fresh_path(const std::string& name) {
  auto path = testing::TempDir() + name;
  std::filesystem::remove(path);
  return path;
}

TEST(Adopt, FindsALivingProcessByItsRecordAndEndsIt) {
  Loop loop;
  auto child = spawn(loop.executor(), sleeper());
  ASSERT_TRUE(child);
  const auto record = record_of((*child)->pid());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->start_time, (*child)->start_time());
  auto adopted = adopt(loop.executor(), *record);
  ASSERT_TRUE(adopted);
  ASSERT_NE(*adopted, nullptr);
  EXPECT_TRUE((*adopted)->alive());
  EXPECT_TRUE(loop.run((*adopted)->end(10s)));
  EXPECT_FALSE((*adopted)->alive());
  EXPECT_EQ(loop.run((*child)->wait())->signal, SIGTERM);
  EXPECT_EQ((*adopted)->signal(SIGTERM).error().code, Code::not_found);
}

TEST(Adopt, APidThatWasGivenAwayAgainIsNotTheProcessOfTheRecord) {
  Loop loop;
  auto child = spawn(loop.executor(), sleeper());
  ASSERT_TRUE(child);
  const auto record = record_of((*child)->pid());
  ASSERT_TRUE(record);
  auto earlier = *record;
  --earlier.start_time;
  auto other_boot = *record;
  other_boot.boot_id = "00000000-0000-0000-0000-000000000000";
  EXPECT_EQ(*adopt(loop.executor(), earlier), nullptr);
  EXPECT_EQ(*adopt(loop.executor(), other_boot), nullptr);
  EXPECT_NE(*adopt(loop.executor(), *record), nullptr);
}

TEST(Adopt, AZombieIsGone) {
  Loop loop;
  auto child = spawn(loop.executor(), sleeper());
  ASSERT_TRUE(child);
  const auto record = record_of((*child)->pid());
  ASSERT_TRUE(record);
  (*child)->signal(SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>((*child)->pid()), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(*adopt(loop.executor(), *record), nullptr);
  EXPECT_EQ(record_of((*child)->pid()).error().code, Code::not_found);
}

TEST(Adopt, AProcessThatNeverWasIsGone) {
  Loop loop;
  EXPECT_EQ(*adopt(loop.executor(), Record{.pid = 0, .start_time = 1, .boot_id = "x"}), nullptr);
  EXPECT_EQ(*adopt(loop.executor(), Record{.pid = 2'000'000'000, .start_time = 1, .boot_id = "x"}), nullptr);
}

TEST(Adopt, ARecordReadsBackAsItWasWritten) {
  core::SystemDisk disk;
  const auto path = fresh_path("adopt_record.json");
  EXPECT_EQ(*load_record(disk, path), std::nullopt);
  const auto record = record_of_ourselves();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->pid, ::getpid());
  EXPECT_FALSE(record->boot_id.empty());
  for (auto outlives : {Outlives::power_cut, Outlives::our_crash}) {
    ASSERT_TRUE(save_record(disk, path, Record{1, 2, "of a longer name than the one that takes its place"}, outlives));
    ASSERT_TRUE(save_record(disk, path, *record, outlives));
    EXPECT_EQ(*load_record(disk, path), *record);
  }
}

TEST(Adopt, ADamagedRecordIsSaidToBeSo) {
  core::SystemDisk disk;
  const auto path = fresh_path("adopt_damaged.json");
  for (const auto* text : {"", "{", R"({"pid":0,"start_time":1,"boot_id":"b"})", R"({"pid":5})"}) {
    std::ofstream(path) << text;
    const auto record = load_record(disk, path);
    ASSERT_FALSE(record) << text;
    EXPECT_EQ(record.error().code, Code::corrupt);
    EXPECT_THAT(record.error().message, HasSubstr(path));
  }
}

TEST(Adopt, NoExitFileMeansKilledAndAnExitReadsBack) {
  core::SystemDisk disk;
  const auto path = fresh_path("adopt_exit.json");
  EXPECT_EQ(*load_exit(disk, path), std::nullopt);
  ASSERT_TRUE(save_exit(disk, path, Exit{.code = 3, .signal = 0}));
  EXPECT_EQ(*load_exit(disk, path), (Exit{.code = 3, .signal = 0}));
}

}  // namespace
}  // namespace headrace::process
