#include "sqlite/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "sqlite/impl.h"

namespace headrace::sqlite {
namespace {

constexpr int lookaside_slot_bytes = 256;  // SQLite's default of 120 KB a connection is too much for dozens of them
constexpr int lookaside_slots = 96;
constexpr int64_t journal_bytes_kept_max =
    8 * 1024 * 1024;  // of a write-ahead log once it has been moved into the file

// Made by us and not by SQLite, for others may not read it; journals take the mode of their file. A file that is there
// is not even opened: closing it would drop the locks that this process's other connections have on it (POSIX, fcntl).
core::Result<> make_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) return {};
  if (file < 0) return std::unexpected(core::error_of_errno(errno, "making a database", path));
  ::close(file);
  return {};
}

int flags_of(Mode mode) {
  switch (mode) {
    case Mode::read_only: return SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    case Mode::memory: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
    default: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  }
}

std::string_view journal_of(const Options& options) {
  switch (options.mode) {
    case Mode::read_write:
      return options.durable ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                             : "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;";
    case Mode::scratch: return "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;";
    default: return "";
  }
}

// Before anything else of SQLite: it counts what it allocates under one lock for the whole process, and nobody asks for
// the sum (measured: a fifth of an insert). Where the program that we are a library of was quicker, it stays as it is.
void count_no_memory() {
  static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(once);
}

void configure(sqlite3* handle, const Options& options) {
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_LOOKASIDE, nullptr, lookaside_slot_bytes, lookaside_slots);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);  // "x" is a name, never by accident a text
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, static_cast<int>(bytes_of_a_value_max));
  sqlite3_busy_timeout(handle, static_cast<int>(options.busy_wait.count()));
}

// In place of SQLite's own hook, which would checkpoint within the commit of whoever happens to write.
int after_commit(void* impl, sqlite3* handle, const char* name, int pages) {
  auto& state = *static_cast<JournalState*>(impl);
  state.pages = static_cast<size_t>(pages);
  if (state.checkpoint_pages > 0 && state.pages >= state.checkpoint_pages)
    sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  return SQLITE_OK;
}

std::string settings_of(const Options& options) {
  return fmt::format(
      "PRAGMA cache_size=-{}; PRAGMA recursive_triggers=ON; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; {} "
      "PRAGMA journal_size_limit={};",
      std::max<size_t>(options.cache_bytes / 1024, 16), journal_of(options), journal_bytes_kept_max);
}

}  // namespace

Connection::Impl::~Impl() {
  for (const auto& [sql, statement] : kept) sqlite3_finalize(statement->statement);
  sqlite3_close_v2(handle);
}

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

core::Result<std::unique_ptr<Connection>> Connection::open(std::string path, Options options) {
  const bool creates = options.mode == Mode::read_write || options.mode == Mode::scratch;
  if (creates)
    if (auto made = make_private(path); !made) return std::unexpected(made.error());
  count_no_memory();
  auto impl = std::make_unique<Impl>();
  impl->path = options.mode == Mode::memory ? ":memory:" : std::move(path);
  const int code = sqlite3_open_v2(impl->path.c_str(), &impl->handle, flags_of(options.mode), nullptr);
  if (code != SQLITE_OK) return failed(impl->handle, code, "opening a database", impl->path);
  configure(impl->handle, options);
  impl->journal.checkpoint_pages = options.checkpoint_pages;
  sqlite3_wal_hook(impl->handle, after_commit, &impl->journal);
  std::unique_ptr<Connection> connection(new Connection(std::move(impl)));
  if (auto set = connection->run(Sql::generated(settings_of(options))); !set) return std::unexpected(set.error());
  return connection;
}

core::Result<> Connection::run(Sql script) {
  const std::string text(script.text());
  const int code = sqlite3_exec(impl_->handle, text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(impl_->handle, code, text, impl_->path);
  return {};
}

core::Result<sqlite3_stmt*> Connection::Impl::compile(std::string_view sql, bool persistent) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const unsigned flags = persistent ? SQLITE_PREPARE_PERSISTENT : 0;
  const int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()), flags, &statement, &rest);
  if (code != SQLITE_OK) return failed(handle, code, sql, path);
  const std::string_view left(rest, sql.data() + sql.size());
  if (statement != nullptr && left.find_first_not_of(" \t\r\n;") == std::string_view::npos) return statement;
  sqlite3_finalize(statement);
  return core::fail(core::Code::invalid, "Exactly one SQL statement is wanted here.", std::string(sql));
}

void Connection::Impl::forget_least_used() {
  auto oldest = kept.end();
  for (auto at = kept.begin(); at != kept.end(); ++at)
    if (!at->second->lent && (oldest == kept.end() || at->second->last_use < oldest->second->last_use)) oldest = at;
  if (oldest == kept.end()) return;
  sqlite3_finalize(oldest->second->statement);
  kept.erase(oldest);
}

