#include "server/runs_api.h"

#include "core/id.h"
#include "server/answers.h"
#include "server/dispatch_api.h"
#include "server/door.h"
#include "server/request.h"
#include "services/repository/repository.h"
#include "services/runner/runner.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t body_max = 64 * 1024;

void add_live_steps(Platform& platform, json::object& job) {
  auto uuid = core::string_at(job, "job").value_or("");
  auto live = platform.runner.live_steps(uuid);
  if (live.empty()) return;
  json::array steps;
  for (const auto& step : live) {
    json::value conclusion;
    if (step.conclusion) conclusion = events::name_of(*step.conclusion);
    steps.push_back(json::object{{"number", step.number},
                                 {"name", step.name},
                                 {"status", step.conclusion ? "completed" : "in_progress"},
                                 {"conclusion", std::move(conclusion)}});
  }
  job["steps"] = std::move(steps);
}

// Why a queued job does not run yet; the projection cannot know which runners are connected.
void add_waiting_reason(Platform& platform, json::object& job, const std::vector<std::string>& labels) {
  if (auto why = platform.runner.unserved(labels)) job["waiting_for"] = *why;
}

std::vector<std::string> labels_of(Platform& platform, const std::string& job) {
  auto row = platform.store.read_here(runner::JobsProjection::projection_name, {},
                                      [&](sqlite::Connection& tables) { return runner::find_job(tables, job); });
  return row && *row ? (*row)->labels : std::vector<std::string>{};
}

Result<pipeline::RunQuery> query_of(const Call& call) {
  pipeline::RunQuery query;
  query.repository = call.query("repository");
  query.branch = call.query("branch");
  query.actor = call.query("actor");
  query.event = call.query("event");
  query.workflow = call.query("workflow");
  query.commit = call.query("commit");
  query.result = call.query("result");
  query.words = call.query("q");
  query.cursor = call.query("cursor");
  auto limit = number_in(call, "limit", 1, pipeline::list_max, 30);
  if (!limit) return std::unexpected(limit.error());
  query.limit = *limit;
  auto number = number_in(call, "number", 1, INT64_MAX, 0);
  if (!number) return std::unexpected(number.error());
  query.number = static_cast<int64_t>(*number);
  auto status = call.query("status");
  if (status == "queued")
    query.status = pipeline::Status::queued;
  else if (status == "in_progress")
    query.status = pipeline::Status::in_progress;
  else if (status == "completed")
    query.status = pipeline::Status::completed;
  else if (!status.empty())
    return core::fail(Code::invalid, "status is queued, in_progress or completed.");
  return query;
}

// The repository that is asked for, by its name as it is written; or those whose runs the caller may see, where these
// are not all: so that pages are filled from them.
Task<Result<>> narrow(Platform& platform, Call& call, pipeline::RunQuery& query, std::optional<store::Offset> at) {
  const auto may_read = [&](const std::string& name) {
    return may_on_repository(platform, call.caller, Right::read_runs, name);
  };
  if (!query.repository.empty()) {
    if (auto allowed = may_read(query.repository); !allowed) co_return allowed;
    auto there = co_await platform.repositories.find(query.repository, at);
    if (!there) co_return std::unexpected(there.error());
    if (!*there)
      co_return core::fail(Code::not_found, "There is no repository '" + query.repository.substr(0, 200) +
                                                "'; repo list shows those there are.");
    query.repository = (*there)->full_name;
    co_return Result<>{};
  }
  if (may_read(identity::Resource::platform().name)) co_return Result<>{};
  auto names = co_await platform.pipeline.repositories(at);
  if (!names) co_return std::unexpected(names.error());
  std::erase_if(*names, [&](const std::string& name) { return !may_read(name); });
  query.within = std::move(*names);
  co_return Result<>{};
}

