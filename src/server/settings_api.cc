#include "server/settings_api.h"

#include <algorithm>

#include "server/answers.h"
#include "server/github_json.h"
#include "server/github_pages.h"
#include "server/request.h"
#include "services/repository/repository.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;
namespace json = core::json;

namespace {

constexpr size_t selected_max = 10'000;  // repositories of one secret or variable

Result<secrets::Visibility> visibility_of(std::string_view name) {
  for (auto one : {secrets::Visibility::all, secrets::Visibility::only_private, secrets::Visibility::selected})
    if (secrets::name_of(one) == name) return one;
  return core::fail(Code::invalid, "visibility is all, private or selected.");
}

}  // namespace

void add_settings_routes(Router& router, Platform& platform) {
  add_secret_routes(router, platform);
  add_variable_routes(router, platform);
  add_environment_routes(router, platform);
}

std::vector<PlacePath> place_paths(std::string_view kind) {
  std::string name(kind);
  return {{"/api/v3/orgs/{org}/actions/" + name, "an owner"},
          {"/api/v3/repos/{owner}/{repo}/actions/" + name, "a repository"},
          {"/api/v3/repos/{owner}/{repo}/environments/{environment_name}/" + name, "an environment"}};
}

secrets::Place place_in(const Call& call) {
  if (call.captures.contains("org")) return {call.capture("org")};
  secrets::Place place{call.capture("owner") + "/" + call.capture("repo")};
  if (call.captures.contains("environment_name")) place.environment = call.capture("environment_name");
  return place;
}

Result<std::vector<int64_t>> repository_ids_in(const json::value& body) {
  std::vector<int64_t> ids;
  const auto* list = core::find(body, "selected_repository_ids");
  if (list == nullptr || list->is_null()) return ids;
  auto wrong =
      core::fail(Code::invalid, "selected_repository_ids is a list of numbers of repositories, at most 10000.");
  if (!list->is_array() || list->get_array().size() > selected_max) return wrong;
  for (const auto& one : list->get_array()) {  // GitHub takes them as text as well
    auto number = one.is_string() ? number_of(one.get_string()) : std::nullopt;
    if (one.is_int64()) {
      ids.push_back(one.get_int64());
    } else if (number && *number <= INT64_MAX) {
      ids.push_back(static_cast<int64_t>(*number));
    } else {
      return wrong;
    }
  }
  return ids;
}

Result<std::optional<secrets::Audience>> audience_in(const json::value& body) {
  auto name = core::string_at(body, "visibility");
  auto ids = repository_ids_in(body);
  if (!ids) return std::unexpected(ids.error());
  if (!name && ids->empty()) return std::optional<secrets::Audience>();
  if (!name) return core::fail(Code::invalid, "selected_repository_ids goes with visibility \"selected\".");
  auto visibility = visibility_of(*name);
  if (!visibility) return std::unexpected(visibility.error());
  return secrets::Audience{*visibility, std::move(*ids)};
}

Task<Result<>> respond_with_page(Platform& platform, Call& call, std::string name, json::array all, size_t per_page) {
  auto page = github_page_of(call, per_page);
  if (!page) co_return std::unexpected(page.error());
  const size_t total = all.size();
  json::array shown;
  for (size_t i = page->skip(); i < std::min(total, page->skip() + page->size); ++i) shown.push_back(std::move(all[i]));
  json::object answer{{"total_count", static_cast<int64_t>(total)}};
  answer[name] = std::move(shown);
  co_return co_await call.exchange.respond(github_page_answer(platform, call, answer, *page, total));
}

Task<Result<>> respond_with_selected(Platform& platform, Call& call, std::string name, secrets::Audience audience) {
  if (audience.visibility != secrets::Visibility::selected)
    co_return core::fail(Code::conflict, "The visibility of " + name + " is " +
                                             std::string(secrets::name_of(audience.visibility)) + ", not selected.");
  auto own = co_await platform.secrets.repositories_of(call.capture("org"));
  if (!own) co_return std::unexpected(own.error());
  json::array shown;
  for (const auto& one : *own) {
    if (!audience.includes(one.id)) continue;
    auto found = co_await platform.repositories.find(one.full_name);
    if (!found) co_return std::unexpected(found.error());
    if (*found) shown.push_back(github_repository(GithubUrls(platform.public_url), **found));
  }
  co_return co_await respond_with_page(platform, call, "repositories", std::move(shown), github_page_max);
}

}  // namespace headrace::server
