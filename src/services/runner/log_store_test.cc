#include "services/runner/log_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace headrace::runner {
namespace {

class LogStoreTest : public ::testing::Test {
 protected:
  LogStoreTest() {
    char path[] = "/tmp/headrace-logs-XXXXXX";
    directory = ::mkdtemp(path);
  }
  ~LogStoreTest() override { std::filesystem::remove_all(directory); }
  std::string directory;
  core::Loop loop;
  core::SystemDisk disk;
  LogName name{"0193f5e8-0000-7000-8000-00000000abcd", 1};
};

TEST_F(LogStoreTest, APieceThatCameBeforeIsNotDoubled) {
  LogStore logs(loop.executor(), disk, directory);
  ASSERT_EQ(logs.open(name), 0u);
  EXPECT_EQ(logs.write(name, 0, "one\ntwo\n"), 8u);
  EXPECT_EQ(logs.write(name, 0, "one\ntwo\n"), 8u);
  EXPECT_EQ(logs.write(name, 4, "two\nthree\n"), 14u);
  EXPECT_EQ(logs.read(name, 0, 100), "one\ntwo\nthree\n");
}

TEST_F(LogStoreTest, APieceBeyondTheEndIsRefusedForSomethingIsMissing) {
  LogStore logs(loop.executor(), disk, directory);
  ASSERT_TRUE(logs.open(name));
  auto written = logs.write(name, 5, "late\n");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, core::Code::conflict);
  EXPECT_EQ(logs.size(name), 0u);
}

TEST_F(LogStoreTest, GoesOnWhereItWasAfterARestart) {
  {
    LogStore logs(loop.executor(), disk, directory);
    ASSERT_TRUE(logs.open(name));
    ASSERT_TRUE(logs.write(name, 0, "before\n"));
  }
  LogStore logs(loop.executor(), disk, directory);
  EXPECT_EQ(logs.open(name), 7u);
  EXPECT_EQ(logs.write(name, 7, "after\n"), 13u);
  EXPECT_EQ(logs.read(name, 0, 100), "before\nafter\n");
}

TEST_F(LogStoreTest, NothingIsAddedToAClosedLog) {
  LogStore logs(loop.executor(), disk, directory);
  ASSERT_TRUE(logs.open(name));
  ASSERT_TRUE(logs.growing(name));
  logs.close(name);
  EXPECT_FALSE(logs.growing(name));
  EXPECT_FALSE(logs.write(name, 0, "x\n"));
}

core::Task<> watch(LogStore& logs, LogName name, std::string& seen) {
  while (true) {
    bool growing = logs.growing(name);
    auto piece = logs.read(name, seen.size(), 1024);
    if (piece) seen += *piece;
    if (piece && !piece->empty()) continue;
    if (!growing) co_return;
    co_await logs.until_beyond(name, seen.size(), std::chrono::seconds(60));
  }
}

TEST_F(LogStoreTest, AWatcherSeesAllOfItAndItsEnd) {
  LogStore logs(loop.executor(), disk, directory);
  ASSERT_TRUE(logs.open(name));
  std::string seen;
  core::Scope scope(loop.executor());
  scope.spawn("watcher", watch(logs, name, seen));
  std::string written;
  for (int i = 0; i < 50; ++i) {
    std::string line = "line " + std::to_string(i) + "\n";
    ASSERT_TRUE(logs.write(name, written.size(), line));
    written += line;
    loop.poll();
  }
  EXPECT_EQ(seen, written);
  EXPECT_EQ(scope.size(), 1u);
  logs.close(name);
  loop.run(scope.until_idle());
  EXPECT_EQ(seen, written);
}

TEST_F(LogStoreTest, AttemptsHaveLogsOfTheirOwn) {
  LogStore logs(loop.executor(), disk, directory);
  LogName second{name.job, 2};
  ASSERT_TRUE(logs.open(name));
  ASSERT_TRUE(logs.open(second));
  ASSERT_TRUE(logs.write(name, 0, "first\n"));
  ASSERT_TRUE(logs.write(second, 0, "second\n"));
  EXPECT_EQ(logs.read(name, 0, 100), "first\n");
  EXPECT_EQ(logs.read(second, 0, 100), "second\n");
}

}  // namespace
}  // namespace headrace::runner
