#include "report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/text.h"

namespace headrace::report {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string repeated(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

Report good(std::string_view text) {
  auto report = read(text);
  if (!report) ADD_FAILURE() << in_words(report.error(), "report.xml");
  return report.value_or(Report{});
}

Case only_case(std::string_view inside) {
  auto report = good("<testsuite>" + std::string(inside) + "</testsuite>");
  return report.cases.size() == 1 ? report.cases[0] : Case{};
}

Problem refused(std::string_view text) {
  auto report = read(text);
  return report ? Problem{} : report.error();
}

TEST(Report, ACaseCountsOnceByTheWorstItHolds) {
  EXPECT_EQ(only_case("<testcase status='notrun'><skipped/><failure/><error/></testcase>").outcome, Outcome::errored);
  EXPECT_EQ(only_case("<testcase status='notrun'><skipped/><failure/></testcase>").outcome, Outcome::failed);
  EXPECT_EQ(only_case("<testcase status='notrun'><skipped/></testcase>").outcome, Outcome::skipped);
  EXPECT_EQ(only_case("<testcase status='notrun'/>").outcome, Outcome::not_run);
  EXPECT_EQ(only_case("<testcase status='run'/>").outcome, Outcome::passed);
}

TEST(Report, TheMessageIsOfTheWorstProblemAndTheOthersTextFollows) {
  auto one = only_case(
      "<testcase><failure message='broke' type='A'>at a.c:1</failure><error message='fell' type='B'>at b.c:2</error>"
      "<failure>later</failure></testcase>");
  EXPECT_EQ(one.message, "fell");
  EXPECT_EQ(one.type, "B");
  EXPECT_EQ(one.details, "at b.c:2\n\nat a.c:1\n\nlater");
}

TEST(Report, WithoutAMessageTheFirstLineOfTheTextIsIt) {
  EXPECT_EQ(only_case("<testcase><failure>\n\n  expected 1\n  got 2</failure></testcase>").message, "expected 1");
}

TEST(Report, ACaseThatPassedAfterAFailedTryIsFlaky) {
  auto flaky = only_case("<testcase><flakyFailure message='x'><stackTrace>y</stackTrace></flakyFailure></testcase>");
  EXPECT_TRUE(flaky.flaky());
  EXPECT_EQ(flaky.details, "");
  auto broken = only_case("<testcase><failure/><rerunFailure/><rerunError/></testcase>");
  EXPECT_FALSE(broken.flaky());
  EXPECT_EQ(broken.reruns, 2);
}

TEST(Report, SuitesStandInEachOther) {
  auto report = good(
      "<testsuites><testsuite name='a'><testsuite name='b'><testcase name='deep'/></testsuite><testcase name='high'/>"
      "</testsuite><testcase name='loose'/></testsuites>");
  ASSERT_EQ(report.cases.size(), 3U);
  EXPECT_EQ(suite_path(report, report.cases[0]), "a > b");
  EXPECT_EQ(suite_path(report, report.cases[1]), "a");
  EXPECT_EQ(suite_path(report, report.cases[2]), "");
}

TEST(Report, OutputBelongsToTheCaseOrTheSuiteAroundIt) {
  auto report = good(
      "<testsuite><testcase><system-out>of the case</system-out></testcase><system-out>of the suite</system-out>"
      "<system-err>!</system-err></testsuite>");
  EXPECT_EQ(report.cases.at(0).system_out, "of the case");
  EXPECT_EQ(report.suites.at(0).system_out, "of the suite");
  EXPECT_EQ(report.suites.at(0).system_err, "!");
}

TEST(Report, TimesAreReadAsToolsWriteThem) {
  EXPECT_EQ(parse_seconds("1.5"), 1.5);
  EXPECT_EQ(parse_seconds(" 1,234.5 "), 1234.5);
  EXPECT_EQ(parse_seconds("0,25"), 0.25);
  EXPECT_EQ(parse_seconds("3s"), 3.0);
  EXPECT_EQ(parse_seconds("1.4e-05"), 1.4e-05);
  for (const char* wrong : {"", "soon", "1:30", "inf", "nan", "--1", "1e999"})
    EXPECT_EQ(parse_seconds(wrong), std::nullopt) << wrong;
}

TEST(Report, TextsAreCutOnAWholeCharacter) {
  std::string text = "ab";
  EXPECT_FALSE(append_cut(text, "\xc3\xa4\xc3\xa4", 5));
  EXPECT_EQ(text, "ab\xc3\xa4");
  auto one = only_case("<testcase name='" + repeated("\xe2\x82\xac", 1000) + "'/>");
  EXPECT_EQ(one.name, repeated("\xe2\x82\xac", name_bytes_max / 3));
}

TEST(Report, SaysThatTextWasCut) {
  EXPECT_FALSE(good("<testsuite><testcase name='short'/></testsuite>").counted.cut);
  auto report = good("<testsuite><testcase><system-out>" + repeated("x", output_bytes_max + 1) +
                     "</system-out></testcase></testsuite>");
  EXPECT_TRUE(report.counted.cut);
  EXPECT_EQ(report.cases[0].system_out.size(), output_bytes_max);
}

TEST(Report, OutputsOfAWholeReportAreBounded) {
  std::string one = "<testcase><system-out>" + repeated("x", output_bytes_max) + "</system-out></testcase>";
  auto report = good("<testsuite>" + repeated(one, kept_bytes_max / output_bytes_max + 3) + "</testsuite>");
  size_t kept = 0;
  for (const Case& each : report.cases) kept += each.system_out.size();
  EXPECT_EQ(kept, kept_bytes_max);
}

TEST(Report, AFileOfManyCasesIsRefusedBeyondTheBound) {
  std::string all = "<testsuite>" + repeated("<testcase/>", cases_max);
  EXPECT_EQ(good(all + "</testsuite>").counted.cases, static_cast<int64_t>(cases_max));
  EXPECT_THAT(refused(all + "<testcase/></testsuite>").message, HasSubstr("more than 200000 cases"));
  std::string suites = "<testsuites>" + repeated("<testsuite/>", suites_max) + "<testsuite/></testsuites>";
  EXPECT_THAT(refused(suites).message, HasSubstr("more than 20000 suites"));
}

TEST(Report, DeepFilesAreRefused) {
  EXPECT_EQ(good(repeated("<testsuite>", depth_max) + repeated("</testsuite>", depth_max)).suites.size(), depth_max);
  EXPECT_THAT(refused(repeated("<testsuite>", depth_max + 1)).message, HasSubstr("more than 64 deep"));
}

TEST(Report, ATagWithoutEndIsRefusedBeforeItIsReadTwiceTooOften) {
  auto problem = refused("<testsuite name='" + repeated("x", 3 * token_bytes_max));
  EXPECT_THAT(problem.message, HasSubstr("longer than 1048576 bytes"));
  EXPECT_THAT(refused("<testsuite><!--" + repeated("-x", 3 * token_bytes_max)).message, HasSubstr("longer than"));
}

TEST(Report, ADocumentTypeIsRefusedWhereItBegins) {
  auto laughs = refused(
      "<?xml version='1.0'?>\n<!DOCTYPE lolz [\n<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>\n<testsuite name='&b;'/>");
  EXPECT_EQ(laughs.line, 2);
  EXPECT_THAT(laughs.message, HasSubstr("document type"));
  EXPECT_EQ(refused("<!DOCTYPE r SYSTEM 'file:///etc/passwd'><testsuite/>").line, 1);
}

TEST(Report, WhatIsNotWellFormedIsRefusedWithItsPlace) {
  EXPECT_EQ(refused("<testsuite>\n  <testcase name='a<b'/>\n</testsuite>").line, 2);
  EXPECT_THAT(refused("").message, StartsWith("The file ends before"));
  EXPECT_THAT(refused("<testsuite>").message, StartsWith("The file ends before"));
  EXPECT_THAT(refused("<testsuite></testsuites>").message, HasSubstr("end tag"));
  EXPECT_THAT(refused("<testsuite/><testsuite/>").message, HasSubstr("two reports"));
  EXPECT_THAT(refused("<testsuite>&nbsp;</testsuite>").message, HasSubstr("entity"));
  EXPECT_THAT(refused("<?xml version='1.0' encoding='klingon'?><testsuite/>").message, HasSubstr("encoding"));
  EXPECT_THAT(refused("<testsuite name='\xff'/>").message, HasSubstr("not well-formed"));
}

TEST(Report, AReaderKeepsToItsFirstProblem) {
  Reader reader;
  auto first = reader.feed("<suites>");
  ASSERT_FALSE(first);
  auto again = reader.feed("</suites>");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), first.error());
  EXPECT_EQ(reader.finish().error(), first.error());
}

