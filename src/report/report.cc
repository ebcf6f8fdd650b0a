#include "report/report.h"

#include <algorithm>
#include <array>
#include <utility>

#include "report/place.h"
#include "report/text.h"
#include "report/xml.h"

namespace headrace::report {

namespace {

constexpr std::array<std::pair<Outcome, std::string_view>, 5> outcomes{{{Outcome::passed, "passed"},
                                                                        {Outcome::failed, "failed"},
                                                                        {Outcome::errored, "errored"},
                                                                        {Outcome::skipped, "skipped"},
                                                                        {Outcome::not_run, "not_run"}}};

// What an open element means here.
enum class Kind { root, suite, test, problem, system_out, system_err, other };

// The worst counts.
int weight(Outcome outcome) {
  switch (outcome) {
    case Outcome::errored: return 4;
    case Outcome::failed: return 3;
    case Outcome::skipped: return 2;
    case Outcome::not_run: return 1;
    case Outcome::passed: return 0;
  }
  return 0;
}

std::optional<Outcome> outcome_of(std::string_view element) {
  if (element == "error") return Outcome::errored;
  if (element == "failure") return Outcome::failed;
  if (element == "skipped") return Outcome::skipped;
  return std::nullopt;
}

bool is_rerun(std::string_view element) {
  constexpr std::array<std::string_view, 5> marks{"flakyFailure", "flakyError", "rerunFailure", "rerunError", "rerun"};
  return std::ranges::find(marks, element) != marks.end();
}

// GoogleTest says status="notrun" of what it was told to leave out, CTest "disabled". GoogleTest's result="skipped"
// alone does not count, as in the index of the conformance material: since 1.11 it writes <skipped> as well.
Outcome said_by(const Attributes& attributes) {
  auto status = attributes.get("status");
  auto result = attributes.get("result");
  if (status == "skipped" || status == "ignored") return Outcome::skipped;
  if (status == "notrun" || status == "disabled" || result == "suppressed") return Outcome::not_run;
  return Outcome::passed;
}

Declared declared_by(const Attributes& attributes) {
  return {.tests = parse_count(attributes.get("tests")),
          .failures = parse_count(attributes.get("failures")),
          .errors = parse_count(attributes.get("errors")),
          .skipped = parse_count(attributes.get("skipped")),
          .disabled = parse_count(attributes.get("disabled")),
          .seconds = parse_seconds(attributes.get("time", "duration"))};
}

}  // namespace

std::string_view name_of(Outcome outcome) {
  for (const auto& [known, name] : outcomes)
    if (known == outcome) return name;
  return "not_run";
}

std::optional<Outcome> parse_outcome(std::string_view name) {
  for (const auto& [outcome, known] : outcomes)
    if (known == name) return outcome;
  return std::nullopt;
}

void Totals::add(const Case& one) {
  ++cases;
  switch (one.outcome) {
    case Outcome::passed: ++passed; break;
    case Outcome::failed: ++failed; break;
    case Outcome::errored: ++errored; break;
    case Outcome::skipped: ++skipped; break;
    case Outcome::not_run: ++not_run; break;
  }
  reruns += one.reruns;
  flaky += one.flaky() ? 1 : 0;
  seconds += one.seconds.value_or(0);
}

std::string shown_name(std::string_view suite, std::string_view class_name, std::string_view name) {
  // Node's runner writes "test" for every class.
  const std::string_view around = class_name.empty() || class_name == "test" ? suite : class_name;
  if (name.empty()) return std::string(around);
  if (around.empty() || around == name || name.starts_with(around)) return std::string(name);
  return std::string(around) + " " + std::string(name);
}

std::string suite_path(const Report& report, const Case& one) {
  std::string path;
  for (auto at = one.suite; at; at = report.suites.at(*at).parent) {
    const std::string& name = report.suites[*at].name;
    if (!name.empty()) path = path.empty() ? name : name + " > " + path;
  }
  std::string cut;
  append_cut(cut, path, name_bytes_max);
  return cut;
}

std::string in_words(const Problem& problem, std::string_view file) {
  std::string place(file);
  if (problem.line > 0) place += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  return place + ": " + problem.message;
}

struct Reader::Impl final : XmlListener {
  Impl() : xml(*this) {}

  std::string begin(std::string_view element, const Attributes& attributes) override {
    if (open.empty() && element != "testsuites" && element != "testsuite")
      return "The root element is <" + std::string(element.substr(0, 100)) +
             ">; a JUnit report begins with <testsuites> or <testsuite>.";
    Kind kind = kind_of(element);
    open.push_back(kind);
    if (open.size() == 1) report.declared = declared_by(attributes);
    if (kind == Kind::suite) return begin_suite(attributes);
    if (kind == Kind::test) return begin_case(attributes);
    if (kind == Kind::problem) begin_problem(element, attributes);
    if (is_rerun(element) && in_case && parent() == Kind::test) ++current().reruns;
    return {};
  }

  void end(std::string_view) override {
    Kind kind = open.back();
    open.pop_back();
    if (kind == Kind::suite) suite = report.suites[*suite].parent;
    if (kind == Kind::problem) end_problem();
    if (kind == Kind::test) end_case();
  }

  void text(std::string_view piece) override {
    std::string* into = place_of_text();
    if (into) keep(*into, piece, open.back() == Kind::problem ? details_bytes_max : output_bytes_max);
  }

