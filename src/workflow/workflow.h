// Workflow is the language of .github/workflows: read a file, ask whether something that happened starts it, plan the
// jobs. Pure: no I/O, no clock, no state; any thread.
//
//   read      text -> Workflow, errors with their place, warnings, and what this version cannot run (this file)
//   triggers  Workflow, Occasion -> whether it starts, and why not (trigger.h)
//   link, expand and the evaluation of what stands in a job outside its steps (plan.h)
//
// The language is GitHub Actions' ("Workflow syntax for GitHub Actions"), all of it, and `on: event:` with a
// CloudEvents filter, which is ours. docs/workflow-syntax.md lists every property. What GitHub reads and Headrace
// cannot run is listed in `unsupported`: a run that needs it is refused before any job starts, it is never run
// otherwise than written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workflow/node.h"
#include "workflow/trigger.h"

namespace headrace::workflow {

inline constexpr size_t file_bytes_max = 512 * 1024;
inline constexpr size_t nodes_max = 50'000;  // of the YAML tree, aliases and merge keys expanded
inline constexpr size_t depth_max = 64;      // of the YAML tree
inline constexpr size_t jobs_max = 256;      // in one run, with those of called workflows
inline constexpr size_t steps_max = 1000;    // in one job
inline constexpr size_t findings_max = 100;  // errors, warnings, and unsupported features, told of one file
inline constexpr size_t legs_max = 256;      // of a matrix
inline constexpr size_t nested_max = 9;      // workflows called within each other: ten levels with the first
inline constexpr size_t called_max = 50;     // different files called by one run
inline constexpr size_t called_bytes_max = 64 * 1024 * 1024;  // that called files take, each time they are called
inline constexpr size_t spec_bytes_max = 192 * 1024;          // of a job's spec
inline constexpr int64_t timeout_minutes_default = 360;

struct Finding {
  Position at;
  std::string message;  // what is wrong, and what would be right
  std::string file = {};
  bool operator==(const Finding&) const = default;
};

struct Unsupported {
  Position at;
  std::string feature;  // "jobs.<job_id>.snapshot"
  std::string event;    // only runs started by this event need it; empty: every run does
  std::string file = {};
  bool operator==(const Unsupported&) const = default;
};

struct Text {
  std::string value;
  Position at;
  bool operator==(const Text&) const = default;
};

// An input of workflow_dispatch or workflow_call.
struct Input {
  Position at;
  std::string name;
  std::string type = "string";  // string, number, boolean; for workflow_dispatch also choice, environment
  bool required = false;
  Node fallback = {};  // `default`; may hold ${{ }} for workflow_call. Null: not given
  std::vector<std::string> options = {};
};

struct Secret {
  Position at;
  std::string name;
  bool required = false;
};

// on: workflow_call.
struct CallInterface {
  std::vector<Input> inputs = {};
  std::vector<Secret> secrets = {};
  std::vector<std::pair<Text, Node>> outputs = {};  // name -> value, a text with ${{ }}
};

struct Step {
  Position at;
  std::string id;        // empty: not given
  std::string shown_id;  // the given one, or as GitHub makes it: "__run", "__actions_checkout_2"
  std::string name;      // empty: not given
  std::string uses;      // one of uses and run
  std::string run;
  std::string condition;  // as it counts: success() put in where no status function is called
  Node body;              // the whole mapping
};

struct Job {
  Position at;
  std::string id;
  std::string name;  // as written; empty: the id is shown
  std::string uses;  // of a caller; empty: it has steps
  std::vector<Text> needs;
  std::vector<std::string> runs_on;  // labels as written
  std::string condition;             // as it counts
  Position condition_at;
  std::vector<Step> steps;
  Node body;  // the whole mapping, its steps taken out
};

struct Workflow {
  std::string file;
  std::string name;      // empty: the file's path is shown
  std::string run_name;  // as written; empty: the title of what started it is shown
  std::vector<Trigger> on;
  std::vector<Input> inputs;          // of workflow_dispatch
  std::optional<CallInterface> call;  // where others may call it
  std::vector<Job> jobs;              // in the order of the file
  std::vector<Unsupported> unsupported;
  Node body;  // the whole mapping, its jobs taken out

  const std::string& shown_name() const { return name.empty() ? file : name; }
};

struct Reading {
  std::optional<Workflow> workflow;  // absent where there are errors
  std::vector<Finding> errors;       // in the order of the file
  std::vector<Finding> warnings;     // what is accepted and dangerous: foreign text put into a script
  std::vector<Unsupported> unsupported;
};

// `file` is the path within the repository. Never throws for what the text holds; time is linear in the nodes.
Reading read(std::string_view yaml, std::string_view file, size_t depth = depth_max);

// True where the path is one that holds workflows: .github/workflows/*.yml|yaml or .headrace/workflows/*.yml|yaml.
bool is_workflow_path(std::string_view path);

// One file of `workflow check`:
// {"file","errors":[{"line","column","message"}],"warnings":[{"line","column","message"}],"unsupported":[{"line","column",
// "feature"}],"name","events":[],"jobs":[{"id","name","needs","if","runs_on","uses","steps":[{"id","name","if","uses",
// "run"}]}]}; `if` as it counts: success() put in where the file gives no status function.
std::string to_json(const Reading& reading, std::string_view file);

}  // namespace headrace::workflow
