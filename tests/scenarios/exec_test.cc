// `headrace exec`: the real program in folders with real git, on the host and in sandboxes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/json.h"
#include "scenarios/exec_case.h"
#include "support/sandboxes.h"

namespace headrace {

namespace {

using support::eventually;
using support::processes_with;
using support::read_file;
using support::text_at;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;
namespace json = core::json;

class Exec : public ExecCase {};

}  // namespace

TEST_F(Exec, RunsTheWorkflowsOfThisFolderAndTellsTheirEndByItsExitCode) {
  steps("      - run: echo \"hello from $GITHUB_EVENT_NAME\"\n");
  commit();
  auto good = exec();
  EXPECT_EQ(good.exit, 0) << good.out << good.err;
  EXPECT_THAT(good.out, HasSubstr("build | hello from push\n"));
  EXPECT_THAT(good.out, HasSubstr("CI (.github/workflows/ci.yml): ok"));
  steps("      - run: echo before\n      - name: Break\n        run: |\n          echo the reason\n          exit 3\n");
  auto bad = exec();
  EXPECT_EQ(bad.exit, 1);
  EXPECT_THAT(bad.out, HasSubstr("build, step 2: Break\nbuild | the reason\n"));
  EXPECT_EQ(exec({"--list"}).exit, 0);
  EXPECT_EQ(exec({"no_event"}).exit, 2);
  EXPECT_EQ(exec({"release"}).exit, 3);
  EXPECT_EQ(left(), 0U);
}

TEST_F(Exec, SaysWhyNothingStartedAndWhatThereIs) {
  steps("      - run: true\n", "{push: {branches: [release]}}");
  commit();
  auto ran = exec();
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.out, HasSubstr("The branch main is not matched by on.push.branches [release]"));
  EXPECT_THAT(ran.out, HasSubstr("build"));
  auto nobody = exec({"-j", "deploy"});
  EXPECT_EQ(nobody.exit, 3);
}

TEST_F(Exec, NeedsMatrixAndOutputsGoOnAsOnTheServer) {
  workflow(R"(on: push
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: {list: '${{ steps.s.outputs.list }}'}
    steps:
      - id: s
        run: echo 'list=["p","q"]' >> "$GITHUB_OUTPUT"
  test:
    needs: plan
    strategy: {matrix: {v: '${{ fromJSON(needs.plan.outputs.list) }}'}}
    uses: ./.github/workflows/called.yml
    with: {value: '${{ matrix.v }}'}
  last:
    needs: test
    runs-on: ubuntu-latest
    steps:
      - run: test '${{ needs.test.outputs.said }}' = said-q || test '${{ needs.test.outputs.said }}' = said-p
  never:
    needs: plan
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    steps: [{run: exit 1}]
)");
  workflow(R"(on:
  workflow_call:
    inputs: {value: {type: string, required: true}}
    outputs: {said: {value: '${{ jobs.say.outputs.said }}'}}
jobs:
  say:
    runs-on: ubuntu-latest
    outputs: {said: '${{ steps.s.outputs.said }}'}
    steps:
      - id: s
        run: echo "said=said-${{ inputs.value }}" >> "$GITHUB_OUTPUT"
)",
           "called.yml");
  auto ran = exec({"--json"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  auto whole = object(ran);
  EXPECT_EQ(text_at(job(whole, "test (p)/say"), "conclusion"), "success");
  EXPECT_EQ(text_at(job(whole, "last"), "conclusion"), "success");
  EXPECT_EQ(text_at(job(whole, "never"), "conclusion"), "skipped");
  auto one = object(exec({"--json", "-j", "plan"}));
  EXPECT_EQ(one.at("runs").at(0).at("jobs").as_array().size(), 1U);
}

TEST_F(Exec, ACheckoutHasWhatIsNotCommittedAndTheFolderStaysAsItIs) {
  steps(
      "      - run: test -z \"$(ls -A)\"\n      - uses: actions/checkout@v4\n      - run: |\n"
      "          test \"$(cat a.txt)\" = changed\n          test \"$(cat new.txt)\" = new\n          test ! -e "
      "ignored\n"
      "          test \"$(git rev-parse HEAD)\" = \"$GITHUB_SHA\"\n          test -z \"$(git status --porcelain)\"\n"
      "          test \"$GITHUB_REF_NAME\" = main\n          rm a.txt; echo made > made.txt\n"
      "          test \"$(python3 -c 'import json,os; "
      "print(json.load(open(os.environ[\"GITHUB_EVENT_PATH\"]))[\"ref\"])')\""
      " = refs/heads/main\n");
  write(".gitignore", "ignored\n");
  write("a.txt", "first\n");
  commit();
  write("a.txt", "changed\n");
  write("new.txt", "new\n");
  write("ignored", "x\n");
  write("deep/within/x", "x\n");
  auto before = git({"status", "--porcelain"}).out;
  auto ran = exec({}, "/deep/within");
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("with what is not committed"));
  EXPECT_EQ(git({"status", "--porcelain"}).out, before);
  EXPECT_EQ(read_file(folder() + "/a.txt"), "changed\n");
}

