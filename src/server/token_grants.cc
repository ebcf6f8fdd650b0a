#include "server/token_grants.h"

#include <algorithm>

#include "core/json.h"
#include "workflow/job_secrets.h"

namespace headrace::server {

using core::Result;
using core::Task;

namespace {

// GitHub Docs, "Workflow syntax", permissions.
identity::Level level_of(const runner::JobSpec& spec, std::string_view scope) {
  auto found = std::ranges::find(spec.permissions, scope, &runner::Variables::value_type::first);
  if (found == spec.permissions.end()) return identity::Level::none;
  if (found->second == "write") return identity::Level::write;
  return found->second == "read" ? identity::Level::read : identity::Level::none;
}

}  // namespace

Task<Result<runner::JobGrant>> TokenGrants::grant(runner::Token lease, std::string repository, std::string spec) {
  runner::JobGrant grant;
  grant.server_url = public_url_;
  auto read = runner::parse_job_spec(spec);
  if (!read) co_return grant;  // the runner refuses the job with the reason
  identity::JobReach reach{.lease = lease,
                           .repository = repository,
                           .contents = level_of(*read, "contents"),
                           .actions = level_of(*read, "actions")};
  grant.token = tokens_.mint(reach);
  workflow::JobSecrets wanted(*core::parse_json(spec));
  secrets::JobWish wish{.repository = std::move(repository),
                        .of_repository = wanted.of_repository(),
                        .environment = wanted.environment(),
                        .of_environment = wanted.of_environment()};
  auto values = co_await secrets_.for_job(std::move(wish));
  if (!values) co_return std::unexpected(values.error());
  auto given = wanted.given(values->of_repository, values->of_environment, grant.token);
  if (!given) co_return std::unexpected(given.error());
  grant.secrets = std::move(*given);
  co_return grant;
}

}  // namespace headrace::server
