// Runs, jobs, the counters of numbers, the ids of repositories, variables, and what starts workflows, as tables.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/pipeline/runs.h"
#include "services/pipeline/search.h"
#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::pipeline {

class RunsProjection final : public store::Projection {
 public:
  static constexpr std::string_view projection_name = "pipeline";
  std::string name() const override { return std::string(projection_name); }
  int version() const override { return 8; }
  std::string schema() const override;
  std::vector<std::string> types() const override;
  core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) override;
};

// A job as the service needs it besides what people see.
struct JobRow : Job {
  std::string node;     // key of the template as it stands in the run: of legs what they have in common
  std::string planned;  // key of the template in the program
  std::string place;    // orders the jobs of a run
  bool expanded = false;
  bool continue_on_error = false;
  bool fail_fast = true;
  int64_t max_parallel = 0;
  std::string group;  // of concurrency
  bool cancel_in_progress = false;
  bool queue_all = false;
  bool cancel_asked = false;  // a runner has it, and shall end it
};

// A run as the service needs it besides what people see.
struct RunRow : Run {
  std::vector<JobRow> rows;  // the jobs
  std::string last_event;    // id: the cause of what is said next
  std::string correlation;
  std::string payload, inputs;  // JSON texts
  std::vector<events::CalledWorkflow> called;
  int64_t depth = 0;
  int64_t variables_at = 0;
  bool untrusted = false;
  bool cancel_in_progress = false;
  bool queue_all = false;
};

// Who has a concurrency group, and who waits for it, in the order in which they came.
struct Member {
  std::string run;
  int64_t run_id = 0;
  std::string job;  // empty: the run itself
  std::string key;
  bool holds = false;
  bool cancel_in_progress = false;
  bool queue_all = false;
  bool cancel_asked = false;
};

core::Result<std::optional<RunRow>> find_run(sqlite::Connection& tables, std::string_view uuid);  // with jobs
core::Result<std::optional<RunRow>> find_run(sqlite::Connection& tables, int64_t id);             // with jobs
core::Result<std::optional<Job>> find_job(sqlite::Connection& tables, int64_t id);
// The concurrency group of a run, or of a job, by UUID; nothing where it has none.
core::Result<std::optional<std::string>> group_of(sqlite::Connection& tables, std::string_view run,
                                                  std::string_view job);
// The run of this UUID alone, without its jobs; nothing where there is none.
core::Result<std::optional<RunRow>> find_run_alone(sqlite::Connection& tables, std::string_view uuid);
// With its jobs, as it is shown: without what only the service needs.
core::Result<std::optional<Run>> find_shown(sqlite::Connection& tables, std::string_view uuid);
core::Result<RunsFound> search_runs(sqlite::Connection& tables, const RunSearch& search);  // search.cc
core::Result<int64_t> last_number(sqlite::Connection& tables, std::string_view repository, std::string_view file);
core::Result<std::vector<Member>> members_of(sqlite::Connection& tables, std::string_view repository,
                                             std::string_view group);

struct RepositoryRow {
  int64_t id = 0;
  std::string default_branch;
};
core::Result<std::optional<RepositoryRow>> repository(sqlite::Connection& tables, std::string_view full_name);
core::Result<std::vector<std::string>> repositories(sqlite::Connection& tables);  // full names, in order

}  // namespace headrace::pipeline