TEST_F(Exec, AllOfHistoryIsThereForWhoWantsItAndALocalActionRuns) {
  steps(
      "      - uses: actions/checkout@v4\n        with: {fetch-depth: 0}\n      - run: test \"$(git rev-list --count "
      "HEAD)\""
      " = 2 && git rev-parse --verify origin/side\n      - id: mine\n        uses: ./tools/hello\n        with: {who: "
      "Ada}\n"
      "      - run: test '${{ steps.mine.outputs.said }}' = 'hello Ada'\n");
  write("tools/hello/action.yml",
        "name: hello\ninputs: {who: {required: true}}\noutputs: {said: {value: '${{ steps.s.outputs.x }}'}}\nruns:\n  "
        "using: composite\n  steps:\n    - id: s\n      shell: bash\n      run: echo \"x=hello ${{ inputs.who }}\" >> "
        "$GITHUB_OUTPUT\n");
  commit();
  git({"branch", "side"});
  write("b.txt", "b\n");
  commit();
  auto ran = exec();
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
}

TEST_F(Exec, ActionsAndCalledWorkflowsOfOtherRepositoriesComeFromTheUpstream) {
  support::write_file(
      top_ + "/shared/hello/action.yml",
      "name: hello\nruns:\n  using: composite\n  steps:\n    - {shell: bash, run: echo hello from afar}\n");
  support::write_file(top_ + "/shared/.github/workflows/inner.yml",
                      "on: workflow_call\njobs:\n  deep: {runs-on: ubuntu-latest, steps: [{run: echo deep within}]}\n");
  support::write_file(top_ + "/shared/.github/workflows/outer.yml",
                      "on: workflow_call\njobs:\n  mid: {uses: ./.github/workflows/inner.yml}\n");
  for (std::vector<std::string> words : std::vector<std::vector<std::string>>{
           {"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-qm", "Shared"}}) {
    words.insert(words.begin(), {"-C", top_ + "/shared"});
    ASSERT_EQ(git(words).exit, 0);
  }
  ASSERT_EQ(git({"clone", "-q", "--bare", top_ + "/shared", top_ + "/upstream/team/shared.git"}).exit, 0);
  workflow(
      "on: push\njobs:\n  call: {uses: team/shared/.github/workflows/outer.yml@main}\n  use:\n    runs-on: "
      "ubuntu-latest\n    steps: [{uses: team/shared/hello@main}]\n");
  auto ran = exec({"--actions-upstream", top_ + "/upstream"});
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("| deep within\n"));
  EXPECT_THAT(ran.out, HasSubstr("use | hello from afar\n"));
  auto nowhere = exec({"--actions-upstream", "none"});
  EXPECT_EQ(nowhere.exit, 3);
  EXPECT_THAT(nowhere.out, HasSubstr(".github/workflows/ci.yml:3:"));
}

TEST_F(Exec, AFolderThatIsNoRepositoryWorks) {
  fs::remove_all(folder() + "/.git");
  steps("      - uses: actions/checkout@v4\n      - run: cat a.txt\n");
  write("a.txt", "plain\n");
  auto ran = exec();
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("build | plain\n"));
}

TEST_F(Exec, ErrorsOfAFileHaveTheirPlace) {
  workflow("on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    stepz: []\n");
  auto broken = exec();
  EXPECT_EQ(broken.exit, 3);
  EXPECT_THAT(broken.out + broken.err, HasSubstr(".github/workflows/ci.yml:5:5: "));
  auto told = object(exec({"--json"}));
  EXPECT_EQ(told.at("not_started").at(0).at("errors").at(0).at("line"), 5);
  workflow("on: push\njobs:\n  other: {runs-on: ubuntu-latest, steps: [{run: echo fine}]}\n", "other.yml");
  auto mixed = exec();
  EXPECT_EQ(mixed.exit, 1) << "one file cannot be read, the other runs";
  EXPECT_THAT(mixed.out, HasSubstr("other | fine\n"));
  auto chosen = exec({"-W", ".github/workflows/other.yml"});
  EXPECT_EQ(chosen.exit, 0) << chosen.out << chosen.err;
}

