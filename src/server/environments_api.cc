// Environments as GitHub's API has them ("REST API endpoints for deployment environments"). Their protection rules are
// told as none: what asks for one is refused, so that nobody takes an environment for protected that is not.
#include <algorithm>

#include "net/url.h"
#include "server/answers.h"
#include "server/github_json.h"
#include "server/request.h"
#include "server/settings_api.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t body_max = 64 * 1024;
constexpr size_t a_page = 30;

json::object of(const secrets::Environment& environment, const std::string& public_url) {
  auto name = net::percent_encode(environment.name);
  json::object shown{
      {"id", environment.id},
      {"node_id", node_id("Environment", environment.id)},
      {"name", environment.name},
      {"url", public_url + "/api/v3/repos/" + environment.repository + "/environments/" + name},
      {"html_url", public_url + "/" + environment.repository + "/deployments/activity_log?environments_filter=" + name},
      {"created_at", github_time(environment.created_at)},
      {"updated_at", github_time(environment.updated_at)}};
  shown["protection_rules"] = json::array();
  shown["deployment_branch_policy"] = nullptr;
  return shown;
}

Task<Result<>> list(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto found = co_await platform.secrets.environments(place_in(call).scope, *at);
  if (!found) co_return std::unexpected(found.error());
  json::array shown;
  for (const auto& environment : *found) shown.push_back(of(environment, platform.public_url));
  co_return co_await respond_with_page(platform, call, "environments", std::move(shown), a_page);
}

Task<Result<>> show(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto found = co_await platform.secrets.environment(place_in(call).scope, call.capture("environment_name"), *at);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await call.exchange.respond(json_answer(of(*found, platform.public_url)));
}

// A body that asks for no protection says no more than an empty one.
Result<> check_rules(const std::string& body) {
  if (body.empty()) return {};
  auto value = core::parse_json(body);
  if (!value) return std::unexpected(value.error());
  if (value->is_null()) return {};
  std::vector<Member> members{{"wait_timer", Kind::integer},
                              {"prevent_self_review", Kind::boolean},
                              {"reviewers", Kind::any},
                              {"deployment_branch_policy", Kind::any}};
  if (auto good = check_members(*value, members); !good) return good;
  const auto* reviewers = core::find(*value, "reviewers");
  const auto* branches = core::find(*value, "deployment_branch_policy");
  bool asks = core::integer_at(*value, "wait_timer").value_or(0) != 0 ||
              core::boolean_at(*value, "prevent_self_review").value_or(false) ||
              (reviewers != nullptr && reviewers->is_array() && !reviewers->get_array().empty()) ||
              (branches != nullptr && !branches->is_null());
  if (!asks) return {};
  return core::fail(Code::invalid,
                    "Protection rules (wait_timer, reviewers, deployment_branch_policy) are not there yet, so this "
                    "environment would not be protected; leave them out.");
}

Task<Result<>> put(Platform& platform, Call& call) {
  auto body = co_await read_body(call, body_max);
  if (!body) co_return std::unexpected(body.error());
  if (auto good = check_rules(*body); !good) co_return good;
  auto made = co_await platform.secrets.create_environment(call.caller.actor, place_in(call).scope,
                                                           call.capture("environment_name"));
  if (!made) co_return std::unexpected(made.error());
  co_return co_await call.exchange.respond(json_answer(of(*made, platform.public_url)));
}

Task<Result<>> remove(Platform& platform, Call& call) {
  auto removed = co_await platform.secrets.remove_environment(call.caller.actor, place_in(call).scope,
                                                              call.capture("environment_name"));
  if (!removed) co_return removed;
  co_return co_await call.exchange.respond(no_content());
}

}  // namespace

void add_environment_routes(Router& router, Platform& platform) {
  const std::string all = "/api/v3/repos/{owner}/{repo}/environments";
  const std::string one = all + "/{environment_name}";
  const QueryParameter at{"at", "an offset or a time: as it was then"};
  router.add({net::Method::get,
              all,
              Right::read_repository,
              {"Environments of a repository",
               "environments",
               {{"per_page", "1 to 100", "integer"}, {"page", "from 1", "integer"}, at},
               {}},
              [&platform](Call& call) { return list(platform, call); }});
  router.add({net::Method::get,
              one,
              Right::read_repository,
              {"One environment", "environments", {at}, {}},
              [&platform](Call& call) { return show(platform, call); }});
  router.add({net::Method::put,
              one,
              Right::administer_repository,
              {"Make an environment", "environments", {}, "application/json"},
              [&platform](Call& call) { return put(platform, call); }});
  router.add({net::Method::delete_,
              one,
              Right::administer_repository,
              {"Delete it, with its secrets and variables", "environments", {}, {}, {}, 204},
              [&platform](Call& call) { return remove(platform, call); }});
}

}  // namespace headrace::server
