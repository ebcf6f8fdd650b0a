#include "store/readers.h"

#include <utility>

#include "store/history.h"

namespace headrace::store {
namespace {

constexpr size_t reader_cache_bytes = 256 * 1024;
constexpr std::chrono::milliseconds busy_wait_max{2'000};  // while SQLite recovers or moves a write-ahead log

}  // namespace

Readers::Readers(std::string path, size_t kept_max) : path_(std::move(path)), kept_max_(kept_max) {}

core::Result<std::unique_ptr<Readers::Reader>> Readers::make(bool past) const {
  auto connection = sqlite::Connection::open(
      path_, {.mode = sqlite::Mode::read_only, .busy_wait = busy_wait_max, .cache_bytes = reader_cache_bytes});
  if (!connection) return std::unexpected(connection.error());
  auto reader = std::make_unique<Reader>();
  reader->connection = std::move(*connection);
  reader->past = past;
  const auto shown = [of = reader.get()](std::span<const sqlite::Value>) -> core::Result<sqlite::Answer> {
    return sqlite::Answer(static_cast<int64_t>(of->shown));
  };
  for (const auto* name : {"shown_offset", "at_offset"})
    if (auto defined = reader->connection->define(name, 0, shown); !defined) return std::unexpected(defined.error());
  if (past)
    if (auto views = show_past(*reader->connection); !views) return std::unexpected(views.error());
  return reader;
}

core::Result<std::unique_ptr<Readers::Reader>> Readers::take(bool past) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return gate_ != Gate::closed; });
    if (gate_ == Gate::refusing)
      return core::fail(core::Code::unavailable, "This part is being rebuilt from the log. Try again in a moment.",
                        path_);
    ++reading_;
    auto& kept = past ? past_ : present_;
    if (!kept.empty()) {
      auto reader = std::move(kept.back());
      kept.pop_back();
      return reader;
    }
  }
  auto made = make(past);
  if (!made) give_back(nullptr);
  return made;
}

void Readers::give_back(std::unique_ptr<Reader> reader) {
  {
    const std::lock_guard lock(mutex_);
    if (reader) {
      auto& kept = reader->past ? past_ : present_;
      if (gate_ == Gate::open && kept.size() < kept_max_) kept.push_back(std::move(reader));
    }
  }
  reader.reset();  // closed before it is counted as gone, and outside the lock
  const std::lock_guard lock(mutex_);
  if (--reading_ == 0) changed_.notify_all();
}

core::Result<> Readers::read(std::optional<Offset> at, Offset applied,
                             std::move_only_function<core::Result<>(sqlite::Connection&)> reading) {
  auto taken = take(at.has_value());
  if (!taken) return std::unexpected(taken.error());
  struct Return {
    Readers& readers;
    std::unique_ptr<Reader> reader;
    ~Return() { readers.give_back(std::move(reader)); }
  } held{*this, std::move(*taken)};
  auto& connection = *held.reader->connection;
  auto snapshot = sqlite::Transaction::begin(connection, sqlite::Transaction::Kind::read);
  if (!snapshot) return std::unexpected(snapshot.error());
  if (at) {
    held.reader->shown = *at;
  } else {
    // Offsets without anything heard are written late, so the file may say less than what is applied, never more.
    auto written =
        connection.first("SELECT applied FROM main.store_meta", [](const sqlite::Row& row) { return row.offset(0); });
    if (!written) return std::unexpected(written.error());
    held.reader->shown = std::max(applied, written->value_or(0));
  }
  return reading(connection);
}

void Readers::refuse() {
  const std::lock_guard lock(mutex_);
  gate_ = Gate::refusing;
  changed_.notify_all();
}

void Readers::open_gate() {
  const std::lock_guard lock(mutex_);
  gate_ = Gate::open;
  changed_.notify_all();
}

bool Readers::close_gate(std::chrono::milliseconds limit) {
  std::vector<std::unique_ptr<Reader>> present, past;
  std::unique_lock lock(mutex_);
  const auto before = std::exchange(gate_, Gate::closed);
  const bool idle = changed_.wait_for(lock, limit, [&] { return reading_ == 0; });
  if (!idle) {
    gate_ = before;
    changed_.notify_all();
    return false;
  }
  present.swap(present_);
  past.swap(past_);
  return true;
}

}  // namespace headrace::store