TEST_F(Exec, SecretsAreHiddenAndVariablesOfFilesAreThere) {
  steps(
      "      - run: |\n          echo \"secret is ${{ secrets.PASSWORD }}\"\n          echo \"$GREETING ${{ vars.PLACE "
      "}}\"\n"
      "          echo \"[${{ github.token }}]\"\n          test '${{ secrets.PASSWORD }}' = 'very secret'\n");
  write("../secrets", "PASSWORD='very secret'\n");
  write("../env", "GREETING=hello ${{ no }}\n");
  write("../vars", "PLACE=world\n");
  auto ran = exec({"--secret-file", top_ + "/secrets", "--env-file", top_ + "/env", "--var-file", top_ + "/vars"});
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("build | secret is ***\n"));
  EXPECT_THAT(ran.out, HasSubstr("build | hello ${{ no }} world\n"));
  EXPECT_THAT(ran.out, HasSubstr("build | []\n"));
  EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("very secret")));
  write("../secrets", "A=1\nPASSWORD very secret\n");
  auto wrong = exec({"--secret-file", top_ + "/secrets"});
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_THAT(wrong.err, HasSubstr("secrets:2:10: '=' is expected"));
  EXPECT_THAT(wrong.err, Not(HasSubstr("very secret")));
}

TEST_F(Exec, EventsHaveTheirInputsAndPayloads) {
  steps("      - run: echo \"level ${{ inputs.level }} on ${{ github.event_name }}\"\n",
        "{workflow_dispatch: {inputs: {level: {type: choice, options: [low, high]}}}, pull_request: {}}");
  commit();
  EXPECT_THAT(exec({"workflow_dispatch", "--input", "level=high"}).out, HasSubstr("level high on workflow_dispatch"));
  auto wrong = exec({"workflow_dispatch", "--input", "level=middle"});
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_THAT(wrong.err, HasSubstr("middle"));
  EXPECT_THAT(exec({"pull_request"}).out, HasSubstr("on pull_request"));
}

TEST_F(Exec, FailedTestsAnnotationsAndSummariesAreTold) {
  steps(
      "      - run: |\n          echo '# What I did' >> $GITHUB_STEP_SUMMARY\n"
      "          echo '::warning file=src/a.c,line=3,col=5::mind the gap'\n"
      "          printf '%s' \"<testsuite><testcase classname='math' name='adds'><failure message='1 is not "
      "2'/></testcase>"
      "<testcase name='ok'/></testsuite>\" > junit.xml\n          exit 1\n");
  auto ran = exec();
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr("failed test math adds: 1 is not 2"));
  EXPECT_THAT(ran.out, HasSubstr("warning src/a.c:3:5: mind the gap"));
  auto whole = object(exec({"--json"}));
  auto build = job(whole, "build");
  EXPECT_EQ(build.at("tests"), 2);
  EXPECT_EQ(text_at(build.at("failed_tests").at(0), "name"), "math adds");
  EXPECT_EQ(read_file(text_at(build, "summary_file")), "# What I did\n");
}

TEST_F(Exec, ALabelThatNothingHereRunsIsSaidAndTheOthersRun) {
  workflow(
      "on: push\njobs:\n  test:\n    strategy: {matrix: {os: [ubuntu-latest, windows-latest]}}\n    runs-on: ${{ "
      "matrix.os }}\n    steps: [{run: echo ran}]\n");
  auto ran = exec();
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("test (ubuntu-latest) | ran\n"));
  EXPECT_THAT(ran.out, HasSubstr("--label windows-latest=sandbox"));
  EXPECT_THAT(ran.out, HasSubstr("not run"));
  workflow("on: push\njobs:\n  test: {runs-on: windows-latest, steps: [{run: echo ran}]}\n");
  EXPECT_EQ(exec().exit, 3) << "nothing could be run";
}

TEST_F(Exec, TwoAtOnceInOneFolderDoNotMeet) {
  steps("      - run: while ! test -e " + top_ + "/go; do sleep 0.01; done\n");
  commit();
  support::Process first(command({"--label", "ubuntu-latest=host"}, ""), top_ + "/streams");
  support::Process second(command({"--label", "ubuntu-latest=host"}, ""), top_ + "/streams");
  EXPECT_TRUE(eventually([&] { return left() == 4; })) << "a folder and a lock each";
  support::write_file(top_ + "/go", "");
  EXPECT_EQ(first.wait().exit, 0) << first.out() << first.err();
  EXPECT_EQ(second.wait().exit, 0) << second.out() << second.err();
  EXPECT_EQ(left(), 0U);
}

