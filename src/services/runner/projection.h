// The jobs that runners care about, from queued to done, and where the log tells what started their runs.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "services/runner/log_store.h"
#include "services/runner/protocol.h"
#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::runner {

enum class JobState { queued, leased, started, finished, cancelled };
std::string_view name_of(JobState state);

// A row of the table `job`.
struct JobRow {
  std::string job, run, repository, name;
  int64_t attempt = 1;
  std::vector<std::string> labels;
  JobState state = JobState::queued;
  log::Offset queued = 0;  // of its job.queued, which holds what to run
  Token token = 0;         // of its newest lease; 0: none yet
  std::string runner, executor;
  bool restricted = false;
  std::string cancel_reason;  // not empty: it is to end, or has
  bool cancel_forced = false;
  std::string last_event;  // id: the cause of what is said next
  std::string correlation;
  log::Offset run_queued = 0;  // of its pipelinerun.queued, which holds what started it; 0: the run is over
  LogName log() const { return {job, attempt}; }
};

class JobsProjection final : public store::Projection {
 public:
  static constexpr std::string_view projection_name = "runner";
  std::string name() const override { return std::string(projection_name); }
  int version() const override { return 4; }
  std::string schema() const override;
  std::vector<std::string> types() const override;
  core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) override;
};

core::Result<std::optional<JobRow>> find_job(sqlite::Connection& tables, std::string_view job);
core::Result<std::optional<JobRow>> find_lease(sqlite::Connection& tables,
                                               Token token);  // any state, current token only
// Oldest first, of those queued after the offset and of none of the `but` labels.
using LabelSets = std::set<std::vector<std::string>>;
core::Result<std::vector<JobRow>> queued_jobs(sqlite::Connection& tables, log::Offset after, const LabelSets& but,
                                              size_t max);
core::Result<std::vector<JobRow>> jobs_at_work(sqlite::Connection& tables);  // leased or started

}  // namespace headrace::runner
