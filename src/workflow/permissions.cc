#include "workflow/permissions.h"

#include <algorithm>

#include "workflow/schema.h"

namespace headrace::workflow {
namespace {

int rank(std::string_view level) { return level == "write" ? 2 : level == "read" ? 1 : 0; }

const std::string& level_of(const Permissions& permissions, std::string_view scope) {
  static const std::string none = "none";
  auto found = std::ranges::find(permissions, scope, &Permissions::value_type::first);
  return found == permissions.end() ? none : found->second;
}

// read-all, write-all: each scope up to what it knows.
std::string level_for(const schema::Scope& scope, std::string_view wanted) {
  if (wanted == "write" && scope.write) return "write";
  if (wanted != "none" && scope.read) return "read";
  return "none";
}

Permissions all(std::string_view level) {
  Permissions permissions;
  for (const schema::Scope& scope : schema::scopes()) {
    permissions.emplace_back(std::string(scope.name), level_for(scope, level));
  }
  return permissions;
}

bool is_shorthand(const Node& node) { return node.text == "read-all" || node.text == "write-all"; }

}  // namespace

Permissions default_permissions(TokenDefault token) {
  bool write = token == TokenDefault::write_all;
  Permissions permissions = all(write ? "write" : "none");
  for (auto& [scope, level] : permissions) {
    if (!write && (scope == "contents" || scope == "packages")) level = "read";
    if (scope == "id-token" || scope == "copilot-requests") level = "none";  // only where they are asked for
  }
  return permissions;
}

std::optional<Permissions> written_permissions(const Node& node) {
  if (node.at.line == 0) return std::nullopt;
  if (is_shorthand(node)) return all(node.text == "write-all" ? "write" : "read");
  Permissions permissions = all("none");
  for (auto& [scope, level] : permissions) {
    const Node* given = node.find(scope);
    if (given != nullptr) level = given->text;
  }
  return permissions;
}

Permissions at_most(Permissions wanted, const Permissions& bound) {
  for (auto& [scope, level] : wanted) {
    const std::string& most = level_of(bound, scope);
    if (rank(level) > rank(most)) level = most;
  }
  return wanted;
}

Permissions reads_of(Permissions permissions) {
  for (auto& [scope, level] : permissions) {
    if (level == "write") level = scope == "id-token" || scope == "copilot-requests" ? "none" : "read";
  }
  return permissions;
}

Permissions job_permissions(const Workflow& workflow, const Job& job, const Permissions& outer) {
  if (auto own = written_permissions(job.body.at_or_null("permissions"))) return *own;
  if (auto own = written_permissions(workflow.body.at_or_null("permissions"))) return *own;
  return outer;
}

std::string excess(const Node& node, const Permissions& allowed) {
  auto wanted = written_permissions(node);
  if (!wanted) return {};
  std::string asked, granted;
  for (const auto& [scope, level] : *wanted) {
    const std::string& most = level_of(allowed, scope);
    if (rank(level) <= rank(most)) continue;
    auto known = std::ranges::find(schema::scopes(), scope, &schema::Scope::name);
    if (is_shorthand(node) && !known->shorthand) continue;
    asked.append(asked.empty() ? "" : ", ").append(scope).append(": ").append(level);
    granted.append(granted.empty() ? "" : ", ").append(scope).append(": ").append(most);
  }
  if (asked.empty()) return {};
  return "requesting '" + asked + "', but is only allowed '" + granted + "'.";
}

}  // namespace headrace::workflow
