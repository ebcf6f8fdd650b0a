// Real processes: what the steps of a job do, and what is said about it.
#include "services/runner/job_execution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "services/runner/step_engine.h"

namespace headrace::runner {
namespace {

using events::Conclusion;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Observer final : JobObserver {
  core::Result<> log(std::string_view lines) override {
    if (full) return core::fail(core::Code::exhausted, "No space is left for the log.");
    text += lines;
    return {};
  }
  void step_began(const StepSpec& step) override {
    began.push_back(step.number);
    if (on_begin) on_begin();
  }
  void step_ended(const StepSpec&, Conclusion) override {}
  void group(pid_t leader) override { groups.push_back(leader); }
  void summary(int64_t step, std::string_view markdown) override { summaries[step] += markdown; }
  void reports(const StepSpec&, std::vector<FoundReport> found) override {
    for (auto& report : found) reported.push_back(std::move(report));
  }

  std::string text;
  bool full = false;
  std::vector<int64_t> began;
  std::vector<pid_t> groups;
  std::map<int64_t, std::string> summaries;
  std::vector<FoundReport> reported;
  std::function<void()> on_begin;
};

class JobExecutionTest : public ::testing::Test {
 protected:
  JobExecutionTest() {
    char path[] = "/tmp/headrace-job-XXXXXX";
    directory = ::mkdtemp(path);
    spec.timeout_minutes = 10;
    times.interrupt = std::chrono::milliseconds(300);
    times.terminate = std::chrono::milliseconds(300);
    times.drain = std::chrono::milliseconds(300);
  }
  ~JobExecutionTest() override { std::filesystem::remove_all(directory); }

  StepSpec& step(std::string run) {
    StepSpec made;
    made.number = static_cast<int64_t>(spec.steps.size()) + 1;
    made.run = std::move(run);
    spec.steps.push_back(std::move(made));
    return spec.steps.back();
  }
  StepSpec& step(std::string id, std::string run) {
    auto& made = step(std::move(run));
    made.id = std::move(id);
    return made;
  }
  JobEnd run() {
    JobExecution::Around around{.loop = loop.executor(),
                                .clock = clock,
                                .disk = disk,
                                .executor = *executor,
                                .observer = observer,
                                .actions = actions};
    order.spec = spec;
    execution = std::make_unique<JobExecution>(
        around, order, JobPlace{directory, directory + "/workspace", directory + "/temp", {}, {}}, times);
    return loop.run(execution->run());
  }
  // The log without times and step numbers.
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::istringstream in(observer.text);
    for (std::string line; std::getline(in, line);) {
      auto text = line.find(' ', line.find(' ') + 1);
      all.push_back(line.substr(text + 1));
    }
    return all;
  }
  static std::vector<Conclusion> conclusions(const JobEnd& end) {
    std::vector<Conclusion> all;
    for (const auto& result : end.steps) all.push_back(result.conclusion);
    return all;
  }

  std::string directory;
  core::Loop loop;
  core::SystemClock clock;
  core::SystemDisk disk;
  std::unique_ptr<Executor> executor = make_host_executor(loop.executor());
  Observer observer;
  ActionSource* actions = nullptr;
  JobSpec spec;
  JobOrder order;
  JobExecution::Times times;
  std::unique_ptr<JobExecution> execution;
};

TEST_F(JobExecutionTest, StepsRunInOrderAndBothOutputsAreKeptInTheirOrder) {
  step("echo one; echo two >&2; echo three");
  step("echo four");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success);
  EXPECT_THAT(conclusions(end), ElementsAre(Conclusion::success, Conclusion::success));
  EXPECT_THAT(observer.text, ::testing::ContainsRegex("1 one\n[^\n]* 1 two\n[^\n]* 1 three\n"));
  EXPECT_THAT(observer.text, HasSubstr(" 2 four\n"));
}

TEST_F(JobExecutionTest, AFailedStepSkipsTheRestButWhatAsksForFailureOrAlways) {
  step("exit 3");
  step("echo never");
  step("echo cleanup").condition = "always()";
  step("echo report").condition = "failure()";
  step("echo cancelled").condition = "cancelled()";
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(conclusions(end), ElementsAre(Conclusion::failure, Conclusion::skipped, Conclusion::success,
                                            Conclusion::success, Conclusion::skipped));
  EXPECT_EQ(end.steps[0].exit_code, 3);
  EXPECT_THAT(end.errors, HasSubstr("exit code 3"));
  EXPECT_THAT(lines(), Not(Contains("never")));
}

