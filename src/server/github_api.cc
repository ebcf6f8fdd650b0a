#include "server/github_api.h"

#include <algorithm>

#include "net/url.h"
#include "server/answers.h"
#include "server/github_runs.h"
#include "server/request.h"
#include "services/pipeline/pipeline.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
using pipeline::Run;
using repository::Repo;
namespace json = core::json;

namespace {

constexpr size_t body_max = 16 * 1024;
constexpr size_t runs_of_commit_max = pipeline::search_limit_max;  // whose jobs are listed as its checks

std::string full_name(const Call& call) { return call.capture("owner") + "/" + call.capture("repo"); }

// ---- Pages, by number. GitHub Docs, "Using pagination in the REST API".
struct Page {
  size_t number = 1;
  size_t size = 30;
  size_t skip() const { return (number - 1) * size; }
};

Result<Page> page_of(const Call& call) {
  auto number = number_in(call, "page", 1, INT32_MAX, 1);
  if (!number) return std::unexpected(number.error());
  auto size = number_in(call, "per_page", 1, INT32_MAX, 30);
  if (!size) return std::unexpected(size.error());
  return Page{*number, std::min<size_t>(*size, github_page_max)};
}

std::string link_to(const Platform& platform, const net::Request& request, size_t number, std::string_view relation) {
  std::string url = platform.public_url + request.path + "?";
  for (const auto& [name, value] : request.query)
    if (name != "page") url += net::percent_encode(name) + "=" + net::percent_encode(value) + "&";
  return "<" + url + "page=" + std::to_string(number) + ">; rel=\"" + std::string(relation) + "\"";
}

net::Response page_answer(const Platform& platform, const Call& call, const json::value& value, Page page,
                          size_t total) {
  auto response = json_answer(value);
  const size_t last = std::max<size_t>(1, (total + page.size - 1) / page.size);
  std::string links;
  auto add = [&](size_t number, std::string_view relation) {
    links += (links.empty() ? "" : ", ") + link_to(platform, call.request(), number, relation);
  };
  if (page.number > 1) add(std::min(page.number - 1, last), "prev");
  if (page.number < last) add(page.number + 1, "next");
  if (page.number < last) add(last, "last");
  if (page.number > 1) add(1, "first");
  if (!links.empty()) response.headers.set("Link", links);
  return response;
}

template <class T>
std::vector<T> cut(std::vector<T> all, Page page) {
  if (page.skip() >= all.size()) return {};
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(page.skip()));
  if (all.size() > page.size) all.resize(page.size);
  return all;
}

// ---- What a path names.
Task<Result<Repo>> repo_in(Platform& platform, Call& call) {
  auto found = co_await platform.repositories.find(full_name(call));
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return core::fail(Code::not_found, "There is no repository " + full_name(call) + ".");
  co_return std::move(**found);
}

std::unexpected<core::Error> nothing(std::string_view what, const Call& call, std::string_view capture) {
  return core::fail(Code::not_found,
                    full_name(call) + " has no " + std::string(what) + " " + call.capture(capture).substr(0, 60) + ".");
}

struct Found {
  Run run;
  Repo repo;
};

Task<Result<Found>> run_of_path(Platform& platform, Call& call) {
  auto repo = co_await repo_in(platform, call);
  if (!repo) co_return std::unexpected(repo.error());
  auto id = number_of(call.capture("run"));
  if (!id || *id > INT64_MAX) co_return nothing("run", call, "run");
  auto run = co_await platform.pipeline.view(static_cast<int64_t>(*id));
  if (!run && run.error().code != Code::not_found) co_return std::unexpected(run.error());
  if (!run || run->repository_id != repo->id) co_return nothing("run", call, "run");
  co_return Found{std::move(*run), std::move(*repo)};
}

// Of a commit that is gone nothing is known.
Task<std::optional<git::Commit>> commit_of(Platform& platform, Repo repo, std::string id) {
  auto read = [id](git::Repository& in) { return in.commit(id); };
  auto commit = co_await platform.repositories.read(repo.id, std::move(read));
  if (!commit) co_return std::nullopt;
  co_return std::move(*commit);
}

