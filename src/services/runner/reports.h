// ReportFinder finds the test reports that a job's steps write, so that a failed test is known before the job ends
// (DESIGN section 9, "Reports"): after each step, every file of the reports folder ($HEADRACE_REPORTS), and every
// `junit*.xml` and `TEST-*.xml` of the workspace, that is new or has changed since it was looked at last. What was
// there before the job (a checkout may hold reports) is no report of it: the constructor looks first.
//
// "Changed" is another inode, size, or time of modification. The job is foreign: no symbolic link is followed, only
// regular files are read, with the bounds below; a walk that meets one says so (`incomplete`) and goes on with what it
// has. `.git` is not entered: it holds no reports, and many files. `node_modules` neither: packages ship their own
// fixtures of reports there, which are not of this job. Both may be named by $HEADRACE_REPORTS all the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"
#include "report/report.h"
#include "services/runner/masks.h"
#include "services/runner/protocol.h"

namespace headrace::runner {

inline constexpr size_t walk_entries_max = 200'000;                   // looked at in one walk
inline constexpr size_t walk_depth_max = 32;                          // folders within each other
inline constexpr std::chrono::seconds walk_time_max{5};               // of one walk
inline constexpr size_t reports_a_step_max = 200;                     // read after one step; the others are left
inline constexpr std::chrono::seconds read_time_max{30};              // begins no other report after a step
inline constexpr size_t report_bytes_a_step_max = size_t{128} << 20;  // likewise, all together

struct FoundReport {
  std::string file;  // relative to the workspace, or "$HEADRACE_REPORTS/..."; UTF-8
  std::expected<report::Report, report::Problem> reading;
  Reported told = {};  // of one that could be read: what the server hears; token and step are the caller's to set
};

// What the server is told of a report that could be read.
Reported told_of(Token token, int64_t step, const std::string& file, const report::Report& report);

// Whether a file of the workspace is a report by its name: `junit*.xml` or `TEST-*.xml`.
bool has_the_name_of_a_report(std::string_view name);

class ReportFinder {
 public:
  // `reports_folder` may be empty (none), absent (until a step makes it), or within the workspace. Blocks: it walks.
  // `inside`: how the job sees the workspace; where its reports name files in it, they are told relative to it.
  ReportFinder(std::string workspace, std::string reports_folder, std::string inside = std::string(),
               std::chrono::seconds read_time = read_time_max);

  // These block; any thread, one at a time: core::blocking(pool, ...).
  // Looks which reports came since the last call. An error: the workspace itself cannot be read; nothing is lost then,
  // the next call finds them.
  core::Result<> after_step();
  // The next of them, by name, its texts as `masks` let them pass; nothing: that was all. One at a time, so that no
  // more than one is ever in memory.
  std::optional<FoundReport> next(const Masks& masks);
  bool has_next() const { return !changed_.empty(); }
  // Those that came since are none of the job's: they were brought from elsewhere.
  void pass_over() { changed_.clear(); }
  // Why the last walk did not see everything; empty: it did.
  const std::string& incomplete() const { return incomplete_; }

 private:
  struct Mark {  // of a file as it was looked at
    uint64_t inode = 0, size = 0;
    int64_t modified_ns = 0;
    bool operator==(const Mark&) const = default;
  };
  using Marks = std::map<std::string, Mark>;  // by FoundReport::file

  friend struct ReportWalk;
  core::Result<Marks> look();
  FoundReport read(const std::string& file, uint64_t size) const;

  std::string workspace_, reports_folder_, inside_;
  Marks known_;
  std::deque<std::pair<std::string, uint64_t>> changed_;  // file and size, to be read
  std::chrono::seconds read_time_;
  std::chrono::steady_clock::time_point read_until_;
  std::string incomplete_;
};

}  // namespace headrace::runner
