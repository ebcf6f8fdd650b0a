// Workflow is the language of .github/workflows: read a file, ask whether something that happened starts it, plan the
// jobs. Pure: no I/O, no clock, no state; any thread.
//
//   read      text -> Workflow, errors with their place, and what this version cannot run yet with its place
//   triggers  Workflow, occasion -> whether it starts, and why not
//   plan      Workflow, context -> the graph of jobs, each with a spec that a runner executes as it is
//
// The language is GitHub Actions' ("Workflow syntax for GitHub Actions"). Understood today: name, run-name, on: push
// (branches, tags and their -ignore) and workflow_dispatch without inputs, env, defaults.run, permissions, and jobs
// with name, runs-on, needs, if, env, defaults.run, timeout-minutes, continue-on-error and `run` steps; `if` is a
// literal or one of success(), failure(), always(), cancelled(). All else that GitHub knows is listed in `unsupported`:
// a run that would need it is refused before any job starts, it is never run otherwise than written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headrace::workflow {

inline constexpr size_t file_bytes_max = 512 * 1024;
inline constexpr size_t nodes_max = 50'000;  // of the YAML tree, aliases and merge keys expanded
inline constexpr size_t depth_max = 64;      // of the YAML tree
inline constexpr size_t jobs_max = 256;      // in one file
inline constexpr size_t steps_max = 1000;    // in one job
inline constexpr size_t findings_max = 100;  // errors, and unsupported features, told of one file
inline constexpr int64_t timeout_minutes_default = 360;

struct Position {
  int line = 0;  // from 1; 0: no place in the file
  int column = 0;
  bool operator==(const Position&) const = default;
};

struct Finding {
  Position at;
  std::string message;  // what is wrong, and what would be right
  bool operator==(const Finding&) const = default;
};

struct Unsupported {
  Position at;
  std::string feature;  // "jobs.<job_id>.strategy", "expression ${{ github.sha }}"
  std::string event;    // only runs started by this event need it; empty: every run does
  bool operator==(const Unsupported&) const = default;
};

struct Text {
  std::string value;
  Position at;
  bool operator==(const Text&) const = default;
};

using Variables = std::vector<std::pair<std::string, std::string>>;  // in the order of the file, names unique

// When a job or step runs, given what went before it.
enum class Condition { success, failure, always, cancelled, never };
std::string_view name_of(Condition condition);  // "success"; never is what `if: false` says

struct RunDefaults {
  std::string shell;              // empty: not given
  std::string working_directory;  // empty: not given
  bool operator==(const RunDefaults&) const = default;
};

struct Step {
  Position at;
  std::string id;    // empty: not given
  std::string name;  // empty: not given
  std::string uses;  // listed as unsupported
  std::string run;
  std::string shell;
  std::string working_directory;
  std::string condition_text;  // as written
  Condition condition = Condition::success;
  Variables env;
  std::optional<int64_t> timeout_minutes;
  bool continue_on_error = false;
};

struct Job {
  Position at;
  std::string id;
  std::string name;  // empty: the id is shown
  std::string uses;  // listed as unsupported
  std::vector<Text> needs;
  std::vector<std::string> runs_on;
  std::string condition_text;
  Condition condition = Condition::success;
  Variables env;
  RunDefaults defaults;
  std::optional<int64_t> timeout_minutes;
  bool continue_on_error = false;
  std::vector<Step> steps;
};

// Patterns of one filter, in order; "!" in front takes back what an earlier one matched.
using Patterns = std::vector<std::string>;

struct Trigger {
  Position at;
  std::string event;  // "push"
  std::optional<Patterns> branches, branches_ignore, tags, tags_ignore;
};

struct Workflow {
  std::string file;
  std::string name;      // empty: the file's path is shown
  std::string run_name;  // empty: the title of what started it is shown
  std::vector<Trigger> on;
  Variables env;
  RunDefaults defaults;
  std::vector<Job> jobs;  // in the order of the file
  std::vector<Unsupported> unsupported;

