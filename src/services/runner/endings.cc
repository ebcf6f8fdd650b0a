#include "core/diagnostics.h"
#include "events/pipeline.h"
#include "events/runner.h"
#include "services/runner/service.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::chrono::seconds look_at_leases_every{1};

bool at_work_now(const JobRow& row) { return row.state == JobState::leased || row.state == JobState::started; }

events::JobFinished ended(const JobRow& row, events::Conclusion conclusion, std::string errors) {
  events::JobFinished finished;
  finished.job = row.job;
  finished.run = row.run;
  finished.repository = row.repository;
  finished.name = row.name;
  finished.runner = row.runner;
  finished.attempt = row.attempt;
  finished.conclusion = conclusion;
  finished.errors = std::move(errors);
  return finished;
}

}  // namespace

Task<> Service::watch_leases() {
  while (true) {
    co_await parts.clock.sleep_for(look_at_leases_every);
    for (Token token : leases.expired()) {
      auto lost = co_await lose(token, "its runner was not heard of for " + std::to_string(policy.lease.count()) + " s");
      if (!lost) core::diagnose(core::Level::error, "runner", "giving up a lease: " + lost.error().message + " " + lost.error().detail);
    }
  }
}

Task<Result<>> Service::begin(Token token) {
  auto check = [this, token](sqlite::Connection& tables) -> Result<log::Batch> {
    auto row = find_lease(tables, token);
    if (!row) return std::unexpected(row.error());
    log::Batch batch;
    if (!*row || (*row)->state != JobState::leased) return batch;  // said before, or over
    events::JobStarted started{.job = (*row)->job, .run = (*row)->run, .repository = (*row)->repository, .name = (*row)->name,
                               .runner = (*row)->runner, .attempt = (*row)->attempt, .url = {}};
    batch.key = "runner:started:" + std::to_string(token);
    batch.events.push_back(word(started, **row, core::Actor::runner((*row)->runner)));
    return batch;
  };
  auto outcome = co_await strand.run(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  co_return Result<>{};
}

Task<Result<>> Service::lose(Token token, std::string reason) {
  auto check = [this, token, reason](sqlite::Connection& tables) { return loss_batch(tables, token, reason); };
  auto outcome = co_await strand.run(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  auto job = at_work.find(token);
  if (job == at_work.end()) co_return Result<>{};
  if (auto session = session_of(token)) session->post(Stale{token, "The lease was lost: " + reason + "."});
  logs.close(job->second.log());
  forget(token, job->second.job);
  co_return Result<>{};
}

// What a loss leads to: another attempt where nothing can be done twice by it, else the end of the job.
Result<log::Batch> Service::loss_batch(sqlite::Connection& tables, Token token, const std::string& reason) const {
  auto found = find_lease(tables, token);
  if (!found) return std::unexpected(found.error());
  log::Batch batch;
  if (!*found || !at_work_now(**found)) return batch;
  JobRow row = **found;
  bool begun = row.state == JobState::started;
  batch.key = "runner:lost:" + std::to_string(token);
  events::JobLost lost{.job = row.job, .run = row.run, .repository = row.repository, .attempt = row.attempt, .runner = row.runner,
                       .reason = reason, .steps_begun = begun};
  batch.events.push_back(word(lost, row, core::Actor::service("runner")));
  row.last_event = batch.events.back().id;
  bool safe = !begun || !row.restricted;
  if (!row.cancel_reason.empty()) {
    batch.events.push_back(word(ended(row, events::Conclusion::cancelled, row.cancel_reason), row, core::Actor::service("runner")));
  } else if (safe && row.attempt < policy.attempts_max) {
    events::JobRequeued again{.job = row.job, .run = row.run, .repository = row.repository, .attempt = row.attempt + 1, .reason = "the runner was lost: " + reason};
    batch.events.push_back(word(again, row, core::Actor::service("runner")));
  } else {
    std::string why = "The runner '" + row.runner + "' was lost: " + reason + ". " +
                      (safe ? "It was tried " + std::to_string(row.attempt) + " times." : "It had begun and may have had effects, so it is not tried again by itself.") +
                      " Run it again when you know why.";
    batch.events.push_back(word(ended(row, events::Conclusion::failure, std::move(why)), row, core::Actor::service("runner")));
  }
  return batch;
}

Task<Result<bool>> Service::finish(Finished finished) {
  auto job = at_work.find(finished.token);
  if (job != at_work.end()) {
    LogName name = job->second.log();
    auto syncing = [this, name] { return logs.sync(name); };
    auto synced = co_await core::blocking(parts.files, std::move(syncing));
    if (!synced) co_return core::pass_on(synced.error(), "syncing the log of a job");
  }
  auto known = std::make_shared<bool>(false);
  auto check = [this, finished, known](sqlite::Connection& tables) -> Result<log::Batch> {
    auto row = find_lease(tables, finished.token);
    if (!row) return std::unexpected(row.error());
    log::Batch batch;
    *known = row->has_value() && ((*row)->state == JobState::finished || at_work_now(**row));
    if (!*known || !at_work_now(**row)) return batch;  // stale, or said before
    auto said = ended(**row, finished.conclusion, finished.errors);
    said.steps = finished.steps;
    said.log.bytes = static_cast<int64_t>(finished.log_bytes);
    said.log.lines = static_cast<int64_t>(finished.log_lines);
    batch.key = "runner:finished:" + std::to_string(finished.token);
    batch.events.push_back(word(said, **row, core::Actor::runner((*row)->runner)));
    return batch;
  };
  auto outcome = co_await strand.run(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  job = at_work.find(finished.token);
  if (job != at_work.end()) {
    logs.close(job->second.log());
    forget(finished.token, job->second.job);
  }
  co_return *known;
}

Task<Result<>> Service::heard_cancelled(bus::Delivery delivery) {
  auto cancelled = events::decode<events::JobCancelled>(delivery.event());
  if (!cancelled) co_return std::unexpected(cancelled.error());
  auto row = parts.store.read_here(JobsProjection::projection_name, {}, [&](sqlite::Connection& tables) { return find_job(tables, cancelled->job); });
  if (!row) co_return std::unexpected(row.error());
  if (*row && at_work_now(**row))
    if (auto session = session_of((*row)->token)) session->post(Cancel{(*row)->token, cancelled->reason});
  co_return Result<>{};
}

}  // namespace headrace::runner
