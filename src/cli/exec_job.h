// LocalJob is one job of `exec` at work: runner::JobExecution in a folder of the workshop, heard by the screen, and
// what is remembered of it for the summary.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "cli/exec_grants.h"
#include "cli/exec_workshop.h"
#include "core/clock.h"
#include "events/pipeline.h"
#include "events/runner.h"
#include "services/runner/action_source.h"
#include "services/runner/job_execution.h"
#include "services/runner/masks.h"

namespace headrace::cli {

class Screen;
}
namespace headrace::artifact {
class LocalArtifacts;
}
namespace headrace::cli {

inline constexpr size_t tail_lines = 20;             // of the step that failed, in the summary
inline constexpr size_t failed_tests_told_max = 50;  // of one job, by name

struct FailedTest {
  std::string file;  // of the report
  std::string name, message;
};

// What a job leaves behind besides its row.
struct JobStory {
  bool unserved = false;    // no executor here runs its labels
  bool began = false;       // a step of it
  bool incapable = false;   // its executor can do nothing on this machine
  std::string failed_step;  // name of the first one
  int64_t failed_number = 0;
  std::deque<std::string> tail;  // its last lines, as in the log
  std::vector<FailedTest> failed_tests;
  size_t failed_tests_more = 0;
  int64_t tests = 0, tests_failed = 0;
  std::string summary_file;  // empty: no step wrote a summary
};

class LocalJob final : public runner::JobObserver {
 public:
  struct Around {
    core::Loop& loop;
    core::Clock& clock;
    core::Disk& disk;
    Screen& screen;
    const Workshop& workshop;
    const LocalGrants& grants;
    runner::Repositories& repositories;
    runner::ActionOptions actions = {};
    const runner::Masks& masks;                     // of all secrets of this exec
    const runner::Variables& env;                   // of --env-file
    artifact::LocalArtifacts* artifacts = nullptr;  // none: jobs have no artifacts and no caches
    runner::JobExecution::Times times = {};
  };
  LocalJob(Around around, events::JobQueued order, std::string payload, std::string folder);

  core::Task<events::JobFinished> run(runner::Executor* executor);
  void cancel(std::string reason, runner::Ending ending);

  const std::string& name() const { return order_.name; }
  JobStory& story() { return story_; }

  // JobObserver
  core::Result<> log(std::string_view lines) override;
  void step_began(const runner::StepSpec& step) override;
  void step_ended(const runner::StepSpec& step, events::Conclusion conclusion) override;
  void group(pid_t) override {}
  void summary(int64_t step, std::string_view markdown) override;
  void reports(const runner::StepSpec& step, std::vector<runner::FoundReport> found) override;

 private:
  core::Result<runner::JobOrder> order() const;
  void lend_artifacts(runner::JobOrder& order, runner::JobExecution::Around& around);

  Around around_;
  events::JobQueued order_;
  std::string payload_, folder_;
  std::unique_ptr<runner::JobActions> actions_;
  std::unique_ptr<runner::JobExecution> execution_;
  std::string cancelled_;
  runner::Ending ending_ = runner::Ending::in_good_order;
  uint64_t lease_ = 0;            // of artifacts; 0: none
  std::deque<std::string> tail_;  // of the step that runs
  bool introduced_ = false;       // what it is has been printed
  core::Steady step_since_;
  uint64_t summary_bytes_ = 0;
  JobStory story_;
};

}  // namespace headrace::cli
