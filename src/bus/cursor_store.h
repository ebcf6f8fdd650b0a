// CursorStore keeps what the bus must remember in one SQLite file: subscriptions, how far each is, and deliveries in
// trouble. It is not derived from the log: losing it means that handlers begin at their start again.
//
// Everything up to `floor` is settled; of what lies between it and `seen` the offsets in `unsettled` are not. Any
// thread; calls block, one after the other.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bus/subscription.h"
#include "core/result.h"
#include "sqlite/connection.h"

namespace headrace::bus {

// A delivery that failed: to be tried again, or dead.
struct Trouble {
  enum class State {
    retry,   // due at `due`
    dead,    // a dead letter
    replay,  // was dead, and is to be delivered again from the first attempt
  };
  Offset offset = 0;
  std::string key;
  State state = State::retry;
  uint32_t attempts = 0;  // failures so far
  std::string error;
  core::Time first_failed;
  core::Time due;        // of retry
  bool said = false;     // of dead: *delivery.dead is on the log
  bool holds = false;    // of dead: its key waits
  uint32_t replays = 0;  // how often it was dead before
  bool operator==(const Trouble&) const = default;
};

struct Cursor {
  Offset floor = 0;
  Offset seen = 0;
  std::vector<Offset> unsettled;  // ascending
  bool operator==(const Cursor&) const = default;
};

struct Remembered {
  Subscription subscription;
  Status::Kind kind = Status::Kind::handler;
  bool paused = false;
  std::string pause_reason;
  core::Time paused_since;
  Cursor cursor;
  std::vector<Trouble> troubles;  // by offset
};

struct Change {
  std::string name;
  std::optional<Cursor> cursor;
  std::vector<Trouble> troubles;  // new or changed
  std::vector<Offset> gone;       // troubles no more
};

class CursorStore {
 public:
  static core::Result<std::unique_ptr<CursorStore>> open(const std::string& path);

  core::Result<std::vector<Remembered>> load();
  core::Result<> write(const std::vector<Change>& changes);  // one transaction
  // These are durable when they return.
  core::Result<> put(const Remembered& remembered);  // its troubles are written too, those it has not are removed
  core::Result<> remove(const std::string& name);

 private:
  explicit CursorStore(std::unique_ptr<sqlite::Connection> connection) : connection_(std::move(connection)) {}
  core::Result<> write_change(const Change& change);
  core::Result<> write_trouble(const std::string& name, const Trouble& trouble);
  core::Result<> put_rows(const Remembered& remembered);
  core::Result<std::vector<Trouble>> troubles_of(const std::string& name);
  core::Result<> settle();

  std::mutex mutex_;
  std::unique_ptr<sqlite::Connection> connection_;
  bool on_disk_ = true;
};

// The offsets between `floor` and `seen` as bytes: differences, seven bits a byte (LEB128), lowest first.
std::string pack_offsets(Offset floor, const std::vector<Offset>& offsets);
std::optional<std::vector<Offset>> unpack_offsets(Offset floor, std::string_view bytes);

// A subscription as JSON and back: everything but its functions.
std::string to_text(const Subscription& subscription);
core::Result<Subscription> subscription_from_text(std::string_view text);

}  // namespace headrace::bus
