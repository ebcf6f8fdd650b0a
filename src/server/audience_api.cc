#include "server/audience_api.h"

#include <algorithm>

#include "net/url.h"
#include "server/answers.h"
#include "server/request.h"
#include "server/settings_api.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t body_max = 256 * 1024;  // 10,000 numbers

Task<Result<>> list(Platform& platform, Call& call, AudienceOf of) {
  auto found = co_await of.find(call);
  if (!found) co_return std::unexpected(found.error());
  co_return co_await respond_with_selected(platform, call, found->name, found->audience);
}

// PUT .../repositories: those and no others.
Task<Result<>> select(Call& call, AudienceOf of) {
  std::vector<Member> members{{"selected_repository_ids", Kind::any}};
  auto body = co_await read_object(call, body_max, std::move(members));
  if (!body) co_return std::unexpected(body.error());
  auto ids = repository_ids_in(*body);
  if (!ids) co_return std::unexpected(ids.error());
  secrets::Audience audience{secrets::Visibility::selected, std::move(*ids)};
  auto changed = co_await of.set(call, std::move(audience));
  if (!changed) co_return changed;
  co_return co_await call.exchange.respond(no_content());
}

// PUT and DELETE .../repositories/{repository_id}.
Task<Result<>> select_one(Call& call, AudienceOf of, bool selected) {
  auto id = number_of(call.capture("repository_id"));
  if (!id || *id > INT64_MAX) co_return core::fail(Code::not_found, "A repository's id is a number.");
  auto found = co_await of.find(call);
  if (!found) co_return std::unexpected(found.error());
  auto audience = std::move(found->audience);
  if (audience.visibility != secrets::Visibility::selected)
    co_return core::fail(Code::conflict, "The visibility of " + found->name + " is " +
                                             std::string(secrets::name_of(audience.visibility)) + ", not selected.");
  std::erase(audience.repositories, static_cast<int64_t>(*id));
  if (selected) audience.repositories.push_back(static_cast<int64_t>(*id));
  auto changed = co_await of.set(call, std::move(audience));
  if (!changed) co_return changed;
  co_return co_await call.exchange.respond(no_content());
}

}  // namespace

// Each action keeps its copy of what it is about: a route lives as long as the server.
void add_audience_routes(Router& router, Platform& platform, const AudienceOf& of) {
  const std::string repositories = "/api/v3/orgs/{org}/actions/" + of.kind + "/{" + of.name + "}/repositories";
  router.add({net::Method::get,
              repositories,
              Right::read_settings,
              {"Repositories that have a " + of.one + " of an owner",
               of.kind,
               {{"per_page", "1 to 100", "integer"}, {"page", "from 1", "integer"}},
               {}},
              [&platform, of](Call& call) { return list(platform, call, of); }});
  router.add({net::Method::put,
              repositories,
              Right::administer_repository,
              {"Which repositories have a " + of.one + " of an owner", of.kind, {}, "application/json", {}, 204},
              [of](Call& call) { return select(call, of); }});
  router.add({net::Method::put,
              repositories + "/{repository_id}",
              Right::administer_repository,
              {"One repository more has it", of.kind, {}, {}, {}, 204},
              [of](Call& call) { return select_one(call, of, true); }});
  router.add({net::Method::delete_,
              repositories + "/{repository_id}",
              Right::administer_repository,
              {"One repository has it no more", of.kind, {}, {}, {}, 204},
              [of](Call& call) { return select_one(call, of, false); }});
}

void show_audience(json::object& shown, const std::string& kind, const std::string& owner, const Audienced& one,
                   const std::string& public_url) {
  shown["visibility"] = secrets::name_of(one.audience.visibility);
  if (one.audience.visibility == secrets::Visibility::selected)
    shown["selected_repositories_url"] = public_url + "/api/v3/orgs/" + net::percent_encode(owner) + "/actions/" +
                                         kind + "/" + one.name + "/repositories";
}

}  // namespace headrace::server
