// What changed from one report to another. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/tests/marks.h"

namespace headrace::tests {

struct Change {
  int64_t test = 0;
  report::Outcome outcome = report::Outcome::passed;  // now; the worst where the test was run more than once
  std::optional<report::Outcome> before = {};         // on the branch, where one passed and the other failed
  bool flaky = false;                                 // passed and failed on one tree, or within the report
  bool operator==(const Change&) const = default;
};

// `now`, `before` and `same_tree` are blobs of marks (marks.h); `before` is the last report of the same branch, nothing
// where there is none. In order of tests, at most `max`. Skipped and not run are neither: they change nothing.
std::vector<Change> changes_in(const std::string& now, const std::optional<std::string>& before,
                               const std::vector<std::string>& same_tree, size_t max);

}  // namespace headrace::tests
