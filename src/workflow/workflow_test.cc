#include "workflow/workflow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"

namespace headrace::workflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view ci = R"(name: CI
run-name: Build it
on:
  push:
    branches: [main, 'release/**', '!release/old']
  workflow_dispatch:
env: {A: workflow, B: 1.10, C: true, D: null}
permissions:
  contents: read
defaults:
  run:
    shell: sh
jobs:
  build:
    name: Build
    runs-on: ubuntu-latest
    timeout-minutes: 10
    env:
      A: job
    steps:
      - name: Compile
        id: compile
        run: |
          make
          make install
        working-directory: src
        env: {E: step}
      - run: make test
        shell: bash
        if: always()
        continue-on-error: true
        timeout-minutes: 2.5
  lint:
    runs-on: [self-hosted, linux]
    if: ${{ failure() }}
    steps:
      - run: lint
  deploy:
    needs: [BUILD, lint]
    runs-on: ubuntu-latest
    steps:
      - run: deploy
)";

Workflow good(std::string_view text) {
  Reading reading = read(text, ".github/workflows/ci.yml");
  EXPECT_THAT(reading.errors, IsEmpty()) << reading.errors[0].message;
  return reading.workflow.value_or(Workflow{});
}

std::string with_jobs(std::string_view head) {
  return std::string(head) + "\njobs:\n  a:\n    runs-on: x\n    steps: [{run: 'true'}]\n";
}

std::string job(std::string_view lines) { return "on: push\njobs:\n  a:\n    runs-on: x\n" + std::string(lines); }

Finding refusal(std::string_view text) {
  Reading reading = read(text, "ci.yml");
  EXPECT_FALSE(reading.workflow) << text;
  EXPECT_THAT(reading.errors, SizeIs(1)) << text;
  return reading.errors.empty() ? Finding{} : reading.errors[0];
}

Unsupported lacking(std::string_view text) {
  Reading reading = read(text, "ci.yml");
  EXPECT_THAT(reading.errors, IsEmpty()) << text;
  EXPECT_THAT(reading.unsupported, SizeIs(1)) << text;
  return reading.unsupported.empty() ? Unsupported{} : reading.unsupported[0];
}

TEST(WorkflowReader, UnderstandsAWholeFile) {
  Workflow workflow = good(ci);
  EXPECT_THAT(workflow.unsupported, IsEmpty());
  EXPECT_EQ(workflow.name, "CI");
  EXPECT_EQ(workflow.run_name, "Build it");
  EXPECT_EQ(workflow.body.at_or_null("env").at_or_null("B").text, "1.1");
  EXPECT_EQ(workflow.body.at_or_null("env").at_or_null("D").text, "");
  ASSERT_THAT(workflow.jobs, SizeIs(3));
  const Job& build = workflow.jobs[0];
  EXPECT_EQ(build.body.at_or_null("timeout-minutes").number, 10);
  ASSERT_THAT(build.steps, SizeIs(2));
  EXPECT_EQ(build.steps[0].run, "make\nmake install\n");
  EXPECT_EQ(build.steps[0].at, (Position{21, 9}));
  EXPECT_EQ(build.steps[0].condition, "success()");
  EXPECT_EQ(build.steps[1].condition, "always()");
  EXPECT_EQ(build.steps[1].shown_id, "__run");
  EXPECT_EQ(workflow.jobs[1].condition, "failure()");
  EXPECT_THAT(workflow.jobs[1].runs_on, ElementsAre("self-hosted", "linux"));
  EXPECT_EQ(workflow.jobs[2].needs[0].value, "build") << "needs find a job whatever the case";
}

TEST(WorkflowReader, ErrorsNamePlaceAndRemedy) {
  EXPECT_EQ(refusal(""), (Finding{{1, 1}, "The file is empty. A workflow has at least `on` and `jobs`."}));
  EXPECT_EQ(refusal("on: push"), (Finding{{1, 1}, "Required property is missing: jobs"}));
  EXPECT_THAT(refusal(with_jobs("on: psuh")).message, HasSubstr("Unexpected value 'psuh'"));
  EXPECT_EQ(refusal(with_jobs("on: push\nnmae: x")).at, (Position{2, 1}));
  EXPECT_THAT(refusal(with_jobs("on: push\nnmae: x")).message,
              HasSubstr("Here may stand: on, name, description, run-name,"));
  EXPECT_THAT(refusal(with_jobs("on:\n  push:\n    inputs: 1")).message, HasSubstr("Unexpected value 'inputs'"));
  EXPECT_EQ(refusal("on: push\njobs:\n  build:\n    steps:\n      - run: echo hi\n"),
            (Finding{{4, 5}, "Required property is missing: runs-on"}));
  EXPECT_EQ(refusal(job("    steps:\n      - shell: bash\n")).at, (Position{6, 9}));
  EXPECT_THAT(refusal(job("    steps:\n      not: a-sequence\n")),
              (Finding{{6, 7}, "A mapping was not expected. Here must stand a sequence."}));
  EXPECT_THAT(refusal(job("    steps: [{run: a}]\n    needs: b\n")).message, HasSubstr("depends on unknown job 'b'"));
  EXPECT_THAT(refusal(job("    steps: [{run: a}]\n    continue-on-error: 3\n")).message, HasSubstr("true or false"));
  EXPECT_THAT(refusal(job("    steps: [{run: 'echo ${{ x'}]\n")).message, HasSubstr("not closed"));
  EXPECT_THAT(refusal(job("    steps: [{run: a, uses: b/c@v1}]\n")).message, HasSubstr("Unexpected value 'uses'"));
  EXPECT_THAT(refusal(job("    steps: [{run: a, id: x}, {run: b, id: X}]\n")).message, HasSubstr("more than once"));
  EXPECT_THAT(refusal("on: push\njobs:\n  my.job:\n    runs-on: x\n    steps: [{run: a}]\n").message,
              HasSubstr("The identifier 'my.job' is invalid."));
}

