// The inside of StepEngine, for its own files:
//
//   job_execution.cc     the job: surroundings, variables, the order of stages, outputs, its end
//   step_engine.cc       groups: which steps run; conditions, results
//   step_expressions.cc  contexts and functions of an expression where a step stands
//   step_stage.cc        one stage of a step under its time-outs
//   step_program.cc      a program of a step: environment, output, the files it writes
//   step_reports.cc      test reports that steps write
//   step_effects.h       what commands and matchers do to a step
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "services/runner/door.h"
#include "services/runner/job_context.h"
#include "services/runner/job_execution.h"
#include "services/runner/step_engine.h"
#include "services/runner/step_output.h"
#include "workflow/expression.h"

namespace headrace::runner {

// A step and what is known of it while the job runs.
struct StepRecord {
  StepSpec spec;
  StepGroup* group = nullptr;
  std::unique_ptr<Action> action;
  std::string github_action;  // its id, or __run, __run_2, __owner_repo ...
  std::string shown_name;
  Variables env, with;  // evaluated, of the stage that runs
  Variables state;      // saved for its later stages
  workflow::Object outputs;
  size_t output_bytes = 0;
  bool post_waits = false;
  bool command_failed = false;       // a command or file of the stage was wrong
  std::optional<int64_t> exit_code;  // of the last program of the stage
  std::string reason;                // why the stage failed, the first that was said
};

// The stage of the job's step that runs now.
struct StageWatch {
  StepRecord* record = nullptr;
  Stage stage = Stage::main;
  core::Scope* body = nullptr;
  bool ending = false;
  bool step_expired = false;
  bool job_expired = false;
};

struct StepEngine::Impl {
  Impl(JobExecution::Around with, JobOrder what, JobPlace where, JobExecution::Times bounds);

  // ---- job_execution.cc
  core::Task<JobEnd> run();
  core::Task<core::Result<>> prepared();
  core::Task<> set_up_into(std::optional<core::Result<>>& result);
  core::Task<> expire_set_up();
  core::Task<core::Result<>> set_up();
  core::Task<> open_door();
  core::Task<core::Result<JobNeeds>> needs();
  core::Task<core::Result<>> evaluate_job_env();
  core::Task<> finish();
  core::Task<core::Result<ContainerSpec>> container_of(workflow::Value node);
  core::Task<core::Result<workflow::Value>> evaluated(workflow::Value node);
  void cancel(std::string reason, Ending ending);
  void time_out();
  void fail_job(std::string_view why);
  void tell();
  void error_line(std::string_view message);
  void say(std::string_view text);  // masked; of several lines, each is one

  // ---- step_engine.cc
  void number_actions(StepGroup& group);
  core::Task<core::Result<>> open(StepGroup& group);
  core::Task<core::Result<>> open_action(StepRecord& record);
  core::Task<events::Conclusion> run_group(StepGroup& group, Stage stage);
  core::Task<> run_step(StepRecord& record, Stage stage);
  core::Task<events::Conclusion> run_nested(StepRecord& record, Stage stage);
  core::Task<core::Result<bool>> wanted(StepRecord& record, Stage stage);
  core::Task<core::Result<bool>> continues_on_error(StepRecord& record);
  core::Task<core::Result<>> evaluate_step(StepRecord& record);
  core::Task<std::string> name_of(StepRecord& record, Stage stage);
  std::string condition_of(const StepRecord& record, Stage stage) const;
  void tell_steps(StepRecord& record, events::Conclusion outcome, events::Conclusion conclusion);

  // ---- step_reports.cc
  core::Task<> expect_reports();
  core::Task<> find_reports(StepSpec step);
  void tell_report(const StepSpec& step, FoundReport found);
  void report_warning(const std::string& message);

  // ---- step_expressions.cc
  core::Task<core::Result<workflow::Value>> evaluate(std::string text, const StepScope& scope, const Variables& env);
  core::Task<core::Result<std::string>> evaluate_text(std::string text, const StepScope& scope, const Variables& env);
  core::Task<core::Result<bool>> evaluate_condition(std::string text, const StepScope& scope, const Variables& env);
  bool holds_now(const std::string& condition, const StepScope& scope, const Variables& env) const;
  workflow::Object contexts(const StepScope& scope, const Variables& env) const;
  workflow::Object github_of(const StepScope& scope) const;
  Variables env_of(const StepScope& scope, const Variables& step) const;
  std::string_view status() const;

