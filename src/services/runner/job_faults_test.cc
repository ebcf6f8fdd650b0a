// What a step may do to its runner, and what becomes of it: pipes that are closed or never end, a line without an end,
// a clock that jumps, a disk that is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "services/runner/job_execution.h"

namespace headrace::runner {
namespace {

using events::Conclusion;
using ::testing::HasSubstr;
using ::testing::Not;

#ifdef HEADRACE_SANITIZED
constexpr bool slow_build = true;
#else
constexpr bool slow_build = false;
#endif

// Keeps the end of the log alone, so that the test's memory is not the runner's.
struct Counter final : JobObserver {
  core::Result<> log(std::string_view lines) override {
    bytes += lines.size();
    text += lines;
    if (text.size() > 64 * 1024) text.erase(0, text.size() - 32 * 1024);
    return {};
  }
  void step_began(const StepSpec&) override {
    if (on_begin) on_begin();
  }
  void step_ended(const StepSpec&, Conclusion) override {}
  void group(pid_t) override {}
  void summary(int64_t, std::string_view) override {}
  void reports(const StepSpec&, std::vector<FoundReport>) override {}
  uint64_t bytes = 0;
  std::string text;
  std::function<void()> on_begin;
};

// The machine's, but for a wall clock that somebody sets.
class JumpingClock final : public core::Clock {
 public:
  core::Time now() const override { return real_.now() + jump; }
  core::Steady steady() const override { return real_.steady(); }
  core::Task<> sleep_for(core::Duration duration) override { return real_.sleep_for(duration); }
  core::Duration jump{0};

 private:
  core::SystemClock real_;
};

class JobFaults : public ::testing::Test {
 protected:
  JobFaults() {
    char path[] = "/tmp/headrace-faults-XXXXXX";
    folder = ::mkdtemp(path);
    spec.timeout_minutes = 10;
    times.interrupt = times.terminate = times.drain = std::chrono::milliseconds(300);
  }
  ~JobFaults() override { std::filesystem::remove_all(folder); }

  StepSpec& step(std::string run) {
    StepSpec made;
    made.number = static_cast<int64_t>(spec.steps.size()) + 1;
    made.run = std::move(run);
    spec.steps.push_back(std::move(made));
    return spec.steps.back();
  }
  JobEnd run() {
    JobExecution::Around around{
        .loop = loop.executor(), .clock = clock, .disk = disk, .executor = *executor, .observer = heard};
    JobOrder order;
    order.spec = spec;
    execution = std::make_unique<JobExecution>(
        around, order, JobPlace{folder, folder + "/workspace", folder + "/temp", {}, {}}, times);
    return loop.run(execution->run());
  }
  bool is_alive(const std::string& file) const {
    std::ifstream in(folder + "/workspace/" + file);
    int pid = 0;
    in >> pid;
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(stat, text);
    auto state = text.rfind(") ");
    return pid > 0 && state != std::string::npos && text[state + 2] != 'Z';  // one that nobody has reaped yet is dead
  }

