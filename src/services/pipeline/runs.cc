// Runs and jobs as JSON.
#include "services/pipeline/runs.h"

#include "core/json.h"

namespace headrace::pipeline {
namespace {

namespace json = core::json;

json::value text_or_null(const std::optional<events::Conclusion>& conclusion) {
  if (!conclusion) return nullptr;
  return json::value(events::name_of(*conclusion));
}

json::value time_or_null(const std::optional<core::Time>& time) {
  if (!time) return nullptr;
  return json::value(core::format_time(*time));
}

json::object step_json(const events::StepResult& step) {
  return {{"number", step.number},
          {"name", step.name},
          {"status", "completed"},
          {"conclusion", events::name_of(step.conclusion)},
          {"started_at", time_or_null(step.started_at)},
          {"completed_at", time_or_null(step.completed_at)}};
}

json::object annotation_json(const events::JobAnnotation& annotation) {
  return {{"level", annotation.level},   {"message", annotation.message},
          {"title", annotation.title},   {"file", annotation.file},
          {"line", annotation.line},     {"end_line", annotation.end_line},
          {"column", annotation.column}, {"end_column", annotation.end_column},
          {"step", annotation.step}};
}

json::object job_json(const Job& job) {
  json::array steps, annotations;
  json::object outputs;
  for (const events::JobAnnotation& annotation : job.annotations) annotations.push_back(annotation_json(annotation));
  for (const events::JobOutput& output : job.outputs) outputs[output.name] = output.value;
  json::value matrix;
  if (auto read = core::parse_json(job.matrix); read && !job.matrix.empty()) matrix = std::move(*read);
  for (const events::StepResult& step : job.steps) steps.push_back(step_json(step));
  return {{"id", job.id},
          {"job", job.job},
          {"key", job.key},
          {"name", job.name},
          {"status", name_of(job.status)},
          {"conclusion", text_or_null(job.conclusion)},
          {"needs", json::array(job.needs.begin(), job.needs.end())},
          {"matrix", std::move(matrix)},
          {"caller", job.caller},
          {"calls", job.calls},
          {"outputs", std::move(outputs)},
          {"annotations", std::move(annotations)},
          {"environment_url", job.environment_url},
          {"summary_bytes", job.summary_bytes},
          {"attempt", job.attempt},
          {"runner", job.runner},
          {"reason", job.reason},
          {"queued_at", time_or_null(job.queued_at)},
          {"started_at", time_or_null(job.started_at)},
          {"completed_at", time_or_null(job.completed_at)},
          {"steps", std::move(steps)}};
}

json::object run_json(const Run& run) {
  json::array jobs;
  for (const Job& job : run.jobs) jobs.push_back(job_json(job));
  return {{"id", run.id},
          {"run", run.run},
          {"number", run.number},
          {"attempt", run.attempt},
          {"repository", run.repository},
          {"workflow", run.workflow},
          {"workflow_file", run.workflow_file},
          {"event", run.event},
          {"ref", run.ref},
          {"branch", run.branch},
          {"commit", run.commit},
          {"actor", run.actor},
          {"title", run.title},
          {"status", name_of(run.status)},
          {"conclusion", text_or_null(run.conclusion)},
          {"errors", run.errors},
          {"waits", run.waits},
          {"group", run.group},
          {"url", run.url},
          {"created_at", time_or_null(run.created_at)},
          {"queued_at", time_or_null(run.queued_at)},
          {"started_at", time_or_null(run.started_at)},
          {"completed_at", time_or_null(run.completed_at)},
          {"jobs", std::move(jobs)}};
}

}  // namespace

std::string to_json(const Run& run) { return core::to_text(run_json(run)); }

std::string to_json(const RunPage& page) {
  json::array runs;
  for (const Run& run : page.runs) runs.push_back(run_json(run));
  json::object out{{"runs", std::move(runs)}};
  if (!page.next.empty()) out["next"] = page.next;
  return core::to_text(out);
}

}  // namespace headrace::pipeline
