// Secrets, variables and environments over GitHub's REST API: docs/secrets.md. Routes of secrets: secrets_api.cc; of
// variables: variables_api.cc; of environments: environments_api.cc. What they share is here.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "server/platform.h"
#include "server/router.h"
#include "services/secrets/secrets.h"

namespace headrace::server {

void add_settings_routes(Router& router, Platform& platform);
void add_secret_routes(Router& router, Platform& platform);
void add_variable_routes(Router& router, Platform& platform);
void add_environment_routes(Router& router, Platform& platform);

// The three places that a secret or variable may have, as the front of a path; `kind` is "secrets" or "variables".
struct PlacePath {
  std::string front;
  std::string of;  // for people: "a repository"
};
std::vector<PlacePath> place_paths(std::string_view kind);

// From the captures {org}, or {owner}, {repo} and {environment_name}.
secrets::Place place_in(const Call& call);
// `visibility` and `selected_repository_ids` of a body. invalid: neither is as GitHub has it.
core::Result<std::optional<secrets::Audience>> audience_in(const core::json::value& body);
core::Result<std::vector<int64_t>> repository_ids_in(const core::json::value& body);

// {"total_count","<name>":[...]} with the page that `per_page` and `page` ask for, and its Link header.
core::Task<core::Result<>> respond_with_page(Platform& platform, Call& call, std::string name, core::json::array all,
                                             size_t per_page);

// GET .../repositories of what is an owner's: those that are selected. conflict: it is not for selected ones.
core::Task<core::Result<>> respond_with_selected(Platform& platform, Call& call, std::string name,
                                                 secrets::Audience audience);

}  // namespace headrace::server
