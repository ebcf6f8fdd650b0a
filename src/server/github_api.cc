#include "server/github_api.h"

#include <set>

#include "server/answers.h"
#include "server/github_created.h"
#include "server/github_pages.h"
#include "server/github_runs.h"
#include "server/request.h"
#include "services/pipeline/pipeline.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
using repository::Repo;
namespace json = core::json;

namespace {

constexpr size_t body_max = 16 * 1024;

// Of a commit that is gone nothing is known.
Task<std::optional<git::Commit>> commit_of(Platform& platform, Repo repo, std::string id) {
  auto read = [id](git::Repository& in) { return in.commit(id); };
  auto commit = co_await platform.repositories.read(repo.id, std::move(read));
  if (!commit) co_return std::nullopt;
  co_return std::move(*commit);
}

// ---- Runs
Task<Result<>> list_runs(Platform& platform, Call& call) {
  auto repo = co_await github_repo_in(platform, call);
  if (!repo) co_return std::unexpected(repo.error());
  auto page = github_page_of(call);
  if (!page) co_return std::unexpected(page.error());
  auto created = created_range(call.query("created"));
  if (!created) co_return std::unexpected(created.error());
  pipeline::RunSearch search{.repository = repo->full_name,
                             .branch = call.query("branch"),
                             .event = call.query("event"),
                             .actor = call.query("actor"),
                             .commit = call.query("head_sha"),
                             .from = created->from,
                             .to = created->to,
                             .status = call.query("status"),
                             .skip = page->skip(),
                             .limit = page->size};
  auto found = co_await platform.pipeline.search(std::move(search));
  if (!found) co_return std::unexpected(found.error());
  const GithubUrls urls(platform.public_url);
  json::array runs;
  for (int64_t id : found->ids) {
    auto run = co_await platform.pipeline.view(id);
    if (!run) co_return std::unexpected(run.error());
    auto head = co_await commit_of(platform, *repo, run->commit);
    runs.push_back(github_run({urls, *run, *repo}, head));
  }
  json::object answer;
  answer["total_count"] = found->total;
  answer["workflow_runs"] = std::move(runs);
  auto response = github_page_answer(platform, call, answer, *page, static_cast<size_t>(found->total));
  co_return co_await call.exchange.respond(std::move(response));
}

Task<Result<>> show_run(Platform& platform, Call& call) {
  auto found = co_await github_run_in(platform, call);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await answer_github_run(platform, call, std::move(*found));
}

// filter=all: those of the attempts before, too, the newest attempt first.
Task<Result<>> list_jobs(Platform& platform, Call& call) {
  auto found = co_await github_run_in(platform, call);
  if (!found) co_return std::unexpected(found.error());
  const std::string filter = call.query("filter");
  if (!filter.empty() && filter != "latest" && filter != "all")
    co_return core::fail(Code::invalid, "filter is latest (the newest attempt) or all (every attempt), not '" +
                                            filter.substr(0, 60) + "'.");
  auto jobs = github_jobs_of(found->run);
  std::set<int64_t> listed;
  for (const auto& job : jobs) listed.insert(job.id);
  int64_t attempt = found->run.attempt;
  for (store::Offset began = found->run.began; filter == "all" && attempt > 1;) {  // the run as it was before that
    auto before = co_await platform.pipeline.view(found->run.id, began - 1);
    if (!before) co_return std::unexpected(before.error());
    attempt = before->attempt;
    began = before->began;
    for (auto& job : github_jobs_of(*before))  // one that did not run again is of both
      if (listed.insert(job.id).second) jobs.push_back(std::move(job));
  }
  co_return co_await answer_github_jobs(platform, call, std::move(*found), std::move(jobs));
}

// ---- Jobs
LiveJob live_job(Platform& platform, const pipeline::Job& job) {
  LiveJob live{.labels = {}, .steps = platform.runner.live_steps(job.job)};
  auto row = platform.store.read_here(runner::JobsProjection::projection_name, {},
                                      [&](sqlite::Connection& tables) { return runner::find_job(tables, job.job); });
  if (row && *row) live.labels = (*row)->labels;
  return live;
}

Task<Result<>> show_job(Platform& platform, Call& call) {
  auto found = co_await github_job_in(platform, call, "job");
  if (!found) co_return std::unexpected(found.error());
  const GithubUrls urls(platform.public_url);
  auto shown = github_job({urls, found->run, found->repo}, found->job, live_job(platform, found->job));
  co_return co_await call.exchange.respond(json_answer(shown));
}

// ---- Acting. A body ({"enable_debug_logging"}) may come, and changes nothing.
Task<Result<>> take_body(Call& call) {
  auto body = co_await read_body(call, body_max);
  if (!body) co_return std::unexpected(body.error());
  co_return Result<>{};
}

Task<Result<>> done(Call& call, net::Status status) {
  co_return co_await call.exchange.respond(json_answer(json::object(), status));
}

Task<Result<>> rerun(Platform& platform, Call& call, pipeline::Jobs which) {
  auto found = co_await github_run_in(platform, call);
  if (!found) co_return std::unexpected(found.error());
  if (auto read = co_await take_body(call); !read) co_return read;
  auto again = co_await platform.pipeline.rerun(call.caller.actor, found->run.id, which);
  if (!again) co_return again;
  co_return co_await done(call, net::Status::created);
}

Task<Result<>> rerun_job(Platform& platform, Call& call) {
  auto found = co_await github_job_in(platform, call, "job");
  if (!found) co_return std::unexpected(found.error());
  if (auto read = co_await take_body(call); !read) co_return read;
  auto again = co_await platform.pipeline.rerun(call.caller.actor, found->run.id, pipeline::Jobs::one, found->job.job);
  if (!again) co_return again;
  co_return co_await done(call, net::Status::created);
}

Task<Result<>> cancel(Platform& platform, Call& call, pipeline::Force force) {
  auto found = co_await github_run_in(platform, call);
  if (!found) co_return std::unexpected(found.error());
  if (auto read = co_await take_body(call); !read) co_return read;
  auto cancelled = co_await platform.pipeline.cancel(call.caller.actor, found->run.id, force);
  if (!cancelled) co_return cancelled;
  co_return co_await done(call, net::Status::accepted);
}

}  // namespace

