#include "services/runner/projection.h"

#include <array>

#include "core/json.h"
#include "events/pipeline.h"
#include "events/runner.h"
#include "events/vocabulary.h"

namespace headrace::runner {

using core::Result;

namespace {

constexpr std::array<std::pair<JobState, std::string_view>, 5> states{{{JobState::queued, "queued"},
                                                                       {JobState::leased, "leased"},
                                                                       {JobState::started, "started"},
                                                                       {JobState::finished, "finished"},
                                                                       {JobState::cancelled, "cancelled"}}};

// What the queries below begin with; read_row reads these columns.
const std::string select_job =
    "SELECT job, run, repository, name, attempt, labels, state, queued, token, runner, executor, restricted, "
    "cancel_reason, cancel_forced, last_event, "
    "correlation, coalesce((SELECT run.queued FROM run WHERE run.run = job.run), 0) FROM job ";

std::string labels_text(const std::vector<std::string>& labels) {
  core::json::array list;
  for (const auto& label : labels) list.emplace_back(label);
  return core::to_text(list);
}

std::vector<std::string> labels_of(std::string_view text) {
  std::vector<std::string> labels;
  auto value = core::parse_json(text);
  if (!value || !value->is_array()) return labels;
  for (const auto& label : value->get_array()) labels.emplace_back(label.get_string());
  return labels;
}

JobState state_of(std::string_view name) {
  for (const auto& [state, known] : states)
    if (known == name) return state;
  return JobState::finished;
}

JobRow read_row(const sqlite::Row& row) {
  JobRow job{.job = row.text(0),
             .run = row.text(1),
             .repository = row.text(2),
             .name = row.text(3),
             .attempt = row.integer(4),
             .labels = labels_of(row.view(5)),
             .state = state_of(row.view(6)),
             .queued = row.offset(7),
             .token = row.offset(8),
             .runner = row.text(9),
             .executor = row.text(10),
             .restricted = row.boolean(11),
             .cancel_reason = row.text(12),
             .cancel_forced = row.boolean(13),
             .last_event = row.text(14),
             .correlation = row.text(15),
             .run_queued = row.offset(16)};
  return job;
}

Result<> as_result(Result<int64_t> changed) {
  if (!changed) return std::unexpected(changed.error());
  return {};
}

// One overload an event; each is right when heard for a job it does not know, for the log may begin after it.
struct Apply {
  sqlite::Connection& tables;
  const log::Stored& stored;

