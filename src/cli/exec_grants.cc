#include "cli/exec_grants.h"

#include "core/json.h"
#include "services/runner/job_context.h"
#include "workflow/expression.h"

namespace headrace::cli {

using core::Code;
using core::Result;
using workflow::Object;
using workflow::Value;

namespace {

Object object_of(const runner::Variables& variables) {
  Object object;
  for (const auto& [name, value] : variables) object.set(name, Value(value));
  return object;
}

// One mapping of a call: names, and TEXT over the secrets that the caller has. All but secrets was put in when the job
// was planned.
Result<Object> passed_on(const core::json::object& mapping, const Object& of_caller) {
  static constexpr std::string_view names[] = {"secrets"};
  Object contexts;
  contexts.set("secrets", Value(of_caller));
  Object passed;
  for (const auto& [name, text] : mapping) {
    if (!text.is_string()) continue;
    auto read = workflow::Template::parse(std::string(text.get_string()), workflow::Language{.contexts = names});
    auto value = read ? read->evaluate_text(contexts) : std::unexpected(read.error());
    if (!value)
      return core::fail(Code::invalid, "The secret '" + std::string(name) + "' of a call: " + value.error().message);
    passed.set(name, Value(std::move(*value)));
  }
  return passed;
}

}  // namespace

LocalGrants::LocalGrants(runner::Variables secrets, std::string server_url)
    : secrets_(std::move(secrets)), server_url_(std::move(server_url)) {
  for (const auto& [name, value] : secrets_)
    if (workflow::equal_in_any_case(name, "GITHUB_TOKEN")) token_ = value;
  std::erase_if(secrets_, [](const auto& one) { return workflow::equal_in_any_case(one.first, "GITHUB_TOKEN"); });
}

Result<runner::JobGrant> LocalGrants::grant(const std::string& spec) const {
  runner::JobGrant grant;
  grant.token = token_;
  grant.server_url = server_url_;
  auto read = core::parse_json(spec);
  const auto* wanted = read ? core::find(*read, "secrets") : nullptr;
  if (wanted == nullptr || (wanted->is_string() && wanted->get_string() != "all")) return grant;
  Object secrets = object_of(secrets_);
  if (!token_.empty()) secrets.set("GITHUB_TOKEN", Value(token_));
  core::json::array mappings;
  if (wanted->is_object()) mappings.push_back(*wanted);
  if (wanted->is_array()) mappings = wanted->get_array();
  for (const auto& mapping : mappings) {
    if (!mapping.is_object()) continue;
    auto passed = passed_on(mapping.get_object(), secrets);
    if (!passed) return std::unexpected(passed.error());
    secrets = std::move(*passed);
  }
  for (const auto& [name, value] : secrets)
    if (!workflow::equal_in_any_case(name, "GITHUB_TOKEN")) grant.secrets.emplace_back(name, value.to_text());
  return grant;
}

}  // namespace headrace::cli