  std::string folder;
  core::Loop loop;
  JumpingClock clock;
  core::SystemDisk disk;
  std::unique_ptr<Executor> executor = make_host_executor(loop.executor());
  Counter heard;
  JobSpec spec;
  JobExecution::Times times;
  std::unique_ptr<JobExecution> execution;
};

// ---- Pipes

TEST_F(JobFaults, AStepThatClosesItsPipesAndStaysIsWaitedForAndItsExitCodeCounts) {
  step("echo last words; exec >&- 2>&-; sleep 1; exit 5");
  auto began = clock.steady();
  auto end = run();
  EXPECT_GE(clock.steady() - began, std::chrono::seconds(1)) << "the end of its output is not its end";
  EXPECT_EQ(end.steps[0].exit_code, 5);
  EXPECT_THAT(heard.text, HasSubstr(" last words\n"));
}

TEST_F(JobFaults, AStepThatClosesItsPipesAndStaysForeverMeetsItsTimeOut) {
  step("echo $$ > pid; exec >&- 2>&-; exec sleep 1000").timeout_minutes = "0.01";
  auto end = run();
  EXPECT_EQ(end.steps[0].conclusion, Conclusion::timed_out);
  EXPECT_FALSE(is_alive("pid"));
}

TEST_F(JobFaults, WhatAStepLeavesRunningServesTheNextStepsAndEndsWithTheJob) {
  step("(while sleep 0.02; do echo noise; echo x >> beats; done) & echo $! > held");
  step("(exec >&- 2>&-; exec sleep 1000) & echo $! > closed");
  step("(setsid sleep 1000 >/dev/null 2>&1 & echo $! > apart)");
  step("rm -f beats; until [ -s beats ]; do sleep 0.02; done; kill -0 $(cat held) $(cat closed) && echo all there");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success) << heard.text;
  EXPECT_THAT(heard.text, HasSubstr(" 4 all there\n")) << "one that prints where nobody reads any more is not ended";
  EXPECT_THAT(heard.text, Not(HasSubstr(" 4 noise\n"))) << "its words are of the step that started it";
  for (const char* one : {"held", "closed", "apart"}) EXPECT_FALSE(is_alive(one)) << one;
}

TEST_F(JobFaults, AStepWaitsForWhatItLeftRunningOnlySoLong) {
  step("sleep 1000 & echo begun");
  auto began = clock.steady();
  EXPECT_EQ(run().conclusion, Conclusion::success);
  EXPECT_LT(clock.steady() - began, std::chrono::seconds(30));
  EXPECT_THAT(heard.text, HasSubstr(" begun\n"));
}

// ---- A line without an end

uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  uint64_t all = 0, resident = 0;
  in >> all >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(JobFaults, AGigabyteWithoutANewlineIsCutIntoLinesAndTakesNoMemory) {
  constexpr uint64_t bytes = slow_build ? uint64_t{64} << 20 : uint64_t{1} << 30;
  step("head -c " + std::to_string(bytes) + " /dev/zero | tr '\\0' x");
  uint64_t before = resident_bytes(), most = 0;
  struct Look {
    static core::Task<> on(core::Clock& clock, uint64_t& most) {
      while (true) {
        most = std::max(most, resident_bytes());
        co_await clock.sleep_for(std::chrono::milliseconds(5));
      }
    }
  };
  core::Scope looking(loop.executor());
  looking.spawn("memory", Look::on(clock, most));
  auto end = run();
  loop.run(looking.close());
  EXPECT_EQ(end.conclusion, Conclusion::success) << heard.text;
  EXPECT_GE(heard.bytes, bytes) << "all of it is in the log";
  // AddressSanitizer keeps what was freed for a while, so that what is resident says nothing there.
  if (!slow_build) {
    EXPECT_LT(most, before + (uint64_t{32} << 20)) << "and none of it in memory";
  }
}

// ---- A clock that jumps

TEST_F(JobFaults, AWallClockThatIsSetDuringAStepChangesNoDuration) {
  for (auto jump : {std::chrono::hours(1), std::chrono::hours(-1)}) {
    spec.steps.clear();
    step("sleep 0.2");
    heard.on_begin = [&] { loop.post([this, jump] { clock.jump += jump; }); };
    auto end = run();
    ASSERT_EQ(end.conclusion, Conclusion::success) << heard.text;
    auto took = *end.steps[0].completed_at - *end.steps[0].started_at;
    EXPECT_GE(took, std::chrono::milliseconds(200));
    EXPECT_LT(took, std::chrono::minutes(1));
    for (const char* name : {"/temp", "/workspace", "/tools"}) std::filesystem::remove_all(folder + name);
  }
}

TEST_F(JobFaults, AWallClockThatIsSetDuringAStepChangesNoTimeOut) {
  step("sleep 0.3").timeout_minutes = "1";
  heard.on_begin = [&] { loop.post([this] { clock.jump = std::chrono::hours(1); }); };
  EXPECT_EQ(run().conclusion, Conclusion::success) << "an hour that did not pass ends nothing";
  spec.steps.clear();
  for (const char* name : {"/temp", "/workspace", "/tools"}) std::filesystem::remove_all(folder + name);
  step("sleep 1000").timeout_minutes = "0.01";
  heard.on_begin = [&] { loop.post([this] { clock.jump = std::chrono::hours(-1); }); };
  EXPECT_EQ(run().steps.at(0).conclusion, Conclusion::timed_out) << "and one that comes again holds nothing up";
}

// ---- A full disk

TEST_F(JobFaults, AFullDiskUnderAJobIsToldByTheStepThatMetItAndTheJobEndsInGoodOrder) {
  std::string small = folder + "-small";
  std::filesystem::create_directories(small);
  if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=4m") != 0) {
    std::filesystem::remove(small);
    GTEST_SKIP() << "only root may mount a small disk";
  }
  std::string before = std::exchange(folder, small);
  step("head -c 64M /dev/zero > big").continue_on_error = "true";
  step("echo value=1 >> $GITHUB_OUTPUT; echo after");  // its script and files have no room
  step("rm -f big; echo cleaned").condition = "always()";
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(heard.text, HasSubstr("No space left on device"));
  EXPECT_THAT(end.errors, ::testing::AnyOf(HasSubstr("space"), HasSubstr("full"))) << heard.text;
  folder = before;
  ::umount2(small.c_str(), MNT_DETACH);
  std::filesystem::remove_all(small);
}

}  // namespace
}  // namespace headrace::runner
