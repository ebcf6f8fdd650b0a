#include "services/tests/tests.h"

#include "bus/said.h"
#include "events/cloudevents.h"
#include "events/tests.h"
#include "events/vocabulary.h"
#include "services/tests/projection.h"
#include "services/tests/queries.h"

namespace headrace::tests {

using core::Result;
using core::Task;

std::string red_topic(std::string_view run) { return "red/" + std::string(run); }

namespace {

const std::string projection{HistoryProjection::projection_name};

events::Conclusion conclusion_of(report::Outcome outcome) {
  switch (outcome) {
    case report::Outcome::failed: return events::Conclusion::failure;
    case report::Outcome::errored: return events::Conclusion::startup_failure;  // "error" in CDEvents
    case report::Outcome::skipped:
    case report::Outcome::not_run: return events::Conclusion::skipped;
    case report::Outcome::passed: return events::Conclusion::success;
  }
  return events::Conclusion::success;
}

std::string name_for_people(const Test& test) {
  auto shown = report::shown_name(test.suite, test.class_name, test.name);
  return shown.empty() ? test.id : shown;
}

events::TestCaseFinished words_of(const Notable& notable, size_t at) {
  const CaseOfRun& one = notable.cases[at];
  events::TestCaseFinished said;
  said.id = one.report + "/" + one.test.id;
  said.environment = notable.report.environment;
  said.report = one.report;
  said.test_case = name_for_people(one.test);
  said.conclusion = conclusion_of(one.outcome.outcome);
  said.reason = one.outcome.message;
  said.repository = notable.repository;
  said.run = notable.report.run;
  said.job = notable.report.job;
  said.ref = notable.report.ref;
  said.commit = notable.report.commit;
  said.test = one.test.id;
  said.suite = one.test.suite;
  said.class_name = one.test.class_name;
  said.name = one.test.name;
  said.file = one.outcome.file;
  said.line = one.outcome.line;
  said.outcome = report::name_of(one.outcome.outcome);
  said.before = one.outcome.before;
  said.flaky = notable.flaky[at];
  said.duration_us = one.outcome.microseconds.value_or(0);
  return said;
}

}  // namespace

struct Tests::Impl {
  explicit Impl(Parts on) : parts(on) {}

  // The last part of a report: the gate has let it through, so the projection has compared it.
  Task<Result<>> heard_results(bus::Delivery delivery) {
    if (!events::is_reserved(delivery.event().source)) co_return Result<>{};
    auto results = events::decode<events::TestResults>(delivery.event());
    if (!results) co_return std::unexpected(results.error());
    if (results->part != results->parts) co_return Result<>{};
    auto look = [report = results->report](sqlite::Connection& tables) {
      return notable_in(tables, report, cases_said_max);
    };
    auto notable = co_await parts.store.read(projection, std::nullopt, std::move(look));
    if (!notable) co_return std::unexpected(notable.error());
    tell_watchers(*notable);
    bus::Said said(parts.bus, "tests", delivery);
    for (size_t i = 0; i < notable->cases.size(); ++i) said.add("case/" + std::to_string(i), words_of(*notable, i));
    if (said.empty()) co_return Result<>{};
    auto appended = co_await said.append();
    if (!appended) co_return std::unexpected(appended.error());
    co_return Result<>{};
  }

  void tell_watchers(const Notable& notable) const {
    auto topic = red_topic(notable.report.run);
    const bool red = notable.report.failed + notable.report.errored > 0;
    if (red && parts.bus.channels().heard(topic))
      parts.bus.channels().offer(topic, std::make_shared<const std::string>());
  }

  Parts parts;
};

Tests::Tests(Parts parts) : impl_(std::make_unique<Impl>(parts)) {
  parts.store.add(std::make_unique<HistoryProjection>());
}
Tests::~Tests() = default;

Result<> Tests::start() {
  Impl* impl = impl_.get();
  impl->parts.bus.says("tests", {std::string(events::TestCaseFinished::type)});
  bus::Subscription subscription;
  subscription.name = "tests.cases";
  subscription.service = "tests";
  subscription.types = {std::string(events::TestResults::type)};
  subscription.gate = impl->parts.store.gate(projection);
  subscription.sync = true;
  return impl->parts.bus.subscribe(std::move(subscription),
                                   [impl](bus::Delivery delivery) { return impl->heard_results(std::move(delivery)); });
}

Task<Result<RunTests>> Tests::of_run(std::string run, Page page, At at, Only only) {
  auto look = [run = std::move(run), page = std::move(page), only = std::move(only)](sqlite::Connection& tables) {
    return tests_of_run(tables, run, page, only);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<RedPage>> Tests::red(std::string run, int64_t after) {
  auto look = [run = std::move(run), after](sqlite::Connection& tables) { return red_tests(tables, run, after); };
  co_return co_await impl_->parts.store.read(projection, std::nullopt, std::move(look));
}

Task<Result<History>> Tests::history(std::string repository, std::string test, std::string ref, Page page, At at) {
  auto look = [repository = std::move(repository), test = std::move(test), ref = std::move(ref),
               page = std::move(page)](sqlite::Connection& tables) {
    return history_of(tables, repository, test, ref, page);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<FlakyPage>> Tests::flaky(std::string repository, Page page, At at) {
  auto look = [repository = std::move(repository), page = std::move(page)](sqlite::Connection& tables) {
    return flaky_tests(tables, repository, page);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

Task<Result<std::vector<Slow>>> Tests::slowest(std::string repository, std::string ref, size_t limit, At at) {
  auto look = [repository = std::move(repository), ref = std::move(ref), limit](sqlite::Connection& tables) {
    return slowest_tests(tables, repository, ref, limit);
  };
  co_return co_await impl_->parts.store.read(projection, at, std::move(look));
}

}  // namespace headrace::tests
