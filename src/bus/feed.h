// Events for edges: what server/ carries over SSE and WebSocket. Loop only. Destroying one detaches it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bus/subscription.h"

namespace headrace::bus {

class Reader;
class Pull;
class Consumer;

inline constexpr size_t feed_queue_max = 256;  // events waiting in memory for one slow reader
inline constexpr size_t feed_queue_bytes_max =
    512 * 1024;  // beyond either it reads from the log again when it is ready

// An ephemeral feed: from a place in the log on, then live, with no end. One cursor over both: nothing is missed or
// doubled where they meet. It remembers nothing; a client that comes back names the offset to go on from.
class Feed {
 public:
  Feed(std::unique_ptr<Reader> reader, core::Clock& clock);
  ~Feed();
  // Up to `max` events that match, in order; waits at most `limit` for the first, then none. An error is the log's.
  core::Task<core::Result<std::vector<Shared>>> next(size_t max, Duration limit);
  // Everything up to here was handed out or did not match: where to go on after a disconnect (Start::at(position() +
  // 1)).
  Offset position() const;
  size_t queued() const;  // events in memory, at most about feed_queue_max

 private:
  std::unique_ptr<Reader> reader_;
  core::Clock& clock_;
};

struct Handed {
  Shared stored;
  uint32_t attempt = 1;
  std::string key;
};

// One connection to a durable pull subscription. Several share it: each event goes to one of them. What was handed out
// and not acknowledged when the connection goes is handed to another at once, and that is not counted as a failure.
class Pull {
 public:
  Pull(std::shared_ptr<Consumer> consumer, size_t credit);
  ~Pull();
  Pull(const Pull&) = delete;
  Pull& operator=(const Pull&) = delete;

  // Up to `max` events within the credit (events handed out and not yet acknowledged); waits at most `limit`.
  core::Task<core::Result<std::vector<Handed>>> next(size_t max, Duration limit);
  // not_found: not in this connection's hands (any more): its ack wait passed, or it was acknowledged.
  core::Result<> acknowledge(Offset offset);
  core::Result<> acknowledge_to(Offset offset);                    // everything in hand up to there
  core::Result<> refuse(Offset offset, std::string why);           // counted, and tried again after the back-off
  core::Result<> refuse_for_good(Offset offset, std::string why);  // a dead letter at once
  core::Result<> extend(Offset offset);                            // its ack wait begins anew
  void set_credit(size_t credit);                                  // 1 to pull_credit_max
  size_t in_hand() const;

 private:
  friend class Consumer;
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the consumer, which hands events to it
};
inline constexpr size_t pull_credit_max = 10'000;

}  // namespace headrace::bus
