// JobExecution runs the steps of one job, one after the other, and tells what comes of it. It knows nothing of servers:
// a runner process and `headrace exec` both use it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/task.h"
#include "events/runner.h"
#include "services/runner/executor.h"
#include "services/runner/job_spec.h"
#include "services/runner/log_lines.h"

namespace headrace::runner {

// Hears a job while it runs. Called on the loop; what it does is short.
class JobObserver {
 public:
  virtual ~JobObserver() = default;
  // Whole lines of the log. An error (the disk is full) ends the job, with its message as the reason.
  virtual core::Result<> log(std::string_view lines) = 0;
  virtual void step_began(const StepSpec& step) = 0;
  virtual void step_ended(const StepSpec& step, events::Conclusion conclusion) = 0;
  // A process group of the job lives (its leader's pid), or does not any more (0): for whoever cleans up after a crash.
  virtual void group(pid_t leader) = 0;
};

struct JobEnd {
  events::Conclusion conclusion = events::Conclusion::success;
  std::string errors;
  std::vector<events::StepResult> steps;  // one a step, skipped ones too
};

class JobExecution {
 public:
  struct Times {
    // GitHub Docs, "Canceling a workflow": an interrupt, 7.5 s later a termination, 2.5 s later the end.
    std::chrono::milliseconds interrupt{7'500};
    std::chrono::milliseconds terminate{2'500};
    std::chrono::milliseconds cleanup{
        300'000};  // for always() and cancelled() steps, once the job is cancelled or timed out
    std::chrono::milliseconds drain{2'000};  // for output of processes that left the step's group and hold its pipe
  };

  // All outlive it. `spec` is kept; the place's folders are made by run() and left for the owner to remove.
  JobExecution(core::Executor loop, core::Clock& clock, core::Disk& disk, Executor& executor, JobObserver& observer,
               JobSpec spec, JobPlace place, Times times);
  ~JobExecution();

  core::Task<JobEnd> run();  // once. The task itself is not to be cancelled: cancel() ends it in good order.
  // Ends the step that runs and skips the others but those that say always() or cancelled(). Twice is once.
  void cancel(std::string reason);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with its tasks
};

}  // namespace headrace::runner