namespace {

// A length of sleep that nobody else has.
std::string long_sleep() { return "sleep 86398." + std::to_string(::getpid()); }

std::string sleeping() {
  return "      - run: |\n          setsid " + long_sleep() + " &\n          " + long_sleep() +
         "\n      - if: always()\n        run: echo cleaned up\n";
}

}  // namespace

TEST_F(Exec, CtrlCEndsJobsInGoodOrderAndLeavesNothing) {
  steps(sleeping());
  support::Process ran(command({"--label", "ubuntu-latest=host"}, ""), top_ + "/streams");
  ASSERT_TRUE(eventually([&] { return processes_with(long_sleep()) >= 2; })) << ran.out() << ran.err();
  ran.signal(SIGINT);
  auto end = ran.wait();
  EXPECT_EQ(end.exit, 1);
  EXPECT_THAT(end.out, HasSubstr("build | cleaned up\n"));
  EXPECT_THAT(end.out, HasSubstr("cancelled"));
  EXPECT_TRUE(eventually([&] { return processes_with(long_sleep()) == 0; }));
  EXPECT_EQ(left(), 0U);
}

TEST_F(Exec, ASecondCtrlCEndsAtOnce) {
  steps("      - run: |\n          trap '' INT TERM\n          while true; do " + long_sleep() + "; done\n");
  support::Process ran(command({"--label", "ubuntu-latest=host"}, ""), top_ + "/streams");
  ASSERT_TRUE(eventually([&] { return processes_with(long_sleep()) >= 1; })) << ran.out() << ran.err();
  ran.signal(SIGINT);
  ASSERT_TRUE(eventually([&] { return ran.out().find("Cancelling") != std::string::npos; }));
  ran.signal(SIGINT);
  auto end = ran.wait(support::milliseconds(6'000));  // a job that ends in good order has 10 s
  EXPECT_EQ(end.exit, 1);
  EXPECT_TRUE(eventually([&] { return processes_with(long_sleep()) == 0; }));
  EXPECT_EQ(left(), 0U);
}

TEST_F(Exec, KilledItLeavesNoProcessAndTheNextOneRemovesItsFolder) {
  steps(sleeping());
  support::Process ran(command({"--label", "ubuntu-latest=host"}, ""), top_ + "/streams");
  ASSERT_TRUE(eventually([&] { return processes_with(long_sleep()) >= 2; })) << ran.out() << ran.err();
  ran.signal(SIGKILL);
  ran.wait();
  EXPECT_TRUE(eventually([&] { return processes_with(long_sleep()) == 0; }));
  EXPECT_GT(left(), 0U);
  steps("      - run: true\n");
  EXPECT_EQ(exec().exit, 0);
  EXPECT_EQ(left(), 0U);
}

TEST_F(Exec, InASandboxWhereNobodyChoseOtherwise) {
  steps(
      "      - uses: actions/checkout@v4\n      - run: |\n          test \"$(id -un)\" = runner\n          cat a.txt\n"
      "          test ! -e " +
      folder() + "\n");
  write("a.txt", "isolated\n");
  auto ran = support::run(command({}, ""), top_ + "/streams");
  if (ran.exit == 3 && ran.out.find("The sandbox could not be made") != std::string::npos) GTEST_SKIP() << ran.out;
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("build | isolated\n"));
  EXPECT_EQ(left(), 0U);
}

TEST_F(Exec, KilledItsSandboxesEndWithIt) {
  steps(sleeping());
  support::Process ran(command({}, ""), top_ + "/streams");
  if (!eventually([&] { return processes_with(long_sleep()) >= 2 || !ran.running(); }) || !ran.running())
    GTEST_SKIP() << ran.out();
  ran.signal(SIGKILL);
  ran.wait();
  EXPECT_TRUE(eventually([&] { return processes_with(long_sleep()) == 0; }));
}

TEST_F(Exec, WhereNoSandboxCanBeMadeItSaysSoWithTheRemedyAndRunsNothing) {
  steps("      - run: echo ran\n");
  auto without = command({}, "");
  std::string words = "exec " + support::without_name_spaces() + " \"$0\" \"$@\"";
  without.argv.insert(without.argv.begin(), {"sh", "-c", words});
  auto ran = support::run(without, top_ + "/streams");
  EXPECT_EQ(ran.exit, 3) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("user.max_user_namespaces"));
  EXPECT_THAT(ran.out, Not(HasSubstr("build | ran\n")));
}

}  // namespace headrace