  // ---- step_stage.cc
  core::Task<events::Conclusion> bounded(StepRecord& record, Stage stage,
                                         std::optional<std::chrono::nanoseconds> limit);
  core::Task<> stage_body(StepRecord& record, Stage stage, std::optional<events::Conclusion>& result);
  core::Task<events::Conclusion> run_stage(StepRecord& record, Stage stage);
  void note_post(StepRecord& record);
  core::Task<> expire(std::chrono::nanoseconds after, bool StageWatch::* which);
  core::Task<> end_stage();
  core::Task<> kill_stage();
  core::Task<> end_gently(std::shared_ptr<process::Child> child);
  core::Task<core::Result<std::optional<std::chrono::nanoseconds>>> limit_of(StepRecord& record);

  // ---- step_program.cc
  struct Files {  // host paths
    std::string env, path, output, state, summary;
  };
  core::Task<events::Conclusion> run_script(StepRecord& record);
  core::Task<core::Result<StepCommand>> script_command(StepRecord& record);
  core::Task<events::Conclusion> execute(StepRecord& record, Stage stage, StepCommand command);
  core::Task<events::Conclusion> execute(StepRecord& record, Stage stage, ProgramStarter& starter, Variables more);
  core::Task<core::Result<std::unique_ptr<process::Child>>> start(StepCommand command, Variables environment);
  core::Task<events::Conclusion> watch(StepRecord& record, std::shared_ptr<process::Child> child, Files files,
                                       const ProgramStarter* starter);
  core::Task<core::Result<process::Exit>> supervised(std::shared_ptr<process::Child> child, StepOutput& output);
  // What a program prints, on its way. `into` is null once its step is over: a process that it left running may print
  // on, which nobody reads.
  struct Flow {
    StepOutput* into = nullptr;
    bool open = true;
  };
  core::Task<> pump(std::shared_ptr<process::Child> child, std::shared_ptr<Flow> flow);
  core::Result<Files> make_files();
  void read_files(StepRecord& record, const Files& files);
  void read_summary(const Files& files);
  void file_error(StepRecord& record, std::string_view name, const core::Error& error);
  Variables environment_of(const StepRecord& record, Stage stage, const Files& files, const Variables& more) const;
  std::optional<std::string> host_program(std::string_view name, const Variables& environment) const;
  void show_script(const StepRecord& record, std::string_view run, std::string_view shell);
  events::Conclusion fail(StepRecord& record, std::string_view message);
  void set_output(StepRecord& record, std::string name, std::string value);
  void annotate(Annotation note, std::string_view line);

  // Holds the engine for as long as the task runs, which may be longer than its owner where that is cancelled.
  core::Task<> kept(core::Task<> task) { return keep(engine->shared_from_this(), std::move(task)); }
  static core::Task<> keep([[maybe_unused]] std::shared_ptr<StepEngine> self, core::Task<> task) {
    co_await std::move(task);
  }
  core::Pool& pool();

  StepEngine* engine = nullptr;
  JobExecution::Around out;
  JobOrder order;
  JobPlace place;
  JobExecution::Times times;
  JobContext context;
  LogLines lines;
  std::unique_ptr<Surroundings> around;
  std::unique_ptr<JobDoor> door;
  std::unique_ptr<StepGroup> steps;
  std::deque<StepRecord*> pres;
  std::unique_ptr<ReportFinder> reports;
  std::string incomplete_reports;          // why not all of them were found, as it was said last
  std::unique_ptr<core::Pool> files_pool;  // made when it is needed
  core::Scope watchdogs;
  core::Scope* preparing = nullptr;  // while the job is set up
  core::Scope background;            // reads what processes print that steps left running; to the end of the job
  core::Signal progressed;           // a process has ended, or its output has
  core::Steady deadline;             // of the job; once it is cancelled or timed out, of what may still be done
  StageWatch watching;
  std::vector<std::shared_ptr<process::Child>> children;  // shared with the tasks that read and end them
  int64_t next_number = 1;                                // of pre and post stages
  int64_t shown_number = 0;                               // of the step whose log this is
  int64_t next_file = 1;
  std::string running_action;  // github.action: of the job's own step, also within its composite action

  JobEnd end;
  bool failed = false;
  bool timed_out = false;
  bool cancelled = false;
  bool at_once = false;  // nothing of it runs any more
  bool log_lost = false;
  std::string cancel_reason;
};

}  // namespace headrace::runner
