// ProblemPattern is one regular expression of a matcher: compiled by PCRE2, which stays behind this door.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::runner {

class ProblemPattern {
 public:
  virtual ~ProblemPattern() = default;
  static core::Result<std::unique_ptr<ProblemPattern>> compile(const std::string& text);  // invalid: where, and why

  enum class Outcome { none, matched, exhausted };
  virtual size_t groups() const = 0;  // the whole match counted
  // Bounded by matcher_steps_max. Groups that took no part are "".
  virtual Outcome match(std::string_view line, std::vector<std::string>& groups) = 0;
};

}  // namespace headrace::runner
