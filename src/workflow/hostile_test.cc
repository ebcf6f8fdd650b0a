// Files that mean harm, or were typed in haste: each has a clear answer, soon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.h"
#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string script(const std::string& lines) {
  return "on: pull_request\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: " + lines + "\n";
}

std::vector<std::string> warnings(const std::string& yaml) {
  Reading reading = read(yaml, "ci.yml");
  EXPECT_THAT(reading.errors, IsEmpty()) << reading.errors[0].message;
  std::vector<std::string> told;
  for (const Finding& warning : reading.warnings) {
    told.push_back(std::to_string(warning.at.line) + ":" + std::to_string(warning.at.column) + " " + warning.message);
  }
  return told;
}

std::string refusal(const std::string& yaml) {
  Reading reading = read(yaml, "ci.yml");
  EXPECT_THAT(reading.errors, SizeIs(1));
  return reading.errors.empty() ? "" : reading.errors[0].message;
}

TEST(WorkflowHostile, LargeFilesAreRefusedUnread) {
  EXPECT_THAT(refusal(std::string(10 * 1024 * 1024, '#')), HasSubstr("larger than 512 KiB"));
}

TEST(WorkflowHostile, BillionLaughsEndAtTheBudget) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before + "]\n";
  }
  EXPECT_THAT(refusal(laughs + "on: push\n"), HasSubstr("50000 values"));
}

TEST(WorkflowHostile, TabsAndDoubleKeysAreNamedWithTheirLine) {
  Reading tabs = read("on: push\njobs:\n\ta:\n\t\truns-on: x\n", "ci.yml");
  ASSERT_THAT(tabs.errors, SizeIs(1));
  EXPECT_EQ(tabs.errors[0].at.line, 3);
  Reading twice = read("on: push\njobs:\n  a: {runs-on: x}\n  b: {runs-on: x}\n  a: {runs-on: y}\n", "ci.yml");
  ASSERT_THAT(twice.errors, SizeIs(1));
  EXPECT_EQ(twice.errors[0], (Finding{{5, 3}, "'a' is already defined in line 3; remove one."}));
}

TEST(WorkflowHostile, ADoubleKeyHidesNoOtherError) {
  Reading reading =
      read("on: push\njobs:\n  a: {runs-on: x, stepz: 1}\n  a: {runs-on: y}\n  b: {steps: []}\n", "ci.yml");
  EXPECT_FALSE(reading.workflow);
  std::vector<std::string> told;
  for (const Finding& error : reading.errors) told.push_back(std::to_string(error.at.line) + " " + error.message);
  EXPECT_THAT(told,
              ElementsAre(HasSubstr("3 Unexpected value 'stepz'"), HasSubstr("4 'a' is already defined in line 3"),
                          HasSubstr("5 Required property is missing: runs-on")));
}

TEST(WorkflowHostile, KeysThatDifferByCaseAloneAreFoundAmongFewAndAmongMany) {
  for (int names : {1, 16, 17, 18, 200}) {
    std::string text = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: x\n        env:\n";
    for (int name = 1; name <= names; ++name) text += "          N" + std::to_string(name) + ": 1\n";
    EXPECT_TRUE(read(text, "a.yml").workflow) << names;
    for (int again : {1, names}) {
      std::string name = "n" + std::to_string(again);
      Reading twice = read(text + "          " + name + ": 2\n", "a.yml");
      ASSERT_THAT(twice.errors, SizeIs(1)) << names;
      EXPECT_EQ(twice.errors[0].at, (Position{8 + names, 11}));
      EXPECT_THAT(twice.errors[0].message, HasSubstr("'" + name + "' is already defined."));
    }
  }
}

TEST(WorkflowHostile, KeysAndValuesThatAreNotWrittenHaveAPlace) {
  for (const char* text : {"on: push\njobs:\n  : x\n", "on: push\njobs: {a: {runs-on: x, : y}}\n", "? \n", "- \n- a\n",
                           "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      -\n      - run: a\n"}) {
    for (const Finding& error : read(text, "ci.yml").errors) EXPECT_GE(error.at.line, 1) << text << error.message;
  }
}

