// `jobs` and their steps.
#include <algorithm>
#include <set>
#include <utility>

#include "workflow/read.h"

namespace headrace::workflow {
namespace {

std::vector<Text> texts(const Node& node) {
  std::vector<Text> read;
  if (node.is_scalar() && !node.is_null()) read.push_back({node.text, node.at});
  for (const Node& item : node.items) read.push_back({item.text, item.at});
  return read;
}

// The `if` of a job or step, as the walk read it.
std::string counted_condition(const Node& node) {
  return node.expression == nullptr ? "success()" : node.expression->text();
}

// Ids for steps without one, as GitHub makes them: of the action's name or "run", told apart by numbers.
class StepIds {
 public:
  void take(const std::string& id) { taken_.insert(id); }
  std::string make(const Step& step) {
    std::string base = "__" + source_of(step);
    for (char& c : base) {
      bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
      if (!good) c = '_';
    }
    constexpr size_t id_bytes_max = 100;
    std::string id = base.substr(0, id_bytes_max);
    for (int number = 2; !taken_.insert(id).second; ++number) {
      std::string suffix = "_" + std::to_string(number);
      id = base.substr(0, id_bytes_max - suffix.size()) + suffix;
    }
    return id;
  }

 private:
  static std::string source_of(const Step& step) {
    for (const char* kind : {"wait", "wait-all", "cancel", "parallel"}) {
      if (step.body.find(kind) != nullptr) return kind;
    }
    const std::string& uses = step.uses;
    if (uses.empty()) return "run";
    if (uses.starts_with("docker://")) return uses.substr(9);
    if (uses.starts_with("./") || uses.starts_with(".\\") || uses.starts_with("$/")) return "self";
    std::string name = uses.substr(0, uses.find('@'));
    size_t second = name.find('/', name.find('/') + 1);
    return name.substr(0, second);
  }

