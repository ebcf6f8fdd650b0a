// Variables as GitHub's API has them ("REST API endpoints for GitHub Actions variables").
#include "server/answers.h"
#include "server/audience_api.h"
#include "server/github_json.h"
#include "server/request.h"
#include "server/settings_api.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t body_max = 512 * 1024;  // a value of 48 KiB, every character escaped
constexpr size_t a_page = 10;

json::object of(const secrets::Variable& variable, const std::string& public_url, bool of_owner) {
  json::object shown{{"name", variable.name},
                     {"value", variable.value},
                     {"created_at", github_time(variable.created_at)},
                     {"updated_at", github_time(variable.updated_at)}};
  if (of_owner) show_audience(shown, "variables", variable.place.scope, {variable.name, variable.audience}, public_url);
  return shown;
}

json::array of(const std::vector<secrets::Variable>& list, const std::string& public_url, bool of_owner) {
  json::array shown;
  for (const auto& variable : list) shown.push_back(of(variable, public_url, of_owner));
  return shown;
}

Task<Result<>> list(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto place = place_in(call);
  bool of_owner = place.is_owner();
  auto found = co_await platform.secrets.variables(std::move(place), *at);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await respond_with_page(platform, call, "variables", of(*found, platform.public_url, of_owner), a_page);
}

// Told as the repository's: without the others that have them.
Task<Result<>> list_of_owner(Platform& platform, Call& call) {
  auto found = co_await platform.secrets.owner_variables(place_in(call).scope);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await respond_with_page(platform, call, "variables", of(*found, platform.public_url, false), a_page);
}

Task<Result<>> show(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto found = co_await platform.secrets.variable(place_in(call), call.capture("name"), *at);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await call.exchange.respond(json_answer(of(*found, platform.public_url, found->place.is_owner())));
}

Task<Result<json::value>> read_change(Call& call) {
  std::vector<Member> members{{"name", Kind::text}, {"value", Kind::text}};
  if (place_in(call).is_owner()) {
    members.push_back({"visibility", Kind::text});
    members.push_back({"selected_repository_ids", Kind::any});
  }
  co_return co_await read_object(call, body_max, std::move(members));
}

Task<Result<>> create(Platform& platform, Call& call) {
  auto body = co_await read_change(call);
  if (!body) co_return std::unexpected(body.error());
  auto audience = audience_in(*body);
  if (!audience) co_return std::unexpected(audience.error());
  secrets::Secrets::VariableChange change;
  change.name = core::string_at(*body, "name").value_or("");
  change.value = core::string_at(*body, "value");
  change.audience = std::move(*audience);
  change.existing = secrets::Existing::absent;
  if (place_in(call).is_owner() && !change.audience)
    co_return core::fail(Code::invalid, "A variable of an owner has a visibility: all, private or selected.");
  auto set = co_await platform.secrets.set_variable(call.caller.actor, place_in(call), std::move(change));
  if (!set) co_return std::unexpected(set.error());
  auto answer = json_answer(json::object(), net::Status::created);
  co_return co_await call.exchange.respond(std::move(answer));
}

Task<Result<>> change(Platform& platform, Call& call, secrets::Secrets::VariableChange change) {
  change.name = call.capture("name");
  change.existing = secrets::Existing::present;
  auto set = co_await platform.secrets.set_variable(call.caller.actor, place_in(call), std::move(change));
  if (!set) co_return std::unexpected(set.error());
  co_return Result<>{};
}

Task<Result<>> update(Platform& platform, Call& call) {
  auto body = co_await read_change(call);
  if (!body) co_return std::unexpected(body.error());
  auto audience = audience_in(*body);
  if (!audience) co_return std::unexpected(audience.error());
  secrets::Secrets::VariableChange wanted;
  wanted.value = core::string_at(*body, "value");
  wanted.new_name = core::string_at(*body, "name");
  wanted.audience = std::move(*audience);
  auto changed = co_await change(platform, call, std::move(wanted));
  if (!changed) co_return changed;
  co_return co_await call.exchange.respond(no_content());
}

Task<Result<>> remove(Platform& platform, Call& call) {
  auto removed = co_await platform.secrets.remove_variable(call.caller.actor, place_in(call), call.capture("name"));
  if (!removed) co_return removed;
  co_return co_await call.exchange.respond(no_content());
}

Task<Result<Audienced>> find(Platform& platform, Call& call) {
  auto found = co_await platform.secrets.variable(place_in(call), call.capture("name"));
  if (!found) co_return std::unexpected(found.error());
  co_return Audienced{std::move(found->name), std::move(found->audience)};
}

Task<Result<>> give_to(Platform& platform, Call& call, secrets::Audience audience) {
  secrets::Secrets::VariableChange wanted;
  wanted.audience = std::move(audience);
  co_return co_await change(platform, call, std::move(wanted));
}

}  // namespace

void add_variable_routes(Router& router, Platform& platform) {
  const std::vector<QueryParameter> pages{{"per_page", "1 to 100", "integer"}, {"page", "from 1", "integer"}};
  std::vector<QueryParameter> listing = pages;
  listing.push_back({"at", "an offset or a time: as it was then"});
  for (const auto& [front, of] : place_paths("variables")) {
    router.add({net::Method::get,
                front,
                Right::read_settings,
                {"Variables of " + of, "variables", listing, {}},
                [&platform](Call& call) { return list(platform, call); }});
    router.add({net::Method::post,
                front,
                Right::administer_repository,
                {"Make a variable of " + of, "variables", {}, "application/json", "application/json", 201},
                [&platform](Call& call) { return create(platform, call); }});
    router.add({net::Method::get,
                front + "/{name}",
                Right::read_settings,
                {"A variable of " + of, "variables", {{"at", "an offset or a time"}}, {}},
                [&platform](Call& call) { return show(platform, call); }});
    router.add({net::Method::patch,
                front + "/{name}",
                Right::administer_repository,
                {"Change its value or name", "variables", {}, "application/json", {}, 204},
                [&platform](Call& call) { return update(platform, call); }});
    router.add({net::Method::delete_,
                front + "/{name}",
                Right::administer_repository,
                {"Delete it", "variables", {}, {}, {}, 204},
                [&platform](Call& call) { return remove(platform, call); }});
  }
  router.add({net::Method::get,
              "/api/v3/repos/{owner}/{repo}/actions/organization-variables",
              Right::read_settings,
              {"Variables that a repository has of its owner", "variables", pages, {}},
              [&platform](Call& call) { return list_of_owner(platform, call); }});
  add_audience_routes(
      router, platform,
      {.kind = "variables",
       .one = "variable",
       .name = "name",
       .find = [&platform](Call& call) { return find(platform, call); },
       .set = [&platform](Call& call, secrets::Audience to) { return give_to(platform, call, std::move(to)); }});
}

}  // namespace headrace::server
