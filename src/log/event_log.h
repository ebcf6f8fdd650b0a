// EventLog is one stream of events: durable, ordered, replayable. It is the truth of the platform; all else is derived.
//
// Offsets strictly increase, and holes are allowed: nobody computes offset + 1. An event is handed to readers only once
// it is durable. A log is written by one process at a time.
//
// Errors: exhausted (the disk is full, or too much is pending: nothing was written, try again), conflict (Expected did
// not hold, or an id was used before with other content), unavailable (appends stopped for good after a failed sync or
// found corruption: reads go on), corrupt (what was asked for is damaged; names segment and offset).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "events/event.h"

namespace headrace::log {

using Offset = uint64_t;  // the first event of a log has offset 1; 0 means before the first

enum class Durability { disk, memory };
std::string_view name_of(Durability durability);  // "disk", "memory"

struct Stored {
  Offset offset = 0;
  core::Time time;  // log time: max(previous, now)
  events::Event event;
};

// The batch counts only if the last batch that named `key` ended at `offset` (0: no batch named it yet). The batch
// names the key by expecting it. For numbers: "numbers/<repository>"; for GitHub's 64-bit ids: "ids".
struct Expected {
  std::string key;
  Offset offset = 0;
};

struct Batch {
  std::vector<events::Event> events;  // 1 to 1,000, all or none
  std::string key;                    // a key seen before gives back the first batch's offsets; empty: none
  std::vector<Expected> expected;     // at most 8
  Durability durability = Durability::disk;
};

struct Appended {
  std::vector<Offset> offsets;               // one an event; for a repeated key or event, those of the first
  Durability durability = Durability::disk;  // what was reached when this was said
  bool duplicate = false;                    // nothing was written: it was there already
};

class EventLog {
 public:
  using Done = std::move_only_function<void(core::Result<Appended>)>;

  virtual ~EventLog() = default;

  // Durable when it returns (Durability::disk). From the loop. Twice with the same key is the same as once; an event
  // whose (source, id) is stored already with equal content is a duplicate, with other content a conflict.
  core::Task<core::Result<Appended>> append(Batch batch);
  // The same from any thread; `done` is called exactly once, from the log's own thread, and must not block.
  virtual void submit(Batch batch, Done done) = 0;

  // Up to `max` durable events with offset >= from, in order; fewer at the tail or beyond 1 MiB, at least one if any.
  // Any thread. Recent events come from memory, older ones from disk: from a loop use a Pool for long replays.
  virtual core::Result<std::vector<Stored>> read(Offset from, size_t max) = 0;
  // The same, skipping what cannot match: only events whose type is one of `types`.
  virtual core::Result<std::vector<Stored>> read_types(Offset from, size_t max,
                                                       const std::vector<std::string>& types) = 0;

  virtual Offset first() const = 0;    // of the oldest event kept; 0 while empty
  virtual Offset durable() const = 0;  // of the newest durable event; 0 while empty
  // The first offset whose log time is >= time; nothing beyond the tail.
  virtual core::Result<std::optional<Offset>> at(core::Time time) = 0;
  virtual core::Result<std::optional<Offset>> offset_of(std::string_view source, std::string_view id) = 0;
  virtual core::Result<Offset> last_of(std::string_view expected_key) = 0;  // 0: never named
  // Forgets whole segments that end before the offset. `delivery` is never trimmed.
  virtual core::Result<> trim(Offset before) = 0;

  // Why appends are refused for good, if they are.
  virtual std::optional<core::Error> stopped() const = 0;

  // `heard` is called on the log's thread, once a batch, after durable() has moved; it must not block. Any thread;
  // after the returned handle is destroyed it is not called any more.
  using Watch = std::shared_ptr<void>;
  virtual Watch watch(std::function<void(Offset durable)> heard) = 0;
};

}  // namespace headrace::log
