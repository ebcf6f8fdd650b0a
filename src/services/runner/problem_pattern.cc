#include "services/runner/problem_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "services/runner/problem_matcher.h"

namespace headrace::runner {

namespace {

constexpr uint32_t depth_max = 1'000;
constexpr uint32_t heap_kibibytes_max = 4'096;

// ECMAScript's: \uXXXX, [] and [^], $ at the very end, a group that took no part matches as empty.
constexpr uint32_t as_ecmascript = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
                                   PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF;

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

class Compiled final : public ProblemPattern {
 public:
  explicit Compiled(pcre2_code* code)
      : code_(code),
        data_(pcre2_match_data_create_from_pattern(code, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where it cannot, the interpreter matches
    pcre2_set_match_limit(context_.get(), matcher_steps_max);
    pcre2_set_depth_limit(context_.get(), depth_max);
    pcre2_set_heap_limit(context_.get(), heap_kibibytes_max);
  }

  size_t groups() const override { return pcre2_get_ovector_count(data_.get()); }

  Outcome match(std::string_view line, std::vector<std::string>& groups) override {
    int found = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(line.data()), line.size(), 0, 0, data_.get(),
                            context_.get());
    if (found == PCRE2_ERROR_NOMATCH) return Outcome::none;
    if (found < 0) return Outcome::exhausted;
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data_.get());
    groups.assign(this->groups(), {});
    for (size_t i = 0; i < static_cast<size_t>(found); ++i)
      if (ends[2 * i] != PCRE2_UNSET) groups[i] = line.substr(ends[2 * i], ends[2 * i + 1] - ends[2 * i]);
    return Outcome::matched;
  }

 private:
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> data_;
  std::unique_ptr<pcre2_match_context, Free> context_;
};

}  // namespace

core::Result<std::unique_ptr<ProblemPattern>> ProblemPattern::compile(const std::string& text) {
  int error = 0;
  PCRE2_SIZE at = 0;
  auto* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), as_ecmascript, &error, &at, nullptr);
  if (code) return std::make_unique<Compiled>(code);
  std::string reason(256, '\0');
  int length = pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(reason.data()), reason.size());
  reason.resize(length > 0 ? static_cast<size_t>(length) : 0);
  return core::fail(core::Code::invalid, "The regular expression '" + text + "' cannot be read at character " +
                                             std::to_string(at + 1) + ": " + reason + ".");
}

}  // namespace headrace::runner