TEST(WorkflowReader, RefusesNeedsThatGoInACircle) {
  auto file = [](std::string_view a, std::string_view b, std::string_view c) {
    std::string text = "on: push\njobs:\n";
    for (auto [id, needs] : {std::pair("a", a), std::pair("b", b), std::pair("c", c)}) {
      text +=
          std::string("  ") + id + ":\n    runs-on: x\n    needs: " + std::string(needs) + "\n    steps: [{run: a}]\n";
    }
    return text;
  };
  EXPECT_EQ(refusal(file("b", "c", "a")),
            (Finding{{3, 3},
                     "The workflow must contain at least one job with no dependencies. Each waits for another: "
                     "a -> b -> c -> a. Break it."}));
  std::vector<Finding> errors = read(file("[]", "[a, c]", "b"), "ci.yml").errors;
  ASSERT_THAT(errors, SizeIs(2));
  EXPECT_EQ(errors[0].message, "Job 'b' depends on job 'c' which creates a cycle in the dependency graph. Break it.");
  EXPECT_EQ(errors[1].message, "Job 'c' depends on job 'b' which creates a cycle in the dependency graph. Break it.");
  EXPECT_THAT(refusal(file("[]", "b", "[]")).message, HasSubstr("Job 'b' depends on job 'b' which creates a cycle"));
}

TEST(WorkflowReader, ListsWhatItCannotRunWithItsPlace) {
  EXPECT_EQ(lacking(job("    steps: [{run: a}]\n    snapshot: img\n")),
            (Unsupported{{6, 5}, "jobs.<job_id>.snapshot", ""}));
  EXPECT_EQ(lacking(job("    steps:\n      - {run: a, background: true}\n")),
            (Unsupported{{6, 18}, "jobs.<job_id>.steps[*].background", ""}));
  EXPECT_EQ(lacking(with_jobs("on: [push, gollum]")), (Unsupported{{1, 12}, "on.gollum", "gollum"}));
  EXPECT_EQ(lacking(with_jobs("on: {schedule: [{cron: '1 2 * * *', timezone: Europe/Paris}]}")),
            (Unsupported{{1, 47}, "on.schedule.timezone but UTC", "schedule"}));
}

TEST(WorkflowReader, SaysOfEventsThatNothingSaysYetThatTheyStartNothing) {
  auto reading = read(with_jobs("on: [push, release]"), "ci.yml");
  EXPECT_THAT(reading.unsupported, IsEmpty()) << "a push runs it all the same";
  ASSERT_THAT(reading.warnings, SizeIs(1));
  EXPECT_EQ(reading.warnings[0].at, (Position{1, 12}));
  EXPECT_THAT(reading.warnings[0].message, HasSubstr("'release' starts nothing on a server yet"));
  EXPECT_THAT(read(with_jobs("on: [push, schedule]"), "ci.yml").warnings, IsEmpty());
}

TEST(WorkflowCheck, PrintsOneFileAsTheCommandDoes) {
  std::string text = with_jobs("on: [push, fork]");
  EXPECT_EQ(
      to_json(read(text, "ci.yml"), "ci.yml"),
      R"_({"file":"ci.yml","errors":[],"warnings":[],"unsupported":[{"line":1,"column":12,"feature":"on.fork"}],"name":"",)_"
      R"_("events":["push","fork"],"jobs":[{"id":"a","name":"a","needs":[],"if":"success()","runs_on":["x"],)_"
      R"_("uses":"","steps":[{"id":"__run","name":"","if":"success()","uses":"","run":"true"}]}]})_");
  EXPECT_THAT(to_json(read("on: push", "x"), "x"), HasSubstr(R"("errors":[{"line":1,"column":1,"message":"Required)"));
}

TEST(WorkflowPaths, AreYamlFilesRightInTheTwoFolders) {
  EXPECT_TRUE(is_workflow_path(".github/workflows/ci.yml"));
  EXPECT_TRUE(is_workflow_path(".headrace/workflows/a.b.yaml"));
  EXPECT_FALSE(is_workflow_path(".github/workflows/sub/ci.yml"));
  EXPECT_FALSE(is_workflow_path(".github/workflows/README.md"));
  EXPECT_FALSE(is_workflow_path(".github/workflows/.yml"));
  EXPECT_FALSE(is_workflow_path("src/.github/workflows/ci.yml"));
}

}  // namespace
}  // namespace headrace::workflow
