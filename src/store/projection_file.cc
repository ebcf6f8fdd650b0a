#include "store/projection_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/disk.h"
#include "store/history.h"

namespace headrace::store {
namespace {

using core::Code;
using core::Result;
using sqlite::Sql;
using sqlite::Transaction;

constexpr size_t writer_cache_bytes = 1024 * 1024;
constexpr size_t journal_pages_due = 1'000;       // of 4 KiB
constexpr size_t journal_pages_max = 16'000;      // beyond it the writer waits for a checkpoint
constexpr Offset skipped_unwritten_max = 20'000;  // offsets without an event heard, to be looked at again after a crash

// One row: whose file this is, and how far it is. last_offset and last_id are of the newest event applied, to find out
// whether it is this log that the file was made from.
constexpr Sql meta_table(
    "CREATE TABLE store_meta (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, version INTEGER NOT NULL,"
    " format INTEGER NOT NULL, applied INTEGER NOT NULL, last_offset INTEGER NOT NULL, last_id TEXT NOT NULL)");

sqlite::Options writing(sqlite::Mode mode) {
  return {.mode = mode, .cache_bytes = writer_cache_bytes, .checkpoint_pages = journal_pages_max};
}

struct Meta {
  std::string name;
  int64_t version, format;
  Offset applied, last_offset;
  std::string last_id;
};

Result<std::optional<Meta>> read_meta(sqlite::Connection& file) {
  auto known = file.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'store_meta'");
  if (!known) return std::unexpected(known.error());
  if (*known == 0) return std::optional<Meta>();
  return file.first(
      "SELECT name, version, format, applied, last_offset, last_id FROM store_meta", [](const sqlite::Row& row) {
        return Meta{row.text(0), row.integer(1), row.integer(2), row.offset(3), row.offset(4), row.text(5)};
      });
}

Result<bool> is_of(const Meta& meta, log::EventLog& log) {
  if (meta.applied > log.durable()) return false;
  if (meta.last_offset == 0 || meta.last_offset < log.first()) return true;
  auto there = log.read(meta.last_offset, 1);
  if (!there) return std::unexpected(there.error());
  return !there->empty() && there->front().offset == meta.last_offset && there->front().event.id == meta.last_id;
}

core::Error at_event(core::Error error, const Projection& projection, const log::Stored& stored) {
  error.message = fmt::format("The projection {} stopped at event {} (offset {}, type {}): {}", projection.name(),
                              stored.event.id, stored.offset, stored.event.type, error.message);
  return error;
}

}  // namespace

Result<> remove_database(const std::string& path) {
  core::SystemDisk disk;
  for (const auto* suffix : {"", "-wal", "-shm", "-journal"}) {
    auto removed = disk.remove(path + suffix);
    if (!removed && removed.error().code != Code::not_found) return removed;
  }
  return {};
}

ProjectionFile::ProjectionFile(std::string path, Projection& projection, std::unique_ptr<sqlite::Connection> connection)
    : path_(std::move(path)), projection_(projection), connection_(std::move(connection)) {
  for (auto& type : projection_.types()) types_.insert(std::move(type));
}

Result<> ProjectionFile::prepare_functions() {
  const auto current = [this](std::span<const sqlite::Value>) -> Result<sqlite::Answer> {
    return sqlite::Answer(static_cast<int64_t>(current_));
  };
  if (auto defined = connection_->define("current_offset", 0, current); !defined) return defined;
  return connection_->define("shown_offset", 0, current);
}

Result<> ProjectionFile::make_tables() {
  auto change = Transaction::begin(*connection_);
  if (!change) return std::unexpected(change.error());
  if (auto made = connection_->run(Sql::generated(projection_.schema())); !made) return made;
  if (auto added = add_history(*connection_); !added) return added;
  if (auto made = connection_->run(meta_table); !made) return made;
  auto named = connection_->execute("INSERT INTO store_meta VALUES (1, ?, ?, ?, 0, 0, '')", projection_.name(),
                                    projection_.version(), history_format);
  if (!named) return std::unexpected(named.error());
  return change->commit();
}

Result<std::unique_ptr<ProjectionFile>> ProjectionFile::create(std::string path, Projection& projection, Kind kind) {
  if (auto removed = remove_database(path); !removed) return std::unexpected(removed.error());
  const auto mode = kind == Kind::live ? sqlite::Mode::read_write : sqlite::Mode::scratch;
  auto connection = sqlite::Connection::open(path, writing(mode));
  if (!connection) return std::unexpected(connection.error());
  std::unique_ptr<ProjectionFile> file(new ProjectionFile(std::move(path), projection, std::move(*connection)));
  if (auto ready = file->prepare_functions(); !ready) return std::unexpected(ready.error());
  if (auto made = file->make_tables(); !made)
    return core::pass_on(made.error(), "making the tables of projection " + projection.name());
  return file;
}

Result<ProjectionFile::Opened> ProjectionFile::open(std::string path, Projection& projection, log::EventLog& log) {
  using Why = Unfit::Why;
  core::SystemDisk disk;
  auto there = disk.exists(path);
  if (!there) return std::unexpected(there.error());
  if (!*there) return Opened(Unfit{Why::missing});
  auto connection = sqlite::Connection::open(path, writing(sqlite::Mode::read_write));
  if (!connection && connection.error().code == Code::corrupt) return Opened(Unfit{Why::damaged});
  if (!connection) return std::unexpected(connection.error());
  auto meta = read_meta(**connection);
  const bool unreadable = !meta && (meta.error().code == Code::corrupt || meta.error().code == Code::invalid);
  if (unreadable || (meta && !*meta)) return Opened(Unfit{Why::damaged});
  if (!meta) return std::unexpected(meta.error());
  auto ours = is_of(**meta, log);
  if (!ours) return std::unexpected(ours.error());
  if (!*ours || (*meta)->name != projection.name()) return Opened(Unfit{Why::of_another_log});
  if ((*meta)->version != projection.version() || (*meta)->format != history_format)
    return Opened(Unfit{Why::other_version, (*meta)->applied});
  std::unique_ptr<ProjectionFile> file(new ProjectionFile(std::move(path), projection, std::move(*connection)));
  file->applied_ = file->persisted_ = (*meta)->applied;
  if (auto ready = file->prepare_functions(); !ready) return std::unexpected(ready.error());
  return Opened(std::move(file));
}

Result<> ProjectionFile::apply_one(const log::Stored& stored) {
  current_ = stored.offset;
  try {
    auto applied = projection_.apply(*connection_, stored);
    if (!applied) return std::unexpected(at_event(applied.error(), projection_, stored));
  } catch (const std::exception& exception) {
    core::Error thrown{.code = Code::invalid, .message = "it threw an exception.", .detail = exception.what()};
    return std::unexpected(at_event(std::move(thrown), projection_, stored));
  }
  return {};
}

Result<> ProjectionFile::remember(Offset applied, const log::Stored* last) {
  auto written = last == nullptr
                     ? connection_->execute("UPDATE store_meta SET applied = ?", applied)
                     : connection_->execute("UPDATE store_meta SET applied = ?, last_offset = ?, last_id = ?", applied,
                                            last->offset, last->event.id);
  if (!written) return std::unexpected(written.error());
  return {};
}

Result<> ProjectionFile::written(std::span<const log::Stored> events) {
  auto change = Transaction::begin(*connection_);
  if (!change) return std::unexpected(change.error());
  const log::Stored* last = nullptr;
  uint64_t heard = 0;
  for (const auto& stored : events) {
    if (stored.offset <= applied_ || !hears(stored.event)) continue;
    if (auto applied = apply_one(stored); !applied) return applied;
    last = &stored;
    ++heard;
  }
  if (last == nullptr) return {};
  if (auto done = remember(events.back().offset, last); !done) return done;
  if (auto done = change->commit(); !done) return done;
  events_ += heard;
  persisted_ = applied_ = events.back().offset;
  return {};
}

Result<> ProjectionFile::apply(std::span<const log::Stored> events) {
  const auto wanted = [&](const log::Stored& stored) { return stored.offset > applied_ && hears(stored.event); };
  if (std::ranges::none_of(events, wanted)) {
    if (!events.empty()) skip_to(events.back().offset);
    return skip_written();
  }
  auto done = written(events);
  if (done) return {};
  // The transaction is gone, and with it what had been applied before the event that failed. Once more, up to there.
  const auto failing = current_;
  const auto before = std::ranges::find_if(events, [&](const log::Stored& stored) { return stored.offset >= failing; });
  const auto good = events.first(static_cast<size_t>(before - events.begin()));
  if (auto kept = written(good); !kept) return kept;
  return done;
}

void ProjectionFile::skip_to(Offset offset) { applied_ = std::max(applied_, offset); }

Result<> ProjectionFile::skip_written() {
  if (applied_ - persisted_ < skipped_unwritten_max) return {};
  return persist();
}

Result<> ProjectionFile::advance(log::EventLog& log, Offset tail, size_t max) {
  const Offset from = applied_ + 1;  // a lower bound: there may be no event at it
  auto events = types_.empty() ? log.read(from, max) : log.read_types(from, max, {types_.begin(), types_.end()});
  if (!events) return std::unexpected(events.error());
  std::erase_if(*events, [&](const log::Stored& stored) { return stored.offset > tail; });
  if (auto applied = apply(*events); !applied) return applied;
  if (events->empty()) skip_to(tail);
  return {};
}

Result<> ProjectionFile::persist() {
  if (persisted_ == applied_) return {};
  if (auto done = remember(applied_, nullptr); !done) return done;
  persisted_ = applied_;
  return {};
}

Result<> ProjectionFile::close() {
  if (auto done = persist(); !done) return done;
  if (auto done = connection_->checkpoint(); !done) return done;
  connection_.reset();
  core::SystemDisk disk;
  auto file = disk.open(path_, core::Disk::Open::write);
  if (!file) return std::unexpected(file.error());
  return (*file)->sync();
}

bool ProjectionFile::checkpoint_due() const { return connection_->journal_pages() >= journal_pages_due; }

Result<> checkpoint_beside(const std::string& path) {
  auto connection = sqlite::Connection::open(path, {.cache_bytes = 0});
  if (!connection) return std::unexpected(connection.error());
  return (*connection)->checkpoint_some();
}

Result<> install(const std::string& from, const std::string& to) {
  core::SystemDisk disk;
  // A write-ahead log that is left of the old file must never meet the new one.
  for (const auto* suffix : {"-wal", "-shm"}) {
    auto removed = disk.remove(to + suffix);
    if (!removed && removed.error().code != Code::not_found) return removed;
  }
  if (auto renamed = disk.rename(from, to); !renamed) return renamed;
  return disk.sync_directory(to.substr(0, to.rfind('/')));
}

}  // namespace headrace::store
