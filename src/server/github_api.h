// GitHub's REST API under /api/v3, as much of it as tells of runs: workflow runs, jobs, their logs, check runs and
// annotations, and to run again or cancel. What is answered has the form of GitHub's own description of its API (a test
// holds it against that); docs/github-api.md lists what there is.
#pragma once

#include "server/platform.h"
#include "server/router.h"
#include "services/pipeline/runs.h"
#include "services/repository/projection.h"

namespace headrace::server {

inline constexpr size_t github_page_max = 100;

void add_github_routes(Router& router, Platform& platform);
void add_github_log_route(Router& router, Platform& platform);  // github_logs.cc

// The job the path names, with its run, if both are of the repository that the path names.
struct GithubJobFound {
  pipeline::Run run;
  pipeline::Job job;
  repository::Repo repo;
};
core::Task<core::Result<GithubJobFound>> github_job_in(Platform& platform, Call& call, std::string capture);

}  // namespace headrace::server
