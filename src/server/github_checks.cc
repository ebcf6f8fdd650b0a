// Check runs as GitHub's API has them: a job is one. And the annotations on them.
#include "server/answers.h"
#include "server/github_api.h"
#include "server/github_pages.h"
#include "server/github_runs.h"
#include "server/runs_api.h"
#include "services/pipeline/pipeline.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Result;
using core::Task;
using pipeline::Run;
using repository::Repo;
namespace json = core::json;

namespace {

constexpr size_t runs_of_commit_max = pipeline::search_limit_max;  // whose jobs are listed as its checks

Task<Result<>> show_check(Platform& platform, Call& call) {
  auto found = co_await github_job_in(platform, call, "check");
  if (!found) co_return std::unexpected(found.error());
  const GithubUrls urls(platform.public_url);
  auto shown = github_check_run({urls, found->run, found->repo}, found->job);
  co_return co_await call.exchange.respond(json_answer(shown));
}

Task<Result<>> list_annotations(Platform& platform, Call& call) {
  auto found = co_await github_job_in(platform, call, "check");
  if (!found) co_return std::unexpected(found.error());
  auto page = github_page_of(call);
  if (!page) co_return std::unexpected(page.error());
  const size_t total = found->job.annotations.size();
  found->job.annotations = cut(std::move(found->job.annotations), *page);
  const GithubUrls urls(platform.public_url);
  auto list = github_annotations({urls, found->run, found->repo}, found->job);
  co_return co_await call.exchange.respond(github_page_answer(platform, call, list, *page, total));
}

// The commit that a path's {ref} names: a commit, a branch, a tag, "heads/b" or "tags/t".
Task<Result<std::string>> commit_named(Platform& platform, Call& call, Repo repo) {
  std::string name = call.capture("ref");
  if (name.starts_with("heads/") || name.starts_with("tags/")) name = "refs/" + name;
  auto read = [name](git::Repository& in) { return in.resolve(name); };
  auto commit = co_await platform.repositories.read(repo.id, std::move(read));
  if (!commit) co_return github_nothing("commit", call, "ref");
  co_return commit;
}

struct Check {
  Run run;
  pipeline::Job job;
};

Task<Result<std::vector<Check>>> checks_of(Platform& platform, Repo repo, std::string commit) {
  pipeline::RunSearch search;
  search.repository = repo.full_name;
  search.commit = std::move(commit);
  search.limit = runs_of_commit_max;
  auto found = co_await platform.pipeline.search(std::move(search));
  if (!found) co_return std::unexpected(found.error());
  std::vector<Check> checks;
  for (int64_t id : found->ids) {
    auto run = co_await platform.pipeline.view(id);
    if (!run) co_return std::unexpected(run.error());
    auto jobs = github_jobs_of(*run);
    run->jobs.clear();
    for (auto& job : jobs) {
      add_live_annotations(platform, job);
      checks.push_back({*run, std::move(job)});
    }
  }
  co_return checks;
}

Task<Result<>> list_checks(Platform& platform, Call& call) {
  auto repo = co_await github_repo_in(platform, call);
  if (!repo) co_return std::unexpected(repo.error());
  auto page = github_page_of(call);
  if (!page) co_return std::unexpected(page.error());
  auto commit = co_await commit_named(platform, call, *repo);
  if (!commit) co_return std::unexpected(commit.error());
  auto checks = co_await checks_of(platform, *repo, std::move(*commit));
  if (!checks) co_return std::unexpected(checks.error());
  const std::string name = call.query("check_name"), status = call.query("status");
  std::erase_if(*checks, [&](const Check& check) {
    return (!name.empty() && check.job.name != name) || !has_status(check.job, status);
  });
  const size_t total = checks->size();
  const GithubUrls urls(platform.public_url);
  json::array list;
  for (const auto& check : cut(std::move(*checks), *page))
    list.push_back(github_check_run({urls, check.run, *repo}, check.job));
  json::object answer;
  answer["total_count"] = total;
  answer["check_runs"] = std::move(list);
  co_return co_await call.exchange.respond(github_page_answer(platform, call, answer, *page, total));
}

}  // namespace

void add_github_check_routes(Router& router, Platform& platform) {
  const auto& page = github_page_parameter;
  const auto& per_page = github_per_page_parameter;
  auto get = [&](const std::string& path, std::string about, std::vector<QueryParameter> parameters, Action action) {
    add_github_get(router, path, std::move(about), std::move(parameters), std::move(action));
  };
  get("/check-runs/{check}", "A check run: a job, by its id", {},
      [&platform](Call& call) { return show_check(platform, call); });
  get("/check-runs/{check}/annotations", "Annotations of a check run", {page, per_page},
      [&platform](Call& call) { return list_annotations(platform, call); });
  get("/commits/{ref}/check-runs", "Check runs of a commit, a branch or a tag",
      {{"check_name", "only of this name"}, {"status", "status or conclusion"}, page, per_page},
      [&platform](Call& call) { return list_checks(platform, call); });
}

}  // namespace headrace::server
