// From a workflow to jobs that run, step by step, as far as each step can know:
//
//   link      the workflow and all it calls become one Program: templates of jobs with keys, and errors
//   expand    a template whose needs are done becomes its legs, each with the spec that a runner executes
//   the rest  conditions of jobs, inputs and outputs of called workflows, run-name, concurrency of the run
//
// Pure: the caller gives the text of called workflows and the contexts. Everything evaluated here uses the contexts
// github (with event), vars, inputs and needs; strategy and matrix are made here. An error says file, line and column.
// Rules: GitHub, "Workflow syntax for GitHub Actions", "Reuse workflows", "Contexts reference".
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "workflow/expression_value.h"
#include "workflow/workflow.h"

namespace headrace::workflow {

// One workflow file and where it comes from.
struct Source {
  std::string path;  // ".github/workflows/ci.yml"
  std::string yaml;
  std::string repository = {};  // "owner/name"
  std::string commit = {};
};

// The file that a `uses` of a job names, as seen from the file it stands in: "./.github/workflows/x.yml" (or "$/...")
// is of the same repository and commit, "OWNER/NAME/.github/workflows/x.yml@REF" of another. The error's message is
// told at `uses`.
using Resolver = std::function<core::Result<Source>(const std::string& reference, const Source& from)>;

// What the token of a job may do where no `permissions` are written.
enum class TokenDefault { read_contents_and_packages, write_all };

struct Limits {
  size_t depth = depth_max;         // of the YAML tree
  size_t jobs = jobs_max;           // with those of called workflows
  size_t nested = nested_max;       // called workflows within each other
  size_t called = called_max;       // different files called
  size_t bytes = called_bytes_max;  // of all files called, each time they are
  TokenDefault token = TokenDefault::write_all;
};

// A job of the file, or of a called one, before its matrix is known.
struct JobTemplate {
  std::string key;                     // "build", "deploy/test": unique
  std::string id;                      // in its own file: "test"
  std::string caller;                  // key of the template that calls its file; empty at the top
  std::string file;                    // as errors name it
  std::string uses;                    // of a caller; empty: it has steps
  std::string name;                    // as written, ${{ }} not evaluated; the id where there is none
  std::string condition;               // success() put in where no status function is called
  std::vector<std::string> needs;      // keys, of the same level
  std::vector<std::string> ancestors;  // keys of all it needs, directly or not, in the order of the file
  Position at;
  size_t unit = 0, place = 0;  // in the program: the file, and the job in it
  bool calls() const { return !uses.empty(); }
};

class Program {
 public:
  std::vector<JobTemplate> templates;    // in the order of the files, a called file's behind its caller
  std::vector<Finding> errors;           // with their file; the program may only run without any
  std::vector<Unsupported> unsupported;  // what Headrace cannot run, of all files

  const JobTemplate* find(std::string_view key) const;
  const Workflow& workflow() const;  // the file it began with
  const Workflow& workflow(const JobTemplate& job) const;
  const Job& job(const JobTemplate& job) const;
  const std::vector<Step>& steps(const JobTemplate& job) const { return this->job(job).steps; }
  // The called file of a caller; nothing where it could not be read.
  const Workflow* called(const JobTemplate& caller) const;

