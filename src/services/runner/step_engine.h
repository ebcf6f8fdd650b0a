// The steps of a job, and of the composite actions in it: which run, in which order, with what around them. This is the
// door between the engine and what a `uses:` step means; `run:` steps are the engine's own.
//
//   ActionSource  opens what `uses:` names           Action     one step's action: pre, main, post
//   StepGroup     the steps of a job or composite    StepRun    what one step may ask for while it runs
//   StepScope     where steps stand: inputs, steps, github.action_path, env of the steps around them
//
// Order, as GitHub's runner has it: every action that can be opened before the first step is opened then; the `pre` of
// those that have one run before the first step, in order; then the steps; then the `post` of those whose pre or main
// has run, last first, also after a failure, a time-out and a cancellation. Loop thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "events/pipeline.h"
#include "process/child.h"
#include "services/runner/executor.h"
#include "services/runner/job_spec.h"
#include "workflow/expression_value.h"

namespace headrace::runner {

class JobContext;
class JobDoor;
struct ServerWay;
class StepEngine;
class StepRun;
struct StepRecord;

// GitHub's bound: composite actions within each other, the outermost counted.
inline constexpr int action_depth_max = 10;
inline constexpr size_t step_output_bytes_max = size_t{1} << 20;  // all outputs of one step
inline constexpr std::chrono::milliseconds action_grace{5'000};   // an action in our process, once it is to end

enum class Stage { pre, main, post };
std::string_view name_of(Stage stage);  // "pre"

// Where steps stand. The job has one, and every composite action its own.
struct StepScope {
  const StepScope* outer = nullptr;  // null: the job's
  int depth = 0;                     // composite actions around: 0 in the job, 1 in an action it uses
  workflow::Value inputs;            // context `inputs`: of the workflow, or of the composite action
  workflow::Object steps;            // context `steps`: id -> {outputs, outcome, conclusion}
  Variables env;                     // `env:` of the composite's step and of those around it, evaluated; {} in the job
  // Of the github context and GITHUB_ACTION_* of steps within; "" in the job.
  std::string action_path;        // folder of the action, as the surroundings see it
  std::string action_repository;  // "owner/name"
  std::string action_ref;
  events::Conclusion status = events::Conclusion::success;  // of the steps so far: success(), failure(), action_status
};

// The action of one step: made for it, kept to the end of the job. Its members hold what its stages share.
class Action {
 public:
  virtual ~Action() = default;
  // Whether there is such a stage. `pre` is asked before the first step, `post` when main (or pre) has been started and
  // again when the posts run.
  virtual bool has(Stage stage) const = 0;
  // `pre-if`, `post-if`: text of a condition, read as GitHub does (a missing one is "always()").
  virtual std::string condition([[maybe_unused]] Stage stage) const { return "always()"; }
  // What happens in the stage. Everything that goes wrong is told through `step` (see StepRun::fail) and is a failure.
  // When the step is to end, what `step.execute` runs is interrupted and then killed; a run() that has not returned
  // `action_grace` later is cancelled by the exception of cancellation.
  virtual core::Task<events::Conclusion> run(Stage stage, StepRun& step) = 0;
  // The folder, repository and ref for GITHUB_ACTION_PATH, _REPOSITORY and _REF; "" where it has none.
  virtual std::string path() const { return {}; }
  virtual std::string repository() const { return {}; }
  virtual std::string ref() const { return {}; }
};

// What is to be opened.
struct ActionWish {
  const StepSpec* step = nullptr;    // its `uses`, and place for messages; until open() has ended
  const StepScope* scope = nullptr;  // where it stands; lives as long as the job
  StepEngine* engine = nullptr;      // to make StepGroups, and to ask for the workplace; lives as long as the job
};

// Finds actions. Given to a job by its owner; outlives it.
class ActionSource {
 public:
  virtual ~ActionSource() = default;
  // May be opened before the first step: everything but "./path", which a step before it may bring ("./" of the
  // workspace, GitHub Docs "jobs.<job_id>.steps[*].uses").
  virtual bool opens_early(std::string_view uses) const = 0;
  // Fetches what has to be fetched (on a pool of its own) and reads it. The error is for the log: the step, or before
  // the first step the job, fails with it.
  virtual core::Task<core::Result<std::unique_ptr<Action>>> open(ActionWish wish) = 0;
};

// A program that a step runs, in the job's surroundings.
struct StepCommand {
  std::vector<std::string> argv;  // argv[0]: a path there, or a name looked up in the job's PATH
  Variables environment;          // on top of what the step has: INPUT_*, ...
  std::string directory;          // as the surroundings see it; "" is the workspace
};

// Starts a program elsewhere than in the job's surroundings.
class ProgramStarter {
 public:
  virtual ~ProgramStarter() = default;
  // `environment` is all that the program is to find, paths as the job's surroundings have them; both its outputs come
  // by one pipe.
  virtual core::Task<core::Result<std::unique_ptr<process::Child>>> start(Variables environment) = 0;
  // The host path of a path that the program printed (::error file=..., add-matcher); nothing: outside of the job.
  virtual std::optional<std::string> to_host(std::string_view inside) const = 0;
};

// What one step may ask for while one of its stages runs.
class StepRun {
 public:
  const StepSpec& spec() const;  // as the workflow or the action wrote it
  Stage stage() const;
  StepEngine& engine() const;
  StepScope& scope() const;       // where it stands
  const Variables& with() const;  // `with:`, evaluated, names as written
  const Variables& env() const;   // `env:` of this step alone, evaluated
  // Saved by GITHUB_STATE and save-state in an earlier stage of the same step. execute() sets them as STATE_*.
  const Variables& state() const;
  void save_state(std::string name, std::string value);

  // Evaluates a text that may hold ${{ }} with the contexts and functions of a step in `scope`; the step's own is
  // scope(). The error has GitHub's words. Awaits only where hashFiles is called, which reads files beside the loop.
  core::Task<core::Result<workflow::Value>> evaluate(std::string text, const StepScope& scope) const;
  core::Task<core::Result<std::string>> evaluate_text(std::string text, const StepScope& scope) const;

  // Runs a program to its end under the step's and the job's time-outs and cancellation. What it prints goes to the log
  // with commands, matchers and masks applied; GITHUB_ENV, _OUTPUT, _PATH, _STATE and _STEP_SUMMARY are new files for
  // it and are read when it has ended. A program that fails is said in the log.
  core::Task<events::Conclusion> execute(StepCommand command);
  // The same for a program that somebody else starts (a container engine).
  core::Task<events::Conclusion> execute(ProgramStarter& starter, Variables more);

  void set_output(std::string name, std::string value);  // steps.ID.outputs; exhausted is told in the log
  void line(std::string_view text);                      // of the log; masks are applied
  void group(std::string_view title);                    // ##[group]
  void end_group();
  void debug(std::string_view text);       // only where debugging is on
  void warning(std::string_view message);  // an annotation as well
  // Says the error in the log and as an annotation, and returns failure, for `co_return step.fail(...)`.
  events::Conclusion fail(std::string_view message);
  void mask(std::string_view secret);  // from here on
  bool ending() const;                 // cancelled, or out of time

 private:
  friend class StepEngine;
  friend class StepGroup;
  StepRun(StepEngine& engine, StepRecord& record, Stage stage) : engine_(engine), record_(record), stage_(stage) {}
  StepEngine& engine_;
  StepRecord& record_;
  Stage stage_;
};

// The steps of a composite action: an Action owns one and lets it run in its stages.
//
//   has(pre) -> group.has(pre); has(post) -> group.has(post); run(stage, step) -> group.run(stage), then set_output.
//
// In main the steps run in order, each by its `if` (success() and failure() ask the scope's status); their outputs are
// in scope().steps. A step that fails (without continue-on-error) makes the result a failure.
class StepGroup {
 public:
  // open() refuses a scope whose depth is beyond action_depth_max. Steps are numbered from 1.
  StepGroup(StepEngine& engine, std::vector<StepSpec> steps, StepScope scope);
  ~StepGroup();
  StepGroup(const StepGroup&) = delete;
  StepGroup& operator=(const StepGroup&) = delete;

  StepScope& scope();                 // set its inputs and env before main runs
  core::Task<core::Result<>> open();  // actions that can be opened early
  bool has(Stage stage) const;        // post: some step's post waits to run
  core::Task<events::Conclusion> run(Stage stage);

 private:
  friend class StepEngine;
  StepEngine& engine_;
  StepScope scope_;
  std::vector<std::unique_ptr<StepRecord>> records_;
  std::vector<StepRecord*> posts_;  // those whose post waits, in the order they were started
};

// What runs the steps of one job. Made by JobExecution.
class StepEngine : public std::enable_shared_from_this<StepEngine> {
 public:
  // For actions:
  core::Executor loop() const;
  core::Clock& clock() const;
  core::Disk& disk() const;
  const JobOrder& order() const;  // the job, its grant and payload
  JobContext& job() const;        // contexts, masks, what the steps set for those after them
  Surroundings& surroundings() const;
  const JobPlace& place() const;    // host paths
  const JobDoor* door() const;      // null: the job is lent nothing
  const ServerWay& server() const;  // the way from this process; may be empty
  void say(std::string_view text);  // a line of the log, also before the first step; masks are applied

  struct Impl;  // step_engine_impl.h
  explicit StepEngine(std::unique_ptr<Impl> impl);
  ~StepEngine();
  StepEngine(const StepEngine&) = delete;
  StepEngine& operator=(const StepEngine&) = delete;

 private:
  friend class JobExecution;
  friend class StepGroup;
  friend class StepRun;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::runner
