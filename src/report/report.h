// The reports that test tools write, read into one form: JUnit XML in its dialects (JUnit and Surefire, pytest,
// GoogleTest, CTest, Jest, Mocha, PHPUnit, cargo-nextest, Catch2, Bazel and more; docs/test-reports.md).
//
// There is no standard of JUnit XML. What is read is what the tools of conformance/junit write: elements and attributes
// that mean nothing here are passed over, totals are counted and never believed. A case counts once, by the worst it
// holds: error, failure, skipped, not run, passed.
//
// The bytes are foreign: everything kept is bounded by the constants below, a file with a document type is refused (so
// there are no entities to expand and nothing outside to load), and nothing but the bytes given is ever read. Texts are
// UTF-8; what is cut ends on a whole character. Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::report {

inline constexpr size_t file_bytes_max = size_t{64} << 20;  // beyond it a file is refused
inline constexpr size_t token_bytes_max = size_t{1} << 20;  // of one tag or comment; beyond it, likewise
inline constexpr size_t depth_max = 64;                     // elements within each other; likewise
inline constexpr size_t suites_max = 20'000;                // likewise
inline constexpr size_t cases_max = 200'000;                // likewise
inline constexpr size_t name_bytes_max = 1024;              // of a name, class, file; longer ones are cut
inline constexpr size_t message_bytes_max = 4096;           // likewise
inline constexpr size_t details_bytes_max = 64 * 1024;      // of one case; likewise
inline constexpr size_t output_bytes_max = 64 * 1024;       // of each output of one case or suite; likewise
inline constexpr size_t kept_bytes_max = size_t{16} << 20;  // details and outputs of a whole report; then none is kept

enum class Outcome { passed, failed, errored, skipped, not_run };
std::string_view name_of(Outcome outcome);  // "not_run"
std::optional<Outcome> parse_outcome(std::string_view name);
inline bool is_bad(Outcome outcome) { return outcome == Outcome::failed || outcome == Outcome::errored; }

// What a suite or the root element says of itself; often wrong, often absent.
struct Declared {
  std::optional<int64_t> tests, failures, errors, skipped, disabled;
  std::optional<double> seconds;
  bool operator==(const Declared&) const = default;
};

struct Suite {
  std::string name;
  std::optional<size_t> parent;  // index of the suite around it
  std::string file;
  std::string timestamp;  // as the tool wrote it
  Declared declared;
  std::string system_out, system_err;
  bool operator==(const Suite&) const = default;
};

struct Case {
  std::optional<size_t> suite;  // index of the innermost suite around it; nothing: it stands in the root
  std::string class_name;
  std::string name;  // may be empty
  std::string file;
  int64_t line = 0;               // 0: not known
  std::optional<double> seconds;  // as written, negative ones too; nothing: absent or no number
  Outcome outcome = Outcome::passed;
  std::string type;     // of the failure: "AssertionError"
  std::string message;  // its first words: the attribute, or the first line of the text
  std::string details;  // its text
  std::string system_out, system_err;
  int64_t reruns = 0;  // marks that a try before failed (flakyFailure, flakyError, rerunFailure, rerunError, rerun)
  bool flaky() const { return outcome == Outcome::passed && reruns > 0; }
  bool operator==(const Case&) const = default;
};

struct Totals {
  int64_t cases = 0, passed = 0, failed = 0, errored = 0, skipped = 0, not_run = 0;
  int64_t reruns = 0;  // marks, of all cases
  int64_t flaky = 0;   // cases that passed after a failed try
  double seconds = 0;  // sum over the cases
  bool cut = false;    // some text was longer than is kept
  void add(const Case& one);
  bool operator==(const Totals&) const = default;
};

struct Report {
  std::vector<Suite> suites;
  std::vector<Case> cases;  // in the order of the file
  Declared declared;        // by the root element
  Totals counted;
  bool operator==(const Report&) const = default;
};

// How a test is named for people: "CartTest adds", its class (or its suite, where that says more) and its name.
std::string shown_name(std::string_view suite, std::string_view class_name, std::string_view name);

// The names of the suites around a case, outermost first, with " > " between; empty ones left out.
std::string suite_path(const Report& report, const Case& one);

// Why a file is not a report, and where.
struct Problem {
  int64_t line = 0;    // from 1; 0: of the file as a whole
  int64_t column = 0;  // from 1
  std::string message;
  bool operator==(const Problem&) const = default;
};
std::string in_words(const Problem& problem, std::string_view file);  // "junit.xml:9:58: ..."

// Reads a report piece by piece. After a problem every call gives the same problem.
class Reader {
 public:
  Reader();
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::expected<void, Problem> feed(std::string_view piece);
  std::expected<Report, Problem> finish();  // once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::expected<Report, Problem> read(std::string_view text);

}  // namespace headrace::report
