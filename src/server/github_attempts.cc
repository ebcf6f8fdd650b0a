// Attempts of a run as GitHub's API has them: each as it ended, though the run has gone on since.
#include "server/github_api.h"
#include "server/github_pages.h"
#include "server/github_runs.h"
#include "server/request.h"
#include "services/pipeline/pipeline.h"

namespace headrace::server {

using core::Result;
using core::Task;

namespace {

Task<Result<GithubRunFound>> attempt_in(Platform& platform, Call& call) {
  auto found = co_await github_run_in(platform, call);
  if (!found) co_return std::unexpected(found.error());
  auto number = number_of(call.capture("attempt"));
  if (!number || *number > INT64_MAX) co_return github_nothing("attempt", call, "attempt");
  auto run = co_await platform.pipeline.view_attempt(found->run.id, static_cast<int64_t>(*number));
  if (!run) co_return std::unexpected(run.error());
  found->run = std::move(*run);
  co_return found;
}

Task<Result<>> show(Platform& platform, Call& call) {
  auto found = co_await attempt_in(platform, call);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await answer_github_run(platform, call, std::move(*found));
}

Task<Result<>> list_jobs(Platform& platform, Call& call) {
  auto found = co_await attempt_in(platform, call);
  if (!found) co_return std::unexpected(found.error());
  auto jobs = github_jobs_of(found->run);
  co_return co_await answer_github_jobs(platform, call, std::move(*found), std::move(jobs));
}

}  // namespace

void add_github_attempt_routes(Router& router, Platform& platform) {
  const std::string attempt = "/actions/runs/{run}/attempts/{attempt}";
  add_github_get(router, attempt, "An attempt of a workflow run", {},
                 [&platform](Call& call) { return show(platform, call); });
  add_github_get(router, attempt + "/jobs", "Jobs of an attempt", {github_page_parameter, github_per_page_parameter},
                 [&platform](Call& call) { return list_jobs(platform, call); });
}

}  // namespace headrace::server
