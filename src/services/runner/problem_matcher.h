// Problem matchers: regular expressions that a job registers (::add-matcher::FILE) to make annotations of what
// compilers and linters print. The file is JSON,
// {"problemMatcher":[{"owner","severity","pattern":[{"regexp","file","line",
// "column","severity","code","message","fromPath","loop"}]}]}; several patterns match lines that follow each other, the
// last may loop. "docs/adrs/0276-problem-matchers.md" of actions/runner.
//
// Expressions are ECMAScript's as far as PCRE2 reads them. Each match is bounded in steps, depth and memory: one that
// runs into its bounds three times is removed, and said.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::runner {

inline constexpr size_t matcher_file_bytes_max = 1024 * 1024;
inline constexpr size_t matchers_max = 100;         // at once
inline constexpr size_t matcher_patterns_max = 32;  // of one
inline constexpr size_t matcher_regexp_bytes_max = 8 * 1024;
inline constexpr size_t matcher_line_bytes_max = 16 * 1024;  // longer lines match nothing
inline constexpr uint32_t matcher_steps_max = 200'000;       // of one match; about a millisecond
inline constexpr int matcher_failures_max = 3;

// What matched, as text of the groups; "" where the pattern does not say.
struct Problem {
  std::string severity, message, file, from_path, line, column, code;
};

class ProblemMatcher;

// Those of one job; they live on in the steps after the one that added them.
class ProblemMatchers {
 public:
  ProblemMatchers();
  ~ProblemMatchers();
  ProblemMatchers(const ProblemMatchers&) = delete;
  ProblemMatchers& operator=(const ProblemMatchers&) = delete;

  // Of a file's text. A matcher replaces the one of the same owner. invalid: what is wrong, in GitHub's words.
  core::Result<> add(std::string_view json);
  core::Result<> remove_those_of(std::string_view json);  // the owners that a file names
  void remove(std::string_view owner);
  bool empty() const { return matchers_.empty(); }
  void forget_lines();  // a new step: matches of several lines begin anew

  // Of a line without its end; colours are taken out first. The newest matcher that matches counts.
  std::optional<Problem> match(std::string_view line);
  // Matchers that were removed since the last call, as GitHub says it.
  std::vector<std::string> removals();

 private:
  std::vector<std::unique_ptr<ProblemMatcher>> matchers_;  // newest first
  std::vector<std::string> removals_;
};

// Without ANSI colours.
std::string without_colours(std::string_view line);

}  // namespace headrace::runner
