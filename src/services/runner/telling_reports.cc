// Test reports of the jobs at work, said as events.
#include <algorithm>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "events/tests.h"
#include "report/pack.h"
#include "services/runner/service.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t file_bytes_max = 1024;
constexpr size_t file_digits = 12;  // of its digest, in the report's name

std::string name_of_report(const JobRow& row, const Reported& reported) {
  return row.job + "-" + std::to_string(row.attempt) + "-" + std::to_string(reported.step) + "-" +
         core::sha256_hex(reported.file).substr(0, file_digits);
}

bool plausible(const events::TestTotals& totals) {
  const auto counts = {totals.suites,  totals.cases,   totals.passed, totals.failed,     totals.errored,
                       totals.skipped, totals.not_run, totals.flaky,  totals.duration_us};
  return std::ranges::all_of(counts, [](int64_t count) { return count >= 0; });
}

// What a runner says is foreign: a part that cannot be read would stop every projection that hears of it.
Result<> check_report(const Reported& reported) {
  if (reported.file.empty() || reported.file.size() > file_bytes_max || reported.parts.size() > report::parts_max ||
      reported.step < 1 || !plausible(reported.totals))
    return core::fail(Code::invalid, "The report's file, step or totals are not good.");
  int64_t told = 0;
  for (const auto& part : reported.parts) {
    auto bytes = core::from_base64(part);
    if (!bytes) return core::fail(Code::invalid, "A part of the report is not base64.");
    auto cases = report::unpack(*bytes);
    if (!cases) return std::unexpected(cases.error());
    told += static_cast<int64_t>(cases->size());
  }
  if (told != reported.told || told > reported.totals.cases)
    return core::fail(Code::invalid, "The report's parts hold other cases than it says.");
  return {};
}

std::string reason_of(const events::TestTotals& totals) {
  const int64_t bad = totals.failed + totals.errored;
  return bad == 0 ? std::string() : std::to_string(bad) + " of " + std::to_string(totals.cases) + " cases failed";
}

events::TestSuiteFinished suite_of(const JobRow& row, const events::JobQueued& queued, const Reported& reported) {
  events::TestSuiteFinished suite;
  suite.report = name_of_report(row, reported);
  suite.environment = row.executor.empty() ? "host" : row.executor;
  suite.suite = reported.file;
  suite.reason = reason_of(reported.totals);
  suite.conclusion = suite.reason.empty() ? events::Conclusion::success : events::Conclusion::failure;
  suite.repository = row.repository;
  suite.run = row.run;
  suite.job = row.job;
  suite.job_key = queued.key;
  suite.attempt = row.attempt;
  suite.step = reported.step;
  suite.ref = queued.ref;
  suite.commit = queued.commit;
  suite.file = reported.file;
  suite.totals = reported.totals;
  suite.parts = static_cast<int64_t>(reported.parts.size());
  suite.told = reported.told;
  return suite;
}

Result<events::JobQueued> queued_by(log::EventLog& log, const JobRow& row) {
  auto stored = log.read(row.queued, 1);
  if (!stored) return std::unexpected(stored.error());
  if (stored->empty() || stored->front().offset != row.queued)
    return core::fail(Code::corrupt, "The event that queued the job is not in the log any more.");
  return events::decode<events::JobQueued>(stored->front().event);
}

}  // namespace

// What cannot be said is lost but for its file: a report is no reason to hold up a job.
Task<> Service::take_report(Reported reported, std::shared_ptr<Session> session) {
  Token token = reported.token;
  if (!owned(token, *session)) co_return answer_unknown(token, *session);
  auto shared = std::make_shared<const Reported>(std::move(reported));
  auto checking = [shared] { return check_report(*shared); };
  auto said = co_await core::blocking(parts.files, std::move(checking));
  if (said) {
    auto check = [this, shared](sqlite::Connection& tables) { return report_batch(tables, *shared); };
    auto outcome = co_await strand.run(std::move(check));
    if (!outcome) said = std::unexpected(outcome.error());
  }
  if (!said)
    core::diagnose(core::Level::warning, "runner",
                   "a test report is not told: " + said.error().message + " " + said.error().detail);
}

Result<log::Batch> Service::report_batch(sqlite::Connection& tables, const Reported& reported) const {
  auto row = find_lease(tables, reported.token);
  if (!row) return std::unexpected(row.error());
  log::Batch batch;
  if (!*row) return batch;  // stale
  auto queued = queued_by(parts.log, **row);
  if (!queued) return std::unexpected(queued.error());
  auto suite = suite_of(**row, *queued, reported);
  auto runner = core::Actor::runner((*row)->runner);
  batch.key = "runner:report:" + suite.report;
  batch.events.push_back(word(suite, **row, runner));
  for (int64_t part = 1; part <= suite.parts; ++part) {
    events::TestResults results{.report = suite.report,
                                .repository = suite.repository,
                                .part = part,
                                .parts = suite.parts,
                                .packed = reported.parts[static_cast<size_t>(part - 1)]};
    batch.events.push_back(word(results, **row, runner));
  }
  return batch;
}

}  // namespace headrace::runner
