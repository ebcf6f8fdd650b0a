// Tests keeps the history of tests: what each came to in which run, which changed, which are flaky, which are slow.
//
//   hears  testsuiterun.finished      a report was read: its totals
//          testresults.recorded       what its cases came to
//          pipelinerun.queued         of which workflow the run is
//   says   testcaserun.finished       a case failed, changed on its branch, or is flaky; at most 200 a report
//
// Changed: it passed in the last report of the same series (workflow, job, file; projection.h) on the same branch and
// is bad now, or the other way round. Flaky: it came to both on one tree, or within one report. Delivery is at least
// once; what is said follows from the projection and is keyed by report and test, so hearing twice acts once. Loop
// only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/bus.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "report/report.h"
#include "store/store.h"

namespace headrace::tests {

// Topic of bus::Channels on which it is told that a report with bad cases of this run is there.
std::string red_topic(std::string_view run);

inline constexpr size_t list_max = 1000;             // of one page
inline constexpr size_t cases_said_max = 200;        // a report
inline constexpr int64_t reports_scanned_max = 500;  // for one page of a history
inline constexpr int64_t red_reports_max = 20;       // in one answer of red()
inline constexpr int64_t series_max = 100;           // looked at for the slowest tests, newest first

struct Parts {  // all of it outlives the service
  core::Loop& loop;
  store::Store& store;
  bus::Bus& bus;
};

struct Test {
  std::string id;  // 16 hexadecimal digits
  std::string suite, class_name, name;
};

struct Report {
  std::string report, run, job, job_key, file, environment, ref, commit;
  int64_t attempt = 1, step = 0;
  core::Time at;
  int64_t suites = 0, cases = 0, passed = 0, failed = 0, errored = 0, skipped = 0, not_run = 0, flaky = 0;
  int64_t microseconds = 0;
  int64_t told = 0;  // of the cases; the others did not fit
};

// What a test came to in one report.
struct Outcome {
  report::Outcome outcome = report::Outcome::passed;
  bool flaky = false;
  std::optional<int64_t> microseconds;
  std::string before;                  // what it came to the last time on the branch, where that is a change
  std::string message, details, file;  // where it is bad
  int64_t line = 0;
};

struct CaseOfRun {
  Test test;
  Outcome outcome;
  std::string report;
};
struct RunTests {
  std::vector<Report> reports;
  std::vector<CaseOfRun> cases;  // a page of them, bad ones first
  std::string next;              // cursor; empty: the end
};
// A bad case, as soon as its report has been read.
struct Red {
  Test test;
  Outcome outcome;
  Report report;
};
struct RedPage {
  std::vector<Red> tests;  // in the order of the reports; at most cases_said_max of each
  int64_t after = 0;       // for the next question
};

// One try of a job of a run.
struct Try {
  std::string job;  // UUID
  int64_t attempt = 1;
  bool operator==(const Try&) const = default;
};

struct Past {
  Report report;
  int64_t run_number = 0;  // 0: not known
  std::string workflow;
  Outcome outcome;
};
struct History {
  Test test;
  std::vector<Past> results;  // newest first
  std::string next;
};
struct Flaky {
  Test test;
  int64_t times = 0;  // reports in which it showed
  core::Time at;      // the last one's
  std::string run;    // and its run
};
struct FlakyPage {
  std::vector<Flaky> tests;  // the last that showed first
  std::string next;
};
struct Slow {
  Test test;
  int64_t microseconds = 0;
  std::string run, job_key;
};

struct Page {
  size_t limit = 100;  // 1 to list_max
  std::string cursor;  // of the page before
};

class Tests {
 public:
  explicit Tests(Parts parts);  // adds its projection to the store: before Store::start
  ~Tests();
  Tests(const Tests&) = delete;
  Tests& operator=(const Tests&) = delete;

  core::Result<> start();  // after Store::start; subscribes

  // Queries, now or as it was after the event at offset `at`. Rights are the caller's to check. invalid: a cursor that
  // is none. not_found: there is no such test.
  using At = std::optional<log::Offset>;
  // `only` these tries of its jobs, or all of them, where that is nothing.
  using Only = std::optional<std::vector<Try>>;
  core::Task<core::Result<RunTests>> of_run(std::string run, Page page, At at = At(), Only only = Only());
  // The bad cases of a run's reports that came after `after` (0: all of them), for who watches it: whoever hears the
  // topic red_topic() of bus::Channels asks again.
  core::Task<core::Result<RedPage>> red(std::string run, int64_t after);
  core::Task<core::Result<History>> history(std::string repository, std::string test, std::string ref, Page page,
                                            At at = At());  // ref: only of this one, unless empty
  core::Task<core::Result<FlakyPage>> flaky(std::string repository, Page page, At at = At());
  // By their newest result in each series, slowest first.
  core::Task<core::Result<std::vector<Slow>>> slowest(std::string repository, std::string ref, size_t limit,
                                                      At at = At());

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::tests
