#include "services/pipeline/awaited.h"

#include "core/json.h"

namespace headrace::pipeline {

using core::Result;

namespace {

int64_t nanoseconds(core::Time time) { return time.time_since_epoch().count(); }
core::Time time_of(int64_t nanoseconds) { return core::Time(core::Duration(nanoseconds)); }

template <class... Values>
Result<> run(sqlite::Connection& tables, sqlite::Sql sql, const Values&... values) {
  auto changed = tables.execute(sql, values...);
  if (!changed) return std::unexpected(changed.error());
  return {};
}

std::string list_text(const std::vector<std::string>& texts) {
  return core::to_text(core::json::array(texts.begin(), texts.end()));
}

}  // namespace

std::string awaited_schema() {
  return "CREATE TABLE schedule (repository TEXT, cron TEXT, repository_id INTEGER NOT NULL, actor TEXT NOT NULL, "
         "considered INTEGER NOT NULL, last_due INTEGER, PRIMARY KEY (repository, cron)) WITHOUT ROWID;"
         "CREATE TABLE listener (repository TEXT, event TEXT, repository_id INTEGER NOT NULL, since_event INTEGER NOT "
         "NULL, PRIMARY KEY (repository, event)) WITHOUT ROWID;"
         "CREATE INDEX listener_by_event ON listener (event, repository);";
}

// What stays keeps when it began, so that a push in between neither forgets a tick nor repeats one.
Result<> keep(sqlite::Connection& tables, const log::Stored& stored, const events::WorkflowsRead& said) {
  auto dropped =
      run(tables, "DELETE FROM schedule WHERE repository = ? AND cron NOT IN (SELECT value FROM json_each(?))",
          said.repository, list_text(said.crons));
  if (!dropped) return dropped;
  for (const std::string& cron : said.crons) {
    auto added = run(tables,
                     "INSERT INTO schedule (repository, cron, repository_id, actor, considered) VALUES (?, ?, ?, ?, ?) "
                     "ON CONFLICT (repository, cron) DO NOTHING",
                     said.repository, cron, said.repository_id, said.actor,
                     nanoseconds(stored.event.time.value_or(stored.time)));
    if (!added) return added;
  }
  dropped = run(tables, "DELETE FROM listener WHERE repository = ? AND event NOT IN (SELECT value FROM json_each(?))",
                said.repository, list_text(said.events));
  if (!dropped) return dropped;
  for (const std::string& event : said.events) {
    auto added = run(tables,
                     "INSERT INTO listener (repository, event, repository_id, since_event) VALUES (?, ?, ?, ?) "
                     "ON CONFLICT (repository, event) DO NOTHING",
                     said.repository, event, said.repository_id, stored.offset);
    if (!added) return added;
  }
  return {};
}

Result<> keep(sqlite::Connection& tables, const events::ScheduleDue& said) {
  auto due = nanoseconds(said.due);
  return run(tables,
             "UPDATE schedule SET considered = max(considered, ?), last_due = max(coalesce(last_due, 0), ?) "
             "WHERE repository = ? AND cron = ?",
             due, due, said.repository, said.cron);
}

Result<> forget_awaited(sqlite::Connection& tables, std::string_view repository) {
  auto gone = run(tables, "DELETE FROM schedule WHERE repository = ?", repository);
  return gone ? run(tables, "DELETE FROM listener WHERE repository = ?", repository) : gone;
}

Result<std::vector<ScheduleRow>> schedules(sqlite::Connection& tables) {
  auto read = [](const sqlite::Row& row) {
    ScheduleRow schedule{row.text(0), row.integer(1), row.text(2), row.text(3), time_of(row.integer(4)), {}};
    if (!row.is_null(5)) schedule.last_due = time_of(row.integer(5));
    return schedule;
  };
  return tables.all(
      "SELECT repository, repository_id, cron, actor, considered, last_due FROM schedule "
      "ORDER BY repository, cron",
      read);
}

Result<std::optional<log::Offset>> waits_for(sqlite::Connection& tables, std::string_view repository,
                                             std::string_view event) {
  auto read = [](const sqlite::Row& row) { return row.offset(0); };
  return tables.first("SELECT since_event FROM listener WHERE repository = ? AND event = ?", read, repository, event);
}

Result<std::vector<Listener>> listeners(sqlite::Connection& tables, std::string_view event) {
  auto read = [](const sqlite::Row& row) { return Listener{row.text(0), row.integer(1), row.offset(2)}; };
  return tables.all("SELECT repository, repository_id, since_event FROM listener WHERE event = ? ORDER BY repository",
                    read, event);
}

Result<Awaited> awaited_by(sqlite::Connection& tables, std::string_view repository) {
  auto text = [](const sqlite::Row& row) { return row.text(0); };
  auto crons = tables.all("SELECT cron FROM schedule WHERE repository = ? ORDER BY cron", text, repository);
  if (!crons) return std::unexpected(crons.error());
  auto events = tables.all("SELECT event FROM listener WHERE repository = ? ORDER BY event", text, repository);
  if (!events) return std::unexpected(events.error());
  return Awaited{std::move(*crons), std::move(*events)};
}

}  // namespace headrace::pipeline
