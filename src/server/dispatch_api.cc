#include "server/dispatch_api.h"

#include "server/answers.h"
#include "server/request.h"
#include "services/pipeline/pipeline.h"
#include "workflow/workflow.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t body_max = 128 * 1024;
constexpr size_t inputs_max = 25;  // GitHub Docs, "Create a workflow dispatch event"

std::string full_name(const Call& call) { return call.capture("owner") + "/" + call.capture("repo"); }

std::string text_of(const json::value& request, std::string_view name) {
  const auto* given = core::find(request, name);
  return given == nullptr || given->is_null() ? std::string() : core::to_text(*given);
}

Task<Result<>> dispatch_event(Platform& platform, Call& call) {
  std::vector<Member> members{{"event_type", Kind::text}, {"client_payload", Kind::any}};
  auto request = co_await read_object(call, body_max, std::move(members));
  if (!request) co_return std::unexpected(request.error());
  auto type = core::string_at(*request, "event_type");
  if (!type) co_return core::fail(Code::invalid, "A dispatch needs event_type, what workflow files wait for.");
  auto asked = co_await platform.pipeline.dispatch_event(call.caller.actor, full_name(call), std::move(*type),
                                                         text_of(*request, "client_payload"));
  if (!asked) co_return asked;
  co_return co_await call.exchange.respond(no_content());
}

// GitHub names a workflow by its number or the name of its file; here by the file, in one of the two folders.
std::vector<std::string> paths_of(const std::string& name) {
  if (workflow::is_workflow_path(name)) return {name};
  return {".github/workflows/" + name, ".headrace/workflows/" + name};
}

// GitHub takes the name of a branch or tag, short or full.
std::vector<std::string> refs_of(const std::string& name) {
  if (name.starts_with("refs/")) return {name};
  return {"refs/heads/" + name, "refs/tags/" + name};
}

}  // namespace

Task<Result<int64_t>> dispatch_named(Platform& platform, Call& call, std::string file, std::string ref,
                                     std::string inputs) {
  Result<int64_t> id = core::fail(Code::not_found, "There is no such workflow.");
  for (const std::string& path : paths_of(file)) {
    for (const std::string& full : refs_of(ref)) {
      id = co_await platform.pipeline.dispatch(call.caller.actor, full_name(call), path, full, inputs);
      if (id || id.error().code != Code::not_found) co_return id;
    }
  }
  co_return core::fail(Code::not_found, "There is no branch or tag '" + ref.substr(0, 200) + "' of " + full_name(call) +
                                            " with the workflow file " + file.substr(0, 200) + ".");
}

namespace {

json::object links_of(const Platform& platform, const Call& call, int64_t id) {
  std::string run = "/actions/runs/" + std::to_string(id);
  return {{"workflow_run_id", id},
          {"run_url", platform.public_url + "/api/v3/repos/" + full_name(call) + run},
          {"html_url", platform.public_url + "/" + full_name(call) + run}};
}

Task<Result<>> dispatch_workflow(Platform& platform, Call& call) {
  std::vector<Member> members{{"ref", Kind::text}, {"inputs", Kind::any}, {"return_run_details", Kind::boolean}};
  auto request = co_await read_object(call, body_max, std::move(members));
  if (!request) co_return std::unexpected(request.error());
  auto ref = core::string_at(*request, "ref");
  if (!ref) co_return core::fail(Code::invalid, "A dispatch needs ref, the name of a branch or tag.");
  const auto* inputs = core::find(*request, "inputs");
  if (inputs != nullptr && inputs->is_object() && inputs->get_object().size() > inputs_max)
    co_return core::fail(Code::invalid, "A dispatch has at most 25 inputs.");
  auto id = co_await dispatch_named(platform, call, call.capture("workflow_id"), std::move(*ref),
                                    text_of(*request, "inputs"));
  if (!id) co_return std::unexpected(id.error());
  if (!core::boolean_at(*request, "return_run_details").value_or(false))
    co_return co_await call.exchange.respond(no_content());
  co_return co_await call.exchange.respond(json_answer(links_of(platform, call, *id)));
}

}  // namespace

void add_dispatch_routes(Router& router, Platform& platform) {
  router.add({net::Method::post,
              "/api/v3/repos/{owner}/{repo}/dispatches",
              Right::write_runs,
              {"Start what waits for on: repository_dispatch", "runs", {}, "application/json", "application/json", 204},
              [&platform](Call& call) { return dispatch_event(platform, call); }});
  router.add({net::Method::post,
              "/api/v3/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
              Right::write_runs,
              {"Start a workflow by hand", "runs", {}, "application/json", "application/json", 204},
              [&platform](Call& call) { return dispatch_workflow(platform, call); }});
}

}  // namespace headrace::server
