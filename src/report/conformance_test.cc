// The reports of shared/conformance/junit: each read as its index says, counted there with another XML reader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "core/disk.h"
#include "core/json.h"
#include "report/report.h"

namespace headrace::report {
namespace {

namespace json = core::json;

std::string material() {
  const char* given = std::getenv("HEADRACE_CONFORMANCE");
  return std::string(given != nullptr ? given : "../shared/conformance") + "/junit/";
}

std::string text_of(const std::string& file) {
  core::SystemDisk disk;
  auto text = core::read_file(disk, material() + file);
  if (!text) ADD_FAILURE() << text.error().message;
  return text.value_or("");
}

json::array index() { return core::parse_json(text_of("index.json"))->as_array(); }

json::object counted(const Report& report, bool root_is_suites) {
  const Totals& totals = report.counted;
  int64_t nameless = 0;
  for (const Case& one : report.cases) nameless += one.name.empty() ? 1 : 0;
  return {{"root", root_is_suites ? "testsuites" : "testsuite"},
          {"suites", report.suites.size()},
          {"testcases", totals.cases},
          {"failed", totals.failed},
          {"errored", totals.errored},
          {"skipped", totals.skipped},
          {"passed", totals.passed},
          {"notrun_or_disabled_by_status", totals.not_run},
          {"flaky_or_rerun_marks", totals.reruns},
          {"cases_without_name", nameless}};
}

json::object declared(const Declared& by) {
  json::object all;
  auto put = [&](const char* name, const std::optional<int64_t>& count) {
    if (count) all[name] = std::to_string(*count);
  };
  put("tests", by.tests);
  put("failures", by.failures);
  put("errors", by.errors);
  put("skipped", by.skipped);
  put("disabled", by.disabled);
  return all;
}

// The index has the time as the tool wrote it; it is compared as a number.
json::object expected_declared(const json::object& expected, std::optional<double>& seconds) {
  json::object all = expected.at("declared").as_object();
  if (auto* time = all.if_contains("time")) seconds = std::stod(std::string(time->as_string()));
  all.erase("time");
  return all;
}

class ReportConformance : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(material())) GTEST_SKIP() << "no conformance material at " << material();
  }
};

TEST_F(ReportConformance, EveryReportIsCountedAsItsIndexSays) {
  int read_count = 0;
  for (const json::value& entry : index()) {
    const json::object& expected = entry.at("expected").as_object();
    const std::string file(entry.at("file").as_string());
    if (!expected.contains("testcases") || expected.at("testcases").is_null()) continue;
    SCOPED_TRACE(file);
    ++read_count;
    auto report = read(text_of(file));
    ASSERT_TRUE(report) << in_words(report.error(), file);
    bool suites = expected.at("root").as_string() == "testsuites";
    for (const auto& [name, value] : counted(*report, suites))
      EXPECT_EQ(core::to_text(value), core::to_text(expected.at(name))) << name;
    EXPECT_NEAR(report->counted.seconds, expected.at("time_sum").to_number<double>(), 1e-5);
    std::optional<double> seconds;
    auto wanted = expected_declared(expected, seconds);
    EXPECT_EQ(core::to_canonical_text(declared(report->declared)), core::to_canonical_text(wanted));
    EXPECT_EQ(report->declared.seconds, seconds);
  }
  EXPECT_EQ(read_count, 69);
}

TEST_F(ReportConformance, WhatIsNoReportIsRefusedWithFileAndLine) {
  const std::vector<std::pair<std::string, std::string>> refused{{"invalid/enricomi-corrupt-xml.xml", ":11:"},
                                                                 {"invalid/enricomi-non-junit.xml", ":2:"},
                                                                 {"invalid/mikepenz-expected.xml", ":9:"},
                                                                 {"hostile/jenkins-testXxe-xxe.xml", ":2:"}};
  for (const auto& [file, line] : refused) {
    auto report = read(text_of(file));
    ASSERT_FALSE(report) << file;
    EXPECT_THAT(in_words(report.error(), file), testing::StartsWith(file + line));
  }
}

TEST_F(ReportConformance, PiecesOfAnyLengthReadAsTheWhole) {
  for (const json::value& entry : index()) {
    const std::string file(entry.at("file").as_string());
    const std::string text = text_of(file);
    Reader reader;
    std::expected<void, Problem> fed;
    for (size_t at = 0; fed && at < text.size(); at += 7) fed = reader.feed(std::string_view(text).substr(at, 7));
    auto report = reader.finish();
    auto whole = read(text);
    ASSERT_EQ(report.has_value(), whole.has_value()) << file;
    EXPECT_TRUE(!report || *report == *whole) << file;
  }
}

}  // namespace
}  // namespace headrace::report