TEST(WorkflowHostile, BytesThatAreNoTextAreNamedWithTheirPlace) {
  for (const char* odd : {"\xe9", "\xc3(", "\xed\xa0\x80"}) {
    Reading reading = read("on: push\nname: caf" + std::string(odd) + "\n", "ci.yml");
    ASSERT_THAT(reading.errors, SizeIs(1));
    EXPECT_EQ(reading.errors[0].at, (Position{2, 10}));
    EXPECT_THAT(reading.errors[0].message, HasSubstr("no text in UTF-8"));
  }
  EXPECT_EQ(read(std::string_view("on:\0push\n", 9), "ci.yml").errors.at(0).at, (Position{1, 4}));
}

TEST(WorkflowHostile, WhatGitHubReadsAndRefusesToRunIsWarnedOf) {
  auto of = [](const std::string& rest) { return "on: push\njobs:\n  a:\n    runs-on: x\n" + rest; };
  const std::string steps = "    steps: [{run: x}]\n";
  const std::string many = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]";
  EXPECT_THAT(warnings(of(steps + "    strategy: {matrix: {a: " + many + ", b: " + many + "}}\n")),
              ElementsAre(HasSubstr("The matrix has 289 legs; at most 256 may run")));
  std::string endless = "    strategy: {matrix: {";
  for (char c = 'a'; c <= 'p'; ++c) endless += std::string(1, c) + ": " + many + ", ";
  EXPECT_THAT(warnings(of(steps + endless + "}}\n")), ElementsAre(HasSubstr("thousands of millions")));
  EXPECT_THAT(warnings(of(steps + "    strategy: {matrix: {a: " + many + ", b: [1, 2]}}\n")), IsEmpty());
  EXPECT_THAT(warnings(of(steps + "    strategy: {matrix: {a: " + many + ", b: " + many + ", exclude: [{a: 1}]}}\n")),
              IsEmpty())
      << "what is left is known when it runs";
  EXPECT_THAT(warnings(of("")), ElementsAre(HasSubstr("No steps defined in `steps`")));
  EXPECT_THAT(warnings(of("    steps: []\n")), SizeIs(1));
}

TEST(WorkflowHostile, WhatIsShownOfALongValueIsText) {
  std::string umlauts = "x";
  for (int i = 0; i < 300; ++i) umlauts += "\u00e4";
  for (const std::string& file :
       {"on: push\npermissions: " + umlauts + "\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n",
        "on: {schedule: [{cron: '" + umlauts + "'}]}\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n"}) {
    auto reading = read(file, "ci.yml");
    ASSERT_FALSE(reading.errors.empty());
    EXPECT_TRUE(core::is_utf8(reading.errors[0].message)) << reading.errors[0].message;
  }
}

