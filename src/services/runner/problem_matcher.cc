#include "services/runner/problem_matcher.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/bytes.h"
#include "core/json.h"
#include "services/runner/problem_pattern.h"

namespace headrace::runner {

namespace json = core::json;
using core::Code;
using core::Result;

namespace {

std::unexpected<core::Error> wrong(std::string message) { return core::fail(Code::invalid, std::move(message)); }

bool same(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

// Which groups a pattern takes what from.
constexpr std::array<std::pair<std::string_view, std::string Problem::*>, 7> parts{{{"file", &Problem::file},
                                                                                    {"line", &Problem::line},
                                                                                    {"column", &Problem::column},
                                                                                    {"severity", &Problem::severity},
                                                                                    {"code", &Problem::code},
                                                                                    {"message", &Problem::message},
                                                                                    {"fromPath", &Problem::from_path}}};

struct Pattern {
  std::unique_ptr<ProblemPattern> regexp;
  std::vector<std::pair<std::string Problem::*, size_t>> groups;
  bool loop = false;
};

Result<Pattern> read_pattern(const json::value& value, bool first, bool last,
                             std::map<std::string_view, bool>& set_before) {
  std::string text = core::string_at(value, "regexp").value_or("");
  if (text.size() > matcher_regexp_bytes_max) return wrong("A regular expression of a matcher is too long.");
  Pattern pattern;
  auto regexp = ProblemPattern::compile(text);
  if (!regexp) return std::unexpected(regexp.error());
  pattern.regexp = std::move(*regexp);
  pattern.loop = core::boolean_at(value, "loop").value_or(false);
  if (pattern.loop && (first || !last)) return wrong("Only the last pattern in a multiline matcher may set 'loop'");
  if (pattern.loop && !core::find(value, "message")) return wrong("The loop pattern must set 'message'");
  for (const auto& [name, member] : parts) {
    const auto* given = core::find(value, name);
    if (!given || given->is_null()) continue;
    auto group = core::integer_at(value, name);
    std::string property(name);
    if (set_before[name]) return wrong("The property '" + property + "' is set twice");
    if (!group || *group < 0 || *group >= static_cast<int64_t>(pattern.regexp->groups()))
      return wrong("The property '" + property + "' is set to " + core::to_text(*given) +
                   " which is out of range of the groups of its regular expression");
    set_before[name] = true;
    pattern.groups.emplace_back(member, static_cast<size_t>(*group));
  }
  return pattern;
}

Result<std::vector<const json::value*>> matchers_in(const json::value& file) {
  const auto* list = core::find(file, "problemMatcher");
  std::vector<const json::value*> found;
  if (!list || list->is_null()) return found;
  if (!list->is_array()) return wrong("'problemMatcher' is not a list of matchers.");
  for (const auto& matcher : list->get_array()) found.push_back(&matcher);
  return found;
}

}  // namespace

class ProblemMatcher {
 public:
  static Result<std::unique_ptr<ProblemMatcher>> read(const json::value& value);

  enum class Outcome { none, matched, exhausted };
  // GitHub's order: patterns from the last to the first, so that a line may end one problem and begin the next.
  Outcome match(std::string_view line, Problem& problem);
  void reset() { running_.assign(patterns_.size(), std::nullopt); }

  std::string owner;
  int failures = 0;

