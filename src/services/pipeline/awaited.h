// What the workflow files of default branches wait for: times, and events that any event of the log may be. Tables of
// the projection.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "events/triggers.h"
#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::pipeline {

struct ScheduleRow {
  std::string repository;
  int64_t repository_id = 0;
  std::string cron;
  std::string actor;                   // account whose push brought it
  core::Time considered;               // ticks up to here are done with
  std::optional<core::Time> last_due;  // of the newest run
};

// Kept by apply(); see projection.cc.
std::string awaited_schema();
core::Result<> keep(sqlite::Connection& tables, const log::Stored& stored, const events::WorkflowsRead& said);
core::Result<> keep(sqlite::Connection& tables, const events::ScheduleDue& said);
core::Result<> forget_awaited(sqlite::Connection& tables, std::string_view repository);

core::Result<std::vector<ScheduleRow>> schedules(sqlite::Connection& tables);  // by repository and cron
// Since which event of the log the repository waits for it; nothing: it does not.
core::Result<std::optional<log::Offset>> waits_for(sqlite::Connection& tables, std::string_view repository,
                                                   std::string_view event);
struct Listener {
  std::string repository;
  int64_t repository_id = 0;
  log::Offset since = 0;
};
core::Result<std::vector<Listener>> listeners(sqlite::Connection& tables, std::string_view event);  // by name

struct Awaited {
  std::vector<std::string> crons, events;  // sorted
  bool operator==(const Awaited&) const = default;
};
core::Result<Awaited> awaited_by(sqlite::Connection& tables, std::string_view repository);

}  // namespace headrace::pipeline