  Result<> operator()(const events::RunQueued& run) const {
    return as_result(
        tables.execute("INSERT INTO run (run, queued) VALUES (?, ?) ON CONFLICT (run) DO UPDATE SET queued = "
                       "excluded.queued",
                       run.run, static_cast<int64_t>(stored.offset)));
  }
  Result<> operator()(const events::RunFinished& run) const {
    return as_result(tables.execute("DELETE FROM run WHERE run = ?", run.run));
  }
  Result<> operator()(const events::JobQueued& job) const {
    return as_result(tables.execute(
        "INSERT INTO job (job, run, repository, name, attempt, labels, state, queued, token, runner, executor, "
        "restricted, "
        "cancel_reason, cancel_forced, last_event, correlation) "
        "VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, 0, '', '', ?, '', 0, ?, ?) "
        "ON CONFLICT (job) DO UPDATE SET run = excluded.run, attempt = excluded.attempt, labels = excluded.labels, "
        "restricted = excluded.restricted, state = 'queued', "
        "queued = excluded.queued, cancel_reason = '', cancel_forced = 0, last_event = excluded.last_event, "
        "correlation = "
        "excluded.correlation",
        job.job, job.run, job.repository, job.name, job.attempt, labels_text(job.labels),
        static_cast<int64_t>(stored.offset), static_cast<int64_t>(job.restricted), stored.event.id,
        stored.event.correlation_id()));
  }
  Result<> operator()(const events::JobLeased& job) const {
    return as_result(tables.execute(
        "UPDATE job SET state = 'leased', token = ?, runner = ?, executor = ?, attempt = ?, last_event = ? WHERE job = "
        "?",
        static_cast<int64_t>(stored.offset), job.runner, job.executor, job.attempt, stored.event.id, job.job));
  }
  Result<> operator()(const events::JobStarted& job) const {
    return as_result(
        tables.execute("UPDATE job SET state = 'started', last_event = ? WHERE job = ? AND state = 'leased'",
                       stored.event.id, job.job));
  }
  Result<> operator()(const events::JobLost& job) const {
    return as_result(tables.execute("UPDATE job SET last_event = ? WHERE job = ?", stored.event.id, job.job));
  }
  Result<> operator()(const events::JobRequeued& job) const {
    return as_result(tables.execute("UPDATE job SET state = 'queued', attempt = ?, last_event = ? WHERE job = ?",
                                    job.attempt, stored.event.id, job.job));
  }
  Result<> operator()(const events::JobFinished& job) const {
    return as_result(
        tables.execute("UPDATE job SET state = 'finished', last_event = ? WHERE job = ?", stored.event.id, job.job));
  }
  // A job that no runner has is over with this; one at work goes on until its runner has ended it.
  Result<> operator()(const events::JobCancelled& job) const {
    return as_result(
        tables.execute("UPDATE job SET cancel_reason = ?, cancel_forced = max(cancel_forced, ?), "
                       "state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END, last_event = ? "
                       "WHERE job = ? AND state IN ('queued', 'leased', 'started')",
                       job.reason.empty() ? std::string("cancelled") : job.reason, static_cast<int64_t>(job.forced),
                       stored.event.id, job.job));
  }
};

template <class T>
Result<bool> applied_as(const Apply& apply, const events::Event& event) {
  if (!events::is<T>(event)) return false;
  auto said = events::decode<T>(event);
  if (!said) return std::unexpected(said.error());
  auto applied = apply(*said);
  if (!applied) return std::unexpected(applied.error());
  return true;
}

template <class... T>
Result<> apply_one_of(const Apply& apply, const events::Event& event) {
  Result<bool> done = false;
  [[maybe_unused]] const bool ended = ((done = applied_as<T>(apply, event), !done || *done) || ...);
  if (!done) return std::unexpected(done.error());
  return {};
}

template <class... T>
std::vector<std::string> type_names() {
  std::vector<std::string> names;
  auto add = [&](std::vector<std::string> versions) { names.insert(names.end(), versions.begin(), versions.end()); };
  (add(events::all_types(T::type)), ...);
  return names;
}

}  // namespace

std::string_view name_of(JobState state) {
  for (const auto& [known, name] : states)
    if (known == state) return name;
  return "finished";
}

std::string JobsProjection::schema() const {
  return "CREATE TABLE job (job TEXT PRIMARY KEY, run TEXT NOT NULL, repository TEXT NOT NULL, name TEXT NOT NULL, "
         "attempt INTEGER NOT NULL, labels TEXT NOT NULL, state TEXT NOT NULL, queued INTEGER NOT NULL, token INTEGER "
         "NOT NULL, "
         "runner TEXT NOT NULL, executor TEXT NOT NULL, restricted INTEGER NOT NULL, cancel_reason TEXT NOT NULL, "
         "cancel_forced INTEGER NOT NULL, "
         "last_event TEXT NOT NULL, correlation TEXT NOT NULL) WITHOUT ROWID;"
         "CREATE TABLE run (run TEXT PRIMARY KEY, queued INTEGER NOT NULL) WITHOUT ROWID;"
         "CREATE INDEX job_by_state ON job (state, queued, labels);"
         "CREATE INDEX job_by_token ON job (token);";
}

std::vector<std::string> JobsProjection::types() const {
  return type_names<events::RunQueued, events::RunFinished, events::JobQueued, events::JobLeased, events::JobStarted,
                    events::JobLost, events::JobRequeued, events::JobFinished, events::JobCancelled>();
}

Result<> JobsProjection::apply(sqlite::Connection& tables, const log::Stored& stored) {
  return apply_one_of<events::RunQueued, events::RunFinished, events::JobQueued, events::JobLeased, events::JobStarted,
                      events::JobLost, events::JobRequeued, events::JobFinished, events::JobCancelled>(
      Apply{tables, stored}, stored.event);
}

Result<std::optional<JobRow>> find_job(sqlite::Connection& tables, std::string_view job) {
  return tables.first(sqlite::Sql::generated(select_job + "WHERE job = ?"), read_row, job);
}

Result<std::optional<JobRow>> find_lease(sqlite::Connection& tables, Token token) {
  return tables.first(sqlite::Sql::generated(select_job + "WHERE token = ?"), read_row, static_cast<int64_t>(token));
}

Result<std::vector<JobRow>> queued_jobs(sqlite::Connection& tables, log::Offset after, const LabelSets& but,
                                        size_t max) {
  core::json::array without;
  for (const auto& labels : but) without.emplace_back(labels_text(labels));
  return tables.all(
      sqlite::Sql::generated(select_job + "WHERE state = 'queued' AND cancel_reason = '' AND queued > ? "
                                          "AND labels NOT IN (SELECT value FROM json_each(?)) ORDER BY queued LIMIT ?"),
      read_row, static_cast<int64_t>(after), core::to_text(without), static_cast<int64_t>(max));
}

Result<std::vector<JobRow>> jobs_at_work(sqlite::Connection& tables) {
  return tables.all(sqlite::Sql::generated(select_job + "WHERE state IN ('leased', 'started')"), read_row);
}

}  // namespace headrace::runner
