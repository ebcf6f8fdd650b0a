// Store keeps the projections of all services: one SQLite file each, applied in log order by one thread, with the
// offset in the same transaction and the history of every row. The log is the truth: a file that is missing, damaged,
// of an older version or ahead of the log is rebuilt from it. How it works, and the files: docs/projections.md.
//
//   store.add(std::make_unique<RunsProjection>());          // before start
//   store.start();
//   co_await store.caught_up("pipeline", offset, 5s);
//   auto runs = co_await store.read("pipeline", at, [repo](sqlite::Connection& db) -> Result<std::vector<Run>> { ...
//   });
//
// Errors of reads: not_found (no such projection), invalid (an offset beyond the newest event), exhausted (too many
// reads wait), unavailable (the projection stopped, is behind, or is being rebuilt and the old file cannot answer), and
// what the function returns.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "log/event_log.h"
#include "sqlite/connection.h"
#include "store/projection.h"

namespace headrace::store {

using Offset = log::Offset;

inline constexpr std::chrono::seconds gate_wait_max{30};

// How one projection is doing.
struct Status {
  enum class Phase {
    live,        // applies events as they come (and goes on while its file is rebuilt because somebody asked for it)
    rebuilding,  // there is no file to go on with; until there is, reads see that of the older version, if any
    stopped,  // an event could not be applied: see why. Tried again if that may pass (a full disk), else a restart or
              // a rebuild is needed
  };
  std::string name;
  int version = 0;
  Phase phase = Phase::live;
  Offset applied = 0;              // what reads see
  Offset rebuilt = 0;              // while rebuilding: how far the new file is
  Offset tail = 0;                 // of the log, durable
  std::optional<core::Error> why;  // the last failure: names the event's offset, type and id, and the cause
};
std::string_view name_of(Status::Phase phase);

class Store {
 public:
  struct Limits {
    size_t transaction_events_max = 1'000;  // events in one transaction
    size_t rebuild_slice_events = 250;      // events of a rebuild between two looks at what is waiting live
    size_t read_threads = 2;
    size_t reads_waiting_max = 256;                   // beyond it a read is refused with exhausted
    std::chrono::milliseconds read_wait_max{10'000};  // in that queue, and for a projection that is behind `at`
    std::chrono::milliseconds retry_pause{1'000};     // after a failure that may pass by itself: a full disk, a lock
  };

  // `loop` and `log` outlive it. `directory` (DATA/projections) is made if it is not there.
  Store(core::Loop& loop, log::EventLog& log, std::string directory)
      : Store(loop, log, std::move(directory), Limits()) {}
  Store(core::Loop& loop, log::EventLog& log, std::string directory, Limits limits);
  ~Store();  // stops
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  void add(std::unique_ptr<Projection> projection);  // before start; names are unique
  std::vector<Projection*> projections() const;      // in order of adding; for rebuild.h, which wants no start
  core::Result<> start();  // opens the files and starts the thread; a file that needs it is rebuilt while reads go on
  void stop();             // ends the thread after its transaction; waiters are told `unavailable`. Twice is once.

  // ---- how far. Any thread.
  Offset applied(std::string_view name) const;  // 0 where unknown
  std::vector<Status> status() const;           // in order of adding
  core::Result<> ready() const;                 // all at the log's tail, else `unavailable`, naming those that are not
  // Every read of now that begins later shows all events up to here. Nothing where a projection is stopped or being
  // made anew: reads of it show less, for who knows how long.
  std::optional<Offset> shown() const;

  // Loop only. Ends when `name` has applied all events up to `offset` (at once if it has). unavailable: it stopped,
  // or `limit` passed. All waiters of a transaction cost one post to the loop.
  core::Task<core::Result<>> caught_up(std::string name, Offset offset, std::chrono::nanoseconds limit);
  // The same for every projection and the log's tail as it is now: for an edge, never for a handler of the bus.
  core::Task<core::Result<>> all_caught_up(std::chrono::nanoseconds limit);
  // Ends when shown() has come to `offset`. invalid: it is beyond the newest event; unavailable: `limit` passed, or
  // nobody can say when (see shown).
  core::Task<core::Result<>> all_show(Offset offset, std::chrono::nanoseconds limit);
  // For bus::Subscription::gate of a reactor: ends once `name` has applied the offset, and throws where it cannot (it
  // stopped, or is behind for longer than gate_wait_max), so that the bus keeps the event and tries again.
  std::function<core::Task<>(Offset)> gate(std::string name);
  // `heard` is called on the loop, after a transaction, with what `name` has applied. Until the handle is destroyed.
  using Watch = std::shared_ptr<void>;
  Watch watch(std::string_view name, std::function<void(Offset applied)> heard);

  // ---- reads. `fn` sees one snapshot, read-only: of now, or of the moment after the event at offset `at` (0: before
  // the first). It runs on a thread of the reading pool, so what it captures is by value.
  template <class Fn, class R = std::invoke_result_t<Fn, sqlite::Connection&>>
  core::Task<R> read(std::string name, std::optional<Offset> at, Fn fn) {
    auto value = std::make_shared<std::optional<R>>();
    auto done = co_await read_on_pool(std::move(name), at, keep<R>(value, std::move(fn)));
    if (!done) co_return std::unexpected(done.error());
    co_return std::move(**value);
  }
  // The same on the calling thread, any: for look-ups by key within a command, for tests and offline tools.
  template <class Fn, class R = std::invoke_result_t<Fn, sqlite::Connection&>>
  R read_here(std::string_view name, std::optional<Offset> at, Fn fn) {
    auto value = std::make_shared<std::optional<R>>();
    auto done = read_on_this_thread(name, at, keep<R>(value, std::move(fn)));
    if (!done) return std::unexpected(done.error());
    return std::move(**value);
  }

  // What `?at=` may say: an offset, or a time (RFC 3339), which means after all events up to and including it.
  // invalid: neither, or beyond the newest event. Nothing for an empty text. May read the log's index from disk.
  core::Result<std::optional<Offset>> moment(std::string_view text) const;

  // Makes the file of a running projection anew, beside the live one, and swaps it in. Returns at once.
  core::Result<> rebuild(std::string_view name);

 private:
  struct Impl;
  using Reading = std::move_only_function<core::Result<>(sqlite::Connection&)>;
  template <class R, class Fn>
  static Reading keep(std::shared_ptr<std::optional<R>> value, Fn fn) {
    return [value = std::move(value), fn = std::move(fn)](sqlite::Connection& tables) mutable -> core::Result<> {
      value->emplace(fn(tables));
      if (!**value) return std::unexpected((*value)->error());
      return {};
    };
  }
  static core::Task<core::Result<>> wait_for(std::shared_ptr<Impl> impl, std::string name, Offset offset,
                                             std::chrono::nanoseconds limit);
  static core::Task<> pass_gate(std::weak_ptr<Impl> held, std::string name, Offset offset);
  core::Task<core::Result<>> read_on_pool(std::string name, std::optional<Offset> at, Reading reading);
  core::Result<> read_on_this_thread(std::string_view name, std::optional<Offset> at, Reading reading);
  std::shared_ptr<Impl> impl_;  // shared with what is posted to the loop, so that a late post finds it or nothing
};

// Within a read: the offset that the snapshot shows.
core::Result<Offset> offset_of(sqlite::Connection& tables);

}  // namespace headrace::store
