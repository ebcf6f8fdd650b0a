// What is said of tests: the runner service says that a report was read and what all its cases came to; the tests
// service says which cases failed or changed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "events/pipeline.h"

namespace headrace::events {

// Counted, one result a case.
struct TestTotals {
  int64_t suites = 0;
  int64_t cases = 0;
  int64_t passed = 0;
  int64_t failed = 0;
  int64_t errored = 0;
  int64_t skipped = 0;
  int64_t not_run = 0;
  int64_t flaky = 0;        // passed when tried again; among the passed
  int64_t duration_us = 0;  // sum over the cases
  bool operator==(const TestTotals&) const = default;
};

// One report of one step of a job was read. What its cases came to follows as TestResults, `parts` of them.
struct TestSuiteFinished {
  static constexpr std::string_view type = "dev.cdevents.testsuiterun.finished.0.3.0";
  std::string report = {};  // names the reading of the report: "<job>-<attempt>-<step>-<12 hex digits of the file>"
  std::string environment = {};  // executor of the job
  std::string suite = {};        // for people: the file
  Conclusion conclusion = Conclusion::success;
  std::string reason = {};  // "2 of 10 cases failed"
  std::string repository = {};
  std::string run = {};
  std::string job = {};
  std::string job_key = {};
  int64_t attempt = 1;
  int64_t step = 0;
  std::string ref = {};
  std::string commit = {};
  std::string tree = {};  // of the commit; empty: not known
  std::string file = {};
  TestTotals totals = {};
  int64_t parts = 0;
  int64_t told = 0;  // cases in the parts; fewer than totals.cases where they did not fit
  bool operator==(const TestSuiteFinished&) const = default;
};

// A part of the results of a report, packed (report/pack.h), as base64: high in number, so not an event each.
struct TestResults {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-testresults.recorded.0.1.0";
  std::string report = {};
  std::string repository = {};
  int64_t part = 1;  // from 1
  int64_t parts = 1;
  std::string packed = {};
  bool operator==(const TestResults&) const = default;
};

// A case that failed, or came to something else than the last time on the same branch, or differs on one tree.
struct TestCaseFinished {
  static constexpr std::string_view type = "dev.cdevents.testcaserun.finished.0.3.0";
  std::string id = {};           // "<report>/<test>"
  std::string environment = {};  // executor of the job
  std::string report = {};       // of the suite's run
  std::string test_case = {};    // for people: class and name
  Conclusion conclusion = Conclusion::success;
  std::string reason = {};  // the first words of the failure
  std::string repository = {};
  std::string run = {};
  std::string job = {};
  std::string ref = {};
  std::string commit = {};
  std::string test = {};  // 16 hex digits: names (suite, class, name)
  std::string suite = {};
  std::string class_name = {};
  std::string name = {};
  std::string file = {};
  int64_t line = 0;
  std::string outcome = {};  // "failed", "errored", "passed", ...
  std::string before = {};  // what it came to the last time on this branch, where that differs; empty: the same, or new
  bool flaky = false;       // both results on one tree
  int64_t duration_us = 0;
  bool operator==(const TestCaseFinished&) const = default;
};

}  // namespace headrace::events
