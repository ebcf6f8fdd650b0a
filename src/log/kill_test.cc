// A real process on a real folder, killed with -9 while it appends, again and again.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "log/testing/world.h"

extern char** environ;

namespace headrace::log {
namespace {

constexpr const char* folder_variable = "HEADRACE_LOG_KILL_FOLDER";
constexpr const char* round_variable = "HEADRACE_LOG_KILL_ROUND";
constexpr int producers = 4;
constexpr int rounds = 6;
constexpr size_t acknowledged_before_kill = 60;

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "headrace-log-kill-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

SegmentLogOptions options_of_kill() {
  SegmentLogOptions options;
  options.segment_bytes = 32 * 1024;
  options.prefill = SegmentLogOptions::Prefill::always;
  options.idle_seal = std::chrono::milliseconds(1);
  return options;
}

// Says each acknowledged number on standard error, one line each, until it is killed.
void append_for_ever(SegmentLog& log, const std::string& round, int producer) {
  for (uint64_t i = 0;; ++i) {
    events::Event event = testing::numbered_event(i, 150);
    event.id = round + "/" + std::to_string(producer) + "/" + std::to_string(i);
    std::string line = event.id + "\n";
    if (!testing::append(log, event)) return;
    if (write(STDERR_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return;
  }
}

TEST(LogKillChild, AppendsUntilItIsKilled) {
  const char* folder = std::getenv(folder_variable);
  if (folder == nullptr) GTEST_SKIP() << "started by LogKill";
  core::SystemDisk disk;
  core::SystemClock clock;
  core::SystemRandom random;
  auto log = SegmentLog::open(disk, clock, random, folder, options_of_kill());
  ASSERT_TRUE(log);
  std::vector<std::thread> threads;
  for (int i = 0; i < producers; ++i)
    threads.emplace_back([&, i] { append_for_ever(**log, std::getenv(round_variable), i); });
  for (auto& thread : threads) thread.join();
}

// What the child said before it was killed.
std::vector<std::string> run_and_kill(const std::string& folder, int round) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  setenv(folder_variable, folder.c_str(), 1);
  setenv(round_variable, std::to_string(round).c_str(), 1);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = std::filesystem::read_symlink("/proc/self/exe").string(),
              filter = "--gtest_filter=LogKillChild.*";
  char* arguments[] = {program.data(), filter.data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  unsetenv(folder_variable);
  close(ends[1]);
  std::string said;
  char bytes[4096];
  bool killed = false;
  for (ssize_t size; (size = read(ends[0], bytes, sizeof bytes)) > 0;) {
    said.append(bytes, static_cast<size_t>(size));
    if (!killed && static_cast<size_t>(std::ranges::count(said, '\n')) >= acknowledged_before_kill) {
      kill(child, SIGKILL);
      killed = true;
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << said.substr(0, 500);
  std::vector<std::string> ids;
  for (size_t at = 0, end; (end = said.find('\n', at)) != std::string::npos; at = end + 1) {
    std::string line = said.substr(at, end - at);
    if (line.find(' ') == std::string::npos) ids.push_back(std::move(line));  // others are diagnostics
  }
  return ids;
}

TEST(LogKill, NothingAcknowledgedIsLostOrDoubledOverKillsInARow) {
  Folder folder;
  core::SystemDisk disk;
  core::SystemClock clock;
  core::SystemRandom random;
  std::vector<std::string> acknowledged;
  for (int round = 0; round < rounds; ++round) {
    auto said = run_and_kill(folder.path.string(), round);
    EXPECT_GE(said.size(), acknowledged_before_kill);
    acknowledged.insert(acknowledged.end(), said.begin(), said.end());
    auto log = SegmentLog::open(disk, clock, random, folder.path.string(), options_of_kill());
    ASSERT_TRUE(log) << log.error().message;
    ASSERT_FALSE((*log)->stopped()) << (*log)->stopped()->message;
    auto stored = testing::ids_in(**log);
    std::set<std::string> all(stored.begin(), stored.end());
    EXPECT_EQ(all.size(), stored.size()) << "doubled";
    for (const auto& id : acknowledged) EXPECT_TRUE(all.contains(id)) << id << " is lost";
    EXPECT_LE(stored.size(), acknowledged.size() + static_cast<size_t>(producers * (round + 1)));
  }
  auto report = SegmentLog::verify(disk, folder.path.string());
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->good());
}

}  // namespace
}  // namespace headrace::log