LiveJob live_job(Platform& platform, const pipeline::Job& job) {
  LiveJob live{.labels = {}, .steps = platform.runner.live_steps(job.job)};
  auto row = platform.store.read_here(runner::JobsProjection::projection_name, {},
                                      [&](sqlite::Connection& tables) { return runner::find_job(tables, job.job); });
  if (row && *row) live.labels = (*row)->labels;
  return live;
}

// A job that waits for others has no id yet, and is not shown.
std::vector<pipeline::Job> shown_jobs(const Run& run) {
  std::vector<pipeline::Job> jobs = run.jobs;
  std::erase_if(jobs, [](const auto& job) { return job.id == 0; });
  return jobs;
}

// ---- Runs
Task<Result<>> list_runs(Platform& platform, Call& call) {
  auto repo = co_await repo_in(platform, call);
  if (!repo) co_return std::unexpected(repo.error());
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  if (!call.query("created").empty())
    co_return core::fail(Code::invalid,
                         "Runs cannot be searched by created; by actor, branch, event, head_sha and status.");
  pipeline::RunSearch search{.repository = repo->full_name,
                             .branch = call.query("branch"),
                             .event = call.query("event"),
                             .actor = call.query("actor"),
                             .commit = call.query("head_sha"),
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
  auto response = page_answer(platform, call, answer, *page, static_cast<size_t>(found->total));
  co_return co_await call.exchange.respond(std::move(response));
}

Task<Result<>> show_run(Platform& platform, Call& call) {
  auto found = co_await run_of_path(platform, call);
  if (!found) co_return std::unexpected(found.error());
  auto head = co_await commit_of(platform, found->repo, found->run.commit);
  const GithubUrls urls(platform.public_url);
  auto shown = github_run({urls, found->run, found->repo}, head);
  co_return co_await call.exchange.respond(json_answer(shown));
}

Task<Result<>> list_jobs(Platform& platform, Call& call) {
  auto found = co_await run_of_path(platform, call);
  if (!found) co_return std::unexpected(found.error());
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  const std::string filter = call.query("filter");
  if (!filter.empty() && filter != "latest" && (filter != "all" || found->run.attempt > 1))
    co_return core::fail(Code::invalid, "Jobs are listed of the newest attempt: filter=latest.");
  const GithubUrls urls(platform.public_url);
  auto jobs = shown_jobs(found->run);
  const size_t total = jobs.size();
  json::array list;
  for (const auto& job : cut(std::move(jobs), *page))
    list.push_back(github_job({urls, found->run, found->repo}, job, live_job(platform, job)));
  json::object answer;
  answer["total_count"] = total;
  answer["jobs"] = std::move(list);
  co_return co_await call.exchange.respond(page_answer(platform, call, answer, *page, total));
}

// ---- Jobs and check runs
Task<Result<>> show_job(Platform& platform, Call& call) {
  auto found = co_await github_job_in(platform, call, "job");
  if (!found) co_return std::unexpected(found.error());
  const GithubUrls urls(platform.public_url);
  auto shown = github_job({urls, found->run, found->repo}, found->job, live_job(platform, found->job));
  co_return co_await call.exchange.respond(json_answer(shown));
}

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
  auto page = page_of(call);
  if (!page) co_return std::unexpected(page.error());
  const size_t total = found->job.annotations.size();
  found->job.annotations = cut(std::move(found->job.annotations), *page);
  const GithubUrls urls(platform.public_url);
  auto list = github_annotations({urls, found->run, found->repo}, found->job);
  co_return co_await call.exchange.respond(page_answer(platform, call, list, *page, total));
}

// The commit that a path's {ref} names: a commit, a branch, a tag, "heads/b" or "tags/t".
Task<Result<std::string>> commit_named(Platform& platform, Call& call, Repo repo) {
  std::string name = call.capture("ref");
  if (name.starts_with("heads/") || name.starts_with("tags/")) name = "refs/" + name;
  auto read = [name](git::Repository& in) { return in.resolve(name); };
  auto commit = co_await platform.repositories.read(repo.id, std::move(read));
  if (!commit) co_return nothing("commit", call, "ref");
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
    auto jobs = shown_jobs(*run);
    run->jobs.clear();
    for (auto& job : jobs) checks.push_back({*run, std::move(job)});
  }
  co_return checks;
}