Task<Result<>> list(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto query = query_of(call);
  if (!query) co_return std::unexpected(query.error());
  if (auto narrowed = co_await narrow(platform, call, *query, *at); !narrowed) co_return narrowed;
  auto page = co_await platform.pipeline.list(*query, *at);
  if (!page) co_return std::unexpected(page.error());
  json::array runs;
  for (const auto& run : page->runs)
    if (may_on_repository(platform, call.caller, Right::read_runs, run.repository))
      runs.push_back(run_json(platform, run, !*at));
  json::object answer;
  answer["runs"] = std::move(runs);
  answer["next"] = page->next.empty() ? json::value() : json::value(page->next);
  answer["looked_until"] = page->looked_until ? json::value(core::format_time(*page->looked_until)) : json::value();
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> show(Platform& platform, Call& call) {
  auto run = co_await run_in(platform, call);
  if (!run) co_return std::unexpected(run.error());
  co_return co_await call.exchange.respond(json_answer(run_json(platform, *run, call.query("at").empty())));
}

// The right to change it, beside that to see it.
Task<Result<pipeline::Run>> run_to_change(Platform& platform, Call& call) {
  auto run = co_await run_in(platform, call);
  if (!run) co_return run;
  if (auto allowed = may_on_repository(platform, call.caller, Right::write_runs, run->repository); !allowed)
    co_return std::unexpected(allowed.error());
  co_return run;
}

Task<Result<>> answer_with(Platform& platform, Call& call, int64_t id, net::Status status) {
  auto run = co_await platform.pipeline.view(id);
  if (!run) co_return std::unexpected(run.error());
  co_return co_await call.exchange.respond(json_answer(run_json(platform, *run, true), status));
}

Task<Result<>> cancel(Platform& platform, Call& call) {
  auto run = co_await run_to_change(platform, call);
  if (!run) co_return std::unexpected(run.error());
  auto forced = flag_in(call, "force");
  if (!forced) co_return std::unexpected(forced.error());
  auto force = *forced ? pipeline::Force::yes : pipeline::Force::no;
  auto cancelled = co_await platform.pipeline.cancel(call.caller.actor, run->id, force);
  if (!cancelled) co_return cancelled;
  co_return co_await answer_with(platform, call, run->id, net::Status::accepted);
}

Task<Result<>> rerun(Platform& platform, Call& call) {
  auto run = co_await run_to_change(platform, call);
  if (!run) co_return std::unexpected(run.error());
  auto failed = flag_in(call, "failed");
  if (!failed) co_return std::unexpected(failed.error());
  std::string job = call.query("job");
  if (*failed && !job.empty()) co_return core::fail(Code::invalid, "Run again what failed, or one job: not both.");
  auto which = !job.empty() ? pipeline::Jobs::one : *failed ? pipeline::Jobs::failed : pipeline::Jobs::all;
  auto again = co_await platform.pipeline.rerun(call.caller.actor, run->id, which, std::move(job));
  if (!again) co_return again;
  co_return co_await answer_with(platform, call, run->id, net::Status::created);
}

Task<Result<>> dispatch(Platform& platform, Call& call) {
  std::vector<Member> members{{"workflow", Kind::text}, {"ref", Kind::text}, {"inputs", Kind::any}};
  auto request = co_await read_object(call, body_max, std::move(members));
  if (!request) co_return std::unexpected(request.error());
  auto file = core::string_at(*request, "workflow");
  auto ref = core::string_at(*request, "ref");
  if (!file || !ref)
    co_return core::fail(Code::invalid, "A dispatch needs workflow (its file) and ref (a branch or tag).");
  const auto* given = core::find(*request, "inputs");
  std::string inputs = given == nullptr || given->is_null() ? std::string() : core::to_text(*given);
  auto id = co_await dispatch_named(platform, call, std::move(*file), std::move(*ref), std::move(inputs));
  if (!id) co_return std::unexpected(id.error());
  co_return co_await answer_with(platform, call, *id, net::Status::created);
}

Task<Result<>> why_not(Platform& platform, Call& call) {
  auto reasons = co_await platform.pipeline.why_not(call.capture("id"));
  if (!reasons) co_return std::unexpected(reasons.error());
  json::array list;
  for (const auto& reason : *reasons)
    list.push_back(json::object{{"event", reason.event},
                                {"ref", reason.ref},
                                {"file", reason.file},
                                {"started", reason.started},
                                {"reason", reason.text},
                                {"run", reason.run}});
  json::object answer;
  answer["reasons"] = std::move(list);
  co_return co_await call.exchange.respond(json_answer(answer));
}

}  // namespace

