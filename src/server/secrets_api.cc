// Secrets as GitHub's API has them ("REST API endpoints for GitHub Actions Secrets"). A value comes in a sealed box,
// and never goes out.
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

constexpr size_t body_max = 256 * 1024;  // a value of 48 KiB in base64, and 10,000 numbers
constexpr size_t a_page = 30;

json::object of(const secrets::Secret& secret, const std::string& public_url, bool of_owner) {
  json::object shown{{"name", secret.name},
                     {"created_at", github_time(secret.created_at)},
                     {"updated_at", github_time(secret.updated_at)}};
  if (of_owner) show_audience(shown, "secrets", secret.place.scope, {secret.name, secret.audience}, public_url);
  return shown;
}

json::array of(const std::vector<secrets::Secret>& list, const std::string& public_url, bool of_owner) {
  json::array shown;
  for (const auto& secret : list) shown.push_back(of(secret, public_url, of_owner));
  return shown;
}

Task<Result<>> list(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto place = place_in(call);
  bool of_owner = place.is_owner();
  auto found = co_await platform.secrets.secrets(std::move(place), *at);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await respond_with_page(platform, call, "secrets", of(*found, platform.public_url, of_owner), a_page);
}

// Told as the repository's: without the others that have them.
Task<Result<>> list_of_owner(Platform& platform, Call& call) {
  auto found = co_await platform.secrets.owner_secrets(place_in(call).scope);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await respond_with_page(platform, call, "secrets", of(*found, platform.public_url, false), a_page);
}

Task<Result<>> public_key(Platform& platform, Call& call) {
  const auto& key = platform.secrets.public_key();
  json::object answer{{"key_id", key.id}, {"key", key.key}};
  co_return co_await call.exchange.respond(json_answer(answer));
}

Task<Result<>> show(Platform& platform, Call& call) {
  auto at = platform.store.moment(call.query("at"));
  if (!at) co_return std::unexpected(at.error());
  auto found = co_await platform.secrets.secret(place_in(call), call.capture("secret_name"), *at);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await call.exchange.respond(json_answer(of(*found, platform.public_url, found->place.is_owner())));
}

std::vector<Member> members_at(const secrets::Place& place) {
  std::vector<Member> members{{"encrypted_value", Kind::text}, {"key_id", Kind::text}};
  if (!place.is_owner()) return members;
  members.push_back({"visibility", Kind::text});
  members.push_back({"selected_repository_ids", Kind::any});
  return members;
}

// Of an owner's secret the value may be left out: then only who has it changes.
Task<Result<bool>> put_it(Platform& platform, Call& call, json::value body) {
  auto place = place_in(call);
  auto name = call.capture("secret_name");
  auto audience = audience_in(body);
  if (!audience) co_return std::unexpected(audience.error());
  if (place.is_owner() && !*audience)
    co_return core::fail(Code::invalid, "A secret of an owner has a visibility: all, private or selected.");
  auto sealed = core::string_at(body, "encrypted_value");
  if (!sealed && place.is_owner()) {
    auto changed = co_await platform.secrets.set_secret_audience(call.caller.actor, place, name, **audience);
    if (!changed) co_return std::unexpected(changed.error());
    co_return false;
  }
  if (!sealed)
    co_return core::fail(Code::invalid, "A secret needs an encrypted_value and the key_id it was sealed for.");
  auto value = platform.secrets.unseal(core::string_at(body, "key_id").value_or(""), *sealed);
  if (!value) co_return std::unexpected(value.error());
  co_return co_await platform.secrets.set_secret(call.caller.actor, std::move(place), std::move(name),
                                                 std::move(*value), audience->value_or(secrets::Audience()));
}

Task<Result<>> put(Platform& platform, Call& call) {
  auto body = co_await read_object(call, body_max, members_at(place_in(call)));
  if (!body) co_return std::unexpected(body.error());
  auto is_new = co_await put_it(platform, call, std::move(*body));
  if (!is_new) co_return std::unexpected(is_new.error());
  auto answer = *is_new ? json_answer(json::object(), net::Status::created) : no_content();
  co_return co_await call.exchange.respond(std::move(answer));
}

Task<Result<>> remove(Platform& platform, Call& call) {
  auto removed =
      co_await platform.secrets.remove_secret(call.caller.actor, place_in(call), call.capture("secret_name"));
  if (!removed) co_return removed;
  co_return co_await call.exchange.respond(no_content());
}

Task<Result<Audienced>> find(Platform& platform, Call& call) {
  auto found = co_await platform.secrets.secret(place_in(call), call.capture("secret_name"));
  if (!found) co_return std::unexpected(found.error());
  co_return Audienced{std::move(found->name), std::move(found->audience)};
}

Task<Result<>> give_to(Platform& platform, Call& call, secrets::Audience audience) {
  co_return co_await platform.secrets.set_secret_audience(call.caller.actor, place_in(call),
                                                          call.capture("secret_name"), std::move(audience));
}

}  // namespace

void add_secret_routes(Router& router, Platform& platform) {
  const std::vector<QueryParameter> pages{{"per_page", "1 to 100", "integer"}, {"page", "from 1", "integer"}};
  std::vector<QueryParameter> listing = pages;
  listing.push_back({"at", "an offset or a time: as it was then"});
  for (const auto& [front, of] : place_paths("secrets")) {
    router.add({net::Method::get,
                front,
                Right::read_settings,
                {"Secrets of " + of + ", without their values", "secrets", listing, {}},
                [&platform](Call& call) { return list(platform, call); }});
    router.add({net::Method::get,
                front + "/public-key",
                Right::read_settings,
                {"The key that values are sealed with", "secrets", {}, {}},
                [&platform](Call& call) { return public_key(platform, call); }});
    router.add({net::Method::get,
                front + "/{secret_name}",
                Right::read_settings,
                {"A secret of " + of + ", without its value", "secrets", {{"at", "an offset or a time"}}, {}},
                [&platform](Call& call) { return show(platform, call); }});
    router.add({net::Method::put,
                front + "/{secret_name}",
                Right::administer_repository,
                {"Set a secret of " + of, "secrets", {}, "application/json", "application/json", 201},
                [&platform](Call& call) { return put(platform, call); }});
    router.add({net::Method::delete_,
                front + "/{secret_name}",
                Right::administer_repository,
                {"Delete it", "secrets", {}, {}, {}, 204},
                [&platform](Call& call) { return remove(platform, call); }});
  }
  router.add({net::Method::get,
              "/api/v3/repos/{owner}/{repo}/actions/organization-secrets",
              Right::read_settings,
              {"Secrets that a repository has of its owner", "secrets", pages, {}},
              [&platform](Call& call) { return list_of_owner(platform, call); }});
  add_audience_routes(
      router, platform,
      {.kind = "secrets",
       .one = "secret",
       .name = "secret_name",
       .find = [&platform](Call& call) { return find(platform, call); },
       .set = [&platform](Call& call, secrets::Audience to) { return give_to(platform, call, std::move(to)); }});
}

}  // namespace headrace::server
