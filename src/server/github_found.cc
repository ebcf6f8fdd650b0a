// The paths of GitHub's API, and what they name.
#include <algorithm>

#include "server/github_api.h"
#include "server/request.h"
#include "server/runs_api.h"
#include "services/pipeline/pipeline.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
using pipeline::Run;
using repository::Repo;

static std::string full_name(const Call& call) { return call.capture("owner") + "/" + call.capture("repo"); }

void add_github_get(Router& router, const std::string& path, std::string about, std::vector<QueryParameter> parameters,
                    Action action) {
  router.add({net::Method::get,
              "/api/v3/repos/{owner}/{repo}" + path,
              Right::read_runs,
              {std::move(about), "github", std::move(parameters), {}},
              std::move(action)});
}

Task<Result<Repo>> github_repo_in(Platform& platform, Call& call) {
  auto found = co_await platform.repositories.find(full_name(call));
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return core::fail(Code::not_found, "There is no repository " + full_name(call) + ".");
  co_return std::move(**found);
}

std::unexpected<core::Error> github_nothing(std::string_view what, const Call& call, std::string_view capture) {
  return core::fail(Code::not_found,
                    full_name(call) + " has no " + std::string(what) + " " + call.capture(capture).substr(0, 60) + ".");
}

Task<Result<GithubRunFound>> github_run_in(Platform& platform, Call& call) {
  auto repo = co_await github_repo_in(platform, call);
  if (!repo) co_return std::unexpected(repo.error());
  auto id = number_of(call.capture("run"));
  if (!id || *id > INT64_MAX) co_return github_nothing("run", call, "run");
  auto run = co_await platform.pipeline.view(static_cast<int64_t>(*id));
  if (!run && run.error().code != Code::not_found) co_return std::unexpected(run.error());
  if (!run || run->repository_id != repo->id) co_return github_nothing("run", call, "run");
  co_return GithubRunFound{std::move(*run), std::move(*repo)};
}

Task<Result<GithubJobFound>> github_job_in(Platform& platform, Call& call, std::string capture) {
  auto repo = co_await github_repo_in(platform, call);
  if (!repo) co_return std::unexpected(repo.error());
  auto id = number_of(call.capture(capture));
  if (!id || *id > INT64_MAX) co_return github_nothing("job", call, capture);
  auto job = co_await platform.pipeline.job(static_cast<int64_t>(*id));
  if (!job && job.error().code != Code::not_found) co_return std::unexpected(job.error());
  if (!job) co_return github_nothing("job", call, capture);
  auto run = co_await platform.pipeline.view_by_uuid(job->run);
  if (!run && run.error().code != Code::not_found) co_return std::unexpected(run.error());
  if (!run || run->repository_id != repo->id) co_return github_nothing("job", call, capture);
  add_live_annotations(platform, *job);
  co_return GithubJobFound{std::move(*run), std::move(*job), std::move(*repo)};
}

std::vector<pipeline::Job> github_jobs_of(const Run& run) {
  std::vector<pipeline::Job> jobs = run.jobs;
  std::erase_if(jobs, [](const auto& job) { return job.id == 0; });
  return jobs;
}

}  // namespace headrace::server