  // One for each time that a file is called, the first for the file it began with; shared by copies, immutable.
  struct Unit {
    std::shared_ptr<const Workflow> workflow;
    Source source;
    std::string caller;  // key of the template
  };
  std::vector<Unit> units;
  TokenDefault token = TokenDefault::write_all;
};

// Never fails for what the files hold: errors say it. `workflow` is what read() gave for `source`.
Program link(std::shared_ptr<const Workflow> workflow, Source source, const Resolver& resolver,
             const Limits& limits = {});
Program link(Workflow workflow, Source source, const Resolver& resolver, const Limits& limits = {});

// Adds to a reading what is wrong with the calls of its file: errors of inputs, secrets and permissions. That a called
// file of its own repository is not there is a warning, for who asks may have this file alone.
void check_calls(Reading& reading, const Resolver& resolver);

using Failure = Finding;  // an error while running: the file, its line and column, GitHub's words
template <class T>
using Evaluated = std::expected<T, Failure>;
// ".github/workflows/ci.yml (Line: 4, Col: 9): MESSAGE", as GitHub shows it.
std::string to_text(const Finding& finding);

// What each scope of the token may do, every scope GitHub knows in its order: "read", "write", "none".
using Permissions = std::vector<std::pair<std::string, std::string>>;

// In which leg of its caller a template of a called file stands. At the top everything is empty.
struct Instance {
  std::string key = {};                         // of the caller's leg: "deploy (eu)"
  std::string name = {};                        // and its shown name
  std::string secrets = "\"all\"";              // JSON as `secrets` of the spec: what the caller passes on
  std::optional<Permissions> permissions = {};  // at most these
};

struct Concurrency {
  std::string group = {};  // empty: none. Compared without regard to case
  bool cancel_in_progress = false;
  bool queue_all = false;  // `queue: max`: more than one waits
  bool operator==(const Concurrency&) const = default;
};

struct Leg {
  std::string key;                       // "test", "test (ubuntu, 12)", "deploy (eu)/test": unique in the run
  std::string name;                      // as people see it: "Deploy / test (ubuntu, 12)"
  Value matrix;                          // an object, or null
  Value strategy;                        // as the context has it
  std::vector<std::string> labels = {};  // of runs-on
  std::string group = {};                // of runs-on
  int64_t timeout_minutes = timeout_minutes_default;
  bool continue_on_error = false;
  Concurrency concurrency = {};
  std::string environment = {};  // name; empty: none
  bool restricted = false;       // has an environment or uses secrets: never retried by itself once begun
  std::string spec = {};         // of a job with steps: version 2 (docs/job-spec.md), at most spec_bytes_max
  // Of a caller:
  Object inputs = Object();  // the inputs context of the called file's jobs
  Instance instance = {};    // to expand them
};

struct Expansion {
  std::vector<Leg> legs;  // none: the matrix is empty, and the job is skipped
  bool fail_fast = true;
  int64_t max_parallel = 0;  // 0: no limit
};

// `contexts` holds github, vars, inputs and needs (of this template's needs: {"build":{"result","outputs":{}}}).
// What a run is given beside its contexts.
struct Given {
  bool trusted = true;  // false: its author may not write; no job has secrets, and tokens read at most
  // By name, folded (fold_case): what `vars` has besides, or instead, in jobs with this environment. It outlives the
  // call; null: nothing.
  const std::map<std::string, Object>* variables_of_environments = nullptr;
};
Evaluated<Expansion> expand(const Program& program, const JobTemplate& job, const Object& contexts,
                            const Instance& instance = {}, const Given& given = {});

// What is known of the jobs that a condition asks for.
struct Standing {
  bool cancelled = false;                                       // the run is being cancelled
  std::vector<std::pair<std::string, std::string>> needs = {};  // id of a needed job -> result
  std::vector<std::string> ancestors = {};                      // results of all ancestors: "success", "skipped"...
};
// success() wants success of all ancestors, failure() one that failed; with names, of the jobs named.
Evaluated<bool> runs(const Program& program, const JobTemplate& job, const Object& contexts, const Standing& standing);

// The outputs of a called workflow, when all its jobs are done: `contexts` has github, vars, inputs and jobs
// ({"build":{"result","outputs":{}}}).
Evaluated<std::vector<std::pair<std::string, std::string>>> call_outputs(const Program& program,
                                                                         const JobTemplate& caller,
                                                                         const Object& contexts);

// The inputs context of a run started by hand: given ones checked against their types, defaults filled in. The error
// names the input. Numbers and booleans are of their kinds, as `inputs` has them.
core::Result<Object> dispatch_inputs(const Workflow& workflow, const Object& given);

Evaluated<std::string> run_name(const Workflow& workflow, const Object& contexts);  // empty: not given
Evaluated<Concurrency> concurrency(const Workflow& workflow, const Object& contexts);

// What a file for `--event-file` tells: a webhook's payload as GitHub sends it, whose kind shows in its members; or
// {"event_name","event",...} with more of the github context; or a CloudEvent. Code::invalid where it is none of them.
struct Happening {
  Occasion occasion;
  Object github = Object();  // event_name, event, ref, sha, actor, repository, ... as far as the file tells
};
core::Result<Happening> read_happening(std::string_view json, const Workflow& workflow);

// `headrace workflow plan`: {"jobs":[{"id","name","matrix","needs","will_run"}]}, one entry a leg; needs are taken as
// successful. Where a matrix depends on what only a run knows, the job stands there once, with the reason as "error".
std::string plan_json(const Program& program, const Happening& happening);

}  // namespace headrace::workflow