  const std::string& shown_name() const { return name.empty() ? file : name; }
};

struct Reading {
  std::optional<Workflow> workflow;  // absent where there are errors
  std::vector<Finding> errors;       // in the order of the file
  std::vector<Unsupported> unsupported;
};

// `file` is the path within the repository. Never throws for what the text holds; time is linear in the nodes.
Reading read(std::string_view yaml, std::string_view file);

// True where the path is one that holds workflows: .github/workflows/*.yml|yaml or .headrace/workflows/*.yml|yaml.
bool is_workflow_path(std::string_view path);

// Something that happened and may start workflows.
struct Occasion {
  std::string event;  // "push", "workflow_dispatch"
  std::string ref;    // full: "refs/heads/main", "refs/tags/v1"
};

struct Decision {
  bool starts = false;
  std::string reason;  // a sentence, in both cases: which line of `on` decided
  explicit operator bool() const { return starts; }
};
Decision triggers(const Workflow& workflow, const Occasion& occasion);

// GitHub's filter patterns ("Filter pattern cheat sheet"): * (not /), **, ?, + of the character before, [], ! and \.
// True if the last pattern that matches is not negated. Time is bounded by pattern times text.
bool matches(const Patterns& patterns, std::string_view text);

// What the listed features keep a run of this event from; empty: it can run.
std::vector<Unsupported> blocking(const Workflow& workflow, std::string_view event);

// What a plan says besides the file: where each run comes from.
struct Context {
  std::string event;       // "push"
  std::string repository;  // "owner/name"
  std::string ref;         // full
  std::string commit;
  std::string actor;  // account name
  int64_t repository_id = 0;
  int64_t run_id = 0;
  int64_t run_number = 0;
  int64_t run_attempt = 1;
  std::string server_url;  // "http://127.0.0.1:8080"; may be empty
};

struct PlannedJob {
  std::string key;  // unique in the plan; the job's id, later with its matrix
  std::string name;
  std::vector<std::string> needs;   // keys
  std::vector<std::string> labels;  // of runs-on
  Condition condition = Condition::success;
  bool continue_on_error = false;
  int64_t timeout_minutes = timeout_minutes_default;
  bool restricted = false;  // has an environment or uses secrets: never retried by itself once begun
  // What the runner executes, JSON text, complete in itself:
  //   {"version":1,"job":KEY,"name":NAME,"workflow":NAME,"timeout_minutes":N,"continue_on_error":false,
  //    "variables":{"CI":"true","GITHUB_SHA":...},  set first: GitHub's default variables that do not depend on the
  //                                                 runner, which adds GITHUB_WORKSPACE, GITHUB_ENV, RUNNER_OS, ...
  //    "env":{NAME:VALUE},                          set next: the workflow's and the job's, merged
  //    "steps":[{"number":1,"id":"","name":NAME,"if":"success|failure|always|cancelled|never","run":SCRIPT,
  //              "shell":"bash","shell_given":false,"working_directory":"","env":{},"timeout_minutes":N|null,
  //              "continue_on_error":false}]}
  // shell is bash, sh or python. bash not given runs as `bash -e FILE`, given as `bash --noprofile --norc -eo pipefail
  // FILE`, sh as `sh -e FILE`, python as `python FILE` (GitHub, "jobs.<job_id>.steps[*].shell").
  std::string spec;
};

struct Plan {
  std::vector<PlannedJob> jobs;  // in the order of the file; `needs` names only jobs of the plan, without a cycle
};

// Only for what read() gave without errors and blocking() lets run.
Plan plan(const Workflow& workflow, const Context& context);

// One file of `workflow check`: {"file","errors":[{"line","column","message"}],"unsupported":[{"line","column",
// "feature"}],"name","events":[],"jobs":[{"id","name","needs","if","runs_on","uses","steps":[{"id","name","if","uses",
// "run"}]}]}; `if` as it counts: success() put in where the file gives no status function.
std::string to_json(const Reading& reading, std::string_view file);

}  // namespace headrace::workflow
