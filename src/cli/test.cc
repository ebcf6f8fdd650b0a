// Tests as their reports tell of them: of a run, of a repository, and the history of one.
#include "cli/test.h"

#include <fmt/format.h>

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/run.h"
#include "core/bytes.h"
#include "net/url.h"
#include "report/report.h"

namespace headrace::cli {

using core::Result;
namespace json = core::json;

namespace {

constexpr size_t line_bytes_max = 200;  // of a message

bool is_bad(const json::value& test) {
  auto outcome = core::string_at(test, "outcome");
  return outcome == "failed" || outcome == "errored";
}

// White space of any length is one space.
std::string in_one_line(const std::string& text) {
  std::string line;
  for (char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!blank) line.push_back(c);
    if (blank && !line.empty() && line.back() != ' ') line.push_back(' ');
  }
  while (line.ends_with(' ')) line.pop_back();
  if (line.size() > line_bytes_max) line = core::to_valid_utf8(line.substr(0, line_bytes_max)) + "...";
  return line;
}

bool is_flaky(const json::value& test) { return core::boolean_at(test, "flaky").value_or(false); }

// "failed", "passed (flaky)", "failed (was passed)"
std::string words_of_outcome(const json::value& test) {
  std::string result = words(test, "outcome");
  if (is_flaky(test)) result += " (flaky)";
  if (auto before = core::string_at(test, "before"); before && !before->empty()) result += " (was " + *before + ")";
  return result;
}

std::string count_of(const json::value& report, std::string_view key, std::string_view name) {
  auto count = core::integer_at(report, key).value_or(0);
  return count == 0 ? std::string() : fmt::format(", {} {}", count, name);
}

void show_report(const json::value& report) {
  print_line(words(report, "job_key") + " · " + words(report, "file") + ": " + number(report, "cases") +
             (number(report, "cases") == "1" ? " test" : " tests") + count_of(report, "passed", "passed") +
             count_of(report, "failed", "failed") + count_of(report, "errored", "errored") +
             count_of(report, "skipped", "skipped") + count_of(report, "not_run", "not run") +
             count_of(report, "flaky", "flaky"));
}

void show_tests_of_run(const json::value& answer) {
  const auto& reports = answer.at("reports").as_array();
  if (reports.empty()) print_line("No step of this run wrote a test report.");
  for (const auto& report : reports) show_report(report);
  std::vector<std::vector<std::string>> rows{{"RESULT", "ID", "TIME", "TEST"}};
  for (const auto& test : answer.at("tests").as_array())
    rows.push_back({words_of_outcome(test), words(test, "id"), words_of_time(test),
                    is_bad(test) ? words_of_failure(test) : name_of_test(test)});
  if (rows.size() > 1) print(table(rows));
  if (auto next = core::string_at(answer, "next"); next && !next->empty())
    print_line("There are more: --cursor " + *next + " goes on, --limit shows up to 1000 at once.");
}

void show_history(const json::value& answer) {
  const auto& test = answer.at("test");
  print_line(name_of_test(test) + " · " + words(test, "id"));
  std::vector<std::vector<std::string>> rows{{"WHEN", "RESULT", "TIME", "RUN", "JOB", "REF", "COMMIT", "MESSAGE"}};
  for (const auto& one : answer.at("results").as_array())
    rows.push_back({words(one, "at").substr(0, 19), words_of_outcome(one), words_of_time(one),
                    words(one, "workflow") + " #" + number(one, "run_number"), words(one, "job_key"), words(one, "ref"),
                    words(one, "commit").substr(0, 10), in_one_line(core::string_at(one, "message").value_or(""))});
  print(table(rows));
  if (auto next = core::string_at(answer, "next"); next && !next->empty())
    print_line("There are older ones: --cursor " + *next + " goes on.");
}

void show_flaky(const json::value& answer) {
  std::vector<std::vector<std::string>> rows{{"ID", "TIMES", "LAST", "TEST"}};
  for (const auto& test : answer.at("tests").as_array())
    rows.push_back({words(test, "id"), number(test, "times"), words(test, "at").substr(0, 19), name_of_test(test)});
  rows.size() > 1 ? print(table(rows)) : print_line("No test came to both results on one tree.");
}

void show_slowest(const json::value& answer) {
  std::vector<std::vector<std::string>> rows{{"ID", "TIME", "JOB", "TEST"}};
  for (const auto& test : answer.at("tests").as_array())
    rows.push_back({words(test, "id"), words_of_time(test), words(test, "job_key"), name_of_test(test)});
  rows.size() > 1 ? print(table(rows)) : print_line("There is no test yet whose time is known.");
}

// "?limit=20&at=...": only what was given.
std::string query_of(const TestSelection& options) {
  std::string query = "?limit=" + std::to_string(options.limit);
  for (const auto& [name, value] :
       {std::pair{"at", options.of.at}, {"ref", options.ref}, {"cursor", options.cursor}, {"all", options.all}})
    if (!value.empty()) query += std::string("&") + name + "=" + net::percent_encode(value);
  return query;
}

Result<json::value> ask_repository(Api& api, const TestSelection& options, const std::string& what) {
  auto repository = repository_here(options.of);
  if (!repository) return std::unexpected(repository.error());
  auto slash = repository->find('/');
  if (slash == std::string::npos) return core::fail(core::Code::invalid, "A repository is named OWNER/NAME.");
  return api.get("/api/v1/repositories/" + net::percent_encode(repository->substr(0, slash)) + "/" +
                 net::percent_encode(repository->substr(slash + 1)) + "/tests/" + net::percent_encode(what) +
                 query_of(options));
}

}  // namespace

std::string name_of_test(const json::value& test) {
  auto text = [&test](std::string_view key) { return core::string_at(test, key).value_or(""); };
  auto shown = report::shown_name(text("suite"), text("class"), text("name"));
  return shown.empty() ? words(test, "id") : shown;
}

std::string words_of_failure(const json::value& test) {
  std::string text = name_of_test(test);
  if (auto file = core::string_at(test, "file"); file && !file->empty()) {
    auto line = core::integer_at(test, "line").value_or(0);
    text += " (" + *file + (line > 0 ? ":" + std::to_string(line) : "") + ")";
  }
  auto message = in_one_line(core::string_at(test, "message").value_or(""));
  return message.empty() ? text : text + ": " + message;
}

std::string words_of_time(const json::value& test) {
  auto microseconds = core::integer_at(test, "duration_us");
  if (!microseconds) return "-";
  const double taken = static_cast<double>(*microseconds);
  return taken < 1e6 ? fmt::format("{:.1f} ms", taken / 1e3) : fmt::format("{:.2f} s", taken / 1e6);
}

int test_list(const TestSelection& options, bool as_json) {
  return asked(
      as_json,
      [&](Api& api) -> Result<json::value> {
        auto run = find_run(api, options.of);
        if (!run) return std::unexpected(run.error());
        return api.get("/api/v1/runs/" + *run + "/tests" + query_of(options));
      },
      show_tests_of_run);
}

int test_show(const TestSelection& options, bool as_json) {
  return asked(as_json, [&](Api& api) { return ask_repository(api, options, options.test); }, show_history);
}

int test_flaky(const TestSelection& options, bool as_json) {
  return asked(as_json, [&](Api& api) { return ask_repository(api, options, "flaky"); }, show_flaky);
}

int test_slowest(const TestSelection& options, bool as_json) {
  return asked(as_json, [&](Api& api) { return ask_repository(api, options, "slowest"); }, show_slowest);
}

}  // namespace headrace::cli
