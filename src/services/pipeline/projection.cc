#include "services/pipeline/projection.h"

#include "core/json.h"
#include "events/cloudevents.h"
#include "events/repository.h"
#include "events/vocabulary.h"
#include "services/pipeline/numbers.h"

namespace headrace::pipeline {

using core::Result;

namespace {

int64_t nanoseconds(core::Time time) { return time.time_since_epoch().count(); }

std::string needs_text(const std::vector<std::string>& needs) {
  return core::to_text(core::json::array(needs.begin(), needs.end()));
}

std::optional<int64_t> maybe_nanoseconds(const std::optional<core::Time>& time) {
  if (!time) return std::nullopt;
  return nanoseconds(*time);
}

std::string steps_text(const std::vector<events::StepResult>& steps) {
  core::json::array list;
  for (const events::StepResult& step : steps) {
    core::json::object object{
        {"number", step.number}, {"name", step.name}, {"conclusion", events::name_of(step.conclusion)}};
    if (auto at = maybe_nanoseconds(step.started_at)) object["started_at"] = *at;
    if (auto at = maybe_nanoseconds(step.completed_at)) object["completed_at"] = *at;
    if (step.exit_code) object["exit_code"] = *step.exit_code;
    list.push_back(std::move(object));
  }
  return core::to_text(list);
}

// One overload an event; each is right when heard for a run or job it does not know, for the log may begin after it.
struct Apply {
  sqlite::Connection& tables;
  const log::Stored& stored;

  int64_t now() const { return nanoseconds(stored.event.time.value_or(stored.time)); }

  template <class... Values>
  Result<> run(sqlite::Sql sql, const Values&... values) const {
    auto changed = tables.execute(sql, values...);
    if (!changed) return std::unexpected(changed.error());
    return {};
  }

  Result<> heard_of(std::string_view run_uuid) const {
    return run("UPDATE run SET last_event = ? WHERE run = ?", stored.event.id, run_uuid);
  }

  Result<> operator()(const events::RepositoryCreated& said) const {
    return run(
        "INSERT INTO repository (full_name, id) VALUES (?, ?) ON CONFLICT (full_name) DO UPDATE SET id = excluded.id",
        said.full_name, said.id);
  }
  Result<> operator()(const events::RepositoryDeleted& said) const {
    return run("DELETE FROM repository WHERE full_name = ?", said.full_name);
  }

  Result<> operator()(const events::RunQueued& said) const {
    auto counted =
        run("INSERT INTO counter (repository, workflow_file, number) VALUES (?, ?, ?) "
            "ON CONFLICT (repository, workflow_file) DO UPDATE SET number = max(number, excluded.number)",
            said.repository, said.workflow_file, said.number);
    if (!counted) return counted;
    if (auto queued = queue_run(said); !queued) return queued;
    if (said.attempt > 1) {
      if (auto carried = carry_jobs(said); !carried) return carried;
    }
    for (size_t i = 0; i < said.jobs.size(); ++i) {
      if (auto planned = plan_job(said, said.jobs[i], static_cast<int64_t>(i)); !planned) return planned;
    }
    return {};
  }

  Result<> queue_run(const events::RunQueued& said) const {
    return run(
        "INSERT INTO run (run, id, number, attempt, repository, repository_id, workflow, workflow_file, event, "
        "event_id, "
        "ref, branch, commit_id, actor, title, url, status, conclusion, errors, cancelled, queued_at, started_at, "
        "completed_at, queued, last_event, correlation) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', NULL, '', 0, ?, NULL, NULL, ?, ?, ?) "
        "ON CONFLICT (run) DO UPDATE SET attempt = excluded.attempt, actor = excluded.actor, status = 'queued', "
        "conclusion = NULL, errors = '', cancelled = 0, queued_at = excluded.queued_at, started_at = NULL, "
        "completed_at = NULL, last_event = excluded.last_event",
        said.run, said.id, said.number, said.attempt, said.repository, said.repository_id, said.workflow,
        said.workflow_file, said.event, said.event_id, said.ref, said.branch, said.commit, said.actor, said.title,
        said.url, now(), stored.offset, stored.event.id, stored.event.correlation_id());
  }

