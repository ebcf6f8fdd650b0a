// Rows of the projection as runs and jobs.
#include <algorithm>
#include <array>

#include "core/json.h"
#include "services/pipeline/pipeline.h"
#include "services/pipeline/projection.h"
#include "services/pipeline/rows.h"

namespace headrace::pipeline {

using core::Result;

namespace {

constexpr std::array<std::pair<Status, std::string_view>, 4> statuses{{{Status::waiting, "waiting"},
                                                                       {Status::queued, "queued"},
                                                                       {Status::in_progress, "in_progress"},
                                                                       {Status::completed, "completed"}}};

// What the queries below begin with; read_run and read_job read these columns.
constexpr std::string_view select_run =
    "SELECT run.run, id, number, attempt, repository, repository_id, workflow, workflow_file, event, event_id, ref, "
    "branch, commit_id, actor, title, url, status, conclusion, errors, cancelled, queued_at, started_at, completed_at, "
    "(SELECT event FROM heard WHERE heard.run = run.run), correlation, waits, shown_group, cancel_in_progress, "
    "queue_all, depth, "
    "variables_at, untrusted, created_at, latest, first_actor FROM run ";
constexpr std::string_view select_job =
    "SELECT job, id, run, repository, key, name, needs, status, conclusion, reason, attempt, runner, steps, log_bytes, "
    "log_lines, queued_at, started_at, completed_at, matrix, caller, calls, outputs, annotations, environment_url, "
    "summary_bytes, node, planned, place, expanded, continue_on_error, fail_fast, max_parallel, concurrency, "
    "cancel_in_progress, queue_all, cancel_asked FROM job ";

Status status_of(std::string_view name) {
  for (auto [status, known] : statuses) {
    if (known == name) return status;
  }
  return Status::completed;
}

std::optional<core::Time> time_of(const std::optional<int64_t>& nanoseconds) {
  if (!nanoseconds) return std::nullopt;
  return core::Time(core::Duration(*nanoseconds));
}

std::optional<events::Conclusion> conclusion_at(const sqlite::Row& row, int column) {
  return row.is_null(column) ? std::nullopt : events::parse_conclusion(row.view(column));
}

std::vector<std::string> texts_of(std::string_view json) {
  std::vector<std::string> texts;
  auto value = core::parse_json(json);
  if (!value || !value->is_array()) return texts;
  for (const auto& text : value->get_array()) texts.emplace_back(text.get_string());
  return texts;
}

std::vector<events::StepResult> steps_of(std::string_view json) {
  std::vector<events::StepResult> steps;
  auto value = core::parse_json(json);
  if (!value || !value->is_array()) return steps;
  for (const auto& object : value->get_array()) {
    events::StepResult step;
    step.number = core::integer_at(object, "number").value_or(0);
    step.name = core::string_at(object, "name").value_or("");
    step.conclusion =
        events::parse_conclusion(core::string_at(object, "conclusion").value_or("")).value_or(step.conclusion);
    step.started_at = time_of(core::integer_at(object, "started_at"));
    step.completed_at = time_of(core::integer_at(object, "completed_at"));
    step.exit_code = core::integer_at(object, "exit_code");
    steps.push_back(std::move(step));
  }
  return steps;
}

RunRow read_run(const sqlite::Row& row) {
  RunRow run;
  run.run = row.text(0);
  run.id = row.integer(1);
  run.number = row.integer(2);
  run.attempt = row.integer(3);
  run.repository = row.text(4);
  run.repository_id = row.integer(5);
  run.workflow = row.text(6);
  run.workflow_file = row.text(7);
  run.event = row.text(8);
  run.event_id = row.text(9);
  run.ref = row.text(10);
  run.branch = row.text(11);
  run.commit = row.text(12);
  run.actor = row.text(13);
  run.title = row.text(14);
  run.url = row.text(15);
  run.status = status_of(row.view(16));
  run.conclusion = conclusion_at(row, 17);
  run.errors = row.text(18);
  run.cancelled = row.boolean(19);
  run.queued_at = time_of(row.maybe_integer(20));
  run.started_at = time_of(row.maybe_integer(21));
  run.completed_at = time_of(row.maybe_integer(22));
  run.last_event = row.text(23);
  run.correlation = row.text(24);
  run.waits = row.boolean(25);
  run.group = row.text(26);
  run.cancel_in_progress = row.boolean(27);
  run.queue_all = row.boolean(28);
  run.depth = row.integer(29);
  run.variables_at = row.integer(30);
  run.untrusted = row.boolean(31);
  run.created_at = time_of(row.integer(32));
  run.began = static_cast<uint64_t>(row.integer(33));
  run.first_actor = row.text(34);
  return run;
}

std::vector<events::JobOutput> outputs_of(std::string_view json) {
  std::vector<events::JobOutput> outputs;
  auto value = core::parse_json(json);
  if (!value || !value->is_array()) return outputs;
  for (const auto& pair : value->get_array())
    outputs.push_back({std::string(pair.at(0).as_string()), std::string(pair.at(1).as_string())});
  return outputs;
}

std::vector<events::JobAnnotation> annotations_of(std::string_view json) {
  std::vector<events::JobAnnotation> annotations;
  auto value = core::parse_json(json);
  if (!value || !value->is_array()) return annotations;
  for (const auto& it : value->get_array()) {
    auto text = [&it](size_t i) { return std::string(it.at(i).as_string()); };
    auto number = [&it](size_t i) { return it.at(i).as_int64(); };
    annotations.push_back({text(0), text(1), text(2), text(3), number(4), number(5), number(6), number(7), number(8)});
  }
  return annotations;
}

JobRow read_job(const sqlite::Row& row) {
  JobRow job;
  job.job = row.text(0);
  job.id = row.integer(1);
  job.run = row.text(2);
  job.repository = row.text(3);
  job.key = row.text(4);
  job.name = row.text(5);
  job.needs = texts_of(row.view(6));
  job.status = status_of(row.view(7));
  job.conclusion = conclusion_at(row, 8);
  job.reason = row.text(9);
  job.attempt = row.integer(10);
  job.runner = row.text(11);
  job.steps = steps_of(row.view(12));
  job.log = {row.integer(13), row.integer(14)};
  job.queued_at = time_of(row.maybe_integer(15));
  job.started_at = time_of(row.maybe_integer(16));
  job.completed_at = time_of(row.maybe_integer(17));
  job.matrix = row.text(18);
  job.caller = row.text(19);
  job.calls = row.boolean(20);
  job.outputs = outputs_of(row.view(21));
  job.annotations = annotations_of(row.view(22));
  job.environment_url = row.text(23);
  job.summary_bytes = row.integer(24);
  job.node = row.text(25);
  job.planned = row.text(26);
  job.place = row.text(27);
  job.expanded = row.boolean(28);
  job.continue_on_error = row.boolean(29);
  job.fail_fast = row.boolean(30);
  job.max_parallel = row.integer(31);
  job.group = row.text(32);
  job.cancel_in_progress = row.boolean(33);
  job.queue_all = row.boolean(34);
  job.cancel_asked = row.boolean(35);
  return job;
}

std::vector<events::CalledWorkflow> called_of(std::string_view json) {
  std::vector<events::CalledWorkflow> list;
  auto value = core::parse_json(json);
  if (!value || !value->is_array()) return list;
  for (const auto& one : value->get_array())
    list.push_back({std::string(one.at(0).as_string()), std::string(one.at(1).as_string())});
  return list;
}

std::string sql(std::string_view head, std::string_view tail) { return std::string(head) + std::string(tail); }

Result<> add_jobs(sqlite::Connection& tables, RunRow& run) {
  std::string text = sql(select_job, "WHERE run = ? AND run_attempt = ? ORDER BY place, key");
  auto jobs = tables.all(sqlite::Sql::generated(text), read_job, run.run, run.attempt);
  if (!jobs) return std::unexpected(jobs.error());
  run.jobs = shown(*jobs);
  run.rows = std::move(*jobs);
  return {};
}

Result<> add_inputs(sqlite::Connection& tables, RunRow& run) {
  auto found = tables.first(
      "SELECT payload, inputs, called FROM run_input WHERE run = ?",
      [](const sqlite::Row& row) { return std::tuple(row.text(0), row.text(1), called_of(row.view(2))); }, run.run);
  if (!found) return std::unexpected(found.error());
  if (*found) std::tie(run.payload, run.inputs, run.called) = std::move(**found);
  return {};
}

template <class Key>
Result<std::optional<RunRow>> find_one(sqlite::Connection& tables, std::string_view where, const Key& key) {
  std::string text = sql(select_run, where);
  auto found = tables.first(sqlite::Sql::generated(text), read_run, key);
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::optional<RunRow>();
  RunRow run = std::move(**found);
  if (auto added = add_jobs(tables, run); !added) return std::unexpected(added.error());
  if (auto added = add_inputs(tables, run); !added) return std::unexpected(added.error());
  return run;
}

}  // namespace

std::string_view name_of(Status status) {
  for (auto [known, name] : statuses) {
    if (known == status) return name;
  }
  return "completed";
}

Result<std::optional<RunRow>> find_run(sqlite::Connection& tables, std::string_view uuid) {
  return find_one(tables, "WHERE run = ?", uuid);
}

Result<std::optional<RunRow>> find_run(sqlite::Connection& tables, int64_t id) {
  return find_one(tables, "WHERE id = ?", id);
}

Result<std::optional<Job>> find_job(sqlite::Connection& tables, int64_t id) {
  std::string text = sql(select_job, "WHERE id = ? AND id > 0");
  auto found = tables.first(sqlite::Sql::generated(text), read_job, id);
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::optional<Job>();
  return std::optional<Job>(std::move(**found));
}

Result<std::optional<Run>> find_shown(sqlite::Connection& tables, std::string_view uuid) {
  auto run = find_run_alone(tables, uuid);
  if (!run) return std::unexpected(run.error());
  if (!*run) return std::optional<Run>();
  if (auto added = add_jobs(tables, **run); !added) return std::unexpected(added.error());
  return std::optional<Run>(std::move(**run));
}

Result<std::optional<RunRow>> find_run_alone(sqlite::Connection& tables, std::string_view uuid) {
  std::string text = sql(select_run, "WHERE run.run = ?");
  return tables.first(sqlite::Sql::generated(text), read_run, uuid);
}

Result<int64_t> last_number(sqlite::Connection& tables, std::string_view repository, std::string_view file) {
  return tables.integer("SELECT number FROM counter WHERE repository = ? AND workflow_file = ?", repository, file);
}

Result<std::optional<RepositoryRow>> repository(sqlite::Connection& tables, std::string_view full_name) {
  return tables.first(
      "SELECT id, default_branch FROM repository WHERE full_name = ?",
      [](const sqlite::Row& row) { return RepositoryRow{row.integer(0), row.text(1)}; }, full_name);
}

Result<std::vector<std::string>> repositories(sqlite::Connection& tables) {
  return tables.all("SELECT full_name FROM repository ORDER BY full_name",
                    [](const sqlite::Row& row) { return row.text(0); });
}

Result<std::optional<std::string>> group_of(sqlite::Connection& tables, std::string_view run, std::string_view job) {
  return tables.first(
      "SELECT concurrency FROM job WHERE job = ? AND concurrency <> '' UNION ALL SELECT concurrency FROM run WHERE run "
      "= ? AND concurrency <> ''",
      [](const sqlite::Row& row) { return row.text(0); }, job, run);
}

Result<std::vector<Member>> members_of(sqlite::Connection& tables, std::string_view repository,
                                       std::string_view group) {
  auto read = [](const sqlite::Row& row) {
    return Member{row.text(0),    row.integer(1), row.text(2),    row.text(3),
                  row.boolean(4), row.boolean(5), row.boolean(6), row.boolean(7)};
  };
  return tables.all(
      "SELECT run, id, '', '', waits = 0, cancel_in_progress, queue_all, cancelled, latest AS since, '' AS place "
      "FROM run WHERE repository = ?1 AND concurrency = ?2 AND status <> 'completed' UNION ALL "
      "SELECT job.run, run.id, job.job, job.key, job.status <> 'waiting', job.cancel_in_progress, job.queue_all, "
      "job.cancel_asked, job.since_expanded, job.place FROM job JOIN run ON run.run = job.run AND run.attempt = "
      "job.run_attempt WHERE job.repository = ?1 AND job.concurrency = ?2 AND job.status <> 'completed' "
      "ORDER BY since, place",
      read, repository, group);
}

}  // namespace headrace::pipeline
