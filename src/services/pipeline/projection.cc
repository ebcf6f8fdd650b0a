#include "services/pipeline/projection.h"

#include "core/json.h"
#include "events/cloudevents.h"
#include "events/repository.h"
#include "events/vocabulary.h"
#include "services/pipeline/awaited.h"
#include "services/pipeline/numbers.h"
#include "services/pipeline/plan.h"
#include "workflow/expression_value.h"

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

template <class Outputs>
std::string outputs_text(const Outputs& outputs) {
  core::json::array list;
  for (const auto& output : outputs) list.push_back(core::json::array{output.name, output.value});
  return core::to_text(list);
}

std::string annotations_text(const std::vector<events::JobAnnotation>& annotations) {
  core::json::array list;
  for (const events::JobAnnotation& it : annotations) {
    list.push_back(core::json::array{it.level, it.message, it.title, it.file, it.line, it.end_line, it.column,
                                     it.end_column, it.step});
  }
  return core::to_text(list);
}

std::string called_text(const std::vector<events::CalledWorkflow>& called) {
  core::json::array list;
  for (const events::CalledWorkflow& one : called) list.push_back(core::json::array{one.uses, one.commit});
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
    return run("UPDATE heard SET event = ? WHERE run = ?", stored.event.id, run_uuid);
  }
  // Where the run was changed by it.
  template <class... Values>
  Result<> change_run(std::string_view run_uuid, sqlite::Sql sql, const Values&... values) const {
    auto changed = tables.execute(sql, values...);
    if (!changed) return std::unexpected(changed.error());
    return *changed > 0 ? heard_of(run_uuid) : Result<>();
  }

  Result<> operator()(const events::RepositoryCreated& said) const {
    return run(
        "INSERT INTO repository (full_name, id, default_branch) VALUES (?, ?, ?) ON CONFLICT (full_name) DO UPDATE SET "
        "id = excluded.id, default_branch = excluded.default_branch",
        said.full_name, said.id, said.default_branch);
  }
  Result<> operator()(const events::RepositoryDeleted& said) const {
    auto gone = run("DELETE FROM repository WHERE full_name = ?", said.full_name);
    return gone ? forget_awaited(tables, said.full_name) : gone;
  }
  Result<> operator()(const events::WorkflowsRead& said) const { return keep(tables, stored, said); }
  Result<> operator()(const events::ScheduleDue& said) const { return keep(tables, said); }

  Result<> operator()(const events::RunQueued& said) const {
    auto counted =
        run("INSERT INTO counter (repository, workflow_file, number) VALUES (?, ?, ?) "
            "ON CONFLICT (repository, workflow_file) DO UPDATE SET number = max(number, excluded.number)",
            said.repository, said.workflow_file, said.number);
    if (!counted) return counted;
    if (auto queued = queue_run(said); !queued) return queued;
    if (auto listed = list_run(said); !listed) return listed;
    if (auto kept = keep_payload(said); !kept) return kept;
    if (said.attempt > 1) {
      if (auto carried = carry_jobs(said); !carried) return carried;
    }
    for (const events::PlannedJob& job : said.jobs) {
      if (auto planned = job.again ? repeat_job(said, job) : plan_job(said.run, said.attempt, said.repository, job);
          !planned)
        return planned;
    }
    return {};
  }

  Result<> queue_run(const events::RunQueued& said) const {
    auto queued = run(
        "INSERT INTO run (run, id, number, attempt, repository, repository_id, workflow, workflow_file, event, "
        "event_id, ref, branch, commit_id, actor, title, url, status, conclusion, errors, cancelled, waits, "
        "concurrency, shown_group, cancel_in_progress, queue_all, depth, variables_at, untrusted, "
        "created_at, first_actor, queued_at, started_at, completed_at, queued, latest, correlation) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', NULL, '', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, "
        "NULL, NULL, ?, ?, ?) "
        "ON CONFLICT (run) DO UPDATE SET attempt = excluded.attempt, actor = excluded.actor, status = 'queued', "
        "conclusion = NULL, errors = '', cancelled = 0, waits = excluded.waits, concurrency = excluded.concurrency, "
        "shown_group = excluded.shown_group, variables_at = excluded.variables_at, untrusted = excluded.untrusted, "
        "cancel_in_progress = excluded.cancel_in_progress, queue_all = excluded.queue_all, "
        "queued_at = excluded.queued_at, started_at = NULL, "
        "completed_at = NULL, latest = excluded.latest",
        said.run, said.id, said.number, said.attempt, said.repository, said.repository_id, said.workflow,
        said.workflow_file, said.event, said.event_id, said.ref, said.branch, said.commit, said.actor, said.title,
        said.url, said.waits, workflow::fold_case(said.group), said.group, said.cancel_in_progress, said.queue_all,
        said.depth, said.variables_at, said.untrusted, now(), said.actor, now(), stored.offset, stored.offset,
        stored.event.correlation_id());
    if (!queued) return queued;
    return run("INSERT INTO heard (run, event) VALUES (?, ?) ON CONFLICT (run) DO UPDATE SET event = excluded.event",
               said.run, stored.event.id);
  }

  // What lists are made from. A run changes with every job, and history keeps each of its states with each index; of
  // this only the actor changes, with another attempt, and the state twice: `outcome`.
  Result<> list_run(const events::RunQueued& said) const {
    auto listed =
        run("INSERT INTO listed (queued, run, id, number, repository, workflow, workflow_file, event, branch, "
            "commit_id, actor, title, created_at) SELECT queued, run, id, number, repository, workflow, workflow_file, "
            "event, branch, commit_id, actor, title, created_at FROM run WHERE run = ? "
            "ON CONFLICT (queued) DO UPDATE SET actor = excluded.actor WHERE actor <> excluded.actor",
            said.run);
    return listed ? note_state(said.run) : listed;
  }
  Result<> note_state(std::string_view run_uuid) const {
    return run(
        "INSERT INTO outcome (queued, state) SELECT queued, coalesce(conclusion, status) FROM run WHERE run = ? "
        "ON CONFLICT (queued) DO UPDATE SET state = excluded.state WHERE state <> excluded.state",
        run_uuid);
  }

  // In a table of its own: a run changes often, and history would keep each time what is large and never changes.
  Result<> keep_payload(const events::RunQueued& said) const {
    return run("INSERT INTO run_input (run, payload, inputs, called) VALUES (?, ?, ?, ?) ON CONFLICT (run) DO NOTHING",
               said.run, said.payload, said.inputs, called_text(said.called));
  }

  // Jobs that are not run again belong to the new attempt as they ended; the others leave it.
  Result<> carry_jobs(const events::RunQueued& said) const {
    core::json::array keys(said.carried.begin(), said.carried.end());
    return run(
        "UPDATE job SET run_attempt = ? WHERE run = ? AND run_attempt = ? AND "
        "key IN (SELECT value FROM json_each(?))",
        said.attempt, said.run, said.attempt - 1, core::to_text(keys));
  }

  Result<> plan_job(const std::string& run_uuid, int64_t attempt, const std::string& repository,
                    const events::PlannedJob& job) const {
    return run(
        "INSERT INTO job (job, run, run_attempt, place, repository, key, name, needs, node, planned, caller) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job) DO NOTHING",
        job_uuid(run_uuid, attempt, job.key), run_uuid, attempt, job.place, repository, job.key, job.name,
        needs_text(job.needs), job.key, job.planned.empty() ? job.key : job.planned, job.caller);
  }
  Result<> repeat_job(const events::RunQueued& said, const events::PlannedJob& job) const {
    return run(
        "INSERT INTO job (job, run, run_attempt, place, repository, key, name, needs, node, planned, caller, matrix, "
        "expanded, calls, continue_on_error, fail_fast, max_parallel, concurrency, cancel_in_progress, queue_all, "
        "since_expanded) "
        "SELECT ?, run, ?, place, repository, key, name, needs, node, planned, caller, matrix, 1, calls, "
        "continue_on_error, fail_fast, max_parallel, concurrency, cancel_in_progress, queue_all, ? "
        "FROM job WHERE run = ? AND run_attempt = ? AND key = ? ON CONFLICT (job) DO NOTHING",
        job_uuid(said.run, said.attempt, job.key), said.attempt, stored.offset, said.run, said.attempt - 1, job.key);
  }

  // The row of what was expanded makes room for its legs.
  Result<> operator()(const events::JobExpanded& said) const {
    struct Before {
      std::string place, needs, planned, caller;
    };
    auto read = [](const sqlite::Row& row) { return Before{row.text(0), row.text(1), row.text(2), row.text(3)}; };
    auto before = tables.first(
        "SELECT place, needs, planned, caller FROM job WHERE run = ? AND run_attempt = ? AND key = ? AND expanded = 0",
        read, said.run, said.attempt, said.key);
    if (!before) return std::unexpected(before.error());
    if (!*before) return {};
    auto gone = run("DELETE FROM job WHERE job = ?", job_uuid(said.run, said.attempt, said.key));
    if (!gone) return gone;
    for (size_t i = 0; i < said.legs.size(); ++i) {
      const events::ExpandedLeg& leg = said.legs[i];
      auto added = run(
          "INSERT INTO job (job, run, run_attempt, place, repository, key, name, needs, node, planned, caller, matrix, "
          "expanded, calls, continue_on_error, fail_fast, max_parallel, concurrency, cancel_in_progress, queue_all, "
          "since_expanded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?) "
          "ON CONFLICT (job) DO NOTHING",
          job_uuid(said.run, said.attempt, leg.key), said.run, said.attempt, place_of((*before)->place, i),
          said.repository, leg.key, leg.name, (*before)->needs, said.key, (*before)->planned, (*before)->caller,
          leg.matrix, said.calls, leg.continue_on_error, said.fail_fast, said.max_parallel,
          workflow::fold_case(leg.group), leg.cancel_in_progress, leg.queue_all, stored.offset);
      if (!added) return added;
      for (const events::PlannedJob& job : leg.jobs) {
        if (auto planned = plan_job(said.run, said.attempt, said.repository, job); !planned) return planned;
      }
    }
    return heard_of(said.run);
  }
  Result<> operator()(const events::JobSettled& said) const {
    auto changed =
        run("UPDATE job SET status = 'completed', conclusion = ?, id = ?, reason = ?, outputs = ?, completed_at = ? "
            "WHERE job = ? AND status <> 'completed'",
            events::name_of(said.conclusion), said.id, said.reason, outputs_text(said.outputs), now(), said.job);
    return changed ? heard_of(said.run) : changed;
  }
  Result<> operator()(const events::RunAdmitted& said) const {
    return change_run(said.run, "UPDATE run SET waits = 0 WHERE run = ? AND attempt = ?", said.run, said.attempt);
  }
  Result<> operator()(const events::RunCancelled& said) const {
    return change_run(said.run, "UPDATE run SET cancelled = 1, waits = 0 WHERE run = ? AND status <> 'completed'",
                      said.run);
  }

  Result<> operator()(const events::RunStarted& said) const {
    auto changed = change_run(
        said.run, "UPDATE run SET status = 'in_progress', started_at = ? WHERE run = ? AND status = 'queued'", now(),
        said.run);
    return changed ? note_state(said.run) : changed;
  }
  Result<> operator()(const events::RunFinished& said) const {
    auto changed = change_run(
        said.run, "UPDATE run SET status = 'completed', conclusion = ?, errors = ?, completed_at = ? WHERE run = ?",
        events::name_of(said.conclusion), said.errors, now(), said.run);
    return changed ? note_state(said.run) : changed;
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
            "log_bytes = ?, log_lines = ?, outputs = ?, annotations = ?, environment_url = ?, summary_bytes = ?, "
            "completed_at = ? WHERE job = ? AND status <> 'completed'",
            events::name_of(said.conclusion), said.errors, said.runner, said.attempt, steps_text(said.steps),
            said.log.bytes, said.log.lines, outputs_text(said.outputs), annotations_text(said.annotations),
            said.environment_url, said.summary_bytes.value_or(0), now(), said.job);
    return changed ? heard_of(said.run) : changed;
  }
  // A job that no runner has is over with this; one that a runner has goes on until the runner has ended it.
  Result<> operator()(const events::JobCancelled& said) const {
    auto ended =
        run("UPDATE job SET status = 'completed', conclusion = 'cancelled', reason = ?, completed_at = ? "
            "WHERE job = ? AND status IN ('waiting', 'queued') AND runner = ''",
            said.reason, now(), said.job);
    if (!ended) return ended;
    auto asked = run("UPDATE job SET cancel_asked = 1 WHERE job = ? AND status <> 'completed'", said.job);
    return asked ? heard_of(said.run) : asked;
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

using Heard =
    Words<events::RepositoryCreated, events::RepositoryDeleted, events::RunQueued, events::RunStarted,
          events::RunFinished, events::JobQueued, events::JobLeased, events::JobLost, events::JobRequeued,
          events::JobStarted, events::JobFinished, events::JobCancelled, events::JobSkipped, events::JobExpanded,
          events::JobSettled, events::RunAdmitted, events::RunCancelled, events::WorkflowsRead, events::ScheduleDue>;

}  // namespace

