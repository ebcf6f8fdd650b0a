#include "services/runner/job_spec.h"

#include <algorithm>
#include <array>

#include "core/json.h"

namespace headrace::runner {

namespace json = core::json;
using core::Code;
using core::Result;

namespace {

constexpr int64_t version_known = 1;

constexpr std::array<std::pair<When, std::string_view>, 5> conditions{{{When::success, "success"},
                                                                       {When::failure, "failure"},
                                                                       {When::always, "always"},
                                                                       {When::cancelled, "cancelled"},
                                                                       {When::never, "never"}}};

std::optional<When> parse_when(std::string_view name) {
  for (const auto& [when, known] : conditions)
    if (known == name) return when;
  return std::nullopt;
}

Result<Variables> variables_at(const json::value& object, std::string_view key) {
  Variables variables;
  const auto* members = core::find(object, key);
  if (!members) return variables;
  if (!members->is_object()) return core::fail(Code::invalid, "The job's '" + std::string(key) + "' is not an object.");
  for (const auto& [name, value] : members->get_object()) {
    if (!value.is_string())
      return core::fail(Code::invalid, "The variable '" + std::string(name) + "' of the job is not a string.");
    variables.emplace_back(name, value.get_string());
  }
  return variables;
}

int64_t bounded_minutes(int64_t minutes) { return std::clamp<int64_t>(minutes, 1, timeout_minutes_max); }

Result<StepSpec> step_of(const json::value& value, int64_t number) {
  auto env = variables_at(value, "env");
  if (!env) return std::unexpected(env.error());
  auto run = core::string_at(value, "run");
  auto when = parse_when(core::string_at(value, "if").value_or("success"));
  auto place = "Step " + std::to_string(number) + " of the job ";
  if (!run) return core::fail(Code::invalid, place + "has no 'run'.");
  if (!when) return core::fail(Code::invalid, place + "has an 'if' this runner does not know.");
  StepSpec step{.number = core::integer_at(value, "number").value_or(number),
                .id = core::string_at(value, "id").value_or(""),
                .name = core::string_at(value, "name").value_or(""),
                .run = std::move(*run),
                .shell = core::string_at(value, "shell").value_or("bash"),
                .shell_given = core::boolean_at(value, "shell_given").value_or(false),
                .working_directory = core::string_at(value, "working_directory").value_or(""),
                .env = std::move(*env),
                .timeout_minutes = core::integer_at(value, "timeout_minutes"),
                .continue_on_error = core::boolean_at(value, "continue_on_error").value_or(false),
                .when = *when};
  if (step.timeout_minutes) step.timeout_minutes = bounded_minutes(*step.timeout_minutes);
  return step;
}

}  // namespace

Result<JobSpec> parse_job_spec(std::string_view text) {
  auto value = core::parse_json(text);
  if (!value) return core::pass_on(value.error(), "reading what a job is to run");
  if (core::integer_at(*value, "version").value_or(0) != version_known)
    return core::fail(
        Code::invalid,
        "The job is written in a format this runner does not know; bring the runner to the server's version.");
  auto variables = variables_at(*value, "variables");
  if (!variables) return std::unexpected(variables.error());
  auto env = variables_at(*value, "env");
  if (!env) return std::unexpected(env.error());
  JobSpec spec{.job = core::string_at(*value, "job").value_or(""),
               .variables = std::move(*variables),
               .env = std::move(*env),
               .steps = {},
               .timeout_minutes = bounded_minutes(core::integer_at(*value, "timeout_minutes").value_or(360))};
  const auto* steps = core::find(*value, "steps");
  if (!steps || !steps->is_array()) return core::fail(Code::invalid, "The job has no list of steps.");
  for (const auto& member : steps->get_array()) {
    auto step = step_of(member, static_cast<int64_t>(spec.steps.size()) + 1);
    if (!step) return std::unexpected(step.error());
    spec.steps.push_back(std::move(*step));
  }
  return spec;
}

}  // namespace headrace::runner
