// What steps of GitHub's runners may rely on, under `headrace exec`: the real program, real shells, real Node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/exec_case.h"

namespace headrace {

namespace {

using ::testing::HasSubstr;

class ExecSteps : public ExecCase {};

}  // namespace

TEST_F(ExecSteps, WhatAStepLeavesRunningServesTheNextStepsInEverySurroundings) {
  for (const char* label : {"ubuntu-latest", "ubuntu-22.04"}) {  // the host; a sandbox
    workflow("on: push\njobs:\n  build:\n    runs-on: " + std::string(label) +
             "\n    steps:\n      - run: (while sleep 0.05; do echo x >> beats; done) > /dev/null 2>&1 &\n"
             "      - run: rm -f beats; until [ -s beats ]; do sleep 0.05; done; echo it beats\n");
    auto ran = exec();
    if (ran.exit == 3) GTEST_SKIP() << "this machine makes no sandboxes: " << ran.out;
    EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("build | it beats\n"));
  }
}

TEST_F(ExecSteps, AStepIsToldOnceAndCalledByOneLine) {
  steps(
      "      - run: |\n          echo '${{ toJSON(runner) }}'\n          echo last\n"
      "      - {name: Named, run: echo named}\n");
  auto ran = exec();
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("build | * Run echo '{\nbuild |   echo '{\n"));
  EXPECT_THAT(ran.out, HasSubstr("build | ok Run echo '{ ("));
  EXPECT_THAT(ran.out, HasSubstr("build | * Named\nbuild | > Run echo named\n"));
}

TEST_F(ExecSteps, TheApiOfGitHubHasItsOwnAddressAndAnUnknownOneIsNotSet) {
  steps("      - run: echo \"[${GITHUB_API_URL-none} ${GITHUB_GRAPHQL_URL-none}]\"\n");
  EXPECT_THAT(exec().out, HasSubstr("build | [none none]\n"));
  git({"remote", "add", "origin", "https://github.com/ada/app.git"});
  EXPECT_THAT(exec().out, HasSubstr("build | [https://api.github.com https://api.github.com/graphql]\n"));
}

TEST_F(ExecSteps, LabelsAreFoundInAnyCaseAndThoseOfEveryRunnerGiveWay) {
  workflow("on: push\njobs:\n  build:\n    runs-on: [Self-Hosted, Linux, GPU]\n    steps:\n      - run: echo here\n");
  EXPECT_THAT(exec({"--label", "gpu=host"}).out, HasSubstr("build | here\n"));
  EXPECT_EQ(exec().exit, 3) << "nothing has that label";
}

TEST_F(ExecSteps, AFileThatCannotBeReadIsToldOnce) {
  workflow("on: push\njobs: 1\n");
  auto ran = exec();
  auto first = ran.out.find("ci.yml:2:7: ");
  ASSERT_NE(first, std::string::npos) << ran.out;
  EXPECT_EQ(ran.out.find("ci.yml:2:7: ", first + 1), std::string::npos) << ran.out;
}

TEST_F(ExecSteps, OneArtifactAloneIsWhereThatVersionOfTheActionPutsIt) {
  std::string give =
      "      - run: echo text > a.txt\n      - uses: actions/upload-artifact@v4\n"
      "        with: {name: only, path: a.txt}\n";
  for (const char* version : {"v4", "v5"})
    give +=
        "      - uses: actions/download-artifact@" + std::string(version) + "\n        with: {path: " + version + "}\n";
  steps(give + "      - run: cat v4/only/a.txt v5/a.txt\n");
  auto ran = exec();
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
}

}  // namespace headrace