TEST(WorkflowHostile, EndlessExpressionsAreRefused) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "!(";
  Reading reading = read(script("echo ${{ " + deep + " }}"), "ci.yml");
  EXPECT_THAT(reading.errors, SizeIs(1));
  EXPECT_THAT(read(script("echo ${{ '" + std::string(30'000, 'a') + "' }}"), "ci.yml").errors, SizeIs(1));
}

TEST(WorkflowHostile, FindingsOfOneFileAreBounded) {
  std::string many = "on: push\njobs:\n  a:\n    runs-on: x\n";
  for (int i = 0; i < 3000; ++i) many += "    k" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(read(many, "ci.yml").errors, SizeIs(findings_max));
}

TEST(WorkflowLint, WarnsOfTextThatStrangersWriteInScripts) {
  EXPECT_THAT(warnings(script("|\n          echo hi\n          echo \"${{ github.event.pull_request.title }}\"")),
              ElementsAre(HasSubstr("8:21 The script takes in ${{ github.event.pull_request.title }}")));
  EXPECT_THAT(warnings(script("echo ${{ github.head_ref }} ${{ GitHub.Event['issue'].body }}")), SizeIs(2));
  EXPECT_THAT(warnings(script("echo ${{ github.event.commits[0].message }}")), SizeIs(1));
  EXPECT_THAT(warnings(script("echo ${{ github.event.*.body }}")), SizeIs(1)) << "all of them";
  EXPECT_THAT(warnings(script("echo ${{ github.event.pull_request.number }} ${{ github.sha }}")), IsEmpty());
  EXPECT_THAT(warnings(script("echo \"$TITLE\"\n        env: {TITLE: '${{ github.event.issue.title }}'}")), IsEmpty());
  EXPECT_THAT(warnings("on: issues\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/github-script@v7\n"
                       "        with: {script: 'log(`${{ github.event.issue.body }}`)'}\n"),
              SizeIs(1));
}

TEST(WorkflowLint, WarnsOfTextThatStrangersWriteWithinAnObjectThatIsWrittenOut) {
  EXPECT_THAT(
      warnings(script("echo '${{ toJSON(github.event) }}'")),
      ElementsAre(HasSubstr("6:14 The script takes in ${{ toJSON(github.event) }}, in which stands what anybody "
                            "may write")));
  for (const char* all :
       {"toJSON(github)", "tojson(github.event.*)", "toJSON(github.event.pull_request)", "toJSON(github.event.commits)",
        "format('{0}', toJSON(github.event['issue']))", "github.event.x || toJSON(github.event)",
        "fromJSON(toJSON(github.event)).issue.title", "join(github.event.pull_request.*, ' ')"})
    EXPECT_THAT(warnings(script("echo '${{ " + std::string(all) + " }}'")), SizeIs(1)) << all;
  for (const char* none : {"toJSON(matrix)", "toJSON(github.event.pull_request.labels)", "github.event",
                           "toJSON(github.event.inputs)", "toJSON(github.sha)"})
    EXPECT_THAT(warnings(script("echo '${{ " + std::string(none) + " }}'")), IsEmpty()) << none;
  EXPECT_THAT(warnings(script("echo ${{ env.E }}\n        env: {E: '${{ toJSON(github.event) }}'}")),
              ElementsAre(HasSubstr("which holds toJSON(github.event): anybody may write it")));
}

TEST(WorkflowLint, SaysNothingOfTextThatIsOnlyAskedAbout) {
  for (const char* asked :
       {"contains(github.event.pull_request.title, 'wip')", "github.head_ref == 'main'", "!github.event.issue.body",
        "github.head_ref && 'topic' || 'trunk'", "startsWith(github.head_ref, 'a') && 'a' || 'b'",
        "case(github.head_ref == 'a', 1, 2)", "contains(toJSON(github.event), 'x')", "fromJSON('{}')[github.head_ref]"})
    EXPECT_THAT(warnings(script("echo ${{ " + std::string(asked) + " }}")), IsEmpty()) << asked;
  for (const char* passed : {"github.head_ref || 'main'", "true && github.head_ref", "case(true, github.head_ref, 2)"})
    EXPECT_THAT(warnings(script("echo ${{ " + std::string(passed) + " }}")), SizeIs(1)) << passed;
}

TEST(WorkflowLint, WarnsOfAVariableThatIsPutIntoTheScriptInsteadOfBeingUsedByIt) {
  const std::string title = "'${{ github.event.issue.title }}'";
  auto of = [&](const std::string& top, const std::string& job, const std::string& step) {
    return warnings("on: issues\n" + top + "jobs:\n  a:\n    runs-on: x\n" + job +
                    "    steps:\n      - run: echo ${{ env.T }}\n" + step);
  };
  EXPECT_THAT(of("env: {T: " + title + "}\n", "", ""),
              ElementsAre(HasSubstr("7:14 The script takes in ${{ env.T }}, which holds github.event.issue.title")));
  EXPECT_THAT(of("", "    env: {t: " + title + "}\n", ""), SizeIs(0)) << "another variable";
  EXPECT_THAT(of("", "    env: {T: " + title + "}\n", ""), SizeIs(1));
  EXPECT_THAT(of("", "", "        env: {T: " + title + "}\n"), SizeIs(1));
  EXPECT_THAT(of("env: {T: " + title + "}\n", "", "        env: {T: fixed}\n"), IsEmpty()) << "the nearest counts";
  EXPECT_THAT(of("env: {T: '${{ github.sha }}'}\n", "", ""), IsEmpty());
}

TEST(WorkflowReader, NamesTheLineOfAnErrorWithinABlock) {
  Reading reading = read(script("|\n          echo hi\n            echo ${{ secrets.A }} ${{ nope.b }}"), "ci.yml");
  ASSERT_THAT(reading.errors, SizeIs(1));
  EXPECT_EQ(reading.errors[0].at, (Position{8, 39}));
  EXPECT_THAT(reading.errors[0].message, HasSubstr("Unrecognized named-value: 'nope'"));
}

}  // namespace
}  // namespace headrace::workflow
