#include "services/runner/job_spec.h"

#include <algorithm>

#include "core/json.h"

namespace headrace::runner {

namespace json = core::json;
using core::Code;
using core::Result;
using workflow::Value;

namespace {

// Reads members of one object and remembers what is wrong with the first that is not as it should be.
class Members {
 public:
  Members(const json::value& value, std::string place) : value_(value), place_(std::move(place)) {}

  std::string text(std::string_view key) {
    const auto* member = given(key);
    if (!member) return {};
    if (!member->is_string()) return note(key, "a string"), std::string();
    return std::string(member->get_string());
  }
  int64_t number(std::string_view key, int64_t otherwise) {
    const auto* member = given(key);
    if (!member) return otherwise;
    if (!member->is_int64()) return note(key, "a whole number"), otherwise;
    return member->get_int64();
  }
  bool boolean(std::string_view key) {
    const auto* member = given(key);
    if (!member) return false;
    if (!member->is_bool()) return note(key, "true or false"), false;
    return member->get_bool();
  }
  // A value or the text of an expression that gives it; "" where there is none.
  std::string text_of_any(std::string_view key) {
    const auto* member = given(key);
    if (!member) return {};
    if (!member->is_primitive()) return note(key, "a number, true, false or a string"), std::string();
    return Value::from_json(*member).to_text();
  }
  Variables variables(std::string_view key) {
    const auto* member = given(key);
    return member ? variables_of(key, *member) : Variables{};
  }
  Variables variables_of(std::string_view key, const json::value& member) {
    Variables variables;
    if (!member.is_object()) return note(key, "an object of strings"), variables;
    for (const auto& [name, value] : member.get_object()) {
      if (!value.is_string())
        return note(key, "an object of strings; '" + std::string(name) + "' is not one"), variables;
      variables.emplace_back(name, value.get_string());
    }
    return variables;
  }
  const json::array& list(std::string_view key) {
    static const json::array none;
    const auto* member = given(key);
    if (member && member->is_array()) return member->get_array();
    return note(key, "a list"), none;
  }
  const json::value* given(std::string_view key) const {
    const auto* member = core::find(value_, key);
    return member && !member->is_null() ? member : nullptr;
  }
  void note(std::string_view key, std::string_view wanted) {
    if (wrong_.empty()) wrong_ = "'" + std::string(key) + "' of " + place_ + " is not " + std::string(wanted) + ".";
  }
  const std::string& wrong() const { return wrong_; }

 private:
  const json::value& value_;
  std::string place_;
  std::string wrong_;
};

int64_t bounded_minutes(int64_t minutes) { return std::clamp<int64_t>(minutes, 1, timeout_minutes_max); }

Result<StepSpec> step_of(const json::value& value, int64_t number) {
  std::string place = "step " + std::to_string(number) + " of the job";
  Members in(value, place);
  StepSpec step{.number = in.number("number", number),
                .id = in.text("id"),
                .name = in.text("name"),
                .condition = in.text("if"),
                .run = in.text("run"),
                .uses = in.text("uses"),
                .with = in.variables("with"),
                .env = in.variables("env"),
                .shell = in.text("shell"),
                .working_directory = in.text("working_directory"),
                .timeout_minutes = in.text_of_any("timeout_minutes"),
                .continue_on_error = in.text_of_any("continue_on_error"),
                .line = in.number("line", 0),
                .column = in.number("column", 0)};
  if (step.condition.empty()) step.condition = "success()";
  if (!in.given("run") && step.uses.empty()) in.note("run", "there, and neither is 'uses'");
  if (!step.run.empty() && !step.uses.empty()) in.note("run", "alone: 'uses' is there as well");
  if (!in.wrong().empty()) return core::fail(Code::invalid, "The job cannot be read: " + in.wrong());
  return step;
}

Result<> read_steps(Members& in, JobSpec& spec) {
  const auto& list = in.list("steps");
  if (list.size() > job_spec_steps_max)
    return core::fail(Code::exhausted, "The job has more than " + std::to_string(job_spec_steps_max) + " steps.");
  for (const auto& member : list) {
    auto step = step_of(member, static_cast<int64_t>(spec.steps.size()) + 1);
    if (!step) return std::unexpected(step.error());
    spec.steps.push_back(std::move(*step));
  }
  return {};
}

Result<JobSpec> finished(const Members& in, JobSpec spec) {
  if (!in.wrong().empty()) return core::fail(Code::invalid, "The job cannot be read: " + in.wrong());
  return spec;
}

Result<JobSpec> read_spec(const json::value& value) {
  Members in(value, "the job");
  JobSpec spec;
  spec.job = in.text("job");
  spec.name = in.text("name");
  spec.workflow = in.text("workflow");
  spec.file = in.text("file");
  if (const auto* contexts = in.given("contexts"); contexts && contexts->is_object()) {
    for (const auto& [name, context] : contexts->get_object()) spec.contexts.set(name, Value::from_json(context));
  } else {
    in.note("contexts", "an object");
  }
  spec.permissions = in.variables("permissions");
  if (in.given("environment")) spec.environment = in.text("environment");
  spec.environment_url = in.text("environment_url");
  if (in.given("env"))
    for (const auto& layer : in.list("env")) spec.env.push_back(in.variables_of("env", layer));
  if (const auto* defaults = in.given("defaults")) {
    Members of(*defaults, "the job's defaults");
    spec.shell = of.text("shell");
    spec.working_directory = of.text("working_directory");
    if (!of.wrong().empty()) in.note("defaults", "as it should be: " + of.wrong());
  }
  if (const auto* container = in.given("container")) spec.container = Value::from_json(*container);
  if (const auto* services = in.given("services")) spec.services = Value::from_json(*services);
  spec.outputs = in.variables("outputs");
  spec.timeout_minutes = bounded_minutes(in.number("timeout_minutes", 360));
  spec.continue_on_error = in.boolean("continue_on_error");
  if (auto read = read_steps(in, spec); !read) return std::unexpected(read.error());
  return finished(in, std::move(spec));
}

}  // namespace

Result<JobSpec> parse_job_spec(std::string_view text) {
  if (text.size() > job_spec_bytes_max)
    return core::fail(Code::exhausted, "What the job is to run is larger than " +
                                           std::to_string(job_spec_bytes_max / 1024) + " KiB; make the job smaller.");
  auto value = core::parse_json(text);
  if (!value) return core::pass_on(value.error(), "reading what a job is to run");
  if (core::integer_at(*value, "version").value_or(0) != job_spec_version)
    return core::fail(
        Code::invalid,
        "The job is written in a format this runner does not know; bring the runner to the server's version.");
  return read_spec(*value);
}

}  // namespace headrace::runner
