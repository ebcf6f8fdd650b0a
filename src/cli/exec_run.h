// ExecRun lets the runs of one `exec` run: it gives jobs that can begin to executors, as many at once as there are
// slots, and tells LocalRuns (services/pipeline) what comes of them, which says what is next.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/exec_job.h"
#include "cli/exec_screen.h"
#include "services/pipeline/local_runs.h"
#include "services/runner/labels.h"

namespace headrace::cli {

class ExecRun {
 public:
  struct Around {
    LocalJob::Around job;
    pipeline::LocalRuns& runs;
    runner::RunnerLabels labels;
    runner::ExecutorOptions executors = {};
    size_t slots = 1;
    std::string only = {};  // -j: remedies name it
  };
  explicit ExecRun(Around around);

  core::Task<> run();  // until all is over
  // The first time jobs end in good order, and what is `if: always()` still runs; the second time all ends at once.
  void stop();

  const std::map<std::string, JobStory>& stories() const { return stories_; }  // by UUID of the job
  bool began() const { return began_; }                                        // a step of any job
  bool could_not() const { return could_not_; }  // a job that no executor of this machine could run

 private:
  void hear();
  void hear(const events::JobCancelled& said);
  void start();
  core::Task<> work(std::shared_ptr<LocalJob> job, events::JobQueued order, std::string executor, std::string folder);
  void refuse(const events::JobQueued& order);
  runner::Executor* executor(const std::string& name);
  std::string payload_of(const std::string& run) const;

  Around around_;
  core::Scope tasks_;
  core::Signal changed_;
  core::Pool removing_{"folders of jobs", {.threads = 1, .queue_max = 10'000, .wait_max = std::chrono::hours(24)}};
  std::map<std::string, std::unique_ptr<runner::Executor>> executors_;
  std::deque<events::JobQueued> ready_;
  std::map<std::string, std::shared_ptr<LocalJob>> working_;  // shared with the tasks that run them
  std::map<std::string, JobStory> stories_;
  size_t numbers_ = 0;  // of folders
  bool began_ = false, could_not_ = false;
  int stops_ = 0;
};

}  // namespace headrace::cli
