#include "report/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/varint.h"

namespace headrace::report {
namespace {

Report report_of(std::string_view text) {
  auto report = read(text);
  if (!report) ADD_FAILURE() << report.error().message;
  return report.value_or(Report{});
}

std::vector<CaseResult> unpacked(const Packed& packed) {
  std::vector<CaseResult> all;
  for (const auto& part : packed.parts) {
    auto cases = unpack(part);
    if (!cases) ADD_FAILURE() << cases.error().message;
    if (cases) all.insert(all.end(), cases->begin(), cases->end());
  }
  return all;
}

Report of_many(size_t count, bool bad) {
  Report report;
  report.suites.emplace_back().name = "suite";
  for (size_t i = 0; i < count; ++i) {
    Case one;
    one.suite = 0;
    one.class_name = "org.example.parts.Class" + std::to_string(i / 20);
    one.name = "does what it should in case " + std::to_string(i * 7919 % 1000) + " of " + std::to_string(i);
    one.seconds = static_cast<double>(i * 7919 % 100'000) / 1e6;
    one.outcome = bad ? Outcome::failed : Outcome::passed;
    one.message = "expected " + std::to_string(i);
    report.counted.add(one);
    report.cases.push_back(std::move(one));
  }
  return report;
}

TEST(ReportPack, ComesBackEqualWithTheBadCasesFirst) {
  auto packed =
      pack(report_of("<testsuites><testsuite name='a'><testsuite name='b'><testcase classname='C' name='x' time='0.5'/>"
                     "<testcase classname='C' name='y'><flakyError/></testcase><testcase name='z' file='z.c' line='7'>"
                     "<failure message='m'>d</failure></testcase></testsuite></testsuite></testsuites>"));
  EXPECT_EQ(packed.told, 3);
  CaseResult z{.suite = "a > b",
               .name = "z",
               .outcome = Outcome::failed,
               .file = "z.c",
               .line = 7,
               .message = "m",
               .details = "d"};
  CaseResult x{.suite = "a > b", .class_name = "C", .name = "x", .microseconds = 500'000};
  CaseResult y{.suite = "a > b", .class_name = "C", .name = "y", .flaky = true};
  EXPECT_TRUE(unpacked(packed) == (std::vector{z, x, y}));
}

TEST(ReportPack, AHundredThousandCasesFitIntoAFewParts) {
  auto report = of_many(100'000, false);
  auto packed = pack(report);
  EXPECT_EQ(packed.told, 100'000);
  EXPECT_LE(packed.parts.size(), parts_max);
  for (const auto& part : packed.parts) EXPECT_LE(part.size(), part_bytes_max);
  EXPECT_EQ(unpacked(packed).size(), 100'000U);
}

TEST(ReportPack, WhatDoesNotFitIsLeftOutAndNotTold) {
  auto packed = pack(of_many(cases_max, true));
  EXPECT_EQ(packed.parts.size(), parts_max);
  EXPECT_LT(packed.told, static_cast<int64_t>(cases_max));
  EXPECT_EQ(unpacked(packed).size(), static_cast<size_t>(packed.told));
}

TEST(ReportPack, AReportWithoutCasesHasNoParts) { EXPECT_TRUE(pack(report_of("<testsuite/>")).parts.empty()); }

TEST(ReportPack, TextsOfBadCasesAreCut) {
  std::string text(10'000, 'x');
  auto packed = pack(
      report_of("<testsuite><testcase><failure message='" + text + "'>" + text + "</failure></testcase></testsuite>"));
  auto cases = unpacked(packed);
  EXPECT_EQ(cases.at(0).message.size(), told_message_bytes_max);
  EXPECT_EQ(cases.at(0).details.size(), told_details_bytes_max);
}

TEST(ReportPack, ForeignBytesAreRefused) {
  const std::string part = pack(of_many(50, true)).parts.at(0);
  EXPECT_FALSE(unpack(""));
  EXPECT_FALSE(unpack(std::string(part_bytes_max + 1, '\1')));
  for (size_t i = 0; i < part.size(); ++i) {
    EXPECT_FALSE(unpack(std::string_view(part).substr(0, i))) << i;
    std::string flipped = part;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x40);
    auto cases = unpack(flipped);  // the last bits of deflate may be padding
    EXPECT_TRUE(!cases || *cases == *unpack(part)) << i;
  }
}

TEST(ReportPack, ASizeBeyondTheBoundIsNotBelieved) {
  std::string bomb(1, '\1');
  put_varint(bomb, 1);
  put_varint(bomb, uint64_t{1} << 40);
  EXPECT_THAT(unpack(bomb).error().message, testing::HasSubstr("larger than 8 MiB"));
}

TEST(ReportPack, TestsAreNamedBySuiteClassAndName) {
  EXPECT_EQ(test_id("a", "b", "c").size(), 16U);
  EXPECT_EQ(test_id("a", "b", "c"), test_id("a", "b", "c"));
  EXPECT_NE(test_id("ab", "", "c"), test_id("a", "b", "c"));
}

}  // namespace
}  // namespace headrace::report
