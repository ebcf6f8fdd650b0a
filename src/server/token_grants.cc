#include "server/token_grants.h"

#include <algorithm>
#include <charconv>

#include "core/json.h"
#include "services/repository/projection.h"
#include "services/runner/projection.h"
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

std::string text_of(const workflow::Value* github, std::string_view name) {
  const workflow::Value* member = github ? github->find(name) : nullptr;
  return member ? member->to_text() : std::string();
}

// A base is named in short ("main").
std::string ref_of(const std::string& branch) {
  return branch.empty() || branch.starts_with("refs/") ? branch : "refs/heads/" + branch;
}

}  // namespace

std::string RuntimeTokens::mint(runner::Token lease, const std::string& repository, const runner::JobSpec& spec) const {
  auto job = store.read_here(runner::JobsProjection::projection_name, {},
                             [&](sqlite::Connection& tables) { return runner::find_lease(tables, lease); });
  if (!job || !*job) return {};
  auto home = store.read_here(repository::projection_name, {}, [&](sqlite::Connection& tables) {
    return repository::find_repository(tables, repository);
  });
  const workflow::Value* github = spec.contexts.find("github");
  artifact::Holder holder{.lease = lease,
                          .repository = repository,
                          .run = (*job)->run,
                          .job = (*job)->job,
                          .ref = text_of(github, "ref"),
                          .commit = text_of(github, "sha")};
  std::string run_id = text_of(github, "run_id");
  std::from_chars(run_id.data(), run_id.data() + run_id.size(), holder.run_id);
  std::string fallback = home && *home ? ref_of((*home)->default_branch) : std::string();
  for (const std::string& ref : {ref_of(text_of(github, "base_ref")), fallback})
    if (!ref.empty() && ref != holder.ref) holder.reads.push_back(ref);
  return artifacts.keys().mint(holder, clock.now());
}

Task<Result<runner::JobGrant>> TokenGrants::grant(runner::Token lease, std::string repository, std::string spec) {
  runner::JobGrant grant;
  grant.server_url = public_url_;
  auto read = runner::parse_job_spec(spec);
  if (!read) co_return grant;  // the runner refuses the job with the reason
  grant.runtime_token = runtime_.mint(lease, repository, *read);
  grant.results_url = grant.cache_url = public_url_ + "/";  // where the runner lends no door
  identity::JobReach reach{.lease = lease,
                           .repository = repository,
                           .contents = level_of(*read, "contents"),
                           .actions = level_of(*read, "actions")};
  grant.token = tokens_.mint(reach);
  // Actions are had as called workflows are: where the account may read them on whose behalf the run is.
  reach.contents = reach.actions = identity::Level::none;
  reach.reads_for = text_of(read->contexts.find("github"), "actor");
  if (!reach.reads_for.empty()) grant.actions_token = tokens_.mint(reach);
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
