// Times that workflow files name. GitHub Docs, "Events that trigger workflows", schedule: POSIX cron in UTC, the
// default branch alone, no more often than every five minutes. After a downtime a schedule runs once, however often it
// was due.
#include <chrono>

#include "core/diagnostics.h"
#include "services/pipeline/awaited.h"
#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Result;
using core::Task;
using std::chrono::floor;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const std::string projection{RunsProjection::projection_name};
constexpr int ticks_looked_at_max = 5'000;  // missed ones of one schedule; beyond, the last day counts

std::chrono::sys_seconds in_seconds(core::Time time) { return floor<seconds>(time); }

// The newest tick after `after` that has come; nothing where none has.
std::optional<std::chrono::sys_seconds> newest_tick(const std::string& cron, std::chrono::sys_seconds after,
                                                    std::chrono::sys_seconds now) {
  auto tick = workflow::next_time(cron, after);
  if (!tick || *tick > now) return std::nullopt;
  for (int looked = 0;; ++looked) {
    auto next = workflow::next_time(cron, *tick);
    if (!next || *next > now) return tick;
    tick = next;
    if (looked == ticks_looked_at_max && now - *tick > std::chrono::days(1))
      tick = workflow::next_time(cron, now - std::chrono::days(1));
  }
}

std::optional<core::Time> due_tick(const ScheduleRow& schedule, core::Time now) {
  auto tick = newest_tick(schedule.cron, in_seconds(schedule.considered), in_seconds(now));
  if (!tick) return std::nullopt;
  core::Time due = *tick;
  if (schedule.last_due && due - *schedule.last_due < schedule_interval_min) return std::nullopt;
  return due;
}

}  // namespace

Task<> Service::keep_time() {
  for (;;) {
    core::Time now = parts.clock.now();
    co_await parts.clock.sleep_for(floor<minutes>(now) + minutes(1) - now);
    auto ticked = co_await tick();
    if (!ticked) {
      core::diagnose(core::Level::warning, "pipeline",
                     "schedules: " + ticked.error().message + " " + ticked.error().detail);
    }
  }
}

Task<Result<>> Service::tick() {
  auto rows = parts.store.read_here(projection, {}, [](sqlite::Connection& tables) { return schedules(tables); });
  if (!rows) co_return std::unexpected(rows.error());
  core::Time now = parts.clock.now();
  for (const ScheduleRow& row : *rows) {
    auto due = due_tick(row, now);
    if (!due) continue;
    auto said = co_await say_due(row, *due);
    if (!said) co_return said;
  }
  co_return Result<>{};
}

// Said once for each time, by its key, whoever says it again.
Task<Result<>> Service::say_due(ScheduleRow schedule, core::Time due) {
  events::ScheduleDue said;
  said.schedule = derived_uuid("schedule", schedule.repository + " " + schedule.cron, core::format_time(due));
  said.repository = schedule.repository;
  said.repository_id = schedule.repository_id;
  said.cron = schedule.cron;
  said.due = due;
  said.actor = schedule.actor;
  bus::Publish once;
  once.key = "schedule/" + said.schedule;
  auto origin = bus::Origin::root("pipeline", core::Actor::service("pipeline"));
  auto published = co_await parts.bus.say(said, std::move(origin), std::move(once));
  if (!published) co_return std::unexpected(published.error());
  co_return co_await caught_up(published->offsets.back());
}

}  // namespace headrace::pipeline
