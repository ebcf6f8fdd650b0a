// Which repositories have what is an owner's: the same for secrets and variables. GitHub Docs, "REST API endpoints for
// GitHub Actions Secrets", "List selected repositories for an organization secret" and those after it.
#pragma once

#include <functional>
#include <string>

#include "core/json.h"
#include "server/platform.h"
#include "server/router.h"
#include "services/secrets/secrets.h"

namespace headrace::server {

// A secret or variable that a path names, as far as these routes know it.
struct Audienced {
  std::string name;
  secrets::Audience audience;
};

struct AudienceOf {
  std::string kind;  // "secrets": in paths
  std::string one;   // "secret": for people
  std::string name;  // "secret_name": the capture
  std::function<core::Task<core::Result<Audienced>>(Call&)> find;
  std::function<core::Task<core::Result<>>(Call&, secrets::Audience)> set;
};

// GET and PUT /api/v3/orgs/{org}/actions/<kind>/{<name>}/repositories, PUT and DELETE of one of them.
void add_audience_routes(Router& router, Platform& platform, const AudienceOf& of);

// `visibility` and, where that is "selected", `selected_repositories_url`.
void show_audience(core::json::object& shown, const std::string& kind, const std::string& owner, const Audienced& one,
                   const std::string& public_url);

}  // namespace headrace::server
