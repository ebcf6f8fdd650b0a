// The SQLite file of one projection, as it is written: schema with history, meta, and events applied in transactions
// that hold their offset. One thread at a time. Layout: docs/projections.md, "Files".
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <variant>

#include "core/result.h"
#include "log/event_log.h"
#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::store {

using Offset = log::Offset;

class ProjectionFile {
 public:
  enum class Kind {
    live,     // survives crashes at a transaction's border
    scratch,  // of a rebuild: fast, nothing to keep after a crash
  };
  // Why a file on disk cannot be gone on with.
  struct Unfit {
    enum class Why {
      missing,
      damaged,
      other_version,   // of the projection, or of history: may still answer reads
      of_another_log,  // the log ends before it, or has another event at its offset: shows what never was
    } why;
    Offset applied = 0;  // of another version
  };
  using Opened = std::variant<std::unique_ptr<ProjectionFile>, Unfit>;

  // Makes a new, empty file; what was there is deleted. invalid: the schema breaks a rule.
  static core::Result<std::unique_ptr<ProjectionFile>> create(std::string path, Projection& projection, Kind kind);
  // Opens the file to go on with it, or says why not. Other errors (no access, no memory) are the Result's.
  static core::Result<Opened> open(std::string path, Projection& projection, log::EventLog& log);

  bool hears(const events::Event& event) const { return types_.empty() || types_.contains(event.type); }

  // Applies those of the events that are newer than applied() and heard, in one transaction, none if there are none.
  // When one fails, those before it are kept and the error names it; applied() is then before it.
  core::Result<> apply(std::span<const log::Stored> events);
  // There is nothing to hear up to `offset`: remembered now, written with the next transaction or persist().
  void skip_to(Offset offset);
  core::Result<> persist();
  // Reads up to `max` events it hears from the log and applies them; at most up to `tail`, an offset that is durable.
  core::Result<> advance(log::EventLog& log, Offset tail, size_t max);
  // Everything in the one file, synced, and no connection open to it any more. The last call.
  core::Result<> close();

  Offset applied() const { return applied_; }
  uint64_t events() const { return events_; }  // applied since it was opened
  // What is worth moving from the write-ahead log into the file. A thread of its own does that (checkpoint_beside), for
  // its syncs take milliseconds; only when the log has become far too long, apply() waits for it.
  bool checkpoint_due() const;
  sqlite::Connection& connection() { return *connection_; }
  const std::string& path() const { return path_; }

 private:
  ProjectionFile(std::string path, Projection& projection, std::unique_ptr<sqlite::Connection> connection);
  core::Result<> prepare_functions();
  core::Result<> make_tables();
  core::Result<> remember(Offset applied, const log::Stored* last);
  core::Result<> apply_one(const log::Stored& stored);
  core::Result<> written(std::span<const log::Stored> events);  // in one transaction: all or none
  core::Result<> skip_written();

  std::string path_;
  Projection& projection_;
  std::unique_ptr<sqlite::Connection> connection_;
  std::unordered_set<std::string> types_;
  Offset applied_ = 0;    // what a reader may count on
  Offset persisted_ = 0;  // what the file says
  Offset current_ = 0;    // of the event being applied
  uint64_t events_ = 0;
};

// Moves what can be moved of a file's write-ahead log, from any thread, while it is written and read.
core::Result<> checkpoint_beside(const std::string& path);

// `from`, closed, takes the place of `to`, which no connection has open: as one step that a crash cannot tear.
core::Result<> install(const std::string& from, const std::string& to);

// Deletes a database with its journals; those that are not there are no error.
core::Result<> remove_database(const std::string& path);

}  // namespace headrace::store
