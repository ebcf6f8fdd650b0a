// Rules of single values.
#include <algorithm>

#include "workflow/walk.h"

namespace headrace::workflow {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    size_t slash = text.find_first_of("/\\");
    if (slash != 0) parts.push_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string identifier_problem(std::string_view id) {
  constexpr size_t identifier_bytes_max = 100;
  bool good = !id.empty() && id.size() < identifier_bytes_max && is_letter(id[0]) &&
              std::ranges::all_of(id, [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
  if (good) return {};
  return "The identifier '" + std::string(id) +
         "' is invalid. IDs may only contain alphanumeric characters, '_', and '-'. IDs must start with a letter or "
         "'_' and and must be less than 100 characters.";  // twice "and", as GitHub has it
}

// "docker://IMAGE", "./path", "$/path" (of the repository and commit that the workflow is of), "OWNER/NAME[/path]@REF".
std::string step_uses_problem(std::string_view uses) {
  for (std::string_view start : {"docker://", "./", ".\\", "$/"}) {
    if (uses.starts_with(start)) return {};
  }
  size_t at = uses.find('@');
  bool good = at != std::string_view::npos && at == uses.rfind('@') && at + 1 < uses.size();
  std::vector<std::string_view> names = split(uses.substr(0, good ? at : 0));
  if (good && names.size() >= 2 && !names[0].empty() && !names[1].empty()) return {};
  return "Expected format {org}/{repo}[/path]@ref. Actual '" + std::string(uses) + "'";
}

// "./.github/workflows/FILE", the same with "$/", or "OWNER/NAME/.github/workflows/FILE@REF"; ours in
// .headrace/workflows likewise.
std::string job_uses_problem(std::string_view uses) {
  std::string wanted =
      "Call a workflow as ./.github/workflows/FILE.yml, or as OWNER/NAME/.github/workflows/FILE.yml@REF.";
  bool local = uses.starts_with("./") || uses.starts_with("$/");
  size_t at = uses.find('@');
  if (local && at != std::string_view::npos) {
    return "invalid value workflow reference: cannot specify version when calling local workflows. " + wanted;
  }
  if (!local && (at == std::string_view::npos || at + 1 == uses.size())) {
    return "invalid value workflow reference: no version specified. " + wanted;
  }
  std::string_view path = uses.substr(0, at);
  if (local) path.remove_prefix(2);
  for (int name = 0; !local && name < 2; ++name) {
    size_t slash = path.find('/');
    if (slash == std::string_view::npos || slash == 0) {
      return "invalid value workflow reference: references to workflows must name owner and repository. " + wanted;
    }
    path.remove_prefix(slash + 1);
  }
  if (is_workflow_path(path)) return {};
  bool folder = path.starts_with(".github/workflows/") || path.starts_with(".headrace/workflows/");
  std::string reason = folder ? "workflow file should have either a '.yml' or '.yaml' file extension and stand in no "
                                "folder below"
                              : "workflows must be defined in the .github/workflows folder";
  return "invalid value workflow reference: " + reason + ". " + wanted;
}

}  // namespace headrace::workflow
