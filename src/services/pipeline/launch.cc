#include "services/pipeline/launch.h"

#include <algorithm>

namespace headrace::pipeline {

using events::Conclusion;

namespace {

void add_end(std::string& lines, const std::string& name, Conclusion conclusion, const std::string& reason) {
  lines.append(lines.empty() ? "" : "\n").append("The job '" + name + "' ended as ");
  lines.append(events::name_of(conclusion)).append(reason.empty() ? "." : ": " + reason);
}

}  // namespace

JobRow row_of(const std::string& run, int64_t attempt, const events::PlannedJob& job) {
  JobRow row;
  row.job = job_uuid(run, attempt, job.key);
  row.run = run;
  row.key = row.node = job.key;
  row.name = job.name;
  row.needs = job.needs;
  row.planned = job.planned.empty() ? job.key : job.planned;
  row.caller = job.caller;
  row.place = job.place;
  return row;
}

Launch launch(events::RunQueued run, const Planned& planned, std::vector<JobRow> rows, const workflow::Object& contexts,
              Ids& ids) {
  Launch out;
  out.run = std::move(run);
  if (!planned.refusal.empty()) {
    out.run.waits = false;
    out.run.group.clear();
    out.run.jobs.clear();
    out.finished = run_finished(out.run, Conclusion::startup_failure, planned.refusal);
    return out;
  }
  if (rows.empty()) {
    out.run.jobs = planned_jobs(planned.program, "", "", "");
    for (const events::PlannedJob& job : out.run.jobs) rows.push_back(row_of(out.run.run, out.run.attempt, job));
  }
  if (out.run.waits) return out;
  RunRow row = run_of(out.run);
  row.rows = std::move(rows);
  out.first = go_on(row, planned, {contexts, {}}, ids);
  if (out.first.finished) {
    out.finished = run_finished(out.run, *out.first.finished, errors_of(row.rows, out.first, *out.first.finished));
  }
  return out;
}

events::RunFinished run_finished(const events::RunQueued& run, Conclusion conclusion, std::string errors) {
  return {.run = run.run,
          .repository = run.repository,
          .number = run.number,
          .workflow = run.workflow,
          .attempt = run.attempt,
          .conclusion = conclusion,
          .errors = std::move(errors),
          .url = run.url};
}

events::RunQueued queued_again(const RunRow& run) {
  events::RunQueued said;
  said.run = run.run;
  said.id = run.id;
  said.number = run.number;
  said.repository = run.repository;
  said.repository_id = run.repository_id;
  said.workflow = run.workflow;
  said.workflow_file = run.workflow_file;
  said.event = run.event;
  said.event_id = run.event_id;
  said.ref = run.ref;
  said.branch = run.branch;
  said.commit = run.commit;
  said.actor = run.actor;
  said.attempt = run.attempt;
  said.title = run.title;
  said.url = run.url;
  said.payload = run.payload;
  said.inputs = run.inputs;
  said.depth = run.depth;
  said.called = run.called;
  said.variables_at = run.variables_at;
  said.untrusted = run.untrusted;
  return said;
}

RunRow run_of(const events::RunQueued& queued) {
  RunRow run;
  run.run = queued.run;
  run.id = queued.id;
  run.number = queued.number;
  run.repository = queued.repository;
  run.repository_id = queued.repository_id;
  run.workflow = queued.workflow;
  run.workflow_file = queued.workflow_file;
  run.event = queued.event;
  run.event_id = queued.event_id;
  run.ref = queued.ref;
  run.branch = queued.branch;
  run.commit = queued.commit;
  run.actor = queued.actor;
  run.attempt = queued.attempt;
  run.title = queued.title;
  run.url = queued.url;
  run.payload = queued.payload;
  run.inputs = queued.inputs;
  run.depth = queued.depth;
  run.called = queued.called;
  run.variables_at = queued.variables_at;
  run.untrusted = queued.untrusted;
  return run;
}

std::string errors_of(const std::vector<JobRow>& jobs, const Course& last, Conclusion conclusion) {
  if (conclusion == Conclusion::success || conclusion == Conclusion::skipped) return {};
  std::string lines;
  for (const JobRow& job : jobs) {
    bool counts = job.conclusion == Conclusion::failure || job.conclusion == Conclusion::timed_out ||
                  job.conclusion == Conclusion::cancelled;
    if (counts && !job.calls) add_end(lines, job.name, *job.conclusion, job.reason);
  }
  for (const Word& word : last.words) {
    const auto* settled = std::get_if<events::JobSettled>(&word);
    if (settled != nullptr && !settled->reason.empty())
      add_end(lines, settled->name, settled->conclusion, settled->reason);
  }
  constexpr size_t lines_bytes_max = 32 * 1024;
  if (lines.size() > lines_bytes_max) lines.resize(lines.rfind('\n', lines_bytes_max));
  return lines;
}

std::string branch_of(std::string_view ref) {
  constexpr std::string_view heads = "refs/heads/";
  return ref.starts_with(heads) ? std::string(ref.substr(heads.size())) : std::string();
}

std::string run_url(const std::string& server_url, const std::string& repository, int64_t id) {
  if (server_url.empty()) return {};
  return server_url + "/" + repository + "/actions/runs/" + std::to_string(id);
}

}  // namespace headrace::pipeline
