// Runs, jobs, check runs and annotations as GitHub's REST API has them. A job and its check run have one id, as on
// GitHub; a check suite is a run. Pure, but for what is given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "server/github_json.h"
#include "services/pipeline/runs.h"
#include "services/runner/runner.h"

namespace headrace::server {

// What a run stands in.
struct GithubRun {
  const GithubUrls& urls;
  const pipeline::Run& run;
  const repository::Repo& repo;
};

core::json::object github_run(const GithubRun& in, const std::optional<git::Commit>& head);  // workflow-run

// What only the runner service knows of a job: its labels, and its steps while it is at work.
struct LiveJob {
  std::vector<std::string> labels;
  std::vector<runner::LiveStep> steps;
};
core::json::object github_job(const GithubRun& in, const pipeline::Job& job, const LiveJob& live);  // job
core::json::object github_check_run(const GithubRun& in, const pipeline::Job& job);                 // check-run
core::json::array github_annotations(const GithubRun& in, const pipeline::Job& job);  // of check-annotation

// What "status" of a request may name, status or conclusion, as clients send it.
bool has_status(const pipeline::Job& job, std::string_view status);

}  // namespace headrace::server
