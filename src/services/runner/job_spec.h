// JobSpec is all there is to know to run one job: read from the JSON text that workflow::plan made and job.queued
// carried (its format is described there, at PlannedJob::spec). Self-contained: whoever runs it asks nobody.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace headrace::runner {

using Variables = std::vector<std::pair<std::string, std::string>>;

// When a step runs, given those before it. "Workflow syntax for GitHub Actions", jobs.<job_id>.steps[*].if.
enum class When { success, failure, always, cancelled, never };

struct StepSpec {
  int64_t number = 0;  // from 1
  std::string id;
  std::string name;
  std::string run;
  std::string shell;              // bash, sh or python
  bool shell_given = false;       // bash by default and bash by name have other options
  std::string working_directory;  // relative to the workspace
  Variables env;
  std::optional<int64_t> timeout_minutes;
  bool continue_on_error = false;
  When when = When::success;
};

struct JobSpec {
  std::string job;      // its key in the workflow
  Variables variables;  // GITHUB_* that do not depend on the runner
  Variables env;        // of workflow and job
  std::vector<StepSpec> steps;
  int64_t timeout_minutes = 360;
};

inline constexpr int64_t timeout_minutes_max = 35 * 24 * 60;  // GitHub's limit of a run, 35 days

core::Result<JobSpec> parse_job_spec(std::string_view text);  // invalid: names the member that is wrong

}  // namespace headrace::runner
