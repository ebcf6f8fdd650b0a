#include "server/github_runs.h"

#include <algorithm>

#include "services/pipeline/numbers.h"

namespace headrace::server {

using events::Conclusion;
namespace json = core::json;

namespace {

json::value time_or_null(const std::optional<core::Time>& time) {
  return time ? json::value(github_time(*time)) : json::value();
}

json::value or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

// A job or check run has no conclusion of a run that could not start.
json::value conclusion_of(const std::optional<Conclusion>& conclusion) {
  if (!conclusion) return nullptr;
  if (*conclusion == Conclusion::startup_failure) return json::value(events::name_of(Conclusion::failure));
  return json::value(events::name_of(*conclusion));
}

core::Time made_at(const pipeline::Run& run) {
  if (run.created_at) return *run.created_at;
  return run.queued_at.value_or(run.started_at.value_or(run.completed_at.value_or(core::Time())));
}

core::Time made_at(const GithubRun& in, const pipeline::Job& job) { return job.queued_at.value_or(made_at(in.run)); }

// Of an attempt before, its UUID follows from that.
int64_t attempt_of(const pipeline::Run& run, const pipeline::Job& job) {
  for (int64_t attempt = run.attempt; attempt > 1; --attempt)
    if (pipeline::job_uuid(run.run, attempt, job.key) == job.job) return attempt;
  return 1;
}

std::string url_of_run(const GithubRun& in) {
  return in.urls.repository(in.run.repository) + "/actions/runs/" + std::to_string(in.run.id);
}

std::string page_of_job(const GithubRun& in, const pipeline::Job& job) {
  return in.urls.web() + "/" + in.run.repository + "/actions/runs/" + std::to_string(in.run.id) + "/job/" +
         std::to_string(job.id);
}

std::string url_of_check(const GithubRun& in, const pipeline::Job& job) {
  return in.urls.repository(in.run.repository) + "/check-runs/" + std::to_string(job.id);
}

json::array steps_of(const pipeline::Job& job, const LiveJob& live) {
  json::array steps;
  for (const auto& step : job.steps)
    steps.push_back(json::object{{"name", step.name},
                                 {"status", "completed"},
                                 {"conclusion", conclusion_of(step.conclusion)},
                                 {"number", step.number},
                                 {"started_at", time_or_null(step.started_at)},
                                 {"completed_at", time_or_null(step.completed_at)}});
  if (!steps.empty()) return steps;
  for (const auto& step : live.steps)
    steps.push_back(json::object{{"name", step.name},
                                 {"status", step.conclusion ? "completed" : "in_progress"},
                                 {"conclusion", conclusion_of(step.conclusion)},
                                 {"number", step.number},
                                 {"started_at", nullptr},
                                 {"completed_at", nullptr}});
  return steps;
}

}  // namespace

json::object github_run(const GithubRun& in, const std::optional<git::Commit>& head) {
  const pipeline::Run& run = in.run;
  const std::string url = url_of_run(in);
  const int64_t workflow = number_for("workflow", std::to_string(in.repo.id) + "\n" + run.workflow_file);
  const core::Time changed = run.completed_at.value_or(run.started_at.value_or(run.queued_at.value_or(made_at(run))));
  const auto first = github_user(in.urls, run.first_actor.empty() ? run.actor : run.first_actor);
  const json::value before =
      run.attempt > 1 ? json::value(url + "/attempts/" + std::to_string(run.attempt - 1)) : json::value();
  return {{"id", run.id},
          {"name", run.workflow},
          {"node_id", node_id("WorkflowRun", run.id)},
          {"check_suite_id", run.id},
          {"check_suite_node_id", node_id("CheckSuite", run.id)},
          {"head_branch", or_null(run.branch)},
          {"head_sha", run.commit},
          {"path", run.workflow_file},
          {"display_title", run.title},
          {"run_number", run.number},
          {"run_attempt", run.attempt},
          {"event", run.event},
          {"status", pipeline::name_of(run.status)},
          {"conclusion", run.conclusion ? json::value(events::name_of(*run.conclusion)) : json::value()},
          {"workflow_id", workflow},
          {"url", url},
          {"html_url", run.url},
          {"pull_requests", json::array()},
          {"created_at", github_time(made_at(run))},
          {"updated_at", github_time(changed)},
          {"run_started_at", github_time(run.started_at.value_or(run.queued_at.value_or(made_at(run))))},
          {"actor", first},
          {"triggering_actor", github_user(in.urls, run.actor)},
          {"jobs_url", url + "/jobs"},
          {"logs_url", url + "/logs"},
          {"check_suite_url", in.urls.repository(run.repository) + "/check-suites/" + std::to_string(run.id)},
          {"artifacts_url", url + "/artifacts"},
          {"cancel_url", url + "/cancel"},
          {"rerun_url", url + "/rerun"},
          {"previous_attempt_url", before},
          {"workflow_url", in.urls.repository(run.repository) + "/actions/workflows/" + std::to_string(workflow)},
          {"head_commit", head ? json::value(github_commit(*head)) : json::value()},
          {"repository", github_repository(in.urls, in.repo)},
          {"head_repository", github_repository(in.urls, in.repo)}};
}

json::object github_job(const GithubRun& in, const pipeline::Job& job, const LiveJob& live) {
  json::array labels;
  for (const auto& label : live.labels) labels.emplace_back(label);
  const bool taken = !job.runner.empty();
  return {{"id", job.id},
          {"run_id", in.run.id},
          {"workflow_name", in.run.workflow},
          {"head_branch", or_null(in.run.branch)},
          {"run_url", url_of_run(in)},
          {"run_attempt", attempt_of(in.run, job)},
          {"node_id", node_id("CheckRun", job.id)},
          {"head_sha", in.run.commit},
          {"url", in.urls.repository(in.run.repository) + "/actions/jobs/" + std::to_string(job.id)},
          {"html_url", page_of_job(in, job)},
          {"status", pipeline::name_of(job.status)},
          {"conclusion", conclusion_of(job.conclusion)},
          {"created_at", github_time(made_at(in, job))},
          {"started_at", github_time(job.started_at.value_or(made_at(in, job)))},
          {"completed_at", time_or_null(job.completed_at)},
          {"name", job.name},
          {"steps", steps_of(job, live)},
          {"check_run_url", url_of_check(in, job)},
          {"labels", std::move(labels)},
          {"runner_id", taken ? json::value(number_for("runner", job.runner)) : json::value()},
          {"runner_name", or_null(job.runner)},
          {"runner_group_id", nullptr},
          {"runner_group_name", nullptr}};
}

json::object github_check_run(const GithubRun& in, const pipeline::Job& job) {
  json::object output{{"title", or_null(job.reason)},
                      {"summary", nullptr},
                      {"text", nullptr},
                      {"annotations_count", job.annotations.size()},
                      {"annotations_url", url_of_check(in, job) + "/annotations"}};
  return {{"id", job.id},
          {"name", job.name},
          {"node_id", node_id("CheckRun", job.id)},
          {"head_sha", in.run.commit},
          {"external_id", job.job},
          {"url", url_of_check(in, job)},
          {"html_url", page_of_job(in, job)},
          {"details_url", page_of_job(in, job)},
          {"status", pipeline::name_of(job.status)},
          {"conclusion", conclusion_of(job.conclusion)},
          {"started_at", github_time(job.started_at.value_or(made_at(in, job)))},
          {"completed_at", time_or_null(job.completed_at)},
          {"output", std::move(output)},
          {"check_suite", json::object{{"id", in.run.id}}},
          {"app", github_issuer(in.urls)},
          {"pull_requests", json::array()}};
}

// GitHub names `.github` where an annotation is about no file, and columns only within one line.
json::array github_annotations(const GithubRun& in, const pipeline::Job& job) {
  json::array list;
  for (const auto& note : job.annotations) {
    const std::string path = note.file.empty() ? ".github" : note.file;
    const int64_t line = std::max<int64_t>(1, note.line), end = std::max(line, note.end_line);
    auto column = [&](int64_t at) { return at > 0 && line == end ? json::value(at) : json::value(); };
    list.push_back(
        json::object{{"path", path},
                     {"blob_href", in.urls.web() + "/" + in.run.repository + "/blob/" + in.run.commit + "/" + path},
                     {"start_line", line},
                     {"end_line", end},
                     {"start_column", column(note.column)},
                     {"end_column", column(std::max(note.column, note.end_column))},
                     {"annotation_level", note.level == "error" ? "failure" : note.level},
                     {"title", note.title},
                     {"message", note.message},
                     {"raw_details", nullptr}});
  }
  return list;
}

bool has_status(const pipeline::Job& job, std::string_view status) {
  return status.empty() || pipeline::name_of(job.status) == status ||
         (job.conclusion && events::name_of(*job.conclusion) == status);
}

}  // namespace headrace::server
