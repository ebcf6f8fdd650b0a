// Runs, jobs, the counters of numbers and the ids of repositories, as tables.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/pipeline/runs.h"
#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::pipeline {

class RunsProjection final : public store::Projection {
 public:
  static constexpr std::string_view projection_name = "pipeline";
  std::string name() const override { return std::string(projection_name); }
  int version() const override { return 1; }
  std::string schema() const override;
  std::vector<std::string> types() const override;
  core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) override;
};

// A run as the service needs it besides what people see.
struct RunRow : Run {
  std::string last_event;  // id: the cause of what is said next
  std::string correlation;
};

core::Result<std::optional<RunRow>> find_run(sqlite::Connection& tables, std::string_view uuid);  // with jobs
core::Result<std::optional<RunRow>> find_run(sqlite::Connection& tables, int64_t id);             // with jobs
core::Result<std::optional<Job>> find_job(sqlite::Connection& tables, int64_t id);
core::Result<RunPage> find_runs(sqlite::Connection& tables, const RunQuery& query);
core::Result<int64_t> last_number(sqlite::Connection& tables, std::string_view repository, std::string_view file);
core::Result<std::optional<int64_t>> repository_id(sqlite::Connection& tables, std::string_view full_name);

}  // namespace headrace::pipeline
