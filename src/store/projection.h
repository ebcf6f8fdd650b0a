// A projection turns the log into tables: thrown away and rebuilt from the log, they are equal.
//
// A service writes one. It knows nothing of history, versions or offsets; store does (history.h, store.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "log/event_log.h"
#include "sqlite/connection.h"

namespace headrace::store {

class Projection {
 public:
  virtual ~Projection() = default;

  virtual std::string name() const = 0;  // [a-z][a-z0-9_]*, at most 40 characters; its file is <name>.db
  virtual int version() const = 0;       // from 1; raised whenever schema or apply change: the file is then rebuilt

  // CREATE TABLE and CREATE [UNIQUE] INDEX statements only. Each table has a PRIMARY KEY; no AUTOINCREMENT. The column
  // names since, until, rowid and table names ending in _history are taken: `since`, the offset of the row's last
  // change, is added as the last column of each table, so INSERT names its columns. In apply, REPLACE and upserts are
  // fine; UPDATE OR REPLACE is not, where there is more than one UNIQUE: SQLite 3.40 then finds a row in conflict with
  // itself, because history has a trigger on DELETE. DELETE first, then UPDATE.
  virtual std::string schema() const = 0;

  // The event types it hears, in full ("dev.cdevents.pipelinerun.queued.0.3.0"); empty: all. What is not listed is not
  // handed to apply, and costs nothing.
  virtual std::vector<std::string> types() const { return {}; }

  // Pure: nothing but the event and the tables decides what it writes - no clock, no chance, no rowid, no unordered
  // iteration, no state between calls. On the projection thread, within a transaction that it does not end. An error or
  // exception stops this projection before the event, which is never skipped (Status::Phase::stopped).
  virtual core::Result<> apply(sqlite::Connection& tables, const log::Stored& stored) = 0;
};

}  // namespace headrace::store
