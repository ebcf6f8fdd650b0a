// What runners find in the jobs at work: test reports, said as events, and summaries of steps, kept beside the logs.
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
constexpr std::chrono::seconds again_after{1};

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

// Said or kept: told so, and the runner forgets it. What can never be is told so too: a report is no reason to hold up
// a job. Where the log or the disk cannot take it now, the runner says it again.
void Service::answer_finding(Token token, int64_t number, const Result<>& kept, std::shared_ptr<Session> session) {
  if (!kept)
    core::diagnose(core::Level::warning, "runner",
                   "a report or summary of a job is not kept: " + kept.error().message + " " + kept.error().detail);
  if (number == 0) return;  // of a runner that does not wait for it
  const bool later = !kept && (kept.error().code == Code::unavailable || kept.error().code == Code::exhausted);
  if (!later) return session->post(Told{token, number, false});
  tasks.spawn("a report or summary that could not be kept", ask_for_finding(token, number, std::move(session)));
}

Task<> Service::ask_for_finding(Token token, int64_t number, std::shared_ptr<Session> session) {
  co_await parts.clock.sleep_for(again_after);
  session->post(Told{token, number, true});
}

Task<> Service::take_report(Reported reported, std::shared_ptr<Session> session) {
  const Token token = reported.token;
  const int64_t number = reported.number;
  if (!owned(token, *session)) co_return answer_unknown(token, *session);
  leases.renew(token);
  auto said = co_await say_report(std::make_shared<const Reported>(std::move(reported)));
  answer_finding(token, number, said, std::move(session));
}

Task<Result<>> Service::say_report(std::shared_ptr<const Reported> reported) {
  auto checking = [reported] { return check_report(*reported); };
  auto good = co_await core::blocking(parts.files, std::move(checking));
  if (!good) co_return good;
  auto check = [this, reported](sqlite::Connection& tables) { return report_batch(tables, *reported); };
  auto outcome = co_await strand.run(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  co_return Result<>{};
}

// The end of the job is said only after this was told, so its summary is durable before.
Task<> Service::take_summary(Summary summary, std::shared_ptr<Session> session) {
  const Token token = summary.token;
  const int64_t number = summary.number;
  auto* job = owned(token, *session);
  if (!job) co_return answer_unknown(token, *session);
  leases.renew(token);
  if (number < 1 || summary.step < 1) {
    const Result<> refused = core::fail(Code::invalid, "The summary names no step.");
    co_return answer_finding(token, number, refused, std::move(session));
  }
  auto keeping = [store = summaries, name = job->row.log(), step = summary.step, number,
                  text = std::move(summary.markdown)] { return store.keep(name, step, number, text); };
  auto kept = co_await core::blocking(parts.files, std::move(keeping));
  answer_finding(token, number, kept, std::move(session));
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