TEST(Report, OtherEncodingsBecomeUtf8) {
  EXPECT_EQ(good("<?xml version='1.0' encoding='ISO-8859-1'?><testsuite name='\xe4'/>").suites[0].name, "\xc3\xa4");
  EXPECT_EQ(good("<?xml version='1.0' encoding='Windows-1252'?><testsuite name='\x80'/>").suites[0].name,
            "\xe2\x82\xac");
  EXPECT_EQ(good("<?xml version='1.0' encoding='iso-8859-15'?><testsuite name='\xa4'/>").suites[0].name,
            "\xe2\x82\xac");
  EXPECT_FALSE(read("<?xml version='1.0' encoding='windows-1252'?><testsuite name='\x81'/>"));
}

TEST(Report, PrefixesOfElementsMeanNothing) {
  EXPECT_EQ(good("<j:testsuites xmlns:j='urn:x'><j:testsuite><j:testcase/></j:testsuite></j:testsuites>").cases.size(),
            1U);
}

TEST(Report, OutcomesHaveNames) {
  for (auto outcome : {Outcome::passed, Outcome::failed, Outcome::errored, Outcome::skipped, Outcome::not_run})
    EXPECT_EQ(parse_outcome(name_of(outcome)), outcome);
  EXPECT_EQ(parse_outcome("green"), std::nullopt);
}

}  // namespace
}  // namespace headrace::report
