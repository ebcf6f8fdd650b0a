#include <algorithm>

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
constexpr size_t words_a_batch = 64;  // each at most two events of 256 KiB

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

events::JobStarted begun(const JobRow& row) {
  return {.job = row.job,
          .run = row.run,
          .repository = row.repository,
          .name = row.name,
          .runner = row.runner,
          .attempt = row.attempt,
          .url = {}};
}

bool ran_a_step(const Finished& finished) {
  return std::ranges::any_of(finished.steps,
                             [](const auto& step) { return step.conclusion != events::Conclusion::skipped; });
}

}  // namespace

Task<> Service::watch_leases() {
  while (true) {
    co_await parts.clock.sleep_for(look_at_leases_every);
    for (Token token : leases.expired()) {
      co_await lose_quietly(token, "its runner was not heard of for " + std::to_string(policy.lease.count()) + " s");
    }
  }
}

Task<> Service::lose_quietly(Token token, std::string reason) {
  auto lost = co_await lose(token, std::move(reason));
  if (!lost)
    core::diagnose(core::Level::error, "runner",
                   "giving up a lease: " + lost.error().message + " " + lost.error().detail);
}

Task<Result<bool>> Service::begin(Token token) {
  auto word = std::make_shared<Word>();
  word->token = token;
  auto said = co_await put_in_words(word);
  if (auto job = at_work.find(token); said && *said && job != at_work.end()) job->second.row.state = JobState::started;
  co_return said;
}

Task<Result<bool>> Service::put_in_words(std::shared_ptr<Word> word) {
  words.push_back(word);
  words_changed.notify_all();
  while (!word->done) co_await words_changed.wait();
  if (!word->outcome) co_return std::unexpected(word->outcome.error());
  co_return word->known;
}

Task<> Service::write_words() {
  while (true) {
    while (words.empty()) co_await words_changed.wait();
    Words now;
    for (; !words.empty() && now.size() < words_a_batch; words.pop_front()) now.push_back(words.front());
    co_await write(now);
    for (auto& word : now) word->done = true;
    words_changed.notify_all();
  }
}

// All in one append; one by one where that is refused, for one that cannot be said is no reason for the others.
Task<> Service::write(Words together) {
  auto check = [this, together](sqlite::Connection& tables) { return words_batch(tables, together); };
  auto outcome = co_await strand.run(std::move(check));
  if (outcome) co_return;
  for (auto& word : together) word->outcome = std::unexpected(outcome.error());
  if (together.size() == 1) co_return;
  for (auto& word : together) {
    word->outcome = Result<>{};
    Words one{word};
    co_await write(std::move(one));
  }
}

Result<log::Batch> Service::words_batch(sqlite::Connection& tables, const Words& together) const {
  log::Batch batch;
  std::set<Token> ending;
  for (const auto& word : together)
    if (word->end) ending.insert(word->token);
  for (const auto& word : together) {
    if (!word->end && ending.contains(word->token) && together.size() > 1) {
      word->known = true;  // the end says the begin too
      continue;
    }
    auto added = word->end ? add_end(tables, *word, batch) : add_begin(tables, *word, batch);
    if (!added) return std::unexpected(added.error());
  }
  const Word& first = *together.front();
  if (together.size() == 1)
    batch.key = (first.end ? "runner:finished:" : "runner:started:") + std::to_string(first.token);
  return batch;
}

Result<> Service::add_begin(sqlite::Connection& tables, Word& word_of, log::Batch& batch) const {
  auto row = find_lease(tables, word_of.token);
  if (!row) return std::unexpected(row.error());
  word_of.known = *row && at_work_now(**row);
  if (!word_of.known || (*row)->state != JobState::leased) return {};  // over, or said before
  batch.events.push_back(word(begun(**row), **row, core::Actor::runner((*row)->runner)));
  return {};
}

