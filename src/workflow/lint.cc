// Script injection: a ${{ }} in a script becomes part of the script before the shell reads it, so text that a stranger
// wrote is run. GitHub, "Security hardening for GitHub Actions", "Understanding the risk of script injections".
#include <algorithm>
#include <optional>
#include <vector>

#include "workflow/walk.h"

namespace headrace::workflow {
namespace {

using Path = std::vector<std::string_view>;

// What whoever opens an issue or a pull request writes. "*": any member.
const std::vector<Path>& foreign_paths() {
  static const std::vector<Path> paths{
      {"head_ref"},
      {"event", "issue", "title"},
      {"event", "issue", "body"},
      {"event", "pull_request", "title"},
      {"event", "pull_request", "body"},
      {"event", "pull_request", "head", "ref"},
      {"event", "pull_request", "head", "label"},
      {"event", "pull_request", "head", "repo", "default_branch"},
      {"event", "comment", "body"},
      {"event", "review", "body"},
      {"event", "review_comment", "body"},
      {"event", "discussion", "title"},
      {"event", "discussion", "body"},
      {"event", "pages", "*", "page_name"},
      {"event", "commits", "*", "message"},
      {"event", "commits", "*", "author", "email"},
      {"event", "commits", "*", "author", "name"},
      {"event", "head_commit", "message"},
      {"event", "head_commit", "author", "email"},
      {"event", "head_commit", "author", "name"},
      {"event", "head_commit", "committer", "email"},
      {"event", "workflow_run", "head_branch"},
      {"event", "workflow_run", "display_title"},
      {"event", "workflow_run", "head_commit", "message"},
      {"event", "workflow_run", "head_commit", "author", "email"},
      {"event", "workflow_run", "head_commit", "author", "name"},
      {"event", "workflow_run", "pull_requests", "*", "head", "ref"},
  };
  return paths;
}

// As JSON, an object holds what is within it; else it shows as "Object".
bool covers(const Path& path, const std::vector<std::optional<std::string>>& used, bool as_json) {
  if (used.size() > path.size() || (used.size() < path.size() && !as_json)) return false;
  for (size_t i = 0; i < used.size(); ++i) {
    if (path[i] == "*" || !used[i]) continue;
    if (!equal_in_any_case(*used[i], path[i])) return false;
  }
  return true;
}

bool is_foreign(const Reference& reference, bool as_json) {
  if (reference.name != "github") return false;
  return std::ranges::any_of(foreign_paths(), [&](const Path& path) { return covers(path, reference.path, as_json); });
}

std::string written(const Reference& reference, bool as_json) {
  std::string out = reference.name;
  for (const auto& part : reference.path) out.append(".").append(part.value_or("*"));
  return as_json ? "toJSON(" + out + ")" : out;
}

// What a variable takes in; null: nothing of strangers. The nearest `env` counts that has it.
std::optional<std::string> foreign_in(const Environments& around, std::string_view variable) {
  for (const Node* env : around) {
    const Node* value = env->find(variable);
    if (value == nullptr) continue;
    std::optional<std::string> found;
    if (value->expression == nullptr) return found;
    value->expression->visit_carried([&](const Reference& reference, bool as_json) {
      if (!found && is_foreign(reference, as_json)) found = written(reference, as_json);
    });
    return found;
  }
  return std::nullopt;
}

}  // namespace

void lint_script(Walk& walk, const Node& script, const Environments& around) {
  if (script.expression == nullptr) return;  // without ${{ }}, or with an error that the walk has told
  script.expression->visit_carried([&](const Reference& reference, bool as_json) {
    auto place = [&] { return walk.place(script, reference.offset); };
    if (is_foreign(reference, as_json)) {
      return walk.warn(place(), "The script takes in ${{ " + written(reference, as_json) + " }}, " +
                                    (as_json ? "in which stands what anybody may write" : "which anybody may write") +
                                    ": a shell would run what stands in it. Put it into `env` and use the variable, in "
                                    "quotes.");
    }
    bool variable = reference.name == "env" && reference.path.size() == 1 && reference.path[0];
    if (!variable) return;
    if (auto foreign = foreign_in(around, *reference.path[0])) {
      walk.warn(place(),
                "The script takes in ${{ " + written(reference, as_json) + " }}, which holds " + *foreign +
                    ": anybody may write it, and a shell would run what stands in it. Use the variable itself, "
                    "in quotes: \"$" +
                    *reference.path[0] + "\".");
    }
  });
}

}  // namespace headrace::workflow
