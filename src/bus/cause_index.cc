#include "bus/cause_index.h"

#include <algorithm>
#include <array>
#include <deque>

#include "core/bytes.h"
#include "events/event.h"

namespace headrace::bus {

namespace {

constexpr size_t transaction_events_max = 1'000;
constexpr int transactions_at_once = 10;  // then others have the thread
using log::Offset;

constexpr std::array<sqlite::Sql, 2> scripts = {R"(
CREATE TABLE event (at INTEGER PRIMARY KEY, id BLOB NOT NULL, cause BLOB, ours INTEGER NOT NULL);
CREATE INDEX event_by_id ON event (id);
CREATE INDEX event_by_cause ON event (cause) WHERE cause IS NOT NULL;
CREATE TABLE applied (at INTEGER NOT NULL);
INSERT INTO applied VALUES (0);
)",
                                                // One tree for most events instead of two. Filled again from the log.
                                                R"(
DROP TABLE event;
CREATE TABLE event (id BLOB NOT NULL, at INTEGER NOT NULL, cause BLOB, ours INTEGER NOT NULL, PRIMARY KEY (id, at))
  WITHOUT ROWID;
CREATE INDEX event_by_cause ON event (cause, at) WHERE cause IS NOT NULL;
UPDATE applied SET at = 0;
)"};

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Ids are UUIDs, mostly, and take 16 bytes instead of 36; one that is none is kept with a byte in front, so that no two
// ids are packed alike.
std::string packed(std::string_view id) {
  constexpr size_t uuid_text_size = 36;
  std::string bytes;
  int high = -1;
  bool uuid = id.size() == uuid_text_size;
  for (size_t i = 0; uuid && i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (id[i] == '-')) uuid = false;
    if (dash || !uuid) continue;
    const int digit = digit_of(id[i]);
    if (digit < 0)
      uuid = false;
    else if (high < 0)
      high = digit;
    else
      bytes.push_back(static_cast<char>(std::exchange(high, -1) * 16 + digit));
  }
  return uuid ? bytes : "=" + std::string(id);
}

core::Error not_found(std::string_view id) {
  return {core::Code::not_found,
          "No event has the id '" + std::string(id) + "'. `headrace event tail` shows ids as they happen.",
          {}};
}

}  // namespace

core::Result<std::unique_ptr<CauseIndex>> CauseIndex::open(const std::string& path, log::EventLog& log) {
  sqlite::Options options;
  options.mode = path.empty() || path == ":memory:" ? sqlite::Mode::memory : sqlite::Mode::read_write;
  auto connection = sqlite::Connection::open(path, options);
  if (!connection) return std::unexpected(connection.error());
  if (auto migrated = (*connection)->migrate(scripts); !migrated) return std::unexpected(migrated.error());
  auto index = std::unique_ptr<CauseIndex>(new CauseIndex(std::move(*connection), log));
  if (auto clamped = index->forget_beyond(log.durable()); !clamped) return std::unexpected(clamped.error());
  return index;
}

core::Result<> CauseIndex::forget_beyond(Offset durable) {
  auto applied = connection_->integer("SELECT at FROM applied");
  if (!applied) return std::unexpected(applied.error());
  applied_ = static_cast<Offset>(*applied);
  if (applied_ <= durable) return {};
  auto transaction = sqlite::Transaction::begin(*connection_);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto gone = connection_->execute("DELETE FROM event WHERE at > ?", durable); !gone)
    return std::unexpected(gone.error());
  if (auto set = connection_->execute("UPDATE applied SET at = ?", durable); !set) return std::unexpected(set.error());
  applied_ = durable;
  return transaction->commit();
}

core::Result<> CauseIndex::catch_up() {
  std::lock_guard lock(mutex_);
  return apply_all();
}

core::Result<bool> CauseIndex::catch_up_some() {
  std::lock_guard lock(mutex_);
  for (int part = 0; part < transactions_at_once; ++part)
    if (auto more = apply_some(); !more || !*more) return more;
  return true;
}

core::Result<> CauseIndex::apply_all() {
  while (true) {
    auto more = apply_some();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
  }
}

core::Result<bool> CauseIndex::apply_some() {
  const Offset durable = log_.durable();
  if (applied_ >= durable) return false;
  auto events = log_.read(applied_ + 1, transaction_events_max);
  if (!events) return core::pass_on(events.error(), "indexing causes");
  if (events->empty()) {
    applied_ = durable;
    return false;
  }
  if (auto applied = apply(*events); !applied) return std::unexpected(applied.error());
  return applied_ < durable;
}

