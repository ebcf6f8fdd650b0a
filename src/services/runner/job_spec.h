// JobSpec is all there is to know to run one job: read from the JSON text that job.queued carried (docs/job-spec.md has
// the format with an example). Self-contained but for what must not be in an event: the payload of what started the run
// and what the job was granted come beside it (JobOrder).
//
// TEXT is a string that may hold ${{ }}; the runner evaluates it when it is needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "workflow/expression_value.h"

namespace headrace::runner {

using Variables = std::vector<std::pair<std::string, std::string>>;  // in order; names unique

struct StepSpec {
  int64_t number = 0;                   // from 1
  std::string id;                       // "" where it has none
  std::string name;                     // TEXT; "": by its first line, or by what it uses
  std::string condition = "success()";  // of `if`, with success() put in
  std::string run;                      // TEXT; one of run and uses
  std::string uses;                     // "owner/name@ref", "./path", "docker://image"; as written, never evaluated
  Variables with;                       // values are TEXT
  Variables env;                        // values are TEXT
  std::string shell;                    // TEXT; "": the default's
  std::string working_directory;        // TEXT; "": the default's
  std::string timeout_minutes;          // TEXT of a number; "": none
  std::string continue_on_error;        // TEXT of a boolean; "": false
  int64_t line = 0, column = 0;         // in the workflow or action file; 0: not known

  bool is_action() const { return !uses.empty(); }
};

struct JobSpec {
  std::string job;   // its key in the workflow
  std::string name;  // as shown
  std::string workflow;
  std::string file;
  // Contexts that do not depend on the runner: github (without token, event, event_path, workspace, action*), needs,
  // strategy, matrix, inputs, vars.
  workflow::Object contexts;
  Variables permissions;  // of the job's token: scope, "read", "write" or "none"
  std::optional<std::string> environment;
  std::string environment_url;           // TEXT; "": none
  std::vector<Variables> env;            // layers, later wins; values are TEXT
  std::string shell, working_directory;  // of defaults.run, TEXT; "": not given
  workflow::Value container;             // null: none; strings in it are TEXT
  workflow::Value services;              // null: none; likewise
  Variables outputs;                     // values are TEXT
  int64_t timeout_minutes = 360;
  bool continue_on_error = false;
  std::vector<StepSpec> steps;
};

inline constexpr int64_t timeout_minutes_max = 35 * 24 * 60;  // GitHub's limit of a run, 35 days
inline constexpr size_t job_spec_bytes_max = 192 * 1024;      // of the text
inline constexpr size_t job_spec_steps_max = 1000;
inline constexpr int64_t job_spec_version = 2;

// invalid: names the member that is wrong, or another version.
core::Result<JobSpec> parse_job_spec(std::string_view text);

// What the job was granted when it was given away: never in an event, never in a log.
struct JobGrant {
  std::string token;                               // github.token; "": none
  Variables secrets;                               // the `secrets` context, github_token aside
  std::string server_url, results_url, cache_url;  // of the toolkit's services; "": none
  std::string runtime_token;                       // for those services; "": none
  std::string actions_token;                       // what the runner fetches actions with, and no job sees; "": none
  bool operator==(const JobGrant&) const = default;
};

// What a runner is asked to do.
struct JobOrder {
  JobSpec spec;
  std::string event = "{}";  // github.event: JSON text of the payload
  JobGrant grant;
  std::string runner_name = "headrace";            // runner.name
  std::string runner_environment = "self-hosted";  // runner.environment
  bool debug = false;  // runner.debug; also where a secret or variable ACTIONS_STEP_DEBUG is "true"
};

}  // namespace headrace::runner
