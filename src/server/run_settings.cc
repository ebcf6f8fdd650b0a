#include "server/run_settings.h"

namespace headrace::server {

using core::Result;
using core::Task;

namespace {

workflow::Object object_of(const std::map<std::string, std::string>& variables) {
  workflow::Object object;
  for (const auto& [name, value] : variables) object.set(name, workflow::Value(value));
  return object;
}

}  // namespace

bool RunSettings::trusts(const core::Actor& author, const std::string& repository) {
  auto resource = identity::Resource::repository(repository);
  return identity_.door().may(author, identity::Action::write_repository, resource).has_value();
}

Task<Result<pipeline::Variables>> RunSettings::variables(std::string repository, log::Offset at) {
  auto found = co_await secrets_.run_variables(std::move(repository), at);
  if (!found) co_return std::unexpected(found.error());
  pipeline::Variables variables;
  variables.of_run = object_of(found->of_run);
  for (const auto& [name, own] : found->of_environment)
    variables.of_environments[workflow::fold_case(name)] = object_of(own);
  co_return variables;
}

}  // namespace headrace::server
