// Version 1 of plan and spec.
#include <algorithm>
#include <cmath>

#include "core/json.h"
#include "workflow/workflow.h"

namespace headrace::workflow {
namespace {

namespace json = core::json;

struct RefName {
  std::string kind;  // "branch", "tag", or empty
  std::string name;
};

RefName short_name(std::string_view ref) {
  constexpr std::string_view heads = "refs/heads/", tags = "refs/tags/";
  if (ref.starts_with(heads)) return {"branch", std::string(ref.substr(heads.size()))};
  if (ref.starts_with(tags)) return {"tag", std::string(ref.substr(tags.size()))};
  return {"", std::string(ref)};
}

// GitHub, "Variables", "Default environment variables".
json::object default_variables(const Workflow& workflow, const Job& job, const Context& context) {
  RefName ref = short_name(context.ref);
  std::string owner = context.repository.substr(0, context.repository.find('/'));
  return {{"CI", "true"},
          {"HEADRACE", "true"},
          {"GITHUB_ACTIONS", "true"},
          {"GITHUB_ACTOR", context.actor},
          {"GITHUB_TRIGGERING_ACTOR", context.actor},
          {"GITHUB_API_URL", context.server_url.empty() ? "" : context.server_url + "/api/v3"},
          {"GITHUB_BASE_REF", ""},
          {"GITHUB_EVENT_NAME", context.event},
          {"GITHUB_HEAD_REF", ""},
          {"GITHUB_JOB", job.id},
          {"GITHUB_REF", context.ref},
          {"GITHUB_REF_NAME", ref.name},
          {"GITHUB_REF_TYPE", ref.kind},
          {"GITHUB_REPOSITORY", context.repository},
          {"GITHUB_REPOSITORY_ID", std::to_string(context.repository_id)},
          {"GITHUB_REPOSITORY_OWNER", owner},
          {"GITHUB_RUN_ATTEMPT", std::to_string(context.run_attempt)},
          {"GITHUB_RUN_ID", std::to_string(context.run_id)},
          {"GITHUB_RUN_NUMBER", std::to_string(context.run_number)},
          {"GITHUB_SERVER_URL", context.server_url},
          {"GITHUB_SHA", context.commit},
          {"GITHUB_WORKFLOW", workflow.shown_name()},
          {"GITHUB_WORKFLOW_REF", context.repository + "/" + workflow.file + "@" + context.ref},
          {"GITHUB_WORKFLOW_SHA", context.commit}};
}

void put(json::object& into, const Node& variables) {
  for (const Pair& pair : variables.pairs) into[pair.key.text] = pair.value.text;
}

// GitHub shows a step without a name by its first line.
std::string shown_name(const Step& step) {
  if (!step.name.empty()) return step.name;
  if (!step.uses.empty()) return "Run " + step.uses;
  return "Run " + step.run.substr(0, step.run.find('\n'));
}

// A property of the step, else of the job's defaults.run, else of the workflow's.
std::string run_setting(const Workflow& workflow, const Job& job, const Step& step, std::string_view name) {
  auto fallback = [&](const Node& body) -> const Node& {
    return body.at_or_null("defaults").at_or_null("run").at_or_null(name);
  };
  for (const Node* node : {&step.body.at_or_null(name), &fallback(job.body), &fallback(workflow.body)}) {
    if (!node->text.empty()) return node->text;
  }
  return {};
}

json::value minutes(const Node& node) {
  if (node.kind != Node::Kind::number) return {};
  return static_cast<int64_t>(std::ceil(std::min(node.number, 525'600.0)));
}

Condition condition_of(std::string_view counted) {
  constexpr std::pair<std::string_view, Condition> known[] = {
      {"success()", Condition::success},     {"success() && (true)", Condition::success},
      {"failure()", Condition::failure},     {"always()", Condition::always},
      {"cancelled()", Condition::cancelled}, {"success() && (false)", Condition::never}};
  for (auto [text, condition] : known) {
    if (text == counted) return condition;
  }
  return Condition::never;
}

json::object step_spec(const Workflow& workflow, const Job& job, const Step& step, size_t number) {
  std::string shell = run_setting(workflow, job, step, "shell");
  json::object env;
  put(env, step.body.at_or_null("env"));
  return {{"number", static_cast<int64_t>(number)},
          {"id", step.id},
          {"name", shown_name(step)},
          {"if", name_of(condition_of(step.condition))},
          {"run", step.run},
          {"shell", shell.empty() ? "bash" : shell},
          {"shell_given", !shell.empty()},
          {"working_directory", run_setting(workflow, job, step, "working-directory")},
          {"env", std::move(env)},
          {"timeout_minutes", minutes(step.body.at_or_null("timeout-minutes"))},
          {"continue_on_error", step.body.at_or_null("continue-on-error").is_true()}};
}

std::string job_spec(const Workflow& workflow, const Job& job, const PlannedJob& planned, const Context& context) {
  json::object env;
  put(env, workflow.body.at_or_null("env"));
  put(env, job.body.at_or_null("env"));
  json::array steps;
  for (const Step& step : job.steps) steps.push_back(step_spec(workflow, job, step, steps.size() + 1));
  return core::to_text(json::object{{"version", 1},
                                    {"job", planned.key},
                                    {"name", planned.name},
                                    {"workflow", workflow.shown_name()},
                                    {"timeout_minutes", planned.timeout_minutes},
                                    {"continue_on_error", planned.continue_on_error},
                                    {"variables", default_variables(workflow, job, context)},
                                    {"env", std::move(env)},
                                    {"steps", std::move(steps)}});
}

PlannedJob plan_job(const Workflow& workflow, const Job& job, const Context& context) {
  PlannedJob planned;
  planned.key = job.id;
  planned.name = job.name.empty() ? job.id : job.name;
  for (const Text& need : job.needs) planned.needs.push_back(need.value);
  planned.labels = job.runs_on;
  planned.condition = condition_of(job.condition);
  planned.continue_on_error = job.body.at_or_null("continue-on-error").is_true();
  json::value timeout = minutes(job.body.at_or_null("timeout-minutes"));
  planned.timeout_minutes = timeout.is_int64() ? timeout.get_int64() : timeout_minutes_default;
  planned.spec = job_spec(workflow, job, planned, context);
  return planned;
}

// What this plan cannot say: it never runs a thing otherwise than written.
class Blocked {
 public:
  explicit Blocked(std::vector<Unsupported>& found) : found_(found) {}

  void job(const Job& job) {
    for (const char* name : {"uses", "strategy", "container", "services", "outputs", "environment", "concurrency"}) {
      if (const Node* node = job.body.find(name)) add(node->at, std::string("jobs.<job_id>.") + name);
    }
    if (job.body.at_or_null("runs-on").is_mapping()) add(job.at, "jobs.<job_id>.runs-on as a mapping");
    condition(job.condition, job.body.at_or_null("if"));
    body(job.body);
    for (const Step& step : job.steps) {
      if (const Node* node = step.body.find("uses")) add(node->at, "jobs.<job_id>.steps[*].uses");
      condition(step.condition, step.body.at_or_null("if"));
      body(step.body);
    }
  }

  // Expressions, and shells that are not known to this plan.
  void body(const Node& node) {
    for (const Pair& pair : node.pairs) {
      if (pair.key.text == "if" || pair.key.text == "on") continue;
      if (pair.key.text == "shell" && pair.value.is_scalar()) shell(pair.value);
      body(pair.value);
    }
    for (const Node& item : node.items) body(item);
    size_t open = node.text.find("${{");
    if (open == std::string::npos) return;
    size_t close = std::min(node.text.find("}}", open), node.text.size() - 2) + 2;
    add(node.at, "expression " + node.text.substr(open, close - open));
  }

 private:
  void condition(const std::string& counted, const Node& node) {
    if (condition_of(counted) == Condition::never && counted != "success() && (false)") {
      add(node.at, "condition " + counted);
    }
  }

  void shell(const Node& node) {
    bool known = node.text == "bash" || node.text == "sh" || node.text == "python";
    if (!known && !node.text.contains("${{")) add(node.at, "shell '" + node.text + "'");
  }

  void add(Position at, std::string feature) { found_.push_back({at, std::move(feature), ""}); }

  std::vector<Unsupported>& found_;
};

}  // namespace

Plan plan(const Workflow& workflow, const Context& context) {
  Plan plan;
  for (const Job& job : workflow.jobs) plan.jobs.push_back(plan_job(workflow, job, context));
  return plan;
}

std::vector<Unsupported> blocking(const Workflow& workflow, std::string_view event) {
  std::vector<Unsupported> needed;
  for (const Unsupported& entry : workflow.unsupported) {
    if (entry.event.empty() || entry.event == event) needed.push_back(entry);
  }
  Blocked blocked(needed);
  blocked.body(workflow.body);
  for (const Job& job : workflow.jobs) blocked.job(job);
  return needed;
}

std::string_view name_of(Condition condition) {
  switch (condition) {
    case Condition::success: return "success";
    case Condition::failure: return "failure";
    case Condition::always: return "always";
    case Condition::cancelled: return "cancelled";
    case Condition::never: return "never";
  }
  return "never";
}

}  // namespace headrace::workflow