std::string RunsProjection::schema() const {
  return awaited_schema() +
         "CREATE TABLE repository (full_name TEXT PRIMARY KEY, id INTEGER NOT NULL, default_branch TEXT NOT NULL) "
         "WITHOUT ROWID;"
         "CREATE TABLE counter (repository TEXT, workflow_file TEXT, number INTEGER NOT NULL, "
         "PRIMARY KEY (repository, workflow_file)) WITHOUT ROWID;"
         "CREATE TABLE run (run TEXT PRIMARY KEY, id INTEGER NOT NULL, number INTEGER NOT NULL, attempt INTEGER NOT "
         "NULL, repository TEXT NOT NULL, repository_id INTEGER NOT NULL, workflow TEXT NOT NULL, workflow_file TEXT "
         "NOT NULL, event TEXT NOT NULL, event_id TEXT NOT NULL, ref TEXT NOT NULL, branch TEXT NOT NULL, commit_id "
         "TEXT NOT NULL, actor TEXT NOT NULL, title TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, conclusion "
         "TEXT, errors TEXT NOT NULL, cancelled INTEGER NOT NULL, waits INTEGER NOT NULL, concurrency TEXT NOT NULL, "
         "shown_group TEXT NOT NULL, "
         "cancel_in_progress INTEGER NOT NULL, queue_all INTEGER NOT NULL, depth INTEGER NOT NULL, variables_at "
         "INTEGER NOT NULL, untrusted INTEGER NOT NULL, created_at INTEGER NOT NULL, first_actor TEXT NOT NULL, "
         "queued_at INTEGER, "
         "started_at INTEGER, completed_at INTEGER, queued INTEGER NOT NULL, latest INTEGER NOT NULL, "
         "correlation TEXT NOT NULL) WITHOUT ROWID;"
         "CREATE TABLE heard (run TEXT PRIMARY KEY, event TEXT NOT NULL) WITHOUT ROWID;"
         "CREATE TABLE listed (queued INTEGER PRIMARY KEY, run TEXT NOT NULL, id INTEGER NOT NULL, number INTEGER NOT "
         "NULL, repository TEXT NOT NULL, workflow TEXT NOT NULL, workflow_file TEXT NOT NULL, event TEXT NOT NULL, "
         "branch TEXT NOT NULL, commit_id TEXT NOT NULL, actor TEXT NOT NULL, title TEXT NOT NULL, created_at INTEGER "
         "NOT NULL);"
         "CREATE INDEX listed_by_repository ON listed (repository, queued);"
         "CREATE INDEX listed_by_number ON listed (repository, number, queued);"
         "CREATE INDEX listed_by_branch ON listed (branch, queued);"
         "CREATE INDEX listed_by_commit ON listed (commit_id, queued);"
         "CREATE INDEX listed_by_actor ON listed (actor, queued);"
         "CREATE INDEX listed_by_event ON listed (event, queued);"
         "CREATE TABLE outcome (queued INTEGER PRIMARY KEY, state TEXT NOT NULL);"
         "CREATE INDEX outcome_by_state ON outcome (state, queued);"
         "CREATE TABLE run_input (run TEXT PRIMARY KEY, payload TEXT NOT NULL, inputs TEXT NOT NULL, "
         "called TEXT NOT NULL) WITHOUT ROWID;"
         "CREATE INDEX run_by_id ON run (id);"
         "CREATE INDEX run_by_concurrency ON run (repository, concurrency) WHERE concurrency <> '';"
         "CREATE TABLE job (job TEXT PRIMARY KEY, id INTEGER NOT NULL DEFAULT 0, run TEXT NOT NULL, run_attempt "
         "INTEGER "
         "NOT NULL, place TEXT NOT NULL, repository TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, needs TEXT "
         "NOT NULL, status TEXT NOT NULL DEFAULT 'waiting', conclusion TEXT, reason TEXT NOT NULL DEFAULT '', attempt "
         "INTEGER NOT NULL DEFAULT 1, runner TEXT NOT NULL DEFAULT '', steps TEXT NOT NULL DEFAULT '[]', log_bytes "
         "INTEGER NOT NULL DEFAULT 0, log_lines INTEGER NOT NULL DEFAULT 0, queued_at INTEGER, started_at INTEGER, "
         "completed_at INTEGER, node TEXT NOT NULL, planned TEXT NOT NULL, caller TEXT NOT NULL, matrix TEXT NOT NULL "
         "DEFAULT '', expanded INTEGER NOT NULL DEFAULT 0, calls INTEGER NOT NULL DEFAULT 0, continue_on_error INTEGER "
         "NOT NULL DEFAULT 0, fail_fast INTEGER NOT NULL DEFAULT 1, max_parallel INTEGER NOT NULL DEFAULT 0, "
         "concurrency TEXT NOT NULL DEFAULT '', cancel_in_progress INTEGER NOT NULL DEFAULT 0, queue_all INTEGER NOT "
         "NULL DEFAULT 0, since_expanded INTEGER NOT NULL DEFAULT 0, cancel_asked INTEGER NOT NULL DEFAULT 0, outputs "
         "TEXT NOT NULL DEFAULT '[]', annotations TEXT NOT NULL DEFAULT '[]', environment_url TEXT NOT NULL DEFAULT "
         "'', "
         "summary_bytes INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
         "CREATE INDEX job_by_run ON job (run, run_attempt, place);"
         "CREATE INDEX job_by_id ON job (id);"
         "CREATE INDEX job_by_concurrency ON job (repository, concurrency) WHERE concurrency <> '';";
}

std::vector<std::string> RunsProjection::types() const { return Heard::types(); }

Result<> RunsProjection::apply(sqlite::Connection& tables, const log::Stored& stored) {
  if (!events::is_reserved(stored.event.source)) return {};  // other tools say taskrun.finished too
  return Heard::apply(Apply{tables, stored}, stored.event);
}

}  // namespace headrace::pipeline
