// GitHub's REST API under /api/v3, as much of it as tells of runs: workflow runs, jobs, their logs, check runs and
// annotations, and to run again or cancel. What is answered has the form of GitHub's own description of its API (a test
// holds it against that); docs/github-api.md lists what there is.
#pragma once

#include "server/platform.h"
#include "server/router.h"
#include "services/pipeline/runs.h"
#include "services/repository/projection.h"

namespace headrace::server {

void add_github_routes(Router& router, Platform& platform);
void add_github_check_routes(Router& router, Platform& platform);    // github_checks.cc
void add_github_attempt_routes(Router& router, Platform& platform);  // github_attempts.cc
void add_github_log_route(Router& router, Platform& platform);       // github_logs.cc

// A route that tells of runs: GET /api/v3/repos/{owner}/{repo}<path>.
void add_github_get(Router& router, const std::string& path, std::string about, std::vector<QueryParameter> parameters,
                    Action action);

// ---- What a path names: github_found.cc. not_found: it is not there, or not of that repository.
core::Task<core::Result<repository::Repo>> github_repo_in(Platform& platform, Call& call);
std::unexpected<core::Error> github_nothing(std::string_view what, const Call& call, std::string_view capture);

struct GithubRunFound {
  pipeline::Run run;
  repository::Repo repo;
};
core::Task<core::Result<GithubRunFound>> github_run_in(Platform& platform, Call& call);

// The job the path names, with its run, if both are of the repository that the path names.
struct GithubJobFound {
  pipeline::Run run;
  pipeline::Job job;
  repository::Repo repo;
};
core::Task<core::Result<GithubJobFound>> github_job_in(Platform& platform, Call& call, std::string capture);

// Those that have an id: a job that waits for others has none yet, and GitHub does not show it.
std::vector<pipeline::Job> github_jobs_of(const pipeline::Run& run);

// {"total_count","jobs"}, a page of them.
core::Task<core::Result<>> answer_github_jobs(Platform& platform, Call& call, GithubRunFound found,
                                              std::vector<pipeline::Job> jobs);
core::Task<core::Result<>> answer_github_run(Platform& platform, Call& call, GithubRunFound found);

}  // namespace headrace::server