  std::set<std::string> taken_;
};

// What is around the steps of a job: `env` of it and of the workflow.
struct Around {
  const Node* job = nullptr;
  const Node* workflow = nullptr;
};

Step read_step(Walk& walk, Node node, const Around& around) {
  Step step;
  step.at = node.at;
  step.id = node.at_or_null("id").text;
  step.name = node.at_or_null("name").text;
  step.uses = node.at_or_null("uses").text;
  step.run = node.at_or_null("run").text;
  step.condition = counted_condition(node.at_or_null("if"));
  const Environments environments{&node.at_or_null("env"), around.job, around.workflow};
  lint_script(walk, node.at_or_null("run"), environments);
  if (step.uses.starts_with("actions/github-script@"))
    lint_script(walk, node.at_or_null("with").at_or_null("script"), environments);
  step.body = std::move(node);
  return step;
}

void check_id(Walk& walk, const Step& step, std::set<std::string>& ids) {
  const Node* node = step.body.find("id");
  if (node == nullptr) return;
  std::string problem = identifier_problem(step.id);
  if (step.id.starts_with("__")) {
    problem = "The identifier '" + step.id + "' is invalid. IDs starting with '__' are reserved.";
  }
  std::string lower = step.id;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  if (problem.empty() && !ids.insert(lower).second) {
    problem = "The identifier '" + step.id + "' may not be used more than once within the same scope.";
  }
  if (!problem.empty()) walk.error(node->at, std::move(problem));
}

void read_steps(Walk& walk, Node node, Job& job, const Around& around) {
  if (node.items.size() > steps_max) return walk.error(node.at, "The job has more than 1000 steps. Split it.");
  std::set<std::string> ids;
  StepIds made;
  for (Node& item : node.items) {
    job.steps.push_back(read_step(walk, std::move(item), around));
    check_id(walk, job.steps.back(), ids);
    made.take(job.steps.back().id);
  }
  for (Step& step : job.steps) step.shown_id = step.id.empty() ? made.make(step) : step.id;
}

// GitHub refuses a vector without values where it is written in the file. A matrix with too many legs it reads, and the
// run fails.
void check_matrix(Walk& walk, const Node& strategy) {
  const Node& matrix = strategy.at_or_null("matrix");
  size_t legs = 1;
  bool excludes = false;
  for (const Pair& pair : matrix.pairs) {
    bool excluding = equal_in_any_case(pair.key.text, "exclude");
    excludes = excludes || excluding;
    if (!pair.value.is_sequence() || excluding || equal_in_any_case(pair.key.text, "include")) continue;
    if (pair.value.items.empty())
      walk.error(pair.value.at, "Matrix vector '" + pair.key.text + "' does not contain any values");
    legs = std::min(legs * std::max<size_t>(pair.value.items.size(), 1), size_t{1} << 32);
  }
  if (legs > legs_max && !excludes) {
    walk.warn(matrix.at, "The matrix has " + (legs >> 32 > 0 ? "thousands of millions of" : std::to_string(legs)) +
                             " legs; at most " + std::to_string(legs_max) +
                             " may run, so the job will fail. Exclude some, or split the job.");
  }
}

void check_runs_on(Walk& walk, const Node& node) {
  if (node.is_sequence() && node.items.empty()) {
    walk.error(node.at, "'runs-on' names no runner. Name at least one label, such as ubuntu-latest.");
  }
  const Node& group = node.at_or_null("group");
  if (holds_expression(group.text)) return;
  size_t slash = group.text.find('/');
  if (slash == std::string::npos) return;
  std::string_view prefix = std::string_view(group.text).substr(0, slash);
  constexpr std::string_view known[] = {"org", "organization", "ent", "enterprise"};
  bool good = std::ranges::find(known, prefix) != std::end(known) && slash + 1 < group.text.size() &&
              !group.text.substr(slash + 1).contains('/');
  if (!good) {
    walk.error(group.at, "Invalid runs-on group name '" + group.text +
                             "'. Please use 'organization/' or 'enterprise/' prefix to target a single runner group.");
  }
}

Job read_job(Walk& walk, const Node& key, Node node, const Node& env) {
  Job job;
  job.at = key.at;
  job.id = key.text;
  job.name = node.at_or_null("name").text;
  job.uses = node.at_or_null("uses").text;
  job.needs = texts(node.at_or_null("needs"));
  const Node& runs_on = node.at_or_null("runs-on");
  for (Text& label : texts(runs_on.is_mapping() ? runs_on.at_or_null("labels") : runs_on)) {
    job.runs_on.push_back(std::move(label.value));
  }
  const Node& condition = node.at_or_null("if");
  job.condition_at = condition.at.line > 0 ? condition.at : key.at;
  job.condition = counted_condition(condition);
  check_matrix(walk, node.at_or_null("strategy"));
  check_runs_on(walk, runs_on);
  if (job.uses.empty() && node.at_or_null("steps").items.empty()) {
    walk.warn(key.at, "No steps defined in `steps` and no workflow called in `uses` for the job '" + job.id +
                          "': GitHub refuses such a file. Add a step.");
  }
  for (Pair& pair : node.pairs) {
    if (pair.key.text != "steps") continue;
    read_steps(walk, std::exchange(pair.value, Node()), job, {&node.at_or_null("env"), &env});
  }
  job.body = std::move(node);
  return job;
}

}  // namespace

void read_jobs(Walk& walk, Node node, const Node& env, Workflow& into) {
  if (node.pairs.empty()) walk.error(node.at, "'jobs' has no job. Write at least one.");
  if (node.pairs.size() > jobs_max) {
    return walk.error(node.at, "The workflow may not contain more than " + std::to_string(jobs_max) + " jobs");
  }
  for (Pair& pair : node.pairs) into.jobs.push_back(read_job(walk, pair.key, std::move(pair.value), env));
  check_needs(walk, node, into.jobs);
}

}  // namespace headrace::workflow
