// What the cases of one report came to, as the projection keeps it: by the number of the test in its repository, a few
// bytes each. No compression: the same events must give the same bytes for ever, whatever zlib is there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/report.h"

namespace headrace::tests {

struct Mark {
  int64_t test = 0;  // from 1
  report::Outcome outcome = report::Outcome::passed;
  bool flaky = false;
  std::optional<int64_t> microseconds = {};
  bool operator==(const Mark&) const = default;
};

// Appends marks, in order of their tests. A blob may hold several such runs, one a part of the report.
void append_marks(std::string& blob, std::vector<Mark> marks);
// All of them, in order of tests; what cannot be read ends it.
std::vector<Mark> marks_of(std::string_view blob);

enum class Kind { good, bad, neither };  // passed; failed or errored; skipped or not run
Kind kind_of(report::Outcome outcome);

}  // namespace headrace::tests
