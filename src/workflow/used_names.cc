// Which secrets and variables the expressions of a job name: it is given those and no others.
#include <algorithm>
#include <array>

#include "workflow/expand.h"
#include "workflow/expression.h"

namespace headrace::workflow {
namespace {

// Those that GitHub's runner looks at itself, as secret or as variable.
constexpr std::array<std::string_view, 2> of_the_runner{"ACTIONS_STEP_DEBUG", "ACTIONS_RUNNER_DEBUG"};

class Collector {
 public:
  UsedNames collect(const Workflow& workflow, const Job& job) {
    walk(workflow.body.at_or_null("env"));
    walk(workflow.body.at_or_null("defaults"));
    walk(job.body);
    for (const Step& step : job.steps) {
      walk(step.body);
      condition(step.condition);
    }
    for (std::string_view name : of_the_runner) {
      used_.secrets.add(name);
      used_.variables.add(name);
    }
    return std::move(used_);
  }

 private:
  // Without reading expressions first: most texts name neither.
  static bool mentions(const std::string& text) {
    std::string folded = fold_case(text);
    return folded.contains("SECRETS") || folded.contains("VARS");
  }

  void walk(const Node& node) {
    if (node.is_string() && holds_expression(node.text) && mentions(node.text))
      visit_references(node, [this](const Reference& reference) { see(reference); });
    for (const Node& item : node.items) walk(item);
    for (const Pair& pair : node.pairs) walk(pair.value);
  }
  void condition(const std::string& text) {
    if (!mentions(text)) return;
    auto read = parse_condition(text, {.contexts = {}, .any_name = true});
    if (read) read->visit([this](const Reference& reference) { see(reference); });
  }

  void see(const Reference& reference) {
    if (reference.kind != Reference::Kind::context) return;
    if (reference.name == "secrets") see(reference, used_.secrets);
    if (reference.name == "vars") see(reference, used_.variables);
  }
  // secrets.NAME names one; secrets, secrets.* and secrets[matrix.name] may mean any.
  void see(const Reference& reference, UsedNames::Names& names) {
    bool named = !reference.path.empty() && reference.path[0].has_value();
    if (!named) {
      names.all = true;
    } else {
      names.add(*reference.path[0]);
    }
    bool token = named && equal_in_any_case(*reference.path[0], "GITHUB_TOKEN");
    if (&names == &used_.secrets && !token) used_.uses_secrets = true;
  }

  UsedNames used_;
};

}  // namespace

void UsedNames::Names::add(std::string_view name) { folded.insert(fold_case(name)); }

bool UsedNames::Names::include(std::string_view name) const { return all || folded.contains(fold_case(name)); }

UsedNames used_names(const Workflow& workflow, const Job& job) { return Collector().collect(workflow, job); }

}  // namespace headrace::workflow