Task<Result<>> answer_github_run(Platform& platform, Call& call, GithubRunFound found) {
  auto head = co_await commit_of(platform, found.repo, found.run.commit);
  const GithubUrls urls(platform.public_url);
  auto shown = github_run({urls, found.run, found.repo}, head);
  co_return co_await call.exchange.respond(json_answer(shown));
}

Task<Result<>> answer_github_jobs(Platform& platform, Call& call, GithubRunFound found,
                                  std::vector<pipeline::Job> jobs) {
  auto page = github_page_of(call);
  if (!page) co_return std::unexpected(page.error());
  const GithubUrls urls(platform.public_url);
  const size_t total = jobs.size();
  json::array list;
  for (const auto& job : cut(std::move(jobs), *page))
    list.push_back(github_job({urls, found.run, found.repo}, job, live_job(platform, job)));
  json::object answer;
  answer["total_count"] = total;
  answer["jobs"] = std::move(list);
  co_return co_await call.exchange.respond(github_page_answer(platform, call, answer, *page, total));
}

void add_github_routes(Router& router, Platform& platform) {
  const std::string repo = "/api/v3/repos/{owner}/{repo}";
  const auto& page = github_page_parameter;
  const auto& per_page = github_per_page_parameter;
  auto get = [&](const std::string& path, std::string about, std::vector<QueryParameter> parameters, Action action) {
    add_github_get(router, path, std::move(about), std::move(parameters), std::move(action));
  };
  auto post = [&](std::string path, std::string about, int status, Action action) {
    router.add({net::Method::post,
                repo + path,
                Right::write_runs,
                {std::move(about), "github", {}, {}, "application/json", status},
                std::move(action)});
  };
  get("/actions/runs", "Workflow runs, newest first",
      {{"actor", "only of this account"},
       {"branch", "only of this one"},
       {"event", "only by this"},
       {"head_sha", "only of this commit"},
       {"status", "status or conclusion"},
       {"created", "then or in between: 2026-11-23, >=2026-11-23T10:00:00Z, 2026-11-01..2026-11-23"},
       page,
       per_page},
      [&platform](Call& call) { return list_runs(platform, call); });
  get("/actions/runs/{run}", "A workflow run", {}, [&platform](Call& call) { return show_run(platform, call); });
  get("/actions/runs/{run}/jobs", "Jobs of a workflow run",
      {{"filter", "latest, or all: of every attempt"}, page, per_page},
      [&platform](Call& call) { return list_jobs(platform, call); });
  get("/actions/jobs/{job}", "A job", {}, [&platform](Call& call) { return show_job(platform, call); });
  post("/actions/runs/{run}/rerun", "Run it again", 201,
       [&platform](Call& call) { return rerun(platform, call, pipeline::Jobs::all); });
  post("/actions/runs/{run}/rerun-failed-jobs", "Run again what failed", 201,
       [&platform](Call& call) { return rerun(platform, call, pipeline::Jobs::failed); });
  post("/actions/jobs/{job}/rerun", "Run a job again, with what needs it", 201,
       [&platform](Call& call) { return rerun_job(platform, call); });
  post("/actions/runs/{run}/cancel", "Cancel it", 202,
       [&platform](Call& call) { return cancel(platform, call, pipeline::Force::no); });
  post("/actions/runs/{run}/force-cancel", "Cancel it at once, with what is `if: always()`", 202,
       [&platform](Call& call) { return cancel(platform, call, pipeline::Force::yes); });
  add_github_attempt_routes(router, platform);
  add_github_check_routes(router, platform);
  add_github_log_route(router, platform);
}

}  // namespace headrace::server