Task<Result<>> Service::lose(Token token, std::string reason) {
  auto check = [this, token, reason](sqlite::Connection& tables) { return loss_batch(tables, token, reason); };
  auto outcome = co_await strand.run(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  auto job = at_work.find(token);
  if (job == at_work.end()) co_return Result<>{};
  if (auto session = session_of(token)) session->post(Stale{token, "The lease was lost: " + reason + "."});
  logs.close(job->second.row.log());
  forget(token, job->second.row.job);
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
  events::JobLost lost{.job = row.job,
                       .run = row.run,
                       .repository = row.repository,
                       .attempt = row.attempt,
                       .runner = row.runner,
                       .reason = reason,
                       .steps_begun = begun};
  batch.events.push_back(word(lost, row, core::Actor::service("runner")));
  row.last_event = batch.events.back().id;
  bool safe = !begun || !row.restricted;
  if (!row.cancel_reason.empty()) {
    batch.events.push_back(
        word(ended(row, events::Conclusion::cancelled, row.cancel_reason), row, core::Actor::service("runner")));
  } else if (safe && row.attempt < policy.attempts_max) {
    events::JobRequeued again{.job = row.job,
                              .run = row.run,
                              .repository = row.repository,
                              .attempt = row.attempt + 1,
                              .reason = "the runner was lost: " + reason};
    batch.events.push_back(word(again, row, core::Actor::service("runner")));
  } else {
    std::string why = "The runner '" + row.runner + "' was lost: " + reason + ". " +
                      (safe ? "It was tried " + std::to_string(row.attempt) + " times."
                            : "It had begun and may have had effects, so it is not tried again by itself.") +
                      " Run it again when you know why.";
    batch.events.push_back(
        word(ended(row, events::Conclusion::failure, std::move(why)), row, core::Actor::service("runner")));
  }
  return batch;
}

Task<Result<bool>> Service::finish(Finished finished) {
  auto said = std::make_shared<Word>();
  said->token = finished.token;
  auto job = at_work.find(finished.token);
  if (job != at_work.end()) {
    LogName name = job->second.row.log();
    auto syncing = [sync = logs.syncing(name), store = summaries, name]() -> Result<uint64_t> {
      if (auto synced = sync(); !synced) return std::unexpected(synced.error());
      return store.bytes(name);
    };
    auto bytes = co_await core::blocking(parts.files, std::move(syncing));
    if (!bytes) co_return core::pass_on(bytes.error(), "syncing the log of a job");
    if (*bytes > 0) said->summary_bytes = static_cast<int64_t>(*bytes);
  }
  said->end = std::move(finished);
  auto settled = co_await put_in_words(said);
  if (!settled && settled.error().code == Code::invalid && !said->end->steps.empty()) {
    auto less = std::make_shared<Word>();  // an event is at most 256 KiB
    less->token = said->token;
    less->summary_bytes = said->summary_bytes;
    less->end = std::move(said->end);
    less->end->steps.clear();
    less->end->annotations.clear();
    less->end->errors = "The job reported more about its steps than an event can hold; its log has it.";
    settled = co_await put_in_words(less);
  }
  if (!settled) co_return settled;
  job = at_work.find(said->token);
  if (job != at_work.end()) {
    logs.close(job->second.row.log());
    forget(said->token, job->second.row.job);
  }
  co_return settled;
}

// That it began is said with its end, where there was no time before.
Result<> Service::add_end(sqlite::Connection& tables, Word& word_of, log::Batch& batch) const {
  auto found = find_lease(tables, word_of.token);
  if (!found) return std::unexpected(found.error());
  word_of.known = *found && ((*found)->state == JobState::finished || at_work_now(**found));
  if (!word_of.known || !at_work_now(**found)) return {};  // stale, or said before
  JobRow row = **found;
  const Finished& finished = *word_of.end;
  auto runner = core::Actor::runner(row.runner);
  if (row.state == JobState::leased && ran_a_step(finished)) {
    batch.events.push_back(word(begun(row), row, runner));
    row.last_event = batch.events.back().id;
  }
  auto said = ended(row, finished.conclusion, finished.errors);
  said.steps = finished.steps;
  said.outputs = finished.outputs;
  said.annotations = finished.annotations;
  said.environment_url = finished.environment_url;
  said.summary_bytes = word_of.summary_bytes;
  said.log.bytes = static_cast<int64_t>(finished.log_bytes);
  said.log.lines = static_cast<int64_t>(finished.log_lines);
  batch.events.push_back(word(said, row, runner));
  return {};
}

Task<Result<>> Service::heard_cancelled(bus::Delivery delivery) {
  auto cancelled = events::decode<events::JobCancelled>(delivery.event());
  if (!cancelled) co_return std::unexpected(cancelled.error());
  auto row = parts.store.read_here(JobsProjection::projection_name, {},
                                   [&](sqlite::Connection& tables) { return find_job(tables, cancelled->job); });
  if (!row) co_return std::unexpected(row.error());
  if (*row && at_work_now(**row))
    if (auto session = session_of((*row)->token))
      session->post(Cancel{(*row)->token, cancelled->reason, cancelled->forced});
  co_return Result<>{};
}

// A job that was cancelled while its loss was written ends here; all others wait for a runner again.
Task<Result<>> Service::heard_requeued(bus::Delivery delivery) {
  auto again = events::decode<events::JobRequeued>(delivery.event());
  if (!again) co_return std::unexpected(again.error());
  std::string job = again->job;
  auto check = [this, job](sqlite::Connection& tables) -> Result<log::Batch> {
    auto row = find_job(tables, job);
    if (!row) return std::unexpected(row.error());
    log::Batch batch;
    if (!*row || (*row)->state != JobState::queued || (*row)->cancel_reason.empty()) return batch;
    batch.key = "runner:cancelled:" + job + "/" + std::to_string((*row)->attempt);
    batch.events.push_back(word(ended(**row, events::Conclusion::cancelled, (*row)->cancel_reason), **row,
                                core::Actor::service("runner")));
    return batch;
  };
  auto outcome = co_await strand.run(std::move(check));
  if (!outcome) co_return std::unexpected(outcome.error());
  wake_dispatch();
  co_return Result<>{};
}

}  // namespace headrace::runner