  // Jobs that are not run again belong to the new attempt as they ended; those that are leave it.
  Result<> carry_jobs(const events::RunQueued& said) const {
    core::json::array keys;
    for (const events::PlannedJob& job : said.jobs) keys.push_back(core::json::value(job.key));
    return run(
        "UPDATE job SET run_attempt = ? WHERE run = ? AND run_attempt = ? AND "
        "key NOT IN (SELECT value FROM json_each(?))",
        said.attempt, said.run, said.attempt - 1, core::to_text(keys));
  }

  Result<> plan_job(const events::RunQueued& said, const events::PlannedJob& job, int64_t index) const {
    auto before = tables.first(
        "SELECT position FROM job WHERE run = ? AND run_attempt = ? AND key = ?",
        [](const sqlite::Row& row) { return row.integer(0); }, said.run, said.attempt - 1, job.key);
    if (!before) return std::unexpected(before.error());
    return run(
        "INSERT INTO job (job, id, run, run_attempt, position, repository, key, name, needs, status, conclusion, "
        "reason, "
        "attempt, runner, steps, log_bytes, log_lines, queued_at, started_at, completed_at) "
        "VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, 'waiting', NULL, '', 1, '', '[]', 0, 0, NULL, NULL, NULL) "
        "ON CONFLICT (job) DO NOTHING",
        job_uuid(said.run, said.attempt, job.key), said.run, said.attempt, before->value_or(index), said.repository,
        job.key, job.name, needs_text(job.needs));
  }

  Result<> operator()(const events::RunStarted& said) const {
    return run(
        "UPDATE run SET status = 'in_progress', started_at = ?, last_event = ? WHERE run = ? AND status = 'queued'",
        now(), stored.event.id, said.run);
  }
  Result<> operator()(const events::RunFinished& said) const {
    return run(
        "UPDATE run SET status = 'completed', conclusion = ?, errors = ?, completed_at = ?, last_event = ? WHERE run = "
        "?",
        events::name_of(said.conclusion), said.errors, now(), stored.event.id, said.run);
  }

