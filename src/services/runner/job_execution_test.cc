// Real processes: what the steps of a job do, and what is said about it.
#include "services/runner/job_execution.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/bytes.h"
#include "services/runner/job_context.h"
#include "services/runner/step_engine.h"

namespace headrace::runner {
namespace {

using events::Conclusion;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
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
 public:
  ~JobExecutionTest() override { std::filesystem::remove_all(directory); }

 protected:
  JobExecutionTest() {
    char path[] = "/tmp/headrace-job-XXXXXX";
    directory = ::mkdtemp(path);
    spec.timeout_minutes = 10;
    times.interrupt = std::chrono::milliseconds(300);
    times.terminate = std::chrono::milliseconds(300);
    times.drain = std::chrono::milliseconds(300);
  }

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

// ---- Contexts and conditions

TEST_F(JobExecutionTest, OutputsOutcomesAndConclusionsReachLaterSteps) {
  step("a", "echo 'v=1' >> $GITHUB_OUTPUT; printf 'm<<E\none\ntwo\nE\n' >> $GITHUB_OUTPUT");
  step("b", "exit 1").continue_on_error = "${{ steps.a.outputs.v == 1 }}";
  step(
      "echo '${{ steps.a.outputs.v }} ${{ toJSON(steps.a.outputs.m) }} ${{ steps.b.outcome }} ${{ steps.b.conclusion "
      "}}'");
  step("c", "echo never").condition = "steps.b.outcome == 'success'";
  step("echo skipped was ${{ steps.c.conclusion }}");
  EXPECT_EQ(run().conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(lines(), Contains(R"(1 "one\ntwo" failure success)")) << observer.text;
  EXPECT_THAT(lines(), Contains("skipped was skipped"));
}

TEST_F(JobExecutionTest, ContextsOfTheJobAreThereAndTextsAreEvaluatedWhenTheStepRuns) {
  workflow::Object github, matrix;
  github.set("sha", "abc");
  github.set("repository", "team/hello");
  matrix.set("os", "debian");
  spec.contexts.set("github", workflow::Value(github));
  spec.contexts.set("matrix", workflow::Value(matrix));
  order.event = R"({"number":7})";
  order.grant.secrets = {{"KEY", "s3cr3t-value"}};
  spec.env = {{{"A", "${{ matrix.os }}-1"}}, {{"B", "${{ env.A }}-2"}}};
  auto& one = step("echo $A $B $C $GITHUB_SHA $GITHUB_REPOSITORY $RUNNER_OS; cat $GITHUB_EVENT_PATH; echo");
  one.env = {{"C", "${{ env.B }}-${{ github.event.number }}"}};
  one.name = "Build on ${{ matrix.os }}";
  step("test '${{ secrets.KEY }}' = s3cr3t-value && echo '${{ job.status }} ${{ runner.os }} ${{ github.workspace }}'");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(lines(), Contains("debian-1 debian-1-2 debian-1-2-7 abc team/hello Linux"));
  EXPECT_THAT(lines(), Contains(R"({"number":7})"));
  EXPECT_THAT(lines(), Contains("success Linux " + directory + "/workspace"));
  EXPECT_EQ(end.steps[0].name, "Build on debian");
  EXPECT_THAT(observer.text, Not(HasSubstr("s3cr3t-value")));
}

TEST_F(JobExecutionTest, DefaultVariablesCannotBeOverwrittenButCiCan) {
  step("echo $CI $GITHUB_ACTIONS $RUNNER_OS $GITHUB_WORKSPACE").env = {
      {"CI", "no"}, {"GITHUB_ACTIONS", "no"}, {"RUNNER_OS", "no"}, {"GITHUB_WORKSPACE", "no"}};
  run();
  EXPECT_THAT(lines(), Contains("no true Linux " + directory + "/workspace"));
}

TEST_F(JobExecutionTest, VariablesAndFoldersThatAStepSetsHoldForTheNext) {
  step(
      "echo A=1 >> $GITHUB_ENV; mkdir -p bin; printf '#!/bin/sh\\necho mine' > bin/tool; chmod +x bin/tool; "
      "echo $PWD/bin >> $GITHUB_PATH; echo \"now ${A-unset}\"");
  step("echo \"then $A ${{ env.A }}\"; tool");
  step("echo \"own $A\"").env = {{"A", "2"}};
  EXPECT_EQ(run().conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(lines(), Contains("now unset"));
  EXPECT_THAT(lines(), Contains("then 1 1"));
  EXPECT_THAT(lines(), Contains("mine"));
  EXPECT_THAT(lines(), Contains("own 2"));
}

TEST_F(JobExecutionTest, AnEnvironmentFileThatCannotBeReadFailsItsStep) {
  step("echo nonsense >> $GITHUB_ENV");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(lines(), Contains("##[error]Unable to process file command 'env' successfully."));
  EXPECT_THAT(lines(), Contains("##[error]Invalid format 'nonsense'"));
}

TEST_F(JobExecutionTest, AnEnvironmentFileBeyondItsBoundFailsItsStep) {
  step("head -c 1100000 /dev/zero | tr '\\0' x > $GITHUB_OUTPUT");
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_THAT(observer.text, HasSubstr("1024 KiB"));
}

TEST_F(JobExecutionTest, AnEnvironmentFileThatBecameALinkOrAPipeHoldsNobody) {
  step("rm $GITHUB_ENV; mkfifo $GITHUB_ENV; rm $GITHUB_OUTPUT; ln -s /etc/hostname $GITHUB_OUTPUT");
  auto started = clock.steady();
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_LT(clock.steady() - started, std::chrono::seconds(10));
}

TEST_F(JobExecutionTest, NodeOptionsAreNotTakenFromAFile) {
  step("echo NODE_OPTIONS=--inspect >> $GITHUB_ENV");
  step("echo \"[${NODE_OPTIONS-none}]\"");
  run();
  EXPECT_THAT(lines(), Contains("[none]"));
  EXPECT_THAT(observer.text, HasSubstr("Can't store NODE_OPTIONS"));
}

TEST_F(JobExecutionTest, AnExpressionThatCannotBeEvaluatedFailsTheStepWithItsReason) {
  step("echo ${{ nothing.at.all }}");
  step("x").condition = "success() && (fromJSON('{'))";
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(end.errors, HasSubstr("Unrecognized named-value: 'nothing'"));
}

TEST_F(JobExecutionTest, FilesAreHashedAsTheyAreThen) {
  step("printf a > a.lock; mkdir sub; printf b > sub/b.lock");
  step("echo \"sum ${{ hashFiles('**/*.lock') }} ${{ hashFiles('none') }}.\"");
  EXPECT_EQ(run().conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(lines(), Contains("sum e5a01fee14e0ed5c48714f22180f25ad8365b53f9779f79dc4a3d7e93963f94a ."))
      << observer.text;
}

// ---- Commands and the log

TEST_F(JobExecutionTest, AStepWithoutANameIsCalledByTheFirstLineOfWhatItRuns) {
  spec.contexts.set("needs", workflow::Value("one\ntwo"));
  step("\n  echo '${{ needs }}' and more\necho last");
  step("echo ${{\n  'within' }}\necho last");
  step("true").name = "${{ needs }}";
  auto end = run();
  EXPECT_EQ(end.steps[0].name, "Run echo 'one");
  EXPECT_EQ(end.steps[1].name, "Run echo within");
  EXPECT_EQ(end.steps[2].name, "one");
}

TEST_F(JobExecutionTest, TheLogShowsWhatIsRunAsGitHubDoes) {
  step("echo one\necho two").env = {{"X", "1"}};
  run();
  EXPECT_THAT(observer.text, HasSubstr(" 1 ##[group]Run echo one\n"));
  EXPECT_THAT(lines(), Contains("\x1b[36;1mecho two\x1b[0m"));
  EXPECT_THAT(lines(), Contains(::testing::EndsWith("bash -e {0}")));
  EXPECT_THAT(lines(), Contains("  X: 1"));
  EXPECT_THAT(lines(), Contains("##[endgroup]"));
}

TEST_F(JobExecutionTest, ALongNameOfAStepIsCutBetweenCharacters) {
  std::string umlauts = "x";
  for (int i = 0; i < 300; ++i) umlauts += "\u00e4";
  step("exit 1").name = umlauts;
  auto end = run();
  ASSERT_EQ(end.steps.size(), 1u);
  EXPECT_EQ(end.steps[0].name, umlauts.substr(0, 511) + "...");
  EXPECT_TRUE(core::is_utf8(end.errors)) << end.errors;
}

TEST_F(JobExecutionTest, WhatIsWrongInAFileOfAStepIsToldAsText) {
  step("printf 'gr\\374\\337' >> $GITHUB_ENV");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_TRUE(core::is_utf8(end.errors)) << end.errors;
}

TEST_F(JobExecutionTest, TheNameOfAStepIsOneLineWhateverItsExpressionsComeTo) {
  step("echo '${{ toJSON(runner) }}' > /dev/null");
  step("true").name = "\n  All of ${{ toJSON(runner) }}";
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success) << observer.text;
  ASSERT_EQ(end.steps.size(), 2u);
  EXPECT_EQ(end.steps[0].name, "Run echo '{");
  EXPECT_EQ(end.steps[1].name, "All of {");
}

TEST_F(JobExecutionTest, CommandsBecomeAnnotationsMasksAndGroups) {
  step(
      "echo '::warning file=src/a.cc,line=3,title=T::Careful%0Aplease'; echo '::group::G'; echo '::endgroup::'; "
      "echo '::add-mask::topsecret'; echo a topsecret b; echo '::debug::hidden'");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::success);
  ASSERT_EQ(end.annotations.size(), 1u);
  EXPECT_EQ(end.annotations[0].message, "Careful\nplease");
  EXPECT_EQ(end.annotations[0].file, "src/a.cc");
  EXPECT_EQ(end.annotations[0].step, 1);
  EXPECT_THAT(lines(), Contains("##[warning]Careful"));
  EXPECT_THAT(lines(), Contains("please"));
  EXPECT_THAT(lines(), Contains("##[group]G"));
  EXPECT_THAT(lines(), Contains("a *** b"));
  EXPECT_THAT(lines(), Not(Contains("##[debug]hidden")));
}

TEST_F(JobExecutionTest, ACommandThatFailsFailsItsStep) {
  step("echo '::set-env name=A::1'");
  EXPECT_EQ(run().conclusion, Conclusion::failure);
  EXPECT_THAT(observer.text, HasSubstr("The `set-env` command is disabled"));
}

TEST_F(JobExecutionTest, MatchersLiveOnInLaterStepsAndNameFilesOfTheWorkspace) {
  step(
      "mkdir src; touch src/a.c; echo "
      "'{\"problemMatcher\":[{\"owner\":\"cc\",\"pattern\":[{\"regexp\":\"^(.+):(\\\\d+): (error|warning): (.*)$\","
      "\"file\":1,\"line\":2,\"severity\":3,\"message\":4}]}]}' > m.json; echo '::add-matcher::m.json'");
  step("echo 'src/a.c:7: error: broken'; echo 'gone.c:1: warning: careful'");
  auto end = run();
  ASSERT_EQ(end.annotations.size(), 2u) << observer.text;
  EXPECT_EQ(end.annotations[0].file, "src/a.c");
  EXPECT_EQ(end.annotations[0].line, 7);
  EXPECT_EQ(end.annotations[1].file, "");
  EXPECT_THAT(lines(), Contains("##[error]src/a.c:7: error: broken"));
}

TEST_F(JobExecutionTest, AMatcherCountsFromTheNextLineOnAlsoInWhatIsWrittenAtOnce) {
  step(
      "echo '{\"problemMatcher\":[{\"owner\":\"cc\",\"pattern\":[{\"regexp\":\"^error: (.*)$\",\"message\":1}]}]}' > "
      "m.json; printf 'error: before\\n::add-matcher::m.json\\nerror: one\\nplain\\nerror: two\\n"
      "::remove-matcher owner=cc::\\nerror: after\\n'");
  auto end = run();
  ASSERT_EQ(end.annotations.size(), 2u) << observer.text;
  EXPECT_EQ(end.annotations[0].message, "one");
  EXPECT_EQ(end.annotations[1].message, "two");
}

TEST_F(JobExecutionTest, AnnotationsAreBoundedTheLogIsNot) {
  step("for i in $(seq 30); do echo \"::error::e$i\"; echo \"::notice::n$i\"; done");
  auto end = run();
  EXPECT_EQ(end.annotations.size(), 2 * annotations_a_step_max);
  EXPECT_THAT(lines(), Contains("##[error]e30"));
}

TEST_F(JobExecutionTest, SummariesAreMaskedAndBounded) {
  order.grant.secrets = {{"KEY", "s3cr3t-value"}};
  step("echo '# It ran with s3cr3t-value' >> $GITHUB_STEP_SUMMARY");
  step("head -c 1100000 /dev/zero | tr '\\0' x > $GITHUB_STEP_SUMMARY");
  EXPECT_EQ(run().conclusion, Conclusion::success);
  EXPECT_EQ(observer.summaries[1], "# It ran with ***\n");
  EXPECT_FALSE(observer.summaries.contains(2));
  EXPECT_THAT(observer.text, HasSubstr("supports content up to a size of 1024k"));
}

TEST_F(JobExecutionTest, DebuggingIsSwitchedOnByASecret) {
  order.grant.secrets = {{"ACTIONS_STEP_DEBUG", "true"}};
  step("echo '::debug::shown'; echo \"[$RUNNER_DEBUG]\"");
  run();
  EXPECT_THAT(lines(), Contains("##[debug]shown"));
  EXPECT_THAT(lines(), Contains("[1]"));
}

TEST_F(JobExecutionTest, AGigabyteWithoutANewlineIsCutAndSecretsInItAreHidden) {
  order.grant.secrets = {{"KEY", "s3cr3t-value"}};
  step("for i in $(seq 2000); do printf '%01000d' 0; printf s3cr3t-value; done");
  EXPECT_EQ(run().conclusion, Conclusion::success);
  EXPECT_THAT(observer.text, Not(HasSubstr("s3cr3t-value")));
  size_t stars = 0;
  for (size_t at = observer.text.find("***"); at != std::string::npos; at = observer.text.find("***", at + 3)) ++stars;
  EXPECT_GE(stars, 1990u);
}

// ---- Shells

TEST_F(JobExecutionTest, ShellsOfOnesOwnAreFormatsOfACommand) {
  step("print \"from perl\\n\"").shell = "perl {0}";
  step("console.log('from node')").shell = "node";
  EXPECT_EQ(run().conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(lines(), Contains("from perl"));
  EXPECT_THAT(lines(), Contains("from node"));
}

TEST_F(JobExecutionTest, DefaultsOfTheJobHoldWhereAStepSaysNothing) {
  spec.shell = "sh";
  spec.working_directory = "${{ env.WHERE }}";
  spec.env = {{{"WHERE", "inner"}}};
  step("mkdir -p inner").working_directory = ".";
  step("basename $PWD; echo $0");
  EXPECT_EQ(run().conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(lines(), Contains("inner"));
  EXPECT_THAT(lines(), Contains(::testing::EndsWith("sh -e {0}")));
}

// ---- The end of a job

TEST_F(JobExecutionTest, OutputsOfTheJobAreEvaluatedAndThoseWithASecretAreNot) {
  order.grant.secrets = {{"KEY", "s3cr3t-value"}};
  step("a", "echo v=1 >> $GITHUB_OUTPUT; echo s=s3cr3t-value >> $GITHUB_OUTPUT");
  spec.outputs = {
      {"good", "${{ steps.a.outputs.v }}"}, {"bad", "x${{ steps.a.outputs.s }}"}, {"none", "${{ steps.b.outputs.v }}"}};
  spec.environment_url = "https://example.test/${{ steps.a.outputs.v }}";
  auto end = run();
  EXPECT_EQ(end.outputs, (Variables{{"good", "1"}}));
  EXPECT_EQ(end.environment_url, "https://example.test/1");
  EXPECT_THAT(observer.text, HasSubstr("Skip output 'bad' since it may contain secret."));
}

TEST_F(JobExecutionTest, OutputsBeyondTheirBoundFailTheJob) {
  step("a", "printf 'v=%0100000d\\n' 0 >> $GITHUB_OUTPUT");
  spec.outputs = {{"v", "${{ steps.a.outputs.v }}"}};
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_TRUE(end.outputs.empty());
}

TEST_F(JobExecutionTest, AStepThatTakesTooLongFailsAndSaysSo) {
  step("sleep 100").timeout_minutes = "${{ 0.002 }}";
  step("echo after").condition = "failure()";
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_EQ(end.steps[0].conclusion, Conclusion::timed_out);
  EXPECT_THAT(lines(), Contains("after"));
  EXPECT_THAT(end.errors, HasSubstr("has timed out after 0.002 minutes"));
}

TEST_F(JobExecutionTest, AStepThatClosesItsPipesAndStaysIsWaitedForAndCanBeCancelled) {
  step("exec >&- 2>&-; sleep 0.5; touch done");
  EXPECT_EQ(run().conclusion, Conclusion::success);
  EXPECT_TRUE(std::filesystem::exists(directory + "/workspace/done"));
}

TEST_F(JobExecutionTest, ACancelledJobLetsAStepGoOnThatAsksForIt) {
  step("sleep 0.5; echo went on").condition = "always()";
  step("echo next");
  observer.on_begin = [&] { loop.post([&] { execution->cancel("enough"); }); };
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::cancelled);
  EXPECT_THAT(lines(), Contains("went on"));
  EXPECT_EQ(end.steps[1].conclusion, Conclusion::skipped);
}

TEST_F(JobExecutionTest, AJobThatEndsAtOnceKillsAStepThatAlwaysRunsAndBeginsNoOther) {
  step("trap '' INT TERM; sleep 1000 & wait $!; echo went on").condition = "always()";
  step("echo next").condition = "always()";
  observer.on_begin = [&] { loop.post([&] { execution->cancel("enough", Ending::at_once); }); };
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::cancelled);
  EXPECT_THAT(conclusions(end), ElementsAre(Conclusion::cancelled, Conclusion::skipped));
  EXPECT_THAT(lines(), AllOf(Not(Contains("went on")), Not(Contains("next"))));
  EXPECT_EQ(observer.began.size(), 1u);
}

TEST_F(JobExecutionTest, AJobThatEndsInGoodOrderCanStillBeEndedAtOnce) {
  times.interrupt = std::chrono::minutes(10);
  step("trap '' INT; sleep 1000 & wait $!");
  step("echo cleanup").condition = "always()";
  observer.on_begin = [&] {
    loop.post([&] { execution->cancel("cancelled by alice"); });
    loop.post([&] { execution->cancel("cancelled by bob", Ending::at_once); });
  };
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::cancelled);
  EXPECT_EQ(end.errors, "cancelled by bob");
  EXPECT_THAT(conclusions(end), ElementsAre(Conclusion::cancelled, Conclusion::skipped));
}

TEST_F(JobExecutionTest, ReportsOfEachStepAreFound) {
  step("printf '<testsuite name=\"s\"><testcase name=\"a\"/></testsuite>' > junit.xml");
  run();
  ASSERT_EQ(observer.reported.size(), 1u);
  EXPECT_EQ(observer.reported[0].file, "junit.xml");
}

// ---- Actions

// "say" prints its input and has pre and post; "both" is a composite of two of them.
struct TestAction final : Action {
  explicit TestAction(std::string action_name) : name(std::move(action_name)) {}
  bool has(Stage) const override { return true; }
  core::Task<Conclusion> run(Stage stage, StepRun& step) override {
    if (stage == Stage::pre) step.save_state("from_pre", "P");
    StepCommand command;
    command.argv = {"sh", "-c",
                    "echo " + name + " " + std::string(name_of(stage)) +
                        " $INPUT_WHO ${STATE_from_pre-none} ${STATE_x-none}; echo x=1 >> $GITHUB_STATE; echo o=" +
                        name + " >> $GITHUB_OUTPUT"};
    for (const auto& [key, value] : step.with()) command.environment.emplace_back("INPUT_WHO", value);
    co_return co_await step.execute(std::move(command));
  }
  std::string name;
};

struct TestComposite final : Action {
  explicit TestComposite(std::unique_ptr<StepGroup> steps) : group(std::move(steps)) {}
  bool has(Stage stage) const override { return group->has(stage); }
  core::Task<Conclusion> run(Stage stage, StepRun& step) override {
    workflow::Object inputs;
    for (const auto& [name, value] : step.with()) inputs.set(name, value);
    group->scope().inputs = workflow::Value(std::move(inputs));
    group->scope().env = step.env();
    auto conclusion = co_await group->run(stage);
    auto output = co_await step.evaluate_text("${{ steps.one.outputs.o }}/${{ steps.two.outcome }}", group->scope());
    if (stage == Stage::main) step.set_output("all", output.value_or("?"));
    co_return conclusion;
  }
  std::unique_ptr<StepGroup> group;
};

struct TestActions final : ActionSource {
  bool opens_early(std::string_view uses) const override { return !uses.starts_with("./"); }
  core::Task<core::Result<std::unique_ptr<Action>>> open(ActionWish wish) override {
    std::string uses = wish.step->uses;
    opened.push_back(uses);
    if (uses == "missing@v1") co_return core::fail(core::Code::not_found, "There is no action 'missing@v1'.");
    if (!uses.starts_with("both")) co_return std::unique_ptr<Action>(std::make_unique<TestAction>(uses));
    StepScope scope;
    scope.outer = wish.scope;
    scope.depth = wish.scope->depth + 1;
    std::vector<StepSpec> steps(3);
    steps[0].id = "one";
    steps[0].uses = uses == "both@deep" ? uses : "inner-a";
    steps[0].with = {{"who", "${{ inputs.who }}-inside"}};
    steps[1].id = "two";
    steps[1].run = "echo two $E; echo it is $GITHUB_ACTION ${{ github.action }}; exit ${{ inputs.code || 0 }}";
    steps[1].shell = "sh";
    steps[2].uses = "inner-b";
    steps[2].condition = "failure()";
    auto group = std::make_unique<StepGroup>(*wish.engine, std::move(steps), std::move(scope));
    if (auto ready = co_await group->open(); !ready) co_return std::unexpected(ready.error());
    co_return std::unique_ptr<Action>(std::make_unique<TestComposite>(std::move(group)));
  }
  std::vector<std::string> opened;
};

class JobActionsTest : public JobExecutionTest {
 protected:
  JobActionsTest() { actions = &source; }
  StepSpec& use(std::string uses, Variables with = {}) {
    auto& made = step("");
    made.uses = std::move(uses);
    made.with = std::move(with);
    return made;
  }
  std::vector<std::string> said() const {
    std::vector<std::string> all;
    for (const auto& line : lines())
      if (!line.starts_with("##[") && line.find(' ') != std::string::npos && !line.starts_with("Run") &&
          (line.find(" pre ") != std::string::npos || line.find(" main ") != std::string::npos ||
           line.find(" post ") != std::string::npos))
        all.push_back(line);
    return all;
  }
  TestActions source;
};

TEST_F(JobActionsTest, PreComesFirstAndPostLastInTurn) {
  use("a@v1", {{"who", "${{ 'x' }}"}});
  use("b@v1", {{"who", "y"}}).id = "b";
  step("exit ${{ steps.b.outputs.o == 'b@v1' && 3 || 4 }}");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(said(), ElementsAre("a@v1 pre x none none", "b@v1 pre y none none", "a@v1 main x P 1", "b@v1 main y P 1",
                                  "b@v1 post y P 1", "a@v1 post x P 1"))
      << observer.text;
  EXPECT_EQ(end.steps.size(), 7u);
  EXPECT_EQ(end.steps[0].name, "Pre Run a@v1");
  EXPECT_EQ(end.steps[4].exit_code, 3);
  EXPECT_EQ(end.steps[6].name, "Post Run a@v1");
}

TEST_F(JobActionsTest, PostRunsAfterCancellationToo) {
  use("a@v1");
  step("sleep 100");
  observer.on_begin = [&] {
    if (observer.began.back() == 2) loop.post([&] { execution->cancel("enough"); });
  };
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::cancelled);
  EXPECT_THAT(said(), Contains(HasSubstr("a@v1 post")));
}

TEST_F(JobActionsTest, ACompositeRunsItsStepsWithItsOwnContextsAndMapsOutputs) {
  use("both@v1", {{"who", "me"}}).id = "c";
  spec.steps[0].env = {{"E", "given"}};
  step("echo 'got ${{ steps.c.outputs.all }} ${{ steps.one.outputs.o }}.'");
  EXPECT_EQ(run().conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(lines(), Contains("inner-a main me-inside P 1"));
  EXPECT_THAT(lines(), Contains("two given"));
  EXPECT_THAT(lines(), Contains("got inner-a/success ."));
  EXPECT_THAT(said(), Not(Contains(HasSubstr("inner-b main"))));
  EXPECT_THAT(said(), Contains(HasSubstr("inner-a post"))) << "as a post stage of the composite";
}

TEST_F(JobActionsTest, TheNameOfTheJobsStepIsInItsContextAlsoWithinAComposite) {
  use("both@v1").env = {{"E", "${{ github.action }}"}};
  step("echo it is $GITHUB_ACTION ${{ github.action }}");
  step("named", "echo it is $GITHUB_ACTION ${{ github.action }}");
  EXPECT_EQ(run().conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(lines(), IsSupersetOf({"two __both", "it is __both __both", "it is __run __run", "it is named named"}));
}

TEST_F(JobActionsTest, AFailureInACompositeIsSeenByItsOwnConditions) {
  use("both@v1", {{"who", "me"}, {"code", "5"}});
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(said(), Contains(HasSubstr("inner-b main")));
}

TEST_F(JobActionsTest, CompositesWithinEachOtherAreBounded) {
  use("both@deep");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(end.errors, HasSubstr("nested more than 10 deep"));
}

TEST_F(JobActionsTest, AnActionThatIsNotThereFailsTheJobBeforeTheFirstStep) {
  step("echo first");
  use("missing@v1");
  auto end = run();
  EXPECT_EQ(end.conclusion, Conclusion::failure);
  EXPECT_THAT(end.errors, HasSubstr("no action 'missing@v1'"));
  EXPECT_THAT(lines(), Not(Contains("first")));
}

TEST_F(JobActionsTest, ALocalActionIsOpenedWhenItsStepRuns) {
  step("echo first");
  use("./local", {{"who", "w"}});
  EXPECT_EQ(run().conclusion, Conclusion::success) << observer.text;
  EXPECT_THAT(source.opened, ElementsAre("./local"));
  EXPECT_THAT(said(), ElementsAre("./local main w none none", "./local post w none 1"));
}

TEST_F(JobActionsTest, WithoutActionsAStepThatUsesOneIsRefusedWithTheReason) {
  actions = nullptr;
  use("a@v1");
  EXPECT_THAT(run().errors, HasSubstr("no actions: 'a@v1'"));
}

}  // namespace
}  // namespace headrace::runner