 private:
  std::string severity_;
  std::vector<Pattern> patterns_;
  std::vector<std::optional<Problem>> running_;  // by pattern: what has matched up to it
};

Result<std::unique_ptr<ProblemMatcher>> ProblemMatcher::read(const json::value& value) {
  auto matcher = std::make_unique<ProblemMatcher>();
  matcher->owner = core::string_at(value, "owner").value_or("");
  matcher->severity_ = core::string_at(value, "severity").value_or("");
  if (matcher->owner.empty()) return wrong("Owner must not be empty");
  if (!matcher->severity_.empty() && !same(matcher->severity_, "error") && !same(matcher->severity_, "warning") &&
      !same(matcher->severity_, "notice"))
    return wrong("Matcher '" + matcher->owner + "' contains unexpected default severity '" + matcher->severity_ + "'");
  const auto* list = core::find(value, "pattern");
  if (!list || !list->is_array() || list->get_array().empty())
    return wrong("Matcher '" + matcher->owner + "' does not contain any patterns");
  const auto& patterns = list->get_array();
  if (patterns.size() > matcher_patterns_max) return wrong("Matcher '" + matcher->owner + "' has too many patterns");
  std::map<std::string_view, bool> set;
  for (size_t i = 0; i < patterns.size(); ++i) {
    auto pattern = read_pattern(patterns[i], i == 0, i + 1 == patterns.size(), set);
    if (!pattern) return std::unexpected(pattern.error());
    matcher->patterns_.push_back(std::move(*pattern));
  }
  if (!set["message"]) return wrong("At least one pattern must set 'message'");
  matcher->reset();
  return matcher;
}

ProblemMatcher::Outcome ProblemMatcher::match(std::string_view line, Problem& problem) {
  for (size_t i = patterns_.size(); i-- > 0;) {
    if (i > 0 && !running_[i - 1]) continue;
    bool last = i + 1 == patterns_.size();
    std::vector<std::string> groups;
    auto outcome = patterns_[i].regexp->match(line, groups);
    if (outcome == ProblemPattern::Outcome::exhausted) return Outcome::exhausted;
    if (outcome == ProblemPattern::Outcome::none) {
      running_[last && i > 0 ? i - 1 : i].reset();
      continue;
    }
    Problem found = i > 0 ? *running_[i - 1] : Problem{};
    for (const auto& [member, group] : patterns_[i].groups) found.*member = groups[group];
    if (!last) {
      running_[i] = std::move(found);
      continue;
    }
    auto before = i > 0 ? running_[i - 1] : std::nullopt;
    reset();
    if (patterns_[i].loop) running_[i - 1] = std::move(before);
    if (found.severity.empty()) found.severity = severity_;
    problem = std::move(found);
    return Outcome::matched;
  }
  return Outcome::none;
}

ProblemMatchers::ProblemMatchers() = default;
ProblemMatchers::~ProblemMatchers() = default;

Result<> ProblemMatchers::add(std::string_view text) {
  auto file = core::parse_json(text);
  if (!file) return std::unexpected(file.error());
  auto list = matchers_in(*file);
  if (!list) return std::unexpected(list.error());
  std::vector<std::unique_ptr<ProblemMatcher>> read;
  for (const auto* value : *list) {
    auto matcher = ProblemMatcher::read(*value);
    if (!matcher) return std::unexpected(matcher.error());
    for (const auto& other : read)
      if (same(other->owner, (*matcher)->owner)) return wrong("Duplicate owner name '" + other->owner + "'");
    read.push_back(std::move(*matcher));
  }
  for (auto& matcher : read) {
    remove(matcher->owner);
    if (matchers_.size() >= matchers_max)
      return core::fail(Code::exhausted, "More than " + std::to_string(matchers_max) + " problem matchers at once.");
    matchers_.insert(matchers_.begin(), std::move(matcher));
  }
  return {};
}

Result<> ProblemMatchers::remove_those_of(std::string_view text) {
  auto file = core::parse_json(text);
  if (!file) return std::unexpected(file.error());
  auto list = matchers_in(*file);
  if (!list) return std::unexpected(list.error());
  for (const auto* value : *list) remove(core::string_at(*value, "owner").value_or(""));
  return {};
}

void ProblemMatchers::remove(std::string_view owner) {
  std::erase_if(matchers_, [&](const auto& matcher) { return same(matcher->owner, owner); });
}

void ProblemMatchers::forget_lines() {
  for (auto& matcher : matchers_) matcher->reset();
}

std::optional<Problem> ProblemMatchers::match(std::string_view line) {
  if (line.size() > matcher_line_bytes_max) return std::nullopt;
  std::string plain = core::to_valid_utf8(without_colours(line));
  for (size_t i = 0; i < matchers_.size(); ++i) {
    Problem problem;
    auto outcome = matchers_[i]->match(plain, problem);
    if (outcome == ProblemMatcher::Outcome::matched) {
      for (size_t other = 0; other < matchers_.size(); ++other)
        if (other != i) matchers_[other]->reset();
      return problem;
    }
    if (outcome == ProblemMatcher::Outcome::exhausted && ++matchers_[i]->failures >= matcher_failures_max) {
      removals_.push_back("Removing issue matcher '" + matchers_[i]->owner + "'. Matcher failed " +
                          std::to_string(matcher_failures_max) + " times. Error: a match took too long.");
      matchers_.erase(matchers_.begin() + static_cast<std::ptrdiff_t>(i--));
    }
  }
  return std::nullopt;
}

std::vector<std::string> ProblemMatchers::removals() { return std::exchange(removals_, {}); }

std::string without_colours(std::string_view line) {
  std::string out;
  for (size_t at = 0; at < line.size();) {
    if (line.substr(at, 2) != "\x1b[") {
      out += line[at++];
      continue;
    }
    at = line.find_first_not_of("0123456789;", at + 2);
    if (at == std::string_view::npos) break;
    if (line[at] == 'm') ++at;
  }
  return out;
}

}  // namespace headrace::runner