  Result<> operator()(const events::JobQueued& said) const {
    auto changed =
        run("UPDATE job SET status = 'queued', id = ?, attempt = ?, queued_at = ? WHERE job = ? AND status = 'waiting'",
            said.id, said.attempt, now(), said.job);
    return changed ? heard_of(said.run) : changed;
  }
  Result<> operator()(const events::JobLeased& said) const {
    auto changed = run("UPDATE job SET runner = ?, attempt = ? WHERE job = ? AND status = 'queued'", said.runner,
                       said.attempt, said.job);
    return changed ? heard_of(said.run) : changed;
  }
  Result<> operator()(const events::JobLost& said) const { return heard_of(said.run); }
  Result<> operator()(const events::JobRequeued& said) const {
    auto changed =
        run("UPDATE job SET status = 'queued', runner = '', attempt = ?, started_at = NULL WHERE job = ? AND "
            "status IN ('queued', 'in_progress')",
            said.attempt, said.job);
    return changed ? heard_of(said.run) : changed;
  }
  Result<> operator()(const events::JobStarted& said) const {
    auto changed =
        run("UPDATE job SET status = 'in_progress', runner = ?, started_at = ? WHERE job = ? AND status = 'queued'",
            said.runner, now(), said.job);
    return changed ? heard_of(said.run) : changed;
  }
  Result<> operator()(const events::JobFinished& said) const {
    auto changed =
        run("UPDATE job SET status = 'completed', conclusion = ?, reason = ?, runner = ?, attempt = ?, steps = ?, "
            "log_bytes = ?, log_lines = ?, completed_at = ? WHERE job = ? AND status <> 'completed'",
            events::name_of(said.conclusion), said.errors, said.runner, said.attempt, steps_text(said.steps),
            said.log.bytes, said.log.lines, now(), said.job);
    return changed ? heard_of(said.run) : changed;
  }
  // A job that no runner has is over with this; one that a runner has goes on until the runner has ended it.
  Result<> operator()(const events::JobCancelled& said) const {
    auto ended =
        run("UPDATE job SET status = 'completed', conclusion = 'cancelled', reason = ?, completed_at = ? "
            "WHERE job = ? AND status IN ('waiting', 'queued') AND runner = ''",
            said.reason, now(), said.job);
    if (!ended) return ended;
    auto marked = run("UPDATE run SET cancelled = 1 WHERE run = ? AND status <> 'completed'", said.run);
    return marked ? heard_of(said.run) : marked;
  }
  Result<> operator()(const events::JobSkipped& said) const {
    auto changed =
        run("UPDATE job SET status = 'completed', conclusion = 'skipped', id = ?, reason = ?, completed_at = ? "
            "WHERE job = ? AND status <> 'completed'",
            said.id, said.reason, now(), said.job);
    return changed ? heard_of(said.run) : changed;
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

// Everything that is heard, in one place for types() and apply().
template <class... T>
struct Words {
  static Result<> apply(const Apply& apply, const events::Event& event) {
    Result<bool> done = false;
    [[maybe_unused]] bool ended = ((done = applied_as<T>(apply, event), !done || *done) || ...);
    if (!done) return std::unexpected(done.error());
    return {};
  }
  static std::vector<std::string> types() {
    std::vector<std::string> names;
    auto add = [&names](std::vector<std::string> more) { names.insert(names.end(), more.begin(), more.end()); };
    (add(events::all_types(T::type)), ...);
    return names;
  }
};

using Heard = Words<events::RepositoryCreated, events::RepositoryDeleted, events::RunQueued, events::RunStarted,
                    events::RunFinished, events::JobQueued, events::JobLeased, events::JobLost, events::JobRequeued,
                    events::JobStarted, events::JobFinished, events::JobCancelled, events::JobSkipped>;

}  // namespace

std::string RunsProjection::schema() const {
  return "CREATE TABLE repository (full_name TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;"
         "CREATE TABLE counter (repository TEXT, workflow_file TEXT, number INTEGER NOT NULL, "
         "PRIMARY KEY (repository, workflow_file)) WITHOUT ROWID;"
         "CREATE TABLE run (run TEXT PRIMARY KEY, id INTEGER NOT NULL, number INTEGER NOT NULL, attempt INTEGER NOT "
         "NULL, "
         "repository TEXT NOT NULL, repository_id INTEGER NOT NULL, workflow TEXT NOT NULL, workflow_file TEXT NOT "
         "NULL, "
         "event TEXT NOT NULL, event_id TEXT NOT NULL, ref TEXT NOT NULL, branch TEXT NOT NULL, commit_id TEXT NOT "
         "NULL, "
         "actor TEXT NOT NULL, title TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, conclusion TEXT, "
         "errors TEXT NOT NULL, cancelled INTEGER NOT NULL, queued_at INTEGER, started_at INTEGER, completed_at "
         "INTEGER, "
         "queued INTEGER NOT NULL, last_event TEXT NOT NULL, correlation TEXT NOT NULL) WITHOUT ROWID;"
         "CREATE INDEX run_by_id ON run (id);"
         "CREATE INDEX run_by_queued ON run (queued);"
         "CREATE INDEX run_by_repository ON run (repository, queued);"
         "CREATE TABLE job (job TEXT PRIMARY KEY, id INTEGER NOT NULL, run TEXT NOT NULL, run_attempt INTEGER NOT "
         "NULL, "
         "position INTEGER NOT NULL, repository TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, needs TEXT NOT "
         "NULL, "
         "status TEXT NOT NULL, conclusion TEXT, reason TEXT NOT NULL, attempt INTEGER NOT NULL, runner TEXT NOT NULL, "
         "steps TEXT NOT NULL, log_bytes INTEGER NOT NULL, log_lines INTEGER NOT NULL, queued_at INTEGER, "
         "started_at INTEGER, completed_at INTEGER) WITHOUT ROWID;"
         "CREATE INDEX job_by_run ON job (run, run_attempt, position);"
         "CREATE INDEX job_by_id ON job (id);";
}

std::vector<std::string> RunsProjection::types() const { return Heard::types(); }

Result<> RunsProjection::apply(sqlite::Connection& tables, const log::Stored& stored) {
  if (!events::is_reserved(stored.event.source)) return {};  // other tools say taskrun.finished too
  return Heard::apply(Apply{tables, stored}, stored.event);
}

}  // namespace headrace::pipeline
