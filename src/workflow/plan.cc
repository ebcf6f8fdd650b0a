// A workflow and where it runs become the graph of jobs, each with its spec; and the JSON of `workflow check`.
#include <algorithm>

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

void put(json::object& into, const Variables& variables) {
  for (const auto& [name, value] : variables) into[name] = value;
}

// GitHub shows a step without a name by its first line.
std::string shown_name(const Step& step) {
  if (!step.name.empty()) return step.name;
  if (!step.uses.empty()) return "Run " + step.uses;
  return "Run " + step.run.substr(0, step.run.find('\n'));
}

const std::string& first_given(const std::string& a, const std::string& b, const std::string& c) {
  return !a.empty() ? a : !b.empty() ? b : c;
}

json::object step_spec(const Workflow& workflow, const Job& job, const Step& step, size_t number) {
  const std::string& shell = first_given(step.shell, job.defaults.shell, workflow.defaults.shell);
  json::object env;
  put(env, step.env);
  json::value timeout;
  if (step.timeout_minutes) timeout = *step.timeout_minutes;
  return {{"number", static_cast<int64_t>(number)},
          {"id", step.id},
          {"name", shown_name(step)},
          {"if", name_of(step.condition)},
          {"run", step.run},
          {"shell", shell.empty() ? "bash" : shell},
          {"shell_given", !shell.empty()},
          {"working_directory",
           first_given(step.working_directory, job.defaults.working_directory, workflow.defaults.working_directory)},
          {"env", std::move(env)},
          {"timeout_minutes", std::move(timeout)},
          {"continue_on_error", step.continue_on_error}};
}

std::string job_spec(const Workflow& workflow, const Job& job, const PlannedJob& planned, const Context& context) {
  json::object env;
  put(env, workflow.env);
  put(env, job.env);
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
  planned.condition = job.condition;
  planned.continue_on_error = job.continue_on_error;
  planned.timeout_minutes = job.timeout_minutes.value_or(timeout_minutes_default);
  planned.spec = job_spec(workflow, job, planned, context);
  return planned;
}

bool has_status_function(std::string_view text) {
  std::string plain;  // without texts in quotes, spaces and capitals
  bool quoted = false;
  for (char c : text) {
    if (c == '\'') quoted = !quoted;
    if (quoted || c == '\'' || c == ' ') continue;
    plain.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
  }
  return std::ranges::any_of(std::initializer_list<std::string_view>{"success(", "failure(", "always(", "cancelled("},
                             [&](std::string_view function) { return plain.contains(function); });
}

std::string counted_condition(const std::string& text) {
  if (text.empty()) return "success()";
  return has_status_function(text) ? text : "success() && (" + text + ")";
}

json::array strings(const std::vector<std::string>& texts) { return json::array(texts.begin(), texts.end()); }

json::object step_json(const Step& step) {
  return {{"id", step.id},
          {"name", step.name},
          {"if", counted_condition(step.condition_text)},
          {"uses", step.uses},
          {"run", step.run}};
}

json::object job_json(const Job& job) {
  json::array needs, steps;
  for (const Text& need : job.needs) needs.push_back(json::value(need.value));
  for (const Step& step : job.steps) steps.push_back(step_json(step));
  return {{"id", job.id},
          {"name", job.name.empty() ? job.id : job.name},
          {"needs", std::move(needs)},
          {"if", counted_condition(job.condition_text)},
          {"runs_on", strings(job.runs_on)},
          {"uses", job.uses},
          {"steps", std::move(steps)}};
}

}  // namespace

Plan plan(const Workflow& workflow, const Context& context) {
  Plan plan;
  for (const Job& job : workflow.jobs) plan.jobs.push_back(plan_job(workflow, job, context));
  return plan;
}

std::string to_json(const Reading& reading, std::string_view file) {
  json::array errors, unsupported, events, jobs;
  for (const Finding& finding : reading.errors) {
    errors.push_back(
        json::object{{"line", finding.at.line}, {"column", finding.at.column}, {"message", finding.message}});
  }
  for (const Unsupported& entry : reading.unsupported) {
    unsupported.push_back(
        json::object{{"line", entry.at.line}, {"column", entry.at.column}, {"feature", entry.feature}});
  }
  std::string name;
  if (reading.workflow) {
    name = reading.workflow->name;
    for (const Trigger& trigger : reading.workflow->on) events.push_back(json::value(trigger.event));
    for (const Job& job : reading.workflow->jobs) jobs.push_back(job_json(job));
  }
  return core::to_text(json::object{{"file", file},
                                    {"errors", std::move(errors)},
                                    {"unsupported", std::move(unsupported)},
                                    {"name", name},
                                    {"events", std::move(events)},
                                    {"jobs", std::move(jobs)}});
}

}  // namespace headrace::workflow
