#include "server/tests_api.h"

#include "server/answers.h"
#include "server/door.h"
#include "server/request.h"
#include "server/runs_api.h"

namespace headrace::server {

using core::Result;
using core::Task;
namespace json = core::json;

namespace {

std::string full_name(const Call& call) { return call.capture("owner") + "/" + call.capture("repo"); }

Result<tests::Page> page_of(const Call& call) {
  auto limit = number_in(call, "limit", 1, tests::list_max, 100);
  if (!limit) return std::unexpected(limit.error());
  tests::Page page;
  page.limit = *limit;
  page.cursor = call.query("cursor");
  return page;
}

json::value or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

json::object of(const tests::Test& test) {
  return {{"id", test.id}, {"suite", test.suite}, {"class", test.class_name}, {"name", test.name}};
}

json::object of(const tests::Report& report) {
  return {{"report", report.report},
          {"run", report.run},
          {"job", report.job},
          {"job_key", report.job_key},
          {"attempt", report.attempt},
          {"step", report.step},
          {"file", report.file},
          {"ref", report.ref},
          {"commit", report.commit},
          {"at", core::format_time(report.at)},
          {"suites", report.suites},
          {"cases", report.cases},
          {"passed", report.passed},
          {"failed", report.failed},
          {"errored", report.errored},
          {"skipped", report.skipped},
          {"not_run", report.not_run},
          {"flaky", report.flaky},
          {"duration_us", report.microseconds},
          {"told", report.told}};
}

void add(json::object& into, const tests::Outcome& outcome) {
  into["outcome"] = report::name_of(outcome.outcome);
  into["flaky"] = outcome.flaky;
  into["before"] = or_null(outcome.before);
  into["duration_us"] = outcome.microseconds ? json::value(*outcome.microseconds) : json::value();
  into["message"] = or_null(outcome.message);
  into["details"] = or_null(outcome.details);
  into["file"] = or_null(outcome.file);
  into["line"] = outcome.line > 0 ? json::value(outcome.line) : json::value();
}

// The tries of its jobs that count: of the newest attempt.
std::vector<tests::Try> tries_of(const pipeline::Run& run) {
  std::vector<tests::Try> tries;
  for (const auto& job : run.jobs) tries.push_back({job.job, job.attempt});
  return tries;
}

Task<Result<>> of_run(Platform& platform, Call& call) {
  auto run = co_await run_in(platform, call);
  if (!run) co_return std::unexpected(run.error());
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  auto all = flag_in(call, "all");
  if (!all) co_return std::unexpected(all.error());
  tests::Tests::Only only;
  if (!*all) only = tries_of(*run);
  auto found = co_await platform.tests.of_run(run->run, *page, *at, std::move(only));
  if (!found) co_return std::unexpected(found.error());
  json::array reports, cases;
  for (const auto& report : found->reports) reports.push_back(of(report));
  for (const auto& one : found->cases) {
    json::object shown = of(one.test);
    shown["report"] = one.report;
    add(shown, one.outcome);
    cases.push_back(std::move(shown));
  }
  json::object answer;
  answer["reports"] = std::move(reports);
  answer["tests"] = std::move(cases);
  answer["next"] = or_null(found->next);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> history(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  auto found = co_await platform.tests.history(full_name(call), call.capture("test"), call.query("ref"), *page, *at);
  if (!found) co_return std::unexpected(found.error());
  json::array results;
  for (const auto& past : found->results) {
    json::object shown{{"run", past.report.run},         {"run_number", past.run_number},
                       {"workflow", past.workflow},      {"job_key", past.report.job_key},
                       {"attempt", past.report.attempt}, {"ref", past.report.ref},
                       {"commit", past.report.commit},   {"at", core::format_time(past.report.at)}};
    add(shown, past.outcome);
    results.push_back(std::move(shown));
  }
  json::object answer;
  answer["test"] = of(found->test);
  answer["results"] = std::move(results);
  answer["next"] = or_null(found->next);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> flaky(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  auto found = co_await platform.tests.flaky(full_name(call), *page, *at);
  if (!found) co_return std::unexpected(found.error());
  json::array list;
  for (const auto& one : found->tests) {
    json::object shown = of(one.test);
    shown["times"] = one.times;
    shown["at"] = core::format_time(one.at);
    shown["run"] = one.run;
    list.push_back(std::move(shown));
  }
  json::object answer;
  answer["tests"] = std::move(list);
  answer["next"] = or_null(found->next);
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> slowest(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto limit = number_in(call, "limit", 1, tests::list_max, 100);
  if (!limit) co_return std::unexpected(limit.error());
  auto found = co_await platform.tests.slowest(full_name(call), call.query("ref"), *limit, *at);
  if (!found) co_return std::unexpected(found.error());
  json::array list;
  for (const auto& one : *found) {
    json::object shown = of(one.test);
    shown["duration_us"] = one.microseconds;
    shown["run"] = one.run;
    shown["job_key"] = one.job_key;
    list.push_back(std::move(shown));
  }
  json::object answer;
  answer["tests"] = std::move(list);
  co_return co_await call.exchange.respond(json_answer(answer));
}

}  // namespace

json::object red_json(const tests::Red& red) {
  json::object shown = of(red.test);
  shown["job"] = red.report.job;
  shown["key"] = red.report.job_key;
  shown["attempt"] = red.report.attempt;
  shown["report"] = red.report.report;
  shown["report_file"] = red.report.file;
  add(shown, red.outcome);
  return shown;
}

void add_test_routes(Router& router, Platform& platform) {
  const QueryParameter at{"at", "an offset or a time: as it was then"};
  const QueryParameter limit{"limit", "1 to 1000", "integer"};
  const QueryParameter cursor{"cursor", "next of the page before"};
  const QueryParameter ref{"ref", "only of this ref: refs/heads/main"};
  router.add({net::Method::get,
              "/api/v1/runs/{run}/tests",
              Right::signed_in,
              {"Tests of a run, the failed ones first",
               "tests",
               {{"all", "true: of every attempt, not of the newest alone", "boolean"}, limit, cursor, at},
               {},
               json_body("TestPage")},
              [&platform](Call& call) { return of_run(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/repositories/{owner}/{repo}/tests/flaky",
              Right::read_runs,
              {"Flaky tests, the last that showed first", "tests", {limit, cursor, at}, {}, json_body("FlakyTests")},
              [&platform](Call& call) { return flaky(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/repositories/{owner}/{repo}/tests/slowest",
              Right::read_runs,
              {"Slowest tests by their newest results", "tests", {ref, limit, at}, {}, json_body("SlowestTests")},
              [&platform](Call& call) { return slowest(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/repositories/{owner}/{repo}/tests/{test}",
              Right::read_runs,
              {"What a test came to, newest first", "tests", {ref, limit, cursor, at}, {}, json_body("TestHistory")},
              [&platform](Call& call) { return history(platform, call); }});
}

}  // namespace headrace::server