core::Result<Statement> Connection::prepare(Sql sql) {
  auto found = impl_->kept.find(sql.text());
  if (found == impl_->kept.end()) {
    if (impl_->kept.size() >= statements_kept_max) impl_->forget_least_used();
    const bool keeps = impl_->kept.size() < statements_kept_max;
    auto compiled = impl_->compile(sql.text(), keeps);
    if (!compiled) return std::unexpected(compiled.error());
    if (!keeps) return Statement(*this, *compiled, nullptr);
    auto kept = std::make_unique<KeptStatement>(KeptStatement{.statement = *compiled});
    found = impl_->kept.emplace(std::string(sql.text()), std::move(kept)).first;
  } else if (found->second->lent) {  // the same words within their own loop: one more, for this once
    auto compiled = impl_->compile(sql.text(), false);
    if (!compiled) return std::unexpected(compiled.error());
    return Statement(*this, *compiled, nullptr);
  }
  found->second->lent = true;
  found->second->last_use = ++impl_->uses;
  return Statement(*this, found->second->statement, found->second.get());
}

void Connection::give_back(void* statement, void* kept) {
  auto* raw = static_cast<sqlite3_stmt*>(statement);
  if (kept == nullptr) {
    sqlite3_finalize(raw);
    return;
  }
  sqlite3_reset(raw);
  sqlite3_clear_bindings(raw);
  static_cast<KeptStatement*>(kept)->lent = false;
}

core::Result<Statement> Connection::bound(Sql sql, std::span<const Value> values) {
  auto statement = prepare(sql);
  if (!statement) return statement;
  auto* raw = static_cast<sqlite3_stmt*>(statement->row_.statement_);
  if (auto done = bind_values(raw, values, Hold::borrow, impl_->path); !done) return std::unexpected(done.error());
  return statement;
}

core::Result<int64_t> Connection::execute_bound(Sql sql, std::span<const Value> values) {
  auto statement = bound(sql, values);
  if (!statement) return std::unexpected(statement.error());
  for (;;) {
    auto more = statement->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return sqlite3_changes64(impl_->handle);
  }
}

core::Result<std::vector<Column>> Connection::columns(std::string_view table) {
  const std::string name(table);
  auto found = all(
      "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?) ORDER BY cid",
      [](const Row& row) {
        return Column{row.text(0), row.text(1), "BINARY", row.boolean(2), static_cast<int>(row.integer(3))};
      },
      name);
  if (!found) return found;
  for (auto& column : *found) {
    const char* collation = nullptr;
    const int code = sqlite3_table_column_metadata(impl_->handle, "main", name.c_str(), column.name.c_str(), nullptr,
                                                   &collation, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failed(impl_->handle, code, "describing table " + name, impl_->path);
    if (collation != nullptr) column.collation = collation;
  }
  return found;
}

core::Result<> Connection::migrate(std::span<const Sql> scripts) {
  auto known = integer("PRAGMA user_version");
  if (!known) return std::unexpected(known.error());
  // A write, though of nothing new, would cost a start three syncs.
  if (*known == static_cast<int64_t>(scripts.size())) return {};
  auto change = Transaction::begin(*this);
  if (!change) return std::unexpected(change.error());
  auto version = integer("PRAGMA user_version");  // again: another may have been at it
  if (!version) return std::unexpected(version.error());
  const auto newest = static_cast<int64_t>(scripts.size());
  if (*version > newest)
    return core::fail(
        core::Code::invalid,
        fmt::format("The database was written by a newer version of this program (its tables are version {}, "
                    "this program knows {}). Start the newer program.",
                    *version, newest),
        impl_->path);
  for (auto at = *version; at < newest; ++at)
    if (auto done = run(scripts[static_cast<size_t>(at)]); !done) return done;
  if (auto done = run(Sql::generated(fmt::format("PRAGMA user_version={}", newest))); !done) return done;
  return change->commit();
}

core::Result<> Connection::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(impl_->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(impl_->handle, code, "moving the write-ahead log into the file", impl_->path);
  return {};
}

core::Result<> Connection::checkpoint_some() {
  const int code = sqlite3_wal_checkpoint_v2(impl_->handle, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK) return failed(impl_->handle, code, "moving the write-ahead log into the file", impl_->path);
  return {};
}

size_t Connection::journal_pages() const { return impl_->journal.pages; }

const std::string& Connection::path() const { return impl_->path; }

core::Result<Transaction> Transaction::begin(Connection& connection, Kind kind) {
  auto begun = connection.execute(kind == Kind::write ? Sql("BEGIN IMMEDIATE") : Sql("BEGIN"));
  if (!begun) return std::unexpected(begun.error());
  return Transaction(connection);
}

Transaction::~Transaction() {
  // After some errors (full disk) SQLite has rolled back by itself.
  if (connection_ == nullptr || sqlite3_get_autocommit(connection_->impl_->handle) != 0) return;
  sqlite3_exec(connection_->impl_->handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

core::Result<> Transaction::commit() {
  auto done = connection_->execute("COMMIT");
  if (!done) return std::unexpected(done.error());
  connection_ = nullptr;
  return {};
}

}  // namespace headrace::sqlite
