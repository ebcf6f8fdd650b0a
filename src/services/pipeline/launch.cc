#include "services/pipeline/launch.h"

#include <algorithm>

#include "events/cloudevents.h"
#include "events/event.h"

namespace headrace::pipeline {
namespace {

using events::Conclusion;

constexpr size_t other_bytes = 4 * 1024;  // of a job.queued besides its spec, at most

std::string place(const std::string& file, const workflow::Position& at) {
  return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": ";
}

void add_line(std::string& lines, const std::string& line) { lines.append(lines.empty() ? "" : "\n").append(line); }

std::string refusal_of(const workflow::Reading& reading, const events::RunQueued& run) {
  std::string lines;
  for (const workflow::Finding& error : reading.errors)
    add_line(lines, place(run.workflow_file, error.at) + error.message);
  if (!reading.workflow) return lines;
  for (const workflow::Unsupported& entry : workflow::blocking(*reading.workflow, run.event)) {
    add_line(lines, place(run.workflow_file, entry.at) + entry.feature + " is not supported yet.");
  }
  return lines;
}

// In an event the spec is a JSON text within a JSON text: quotes, backslashes and line ends count twice.
size_t bytes_in_event(const std::string& spec) {
  auto doubled = std::ranges::count_if(spec, [](char c) { return c == '"' || c == '\\'; });
  return spec.size() + static_cast<size_t>(doubled) + other_bytes;
}

std::string too_large(const std::vector<workflow::PlannedJob>& jobs, const std::string& file) {
  size_t all = 0;
  for (const workflow::PlannedJob& job : jobs) {
    size_t bytes = bytes_in_event(job.spec);
    if (bytes > events::event_bytes_max) {
      return file + ":1:1: The job '" + job.key +
             "' is larger than 256 KiB with its scripts and variables. Move scripts to files.";
    }
    all += bytes;
  }
  if (all <= run_bytes_max) return {};
  return file + ":1:1: The jobs are larger than 4 MiB together with their scripts and variables. Split the workflow.";
}

workflow::Context context_of(const events::RunQueued& run, const std::string& server_url) {
  return {.event = run.event,
          .repository = run.repository,
          .ref = run.ref,
          .commit = run.commit,
          .actor = run.actor,
          .repository_id = run.repository_id,
          .run_id = run.id,
          .run_number = run.number,
          .run_attempt = run.attempt,
          .server_url = server_url};
}

Vertex vertex_of(const workflow::PlannedJob& job) {
  return {.key = job.key,
          .needs = job.needs,
          .condition = job.condition,
          .continue_on_error = job.continue_on_error,
          .status = Status::waiting,
          .conclusion = {}};
}

}  // namespace

const workflow::PlannedJob* Planned::find(std::string_view key) const {
  auto found = std::ranges::find(jobs, key, &workflow::PlannedJob::key);
  return found == jobs.end() ? nullptr : &*found;
}

Planned plan_run(const SourceFile& file, events::RunQueued& run, const std::string& server_url) {
  workflow::Reading reading = workflow::read(file.text, file.path);
  run.workflow = reading.workflow ? reading.workflow->shown_name() : file.path;
  if (reading.workflow && !reading.workflow->run_name.empty()) run.title = reading.workflow->run_name;
  Planned planned;
  planned.refusal = refusal_of(reading, run);
  if (!planned.refusal.empty()) return planned;
  planned.jobs = workflow::plan(*reading.workflow, context_of(run, server_url)).jobs;
  planned.refusal = too_large(planned.jobs, file.path);
  return planned;
}

events::JobQueued job_queued(const events::RunQueued& run, const workflow::PlannedJob& job, Ids& ids) {
  events::JobQueued said;
  said.job = job_uuid(run.run, run.attempt, job.key);
  said.id = ids.next();
  said.run = run.run;
  said.repository = run.repository;
  said.key = job.key;
  said.name = job.name;
  said.labels = job.labels;
  said.commit = run.commit;
  said.ref = run.ref;
  said.spec = job.spec;
  said.timeout_minutes = job.timeout_minutes;
  said.restricted = job.restricted;
  return said;
}

events::JobSkipped job_skipped(const events::RunQueued& run, const std::string& key, const std::string& name,
                               std::string reason, Ids& ids) {
  return {.job = job_uuid(run.run, run.attempt, key),
          .id = ids.next(),
          .run = run.run,
          .repository = run.repository,
          .key = key,
          .name = name,
          .reason = std::move(reason)};
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

Launch launch(events::RunQueued run, const Planned& planned, const std::vector<Vertex>& carried, Ids& ids) {
  Launch out;
  out.run = std::move(run);
  if (!planned.refusal.empty()) {
    out.finished = run_finished(out.run, Conclusion::startup_failure, planned.refusal);
    return out;
  }
  std::vector<Vertex> graph;
  for (const workflow::PlannedJob& job : planned.jobs) {
    auto kept = std::ranges::find(carried, job.key, &Vertex::key);
    graph.push_back(kept == carried.end() ? vertex_of(job) : *kept);
    if (kept == carried.end()) out.run.jobs.push_back({job.key, job.name, job.needs});
  }
  Advance first = advance(std::move(graph), false);
  for (const std::string& key : first.queue) out.queued.push_back(job_queued(out.run, *planned.find(key), ids));
  for (auto& [key, reason] : first.skip) {
    out.skipped.push_back(job_skipped(out.run, key, planned.find(key)->name, std::move(reason), ids));
  }
  if (first.finished) out.finished = run_finished(out.run, *first.finished, {});
  return out;
}

events::RunQueued queued_again(const Run& run) {
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
  return said;
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