Task<Result<pipeline::Run>> run_in(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  const std::string& name = call.capture("run");
  Result<pipeline::Run> run = core::fail(
      Code::not_found, "There is no run with the id '" + name.substr(0, 60) + "'; run list shows those there are.");
  if (core::is_uuid(name)) run = co_await platform.pipeline.view_by_uuid(name, *at);
  if (auto id = number_of(name); id && *id <= INT64_MAX)
    run = co_await platform.pipeline.view(static_cast<int64_t>(*id), *at);
  if (!run) co_return run;
  const std::string what = "the run " + name.substr(0, 60);
  if (auto allowed = may_see_of_repository(platform, call.caller, run->repository, what); !allowed)
    co_return std::unexpected(allowed.error());
  co_return run;
}

void add_live_annotations(Platform& platform, pipeline::Job& job) {
  if (job.status == pipeline::Status::completed) return;
  for (const auto& step : platform.runner.live_steps(job.job))
    job.annotations.insert(job.annotations.end(), step.annotations.begin(), step.annotations.end());
}

json::value run_json(Platform& platform, pipeline::Run run, bool live) {
  if (live)
    for (auto& job : run.jobs) add_live_annotations(platform, job);
  auto value = core::parse_json(pipeline::to_json(run));
  core::require(value && value->is_object(), "a run is written as a JSON object");
  auto* jobs = value->get_object().if_contains("jobs");
  if (!live || !jobs || run.status == pipeline::Status::completed) return std::move(*value);
  for (auto& job : jobs->get_array()) {
    auto status = core::string_at(job, "status").value_or("");
    if (status == "in_progress") add_live_steps(platform, job.get_object());
    if (status == "queued")
      add_waiting_reason(platform, job.get_object(), labels_of(platform, core::string_at(job, "job").value_or("")));
  }
  return std::move(*value);
}

void add_run_routes(Router& router, Platform& platform) {
  const QueryParameter at{"at", "an offset or a time: as it was then"};
  router.add({net::Method::get,
              "/api/v1/runs",
              Right::signed_in,
              {"Runs, newest first",
               "runs",
               {{"repository", "OWNER/NAME"},
                {"branch", "only of this one"},
                {"actor", "only of this account"},
                {"event", "only of this kind, as `on` has it: push"},
                {"workflow", "only of this one: its name, or its file, with or without the path"},
                {"commit", "only of commits whose ids begin so: at least 7 digits"},
                {"result", "failed, passed, running, queued, cancelled, skipped or waiting (for a person)"},
                {"q",
                 "words that are all found: in the title, the names of workflow, repository, branch or actor, or "
                 "as the beginning of the commit, as id or number"},
                {"status", "queued, in_progress or completed"},
                {"number", "only with this one; each workflow counts for itself", "integer"},
                {"limit", "1 to 1000", "integer"},
                {"cursor",
                 "next of the page before, where all else is the same; a page with looked_until has fewer "
                 "runs than there are, for it took too long to look further"},
                at},
               {},
               json_body("RunPage")},
              [&platform](Call& call) { return list(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/runs/{run}",
              Right::signed_in,
              {"One run with its jobs and steps", "runs", {at}, {}, json_body("Run")},
              [&platform](Call& call) { return show(platform, call); }});
  add_run_watch(router, platform);
  router.add({net::Method::post,
              "/api/v1/runs/{run}/cancel",
              Right::signed_in,
              {"Cancel it",
               "runs",
               {{"force", "true: at once; what runs is killed, and what is `if: always()` does not run", "boolean"}},
               {},
               json_body("Run"),
               202},
              [&platform](Call& call) { return cancel(platform, call); }});
  router.add({net::Method::post,
              "/api/v1/runs/{run}/rerun",
              Right::signed_in,
              {"Run it again",
               "runs",
               {{"failed", "true: only what failed", "boolean"},
                {"job", "key or UUID: only this job, with those that need it"}},
               {},
               json_body("Run"),
               201},
              [&platform](Call& call) { return rerun(platform, call); }});
  router.add({net::Method::post,
              "/api/v1/repositories/{owner}/{repo}/dispatches",
              Right::write_runs,
              {"Start a workflow by hand", "runs", {}, json_body("DispatchWish"), json_body("Run"), 201},
              [&platform](Call& call) { return dispatch(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/events/{id}/why-not",
              Right::read_events,
              {"Why an event started a workflow, or did not", "events", {}, {}, json_body("WhyNot")},
              [&platform](Call& call) { return why_not(platform, call); }});
}

}  // namespace headrace::server
