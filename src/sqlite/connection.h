// The door to SQLite: connections, statements, transactions, functions, migrations; nothing of sqlite3.h is seen here.
//
//   auto db = Connection::open(path, {.mode = Mode::read_write});
//   db->execute("UPDATE job SET status = ? WHERE id = ?", "done", id);
//   auto jobs = db->all("SELECT id, status FROM job WHERE run = ? ORDER BY id", read_job, run);  // Job read_job(const
//   Row&) auto one = db->first("SELECT id, status FROM job WHERE id = ?", read_job, id);             // nothing: no
//   such row
//
// Values are only ever bound (value.h, Sql). Statements are prepared once and kept, at most statements_kept_max.
// Errors: conflict (a constraint does not hold), exhausted (the disk is full, memory or size limits), corrupt (the file
// is damaged or no database), unavailable (locked by another process beyond busy_wait, or an input/output error),
// invalid (the SQL is wrong, or a write on a read-only connection). After an error within a transaction: roll back. A
// connection is used by one thread at a time; connections to the same file are independent.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/result.h"
#include "sqlite/value.h"

namespace headrace::sqlite {

enum class Mode {
  read_write,  // made if it is not there; write-ahead log, synchronous=NORMAL: after a power cut the last commits may
               // be missing, never torn
  read_only,   // must exist; temporary views and tables are possible
  memory,      // private to the connection; the path is ignored
  scratch,     // a new file, thrown away after a crash: journal in memory, no sync
};

struct Options {
  Mode mode = Mode::read_write;
  std::chrono::milliseconds busy_wait{0};  // how long a lock held by another connection is waited for
  size_t cache_bytes = 512 * 1024;         // of pages, a connection
  size_t checkpoint_pages = 1'000;         // of write-ahead log, beyond which a commit moves it into the file; 0: never
  bool durable = false;                    // read_write only: synchronous=FULL, for what is not derived from the log
};

inline constexpr size_t statements_kept_max = 128;
inline constexpr size_t bytes_of_a_value_max = 16 * 1024 * 1024;

class Connection;

// One row of a result, good until the next step. Columns count from 0. A getter converts as SQLite does: NULL is 0 or
// "".
class Row {
 public:
  bool is_null(int column) const;
  int64_t integer(int column) const;
  uint64_t offset(int column) const { return static_cast<uint64_t>(integer(column)); }
  bool boolean(int column) const { return integer(column) != 0; }
  double real(int column) const;
  std::string_view view(int column) const;  // text or blob, until the next step
  std::string text(int column) const { return std::string(view(column)); }
  std::optional<std::string> maybe_text(int column) const;
  std::optional<int64_t> maybe_integer(int column) const;
  Value value(int column) const;  // with the type that is stored
  int columns() const;
  std::string_view name(int column) const;

 private:
  friend class Connection;
  friend class Statement;
  explicit Row(void* statement) : statement_(statement) {}
  void* statement_;
};

// A prepared statement on loan from its connection, which outlives it; given back, reset, when destroyed.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  core::Result<> bind(std::span<const Value> values);  // as many as there are `?`; copied
  core::Result<bool> step();                           // true: row() is the next one
  const Row& row() const { return row_; }

 private:
  friend class Connection;
  Statement(Connection& owner, void* statement, void* kept) : owner_(&owner), row_(statement), kept_(kept) {}
  Connection* owner_;
  Row row_;
  void* kept_;  // its place among the kept ones; null: finalized after use
};

// Rolls back unless committed. They do not nest.
class Transaction {
 public:
  enum class Kind { read, write };  // read: one snapshot for many statements; write: takes the lock at once
  static core::Result<Transaction> begin(Connection& connection, Kind kind = Kind::write);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  core::Result<> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

// What a scalar function gives back.
using Answer = std::variant<std::nullptr_t, int64_t, double, std::string>;
// The same arguments give the same answer within one statement (SQLITE_DETERMINISTIC); harmless, so it may stand in
// defaults, triggers and views (SQLITE_INNOCUOUS). An error or exception fails the statement.
using Function = std::function<core::Result<Answer>(std::span<const Value>)>;

struct Column {
  std::string name;
  std::string type;       // as declared
  std::string collation;  // "BINARY" unless declared
  bool not_null = false;
  int key = 0;  // its place in the primary key, from 1; 0: not part of it
};

class Connection {
 public:
  static core::Result<std::unique_ptr<Connection>> open(std::string path, Options options);
  ~Connection();  // statements on loan must have been given back
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  core::Result<> run(Sql script);  // any number of statements, nothing bound, rows ignored
  core::Result<Statement> prepare(Sql sql);

  // Runs one statement to its end; returns the number of rows it inserted, changed or deleted.
  template <class... Values>
  core::Result<int64_t> execute(Sql sql, const Values&... values) {
    return execute_bound(sql, std::array<Value, sizeof...(Values)>{Value(values)...});
  }

  // Every row through `read` (a function or lambda of const Row&), in order.
  template <class Read, class... Values, class T = std::invoke_result_t<Read, const Row&>>
  core::Result<std::vector<T>> all(Sql sql, Read read, const Values&... values) {
    auto statement = bound(sql, std::array<Value, sizeof...(Values)>{Value(values)...});
    if (!statement) return std::unexpected(statement.error());
    std::vector<T> rows;
    for (;;) {
      auto more = statement->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return rows;
      rows.push_back(read(statement->row()));
    }
  }

  // The first row through `read`, or nothing.
  template <class Read, class... Values, class T = std::invoke_result_t<Read, const Row&>>
  core::Result<std::optional<T>> first(Sql sql, Read read, const Values&... values) {
    auto statement = bound(sql, std::array<Value, sizeof...(Values)>{Value(values)...});
    if (!statement) return std::unexpected(statement.error());
    auto more = statement->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return std::optional<T>();
    return std::optional<T>(read(statement->row()));
  }

  // Single values; 0, "" where there is no row or NULL.
  template <class... Values>
  core::Result<int64_t> integer(Sql sql, const Values&... values) {
    auto found = first(sql, [](const Row& row) { return row.integer(0); }, values...);
    if (!found) return std::unexpected(found.error());
    return found->value_or(0);
  }
  template <class... Values>
  core::Result<std::string> text(Sql sql, const Values&... values) {
    auto found = first(sql, [](const Row& row) { return row.text(0); }, values...);
    if (!found) return std::unexpected(found.error());
    return std::move(*found).value_or(std::string());
  }

  core::Result<> define(const std::string& name, int arguments, Function function);
  core::Result<std::vector<Column>> columns(std::string_view table);  // of a table in the file, generated ones too

  // Brings a file up to date: scripts[i] leads from version i (PRAGMA user_version) to i + 1, all in one transaction.
  // A file from a newer program is refused (Code::invalid).
  core::Result<> migrate(std::span<const Sql> scripts);

  // Moves the write-ahead log into the file and empties it; `unavailable` while a reader still needs it.
  core::Result<> checkpoint();
  // As much of it as is possible without waiting for anybody and without keeping a writer waiting. For a connection of
  // a thread of its own: the syncs of a checkpoint take milliseconds.
  core::Result<> checkpoint_some();
  size_t journal_pages() const;  // in the write-ahead log after this connection's last commit
  const std::string& path() const;

 private:
  friend class Statement;
  friend class Transaction;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  core::Result<Statement> bound(Sql sql, std::span<const Value> values);
  core::Result<int64_t> execute_bound(Sql sql, std::span<const Value> values);
  void give_back(void* statement, void* kept);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::sqlite
