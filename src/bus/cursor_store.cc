#include "bus/cursor_store.h"

#include <array>

namespace headrace::bus {

namespace {

constexpr std::array<sqlite::Sql, 1> scripts = {R"(
CREATE TABLE subscription (
  name TEXT PRIMARY KEY,
  spec TEXT NOT NULL,
  pull INTEGER NOT NULL,
  paused INTEGER NOT NULL,
  pause_reason TEXT NOT NULL,
  paused_since INTEGER NOT NULL,
  floor INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  unsettled BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE trouble (
  subscription TEXT NOT NULL,
  at INTEGER NOT NULL,
  line TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  error TEXT NOT NULL,
  first_failed INTEGER NOT NULL,
  due INTEGER NOT NULL,
  said INTEGER NOT NULL,
  holds INTEGER NOT NULL,
  replays INTEGER NOT NULL,
  PRIMARY KEY (subscription, at)
) WITHOUT ROWID;
)"};

int64_t to_integer(core::Time time) { return time.time_since_epoch().count(); }
core::Time to_time(int64_t nanoseconds) { return core::Time(core::Duration(nanoseconds)); }

struct Row {
  std::string name, spec, pause_reason, unsettled;
  bool pull, paused;
  int64_t paused_since;
  Offset floor, seen;
};

Row read_row(const sqlite::Row& row) {
  return {.name = row.text(0),
          .spec = row.text(1),
          .pause_reason = row.text(4),
          .unsettled = row.text(8),
          .pull = row.boolean(2),
          .paused = row.boolean(3),
          .paused_since = row.integer(5),
          .floor = row.offset(6),
          .seen = row.offset(7)};
}

Trouble read_trouble(const sqlite::Row& row) {
  return {.offset = row.offset(0),
          .key = row.text(1),
          .state = static_cast<Trouble::State>(row.integer(2)),
          .attempts = static_cast<uint32_t>(row.integer(3)),
          .error = row.text(4),
          .first_failed = to_time(row.integer(5)),
          .due = to_time(row.integer(6)),
          .said = row.boolean(7),
          .holds = row.boolean(8),
          .replays = static_cast<uint32_t>(row.integer(9))};
}

core::Result<> nothing(core::Result<int64_t> rows) {
  if (!rows) return std::unexpected(rows.error());
  return {};
}

core::Result<Remembered> remembered_from(Row row) {
  auto subscription = subscription_from_text(row.spec);
  if (!subscription) return core::pass_on(subscription.error(), "reading subscription " + row.name);
  auto unsettled = unpack_offsets(row.floor, row.unsettled);
  if (!unsettled) return core::fail(core::Code::corrupt, "The cursor of subscription '" + row.name + "' is damaged.");
  Remembered remembered;
  remembered.subscription = std::move(*subscription);
  remembered.kind = row.pull ? Status::Kind::pull : Status::Kind::handler;
  remembered.paused = row.paused;
  remembered.pause_reason = std::move(row.pause_reason);
  remembered.paused_since = to_time(row.paused_since);
  remembered.cursor = {row.floor, row.seen, std::move(*unsettled)};
  return remembered;
}

}  // namespace

core::Result<std::unique_ptr<CursorStore>> CursorStore::open(const std::string& path) {
  const bool on_disk = !path.empty() && path != ":memory:";
  sqlite::Options options;
  options.mode = on_disk ? sqlite::Mode::read_write : sqlite::Mode::memory;
  auto connection = sqlite::Connection::open(path, options);
  if (!connection) return std::unexpected(connection.error());
  if (auto migrated = (*connection)->migrate(scripts); !migrated) return std::unexpected(migrated.error());
  auto store = std::unique_ptr<CursorStore>(new CursorStore(std::move(*connection)));
  store->on_disk_ = on_disk;
  return store;
}

core::Result<std::vector<Remembered>> CursorStore::load() {
  std::lock_guard lock(mutex_);
  auto rows = connection_->all(
      "SELECT name, spec, pull, paused, pause_reason, paused_since, floor, seen, unsettled FROM subscription "
      "ORDER BY name",
      read_row);
  if (!rows) return std::unexpected(rows.error());
  std::vector<Remembered> all;
  for (auto& row : *rows) {
    auto remembered = remembered_from(std::move(row));
    if (!remembered) return std::unexpected(remembered.error());
    auto troubles = troubles_of(remembered->subscription.name);
    if (!troubles) return std::unexpected(troubles.error());
    remembered->troubles = std::move(*troubles);
    all.push_back(std::move(*remembered));
  }
  return all;
}

core::Result<std::vector<Trouble>> CursorStore::troubles_of(const std::string& name) {
  return connection_->all(
      "SELECT at, line, state, attempts, error, first_failed, due, said, holds, replays FROM trouble "
      "WHERE subscription = ? ORDER BY at",
      read_trouble, name);
}

core::Result<> CursorStore::write(const std::vector<Change>& changes) {
  std::lock_guard lock(mutex_);
  auto transaction = sqlite::Transaction::begin(*connection_);
  if (!transaction) return std::unexpected(transaction.error());
  for (const auto& change : changes)
    if (auto written = write_change(change); !written) return written;
  return transaction->commit();
}

core::Result<> CursorStore::write_change(const Change& change) {
  if (change.cursor) {
    const std::string packed = pack_offsets(change.cursor->floor, change.cursor->unsettled);
    auto updated =
        nothing(connection_->execute("UPDATE subscription SET floor = ?, seen = ?, unsettled = ? WHERE name = ?",
                                     change.cursor->floor, change.cursor->seen, sqlite::Blob{packed}, change.name));
    if (!updated) return updated;
  }
  for (Offset offset : change.gone) {
    auto gone =
        nothing(connection_->execute("DELETE FROM trouble WHERE subscription = ? AND at = ?", change.name, offset));
    if (!gone) return gone;
  }
  for (const auto& trouble : change.troubles)
    if (auto written = write_trouble(change.name, trouble); !written) return written;
  return {};
}

core::Result<> CursorStore::write_trouble(const std::string& name, const Trouble& trouble) {
  return nothing(connection_->execute(
      "INSERT OR REPLACE INTO trouble (subscription, at, line, state, attempts, error, first_failed, due, said, holds, "
      "replays) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      name, trouble.offset, trouble.key, static_cast<int>(trouble.state), trouble.attempts, trouble.error,
      to_integer(trouble.first_failed), to_integer(trouble.due), trouble.said, trouble.holds, trouble.replays));
}

core::Result<> CursorStore::put(const Remembered& remembered) {
  std::lock_guard lock(mutex_);
  auto transaction = sqlite::Transaction::begin(*connection_);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto written = put_rows(remembered); !written) return written;
  if (auto committed = transaction->commit(); !committed) return committed;
  return settle();
}

core::Result<> CursorStore::put_rows(const Remembered& remembered) {
  const auto& name = remembered.subscription.name;
  const std::string spec = to_text(remembered.subscription);
  const std::string packed = pack_offsets(remembered.cursor.floor, remembered.cursor.unsettled);
  auto inserted = nothing(connection_->execute(
      "INSERT OR REPLACE INTO subscription (name, spec, pull, paused, pause_reason, paused_since, floor, seen, "
      "unsettled) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      name, spec, remembered.kind == Status::Kind::pull, remembered.paused, remembered.pause_reason,
      to_integer(remembered.paused_since), remembered.cursor.floor, remembered.cursor.seen, sqlite::Blob{packed}));
  if (!inserted) return inserted;
  if (auto gone = nothing(connection_->execute("DELETE FROM trouble WHERE subscription = ?", name)); !gone) return gone;
  for (const auto& trouble : remembered.troubles)
    if (auto written = write_trouble(name, trouble); !written) return written;
  return {};
}

core::Result<> CursorStore::remove(const std::string& name) {
  std::lock_guard lock(mutex_);
  auto transaction = sqlite::Transaction::begin(*connection_);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto gone = nothing(connection_->execute("DELETE FROM trouble WHERE subscription = ?", name)); !gone) return gone;
  if (auto gone = nothing(connection_->execute("DELETE FROM subscription WHERE name = ?", name)); !gone) return gone;
  if (auto committed = transaction->commit(); !committed) return committed;
  return settle();
}

// Commits are synced only with the next checkpoint; what a person was told must not be lost with the power.
core::Result<> CursorStore::settle() {
  if (!on_disk_) return {};
  return connection_->checkpoint();
}

std::string pack_offsets(Offset floor, const std::vector<Offset>& offsets) {
  std::string bytes;
  Offset previous = floor;
  for (Offset offset : offsets) {
    Offset step = offset - previous;
    previous = offset;
    for (; step >= 0x80; step >>= 7) bytes.push_back(static_cast<char>((step & 0x7f) | 0x80));
    bytes.push_back(static_cast<char>(step));
  }
  return bytes;
}

std::optional<std::vector<Offset>> unpack_offsets(Offset floor, std::string_view bytes) {
  std::vector<Offset> offsets;
  Offset previous = floor;
  size_t at = 0;
  while (at < bytes.size()) {
    Offset step = 0;
    for (int shift = 0;; shift += 7) {
      if (at == bytes.size() || shift > 63) return std::nullopt;
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      step |= Offset{byte & 0x7fU} << shift;
      if ((byte & 0x80U) == 0) break;
    }
    if (step == 0) return std::nullopt;
    previous += step;
    offsets.push_back(previous);
  }
  return offsets;
}

}  // namespace headrace::bus