TEST_F(JobExecutionTest, ContinueOnErrorLetsTheJobSucceed) {
  step("exit 1").continue_on_error = "true";
  step("echo on");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success);
  EXPECT_THAT(conclusions(end), ElementsAre(Conclusion::success, Conclusion::success));
}

TEST_F(JobExecutionTest, TheDefaultShellStopsAtTheFirstFailingCommand) {
  step("false\necho went on");
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_THAT(lines(), Not(Contains("went on")));
}

TEST_F(JobExecutionTest, BashByNameFailsAPipelineWhosePartFails) {
  step("false | true");
  EXPECT_EQ(run().conclusion, Conclusion::success) << "bash -e alone looks at the last part";
  spec.steps[0].shell = "bash";
  for (auto folder : {"/temp", "/workspace", "/tools"}) std::filesystem::remove_all(directory + folder);
  EXPECT_EQ(run().conclusion, Conclusion::failure);
}

TEST_F(JobExecutionTest, ShAndPythonRunTheirOwnLanguage) {
  step("echo \"$0\" | grep -q step").shell = "sh";
  step("import sys; print('python', sys.version_info[0])").shell = "python";
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(observer.text, HasSubstr("python 3"));
}

TEST_F(JobExecutionTest, AStepSeesItsVariablesAndNothingOfTheRunners) {
  ::setenv("HEADRACE_TOKEN", "hr_secret", 1);
  spec.env = {{{"WHO", "workflow"}}};
  step("echo \"$CI $WHO ${HEADRACE_TOKEN-none} $GITHUB_WORKSPACE\"; pwd").env = {{"WHO", "step"}};
  run();
  ::unsetenv("HEADRACE_TOKEN");
  EXPECT_THAT(observer.text, HasSubstr("true step none " + directory + "/workspace\n"));
}

TEST_F(JobExecutionTest, WorkingDirectoryIsWithinTheWorkspaceAndAMissingOneIsSaid) {
  step("mkdir -p inner");
  step("pwd").working_directory = "inner";
  step("pwd").working_directory = "absent";
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(observer.text, HasSubstr(directory + "/workspace/inner\n"));
  EXPECT_THAT(end.errors, HasSubstr("absent"));
}

TEST_F(JobExecutionTest, CancellingEndsTheStepAndEverythingItStarted) {
  step("sleep 1000 & echo $!; sleep 1000");
  step("echo next");
  step("echo last words").condition = "cancelled()";
  observer.on_begin = [&] {
    if (observer.began.size() == 1) loop.post([&] { execution->cancel("cancelled by alice"); });
  };
  auto started = clock.steady();
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::cancelled);
  EXPECT_EQ(end.errors, "cancelled by alice");
  EXPECT_THAT(conclusions(end), ElementsAre(Conclusion::cancelled, Conclusion::skipped, Conclusion::success));
  EXPECT_LT(clock.steady() - started, std::chrono::seconds(60));
  EXPECT_EQ(observer.groups.back(), 0);
}

TEST_F(JobExecutionTest, AStepThatIgnoresInterruptsIsKilled) {
  step("trap '' INT TERM; while true; do sleep 0.05; done");
  observer.on_begin = [&] { loop.post([&] { execution->cancel("enough"); }); };
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::cancelled);
}

TEST_F(JobExecutionTest, WhatLeavesTheGroupAndHoldsTheOutputDoesNotHoldTheJob) {
  step("setsid sleep 5 & echo done");
  auto started = clock.steady();
  EXPECT_EQ(run().conclusion, Conclusion::success);
  EXPECT_LT(clock.steady() - started, std::chrono::seconds(4));
  EXPECT_THAT(observer.text, HasSubstr("done"));
}

TEST_F(JobExecutionTest, AJobWhoseLogCannotBeKeptFailsAndSaysWhy) {
  observer.full = true;
  step("while true; do echo x; sleep 0.01; done");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(end.errors, HasSubstr("No space"));
}

TEST_F(JobExecutionTest, AShellThatIsNotThereIsNamed) {
  step("x").shell = "fish";
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(end.errors, HasSubstr("fish"));
}

}  // namespace
}  // namespace headrace::runner
