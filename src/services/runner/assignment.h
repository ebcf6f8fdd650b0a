// Assignment is one job in the hands of a worker: its folder, its log file, its execution and its end.
//
//   FOLDER/<token>/job/workspace/...  where steps begin
//   FOLDER/<token>/job/temp/...       scripts; a job sees nothing but what is in job/
//   FOLDER/<token>/log                what it printed
//   FOLDER/<token>/found/...          test reports and summaries that the server has not yet (findings.h)
//   FOLDER/<token>/group              leader of the process group that runs, or ran last
//   FOLDER/<token>/end.json           how it ended, until the server has settled it
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/disk.h"
#include "core/task.h"
#include "process/adopt.h"
#include "services/runner/action_source.h"
#include "services/runner/executor.h"
#include "services/runner/findings.h"
#include "services/runner/job_execution.h"
#include "services/runner/protocol.h"

namespace headrace::runner {

class Assignment final : public JobObserver {
 public:
  struct Surroundings {
    core::Executor loop;
    core::Clock& clock;
    core::Disk& disk;
    std::string folder;
    std::string runner;  // its name: runner.name
    uint64_t log_bytes_max;
    JobExecution::Times times;
    std::function<Executor*(const std::string&)> executor;  // of this name; null: there is none
    std::function<void()> changed;                          // there is more to send
    std::function<void(const StepChanged&)> stepped;        // told at once if connected, else not at all
    Repositories& repositories;
    ActionOptions actions = {};
    ServerWay server = {};
  };
  Assignment(Surroundings around, Token token);

  core::Task<> run(Run order);  // to its end, which is then in end() and on disk
  void cancel(std::string reason, Ending ending = Ending::in_good_order);
  void begin();  // a restricted job may: the server has said that it did
  void drop();   // its lease is not in force any more: it ends, and nobody hears of it

  // What a killed worker left: processes are ended, and what it wrote is there to be told: log, findings, and its end,
  // if that was written, and the whole log before it. Else it is lost(), which is told last.
  core::Result<> recover();

  Token token() const { return token_; }
  const std::string& folder() const { return around_.folder; }
  bool running() const { return running_; }
  bool waits_to_begin() const { return waits_to_begin_; }
  const std::vector<StepChanged>& steps() const { return steps_; }  // each as it is now
  const std::optional<Finished>& end() const { return end_; }
  const std::optional<Lost>& lost() const { return lost_; }
  Findings& findings() { return findings_; }
  bool dropped() const { return dropped_; }
  uint64_t log_bytes() const { return log_bytes_; }
  core::Result<std::string> read_log(uint64_t offset, size_t max) const;

  uint64_t sent = 0;   // of the log, to the server, over this connection
  uint64_t have = 0;   // with the server
  bool known = false;  // whether `have` was told over this connection
  bool asked = false;  // to begin
  bool end_sent = false;

  // JobObserver
  core::Result<> log(std::string_view lines) override;
  void step_began(const StepSpec& step) override;
  void step_ended(const StepSpec& step, events::Conclusion conclusion) override;
  void annotated(const Annotation& note) override;
  void group(pid_t leader) override;
  void summary(int64_t step, std::string_view markdown) override;
  void reports(const StepSpec& step, std::vector<FoundReport> found) override;

 private:
  core::Task<JobEnd> execute(const Run& order);
  core::Task<bool> may_begin(bool restricted);
  void step_is(const StepSpec& step, std::optional<events::Conclusion> conclusion);
  core::Result<> open_log();
  core::Result<> append_log(std::string_view lines);
  void keep_end(JobEnd end);
  void found(int64_t step, const core::Result<>& kept);

  Surroundings around_;
  Token token_;
  std::unique_ptr<core::File> log_;
  uint64_t log_bytes_ = 0;
  uint64_t log_lines_ = 0;
  bool log_full_ = false;
  std::unique_ptr<JobActions> actions_;
  std::unique_ptr<JobExecution> execution_;
  std::string cancelled_;  // before the execution was there
  Ending ending_ = Ending::in_good_order;
  core::Signal permitted_;
  bool waits_to_begin_ = false;
  bool running_ = false;
  std::vector<StepChanged> steps_;
  process::Record group_;  // as its file names it
  std::optional<Finished> end_;
  std::optional<Lost> lost_;
  Findings findings_;
  size_t summaries_ = 0;
  bool dropped_ = false;
};

// Kills the process group a job's folder names, if it is alive. True if there was one.
bool end_group(core::Executor executor, core::Disk& disk, const std::string& folder);
// With all that is in it. Blocks; any thread.
core::Result<> remove_folder(const std::string& folder);

}  // namespace headrace::runner