  Kind kind_of(std::string_view element) const {
    if (open.empty() && element == "testsuites") return Kind::root;
    if (open.empty()) return Kind::suite;
    Kind around = open.back();
    if (around == Kind::root || around == Kind::suite) {
      if (element == "testsuite") return Kind::suite;
      if (element == "testcase") return Kind::test;
    }
    if (around == Kind::test && outcome_of(element)) return Kind::problem;
    if (around == Kind::test || around == Kind::suite) {
      if (element == "system-out") return Kind::system_out;
      if (element == "system-err") return Kind::system_err;
    }
    return Kind::other;
  }
  Kind parent() const { return open.size() < 2 ? Kind::other : open[open.size() - 2]; }
  Case& current() { return report.cases.back(); }

  std::string begin_suite(const Attributes& attributes) {
    if (report.suites.size() >= suites_max)
      return "The report has more than " + std::to_string(suites_max) + " suites; write several files.";
    Suite next;
    next.parent = suite;
    next.name = name(attributes.get("name"));
    next.file = name(attributes.get("file", "filepath"));
    next.timestamp = name(attributes.get("timestamp"));
    next.declared = declared_by(attributes);
    suite = report.suites.size();
    report.suites.push_back(std::move(next));
    return {};
  }

  std::string begin_case(const Attributes& attributes) {
    if (report.cases.size() >= cases_max)
      return "The report has more than " + std::to_string(cases_max) + " cases; write several files.";
    in_case = true;
    Case next;
    next.suite = suite;
    next.name = name(attributes.get("name"));
    next.class_name = name(attributes.get("classname", "class"));
    next.file = name(attributes.get("file", "filepath"));
    next.line = std::max<int64_t>(0, parse_count(attributes.get("line", "lineno")).value_or(0));
    next.seconds = parse_seconds(attributes.get("time", "duration"));
    next.outcome = said_by(attributes);
    report.cases.push_back(std::move(next));
    return {};
  }

  // The worst problem of a case is told first; the text of others follows it.
  void begin_problem(std::string_view element, const Attributes& attributes) {
    Case& it = current();
    Outcome found = *outcome_of(element);
    tells = weight(found) > weight(it.outcome);
    collected.clear();
    if (!tells) return;
    it.outcome = found;
    it.type = name(attributes.get("type"));
    it.message.clear();
    put(it.message, trimmed(attributes.get("message")), message_bytes_max);
    if (it.line == 0 && it.file.empty()) {
      it.file = name(attributes.get("file"));
      it.line = std::max<int64_t>(0, parse_count(attributes.get("line")).value_or(0));
    }
  }

  void end_problem() {
    Case& it = current();
    if (tells && it.message.empty()) put(it.message, first_line(collected), message_bytes_max);
    std::string whole = tells ? collected : it.details;
    const std::string& rest = tells ? it.details : collected;
    if (!whole.empty() && !rest.empty()) put(whole, "\n\n", details_bytes_max);
    put(whole, rest, details_bytes_max);
    it.details = std::move(whole);
  }

  void end_case() {
    in_case = false;
    if (is_bad(current().outcome)) find_words(current());
    report.counted.add(current());
  }

  // Where it failed, nearer than the line of the test itself; and what it said, where the tool puts that in the output.
  void find_words(Case& it) {
    if (auto place = place_alone(first_line(it.message)); place && it.message.find('\n') != std::string::npos) {
      it.message = std::string(trimmed(std::string_view(it.message).substr(it.message.find('\n'))));
      return take(it, *place);
    }
    auto place = place_in(it.details);
    const bool silent = it.message.empty() && it.details.empty();
    if (!place && silent) place = place_in(it.system_out);
    if (place) take(it, *place);
    if (place && it.message.empty()) put(it.message, place->message, message_bytes_max);
    if (it.message.empty() && silent) put(it.message, last_line(it.system_out), message_bytes_max);
  }

  void take(Case& it, const Place& place) {
    it.file = name(place.file);
    it.line = place.line;
  }

  std::string* place_of_text() {
    if (open.empty()) return nullptr;
    switch (open.back()) {
      case Kind::problem: return &collected;
      case Kind::system_out: return in_case ? &current().system_out : &report.suites[*suite].system_out;
      case Kind::system_err: return in_case ? &current().system_err : &report.suites[*suite].system_err;
      default: return nullptr;
    }
  }

  std::string name(std::string_view text) {
    std::string short_one;
    put(short_one, trimmed(text), name_bytes_max);
    return short_one;
  }
  void put(std::string& into, std::string_view piece, size_t bytes_max) {
    if (!append_cut(into, piece, bytes_max)) report.counted.cut = true;
  }
  void keep(std::string& into, std::string_view piece, size_t bytes_max) {
    size_t before = into.size();
    put(into, piece, std::min(bytes_max, before + (kept_bytes_max - kept)));
    kept += into.size() - before;
  }

  Xml xml;
  Report report;
  std::vector<Kind> open;       // the elements we are in
  std::optional<size_t> suite;  // the innermost open one
  bool in_case = false;
  bool tells = false;     // the open problem is the worst of its case so far
  std::string collected;  // the text of the open problem
  size_t kept = 0;
};

Reader::Reader() : impl_(std::make_unique<Impl>()) {}
Reader::~Reader() = default;

std::expected<void, Problem> Reader::feed(std::string_view piece) { return impl_->xml.feed(piece); }

std::expected<Report, Problem> Reader::finish() {
  if (auto ended = impl_->xml.finish(); !ended) return std::unexpected(ended.error());
  return std::move(impl_->report);
}

std::expected<Report, Problem> read(std::string_view text) {
  if (text.size() > file_bytes_max)
    return std::unexpected(Problem{
        0, 0, "The file is larger than " + std::to_string(file_bytes_max >> 20) + " MiB; write several files."});
  Reader reader;
  if (auto fed = reader.feed(text); !fed) return std::unexpected(fed.error());
  return reader.finish();
}

}  // namespace headrace::report