Task<Result<>> list_checks(Platform& platform, Call& call) {
  auto repo = co_await repo_in(platform, call);
  if (!repo) co_return std::unexpected(repo.error());
  auto page = page_of(call);
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
  co_return co_await call.exchange.respond(page_answer(platform, call, answer, *page, total));
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
  auto found = co_await run_of_path(platform, call);
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
  auto found = co_await run_of_path(platform, call);
  if (!found) co_return std::unexpected(found.error());
  if (auto read = co_await take_body(call); !read) co_return read;
  auto cancelled = co_await platform.pipeline.cancel(call.caller.actor, found->run.id, force);
  if (!cancelled) co_return cancelled;
  co_return co_await done(call, net::Status::accepted);
}

}  // namespace

Task<Result<GithubJobFound>> github_job_in(Platform& platform, Call& call, std::string capture) {
  auto repo = co_await repo_in(platform, call);
  if (!repo) co_return std::unexpected(repo.error());
  auto id = number_of(call.capture(capture));
  if (!id || *id > INT64_MAX) co_return nothing("job", call, capture);
  auto job = co_await platform.pipeline.job(static_cast<int64_t>(*id));
  if (!job && job.error().code != Code::not_found) co_return std::unexpected(job.error());
  if (!job) co_return nothing("job", call, capture);
  auto run = co_await platform.pipeline.view_by_uuid(job->run);
  if (!run && run.error().code != Code::not_found) co_return std::unexpected(run.error());
  if (!run || run->repository_id != repo->id) co_return nothing("job", call, capture);
  co_return GithubJobFound{std::move(*run), std::move(*job), std::move(*repo)};
}

void add_github_routes(Router& router, Platform& platform) {
  const std::string repo = "/api/v3/repos/{owner}/{repo}";
  const QueryParameter page{"page", "from 1"}, per_page{"per_page", "1 to 100; 30 where absent"};
  auto get = [&](std::string path, std::string about, std::vector<QueryParameter> parameters, Action action) {
    router.add({net::Method::get,
                repo + path,
                Right::read_runs,
                {std::move(about), "github", std::move(parameters), {}},
                std::move(action)});
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
       page,
       per_page},
      [&platform](Call& call) { return list_runs(platform, call); });
  get("/actions/runs/{run}", "A workflow run", {}, [&platform](Call& call) { return show_run(platform, call); });
  get("/actions/runs/{run}/jobs", "Jobs of a workflow run", {{"filter", "latest"}, page, per_page},
      [&platform](Call& call) { return list_jobs(platform, call); });
  get("/actions/jobs/{job}", "A job", {}, [&platform](Call& call) { return show_job(platform, call); });
  get("/check-runs/{check}", "A check run: a job, by its id", {},
      [&platform](Call& call) { return show_check(platform, call); });
  get("/check-runs/{check}/annotations", "Annotations of a check run", {page, per_page},
      [&platform](Call& call) { return list_annotations(platform, call); });
  get("/commits/{ref}/check-runs", "Check runs of a commit, a branch or a tag",
      {{"check_name", "only of this name"}, {"status", "status or conclusion"}, page, per_page},
      [&platform](Call& call) { return list_checks(platform, call); });
  post("/actions/runs/{run}/rerun", "Run it again", 201,
       [&platform](Call& call) { return rerun(platform, call, pipeline::Jobs::all); });
  post("/actions/runs/{run}/rerun-failed-jobs", "Run again what failed", 201,
       [&platform](Call& call) { return rerun(platform, call, pipeline::Jobs::failed); });
  post("/actions/jobs/{job}/rerun", "Run a job again, with what needs it", 201,
       [&platform](Call& call) { return rerun_job(platform, call); });
  post("/actions/runs/{run}/cancel", "Cancel it", 202,
       [&platform](Call& call) { return cancel(platform, call, pipeline::Force::no); });
  post("/actions/runs/{run}/force-cancel", "Cancel it with what is `if: always()`", 202,
       [&platform](Call& call) { return cancel(platform, call, pipeline::Force::yes); });
  add_github_log_route(router, platform);
}

}  // namespace headrace::server