core::Result<> CauseIndex::apply(const std::vector<log::Stored>& events) {
  std::vector<std::pair<std::string, const log::Stored*>> rows;
  rows.reserve(events.size());
  for (const auto& stored : events) rows.emplace_back(packed(stored.event.id), &stored);
  std::ranges::sort(rows);  // neighbours share a page
  auto transaction = sqlite::Transaction::begin(*connection_);
  if (!transaction) return std::unexpected(transaction.error());
  for (const auto& [id, stored] : rows) {
    const events::Event& event = stored->event;
    const std::string cause = event.causation_id().empty() ? std::string() : packed(event.causation_id());
    const bool ours = event.source.starts_with(events::reserved_source);
    // What is beyond `applied` is never there: both are written as one.
    auto inserted = connection_->execute("INSERT INTO event (id, at, cause, ours) VALUES (?, ?, ?, ?)",
                                         sqlite::Blob{id}, stored->offset,
                                         cause.empty() ? sqlite::Value() : sqlite::Value(sqlite::Blob{cause}), ours);
    if (!inserted) return std::unexpected(inserted.error());
  }
  if (auto set = connection_->execute("UPDATE applied SET at = ?", events.back().offset); !set)
    return std::unexpected(set.error());
  if (auto committed = transaction->commit(); !committed) return committed;
  applied_ = events.back().offset;
  return {};
}

core::Result<> CauseIndex::rebuild() {
  std::lock_guard lock(mutex_);
  if (auto gone = connection_->run("DELETE FROM event; UPDATE applied SET at = 0;"); !gone) return gone;
  applied_ = 0;
  return apply_all();
}

core::Result<std::string> CauseIndex::digest() {
  std::lock_guard lock(mutex_);
  auto rows = connection_->all("SELECT at, id, cause, ours FROM event ORDER BY at", [](const sqlite::Row& row) {
    return row.text(0) + ' ' + row.text(1) + ' ' + row.text(2) + ' ' + row.text(3) + '\n';
  });
  if (!rows) return std::unexpected(rows.error());
  std::string running;
  for (const auto& row : *rows) running = core::sha256_hex(running + row);
  return running;
}

// --- Questions

core::Result<log::Stored> CauseIndex::find(std::string_view id) {
  std::lock_guard lock(mutex_);
  if (auto applied = apply_all(); !applied) return std::unexpected(applied.error());
  auto found = find_now(id);
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::unexpected(not_found(id));
  return std::move(**found);
}

core::Result<Chain> CauseIndex::why(std::string_view id) {
  auto event = find(id);
  if (!event) return std::unexpected(event.error());
  std::lock_guard lock(mutex_);
  Chain chain{.event = std::move(*event), .causes = {}, .effects = {}};
  if (auto back = walk_back(chain); !back) return std::unexpected(back.error());
  if (auto forward = walk_forward(chain); !forward) return std::unexpected(forward.error());
  return chain;
}

core::Result<std::optional<log::Stored>> CauseIndex::find_now(std::string_view id) {
  const std::string key = packed(id);
  auto offset =
      connection_->integer("SELECT at FROM event WHERE id = ? ORDER BY ours DESC, at LIMIT 1", sqlite::Blob{key});
  if (!offset) return std::unexpected(offset.error());
  if (*offset == 0) return std::nullopt;
  return read(static_cast<Offset>(*offset));
}

core::Result<std::optional<log::Stored>> CauseIndex::read(Offset offset) {
  auto events = log_.read(offset, 1);
  if (!events) return std::unexpected(events.error());
  if (events->empty() || events->front().offset != offset) return std::nullopt;  // trimmed since
  return std::move(events->front());
}

core::Result<std::vector<Offset>> CauseIndex::effects_of(std::string_view id, size_t max) {
  const std::string key = packed(id);
  return connection_->all(
      "SELECT at FROM event WHERE cause = ? ORDER BY at LIMIT ?", [](const sqlite::Row& row) { return row.offset(0); },
      sqlite::Blob{key}, max);
}

core::Result<> CauseIndex::walk_back(Chain& chain) {
  std::set<std::string> seen = {chain.event.event.id};
  std::string next(chain.event.event.causation_id());
  while (!next.empty()) {
    if (chain.causes.size() == chain_causes_max || !seen.insert(next).second) {
      chain.truncated = true;
      return {};
    }
    auto cause = find_now(next);
    if (!cause) return std::unexpected(cause.error());
    if (!*cause) {
      chain.root_found = false;
      return {};
    }
    next = (*cause)->event.causation_id();
    chain.causes.push_back(std::move(**cause));
  }
  return {};
}

core::Result<> CauseIndex::walk_forward(Chain& chain) {
  std::set<Offset> seen = {chain.event.offset};
  std::deque<std::string> open = {chain.event.event.id};
  while (!open.empty()) {
    const std::string id = std::move(open.front());
    open.pop_front();
    auto offsets = effects_of(id, chain_effects_max + 1);
    if (!offsets) return std::unexpected(offsets.error());
    for (Offset offset : *offsets) {
      if (!seen.insert(offset).second) continue;
      if (chain.effects.size() == chain_effects_max) {
        chain.truncated = true;
        open.clear();
        break;
      }
      auto effect = read(offset);
      if (!effect) return std::unexpected(effect.error());
      if (!*effect) continue;
      open.push_back((*effect)->event.id);
      chain.effects.push_back(std::move(**effect));
    }
  }
  std::ranges::sort(chain.effects, {}, &log::Stored::offset);
  return {};
}

}  // namespace headrace::bus
