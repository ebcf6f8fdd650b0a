// JobContext is what the steps of a job share while it runs: the contexts of expressions, the variables and folders
// that steps set for those after them, secrets to be hidden, problem matchers, annotations. GitHub Docs, "Contexts
// reference" and "Variables reference", "Default environment variables".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "services/runner/executor.h"
#include "services/runner/job_spec.h"
#include "services/runner/masks.h"
#include "services/runner/problem_matcher.h"
#include "services/runner/step_commands.h"
#include "workflow/expression_value.h"

namespace headrace::runner {

inline constexpr size_t annotations_max = 50;                       // of one job
inline constexpr size_t annotations_a_step_max = 10;                // of one level, as on GitHub
inline constexpr size_t annotation_message_max = 4 * 1024;          // bytes; GitHub's
inline constexpr size_t annotations_bytes_max = 64 * 1024;          // of one job
inline constexpr size_t job_output_bytes_max = 64 * 1024;           // names and values of all outputs of a job
inline constexpr size_t job_variables_bytes_max = size_t{4} << 20;  // what GITHUB_ENV and GITHUB_PATH may add up to

void set(Variables& variables, std::string name, std::string value);
const std::string* find(const Variables& variables, std::string_view name);

class JobContext {
 public:
  explicit JobContext(const JobOrder& order);  // outlives this

  core::Result<> hide_secrets();  // of the grant
  // Of the surroundings, once they are there: workspace, runner.temp and its like. `event_path` inside.
  void settle(const Surroundings& around, std::string event_path);

  // The API, as steps reach it: github.api_url.
  void reach(std::string api_url) { github_.set("api_url", std::move(api_url)); }

  // Names to values, but inputs, steps and env, which depend on where a step stands; github without what depends on
  // that. `status` of the job: "success", "failure", "cancelled".
  workflow::Object contexts(std::string_view status) const;
  const workflow::Object& github() const { return github_; }
  std::string github(std::string_view key) const;  // as text; "" where it has none

  // GITHUB_* and RUNNER_* of github (with what a step adds) and runner: what a program cannot be given otherwise.
  Variables default_variables(const workflow::Object& github) const;

  // From here on. exhausted: too much.
  core::Result<> set_variable(std::string name, std::string value);
  core::Result<> add_path(std::string path);
  const Variables& env() const { return env_; }
  const std::vector<std::string>& paths() const { return paths_; }  // the first is looked at first
  void env(Variables env) { env_ = std::move(env); }                // of the job, evaluated

  // Kept, its texts masked and bounded, and returned as it is kept; beyond the bounds it is only in the log: null.
  const Annotation* keep(Annotation annotation);
  const std::vector<Annotation>& annotations() const { return annotations_; }

  bool debug() const { return debug_; }
  Masks& masks() { return masks_; }
  const Masks& masks() const { return masks_; }
  ProblemMatchers& matchers() { return matchers_; }

 private:
  void know(const ContainerFacts& facts);

  const JobOrder& order_;
  workflow::Object github_, runner_, job_;
  workflow::Value secrets_;
  Variables env_;
  std::vector<std::string> paths_;
  size_t variable_bytes_ = 0;
  Masks masks_;
  ProblemMatchers matchers_;
  std::vector<Annotation> annotations_;
  size_t annotation_bytes_ = 0;
  bool debug_ = false;
};

}  // namespace headrace::runner
