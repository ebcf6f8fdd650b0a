// JobExecution runs one job: makes its surroundings, lets its steps run (step_engine.h), and tells what comes of it. It
// knows nothing of servers: a runner process and `headrace exec` both use it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/task.h"
#include "events/runner.h"
#include "services/runner/door.h"
#include "services/runner/executor.h"
#include "services/runner/job_spec.h"
#include "services/runner/log_lines.h"
#include "services/runner/reports.h"
#include "services/runner/step_commands.h"

namespace headrace::runner {

class ActionSource;
class StepEngine;

// How a job that is cancelled ends: after the steps whose conditions hold for it, or with what runs killed where it is.
enum class Ending { in_good_order, at_once };

// Hears a job while it runs. Called on the loop; what it does is short. Steps are given with the name they show;
// besides those of the workflow there are the pre and post stages of actions, numbered after them.
class JobObserver {
 public:
  virtual ~JobObserver() = default;
  // Whole lines of the log. An error (the disk is full) ends the job, with its message as the reason.
  virtual core::Result<> log(std::string_view lines) = 0;
  virtual void step_began(const StepSpec& step) = 0;
  virtual void step_ended(const StepSpec& step, events::Conclusion conclusion) = 0;
  // Of the step that runs; all of them are in the end once more. Who shows nothing before the end need not hear it.
  virtual void annotated(const Annotation&) {}
  // A process group of the job lives (its leader's pid), or does not any more (0): for whoever cleans up after a crash.
  virtual void group(pid_t leader) = 0;
  // Markdown of a step's GITHUB_STEP_SUMMARY, masked, at most step_summary_bytes_max; once a stage that wrote one.
  virtual void summary(int64_t step, std::string_view markdown) = 0;
  // Test reports that were found when a step had ended.
  virtual void reports(const StepSpec& step, std::vector<FoundReport> found) = 0;
};

struct JobEnd {
  events::Conclusion conclusion = events::Conclusion::success;
  std::string errors;                     // why it did not succeed, a sentence
  std::vector<events::StepResult> steps;  // in the order they ran, skipped ones too
  Variables outputs;                      // those without a secret in them; at most job_output_bytes_max
  std::vector<Annotation> annotations;    // at most annotations_max
  std::string environment_url;            // "" where it has none
};

class JobExecution {
 public:
  struct Times {
    // GitHub Docs, "Canceling a workflow": an interrupt, 7.5 s later a termination, 2.5 s later the end.
    std::chrono::milliseconds interrupt{7'500};
    std::chrono::milliseconds terminate{2'500};
    // for always(), cancelled() and post steps, once the job is cancelled or timed out
    std::chrono::milliseconds cleanup{300'000};
    std::chrono::milliseconds drain{2'000};  // for output of processes that a step left running
  };
  struct Around {
    core::Executor loop;
    core::Clock& clock;
    core::Disk& disk;
    Executor& executor;
    JobObserver& observer;
    ActionSource* actions = nullptr;  // none: a step that `uses` something fails, with the reason
    JobLimits limits = {};
    bool network = true;
    ServerWay server = {};  // what the job is lent of it, where its grant has a runtime token; empty: nothing
  };

  // All outlive it. The place's folders are made by run() and left for the owner to remove.
  JobExecution(Around around, JobOrder order, JobPlace place, Times times);
  ~JobExecution();

  core::Task<JobEnd> run();  // once. The task itself is not to be cancelled: cancel() ends it in good order.
  // Ends the step that runs, unless its `if` holds for a cancelled job, and skips the others but those whose does.
  // At once: kills what runs, whatever its `if`, and no further stage begins, nor does a post. Twice is once, but at
  // once also ends what has been ending in good order.
  void cancel(std::string reason, Ending ending = Ending::in_good_order);

 private:
  std::shared_ptr<StepEngine> engine_;  // shared with its tasks
};

}  // namespace headrace::runner
