// What a subscription is, what its handler is given, and what can be asked about it. Plain values; see bus/bus.h.
//
// A subscription hears every event of the log that its filter matches, at least once, in log order within an ordering
// key; keys run side by side. It is durable under its name: how far it is survives a restart, with the attempts made.
#pragma once

#include <chrono>
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
#include "log/event_log.h"

namespace headrace::bus {

using core::Duration;
using log::Offset;
using Shared = std::shared_ptr<const log::Stored>;  // an event read once, shared by all who hear it

// Where a subscription begins the first time its name is seen; later it goes on where it was.
struct Start {
  enum class From { now, beginning, offset, time };
  From from = From::now;
  Offset offset = 0;  // the first offset to hear, for From::offset
  core::Time time{};  // the first log time to hear, for From::time

  static Start now() { return {}; }
  static Start beginning() { return {From::beginning, 0, {}}; }
  static Start at(Offset offset) { return {From::offset, offset, {}}; }
  static Start at(core::Time time) { return {From::time, 0, time}; }
};

// What becomes of later events with the ordering key of a dead one.
enum class OnDead {
  go_on,  // they are delivered (notify)
  hold,   // they wait until the dead one is replayed or discarded (queue, deploy); held keys are listed
};

// Waits until the subscriber's own projection has applied everything up to the offset.
using Gate = std::function<core::Task<>(Offset)>;
using KeyOf = std::function<std::string(const events::Event&)>;

inline constexpr size_t subscription_name_max = 100;
inline constexpr size_t ordering_key_max = 512;
inline constexpr size_t unsettled_max = 20'000;      // events a subscription has read and not settled; then it waits
inline constexpr size_t dead_letters_max = 100'000;  // a subscription; then it is paused, and says so
inline constexpr size_t list_max = 1'000;            // entries one question returns

struct Subscription {
  std::string name;                // "pipeline.plan": letters, digits, . _ - /; unique; the key of its cursor
  std::string service;             // who hears, for `event routes`; empty: nobody of ours
  std::vector<std::string> types;  // exact event types, cheapest filter there is; empty: any type
  std::string filter;              // beside it: CloudEvents SQL, or a JSON array of filter dialects; empty: all
  Start start;
  std::string order_by = "partitionkey";  // attribute that is the ordering key (the repository, mostly); "*": all
                                          // events in one line; "": every event for itself, as are events without it
  KeyOf key;                              // in place of order_by; of code only, not remembered
  size_t concurrency = 16;                // deliveries at work at once, each of another key
  Gate gate;
  Duration ack_wait = std::chrono::seconds(30);  // then the delivery is cancelled and counts as failed; see extend
  std::vector<Duration> back_off = {std::chrono::seconds(1), std::chrono::seconds(5), std::chrono::seconds(30),
                                    std::chrono::minutes(2), std::chrono::minutes(10)};  // the last one repeats
  uint32_t deliveries_max = 6;  // failures until it is a dead letter
  OnDead on_dead = OnDead::go_on;
  bool sync = false;    // publishers who ask for Sync::before_return wait for this one
  bool paused = false;  // as it is created
  bool durable = true;  // false: of a handler that begins anew with each start; nothing of it is remembered or said
};

// One event on its way to one handler. Cheap to copy; may be kept.
class Delivery {
 public:
  struct State;
  explicit Delivery(std::shared_ptr<State> state);

  const events::Event& event() const;
  Offset offset() const;
  core::Time time() const;   // log time
  uint32_t attempt() const;  // 1, and one more after each failure; a shutdown is none
  const std::string& key() const;
  const std::string& subscription() const;
  const Shared& stored() const;
  void extend() const;  // the ack wait begins anew; loop only

 private:
  std::shared_ptr<State> state_;  // shared with the bus while the delivery is at work
};

// A failure is retried after a back-off, and at last a dead letter; so is an exception. The plain one runs on the loop
// and must be short; the task is cancelled when its ack wait has passed.
using Handler = std::function<core::Result<>(const Delivery&)>;
using AsyncHandler = std::function<core::Task<core::Result<>>(Delivery)>;

// Why something is not delivered right now.
struct Waiting {
  enum class Reason {
    paused,          // by an operator, or after a restore
    gate,            // the subscriber's projection has not applied the event yet
    handler,         // a handler has been running since
    back_off,        // failed, and will be tried again
    held_key,        // behind a dead letter
    no_credit,       // nobody attached, or those attached have not acknowledged what they hold
    concurrency,     // as many at work as it allows
    catching_up,     // reading older events
    not_started,     // the bus has not begun to deliver
    absent,          // its handler is not part of this program any more
    log_unreadable,  // the log answered with an error
  };
  Reason reason;
  core::Time since;
  Offset offset = 0;   // of the first event concerned; 0: none in particular
  std::string key;     // its ordering key
  std::string detail;  // a sentence
};
std::string_view name_of(Waiting::Reason reason);  // "paused", "held-key", ...

struct DeadLetter {
  std::string subscription;
  Offset offset = 0;  // of the original, which is in the log
  std::string key;
  uint32_t attempts = 0;
  std::string error;  // the last one
  core::Time since;
  bool holds = false;  // later events of the key wait for it
};

struct HeldKey {
  std::string key;
  Offset dead = 0;     // the letter that holds it
  size_t waiting = 0;  // events behind it
};

// Measured since the process started, but for ages and lengths. Times are of the steady clock; percentiles come from
// buckets a factor of 1.19 apart.
struct Measures {
  std::string name;
  Duration oldest_unacknowledged{};  // age by log time; zero: nothing waits
  uint64_t queue_length = 0;         // events read and not acknowledged, plus what is left to read
  bool queue_exact = false;          // false: what is left to read is counted in offsets, matching or not
  uint64_t delivered = 0;            // acknowledged
  double delivered_per_second = 0;   // over the last minute, smoothed
  uint64_t attempts = 0;             // handler calls, or hand-overs to a connection
  uint64_t failed = 0;
  uint64_t dead = 0;  // dead letters now
  uint64_t held_keys = 0;
  uint64_t held_events = 0;
  uint64_t in_flight = 0;
  double error_rate = 0;                    // failed / attempts over the last minute, smoothed
  Duration handler_p50{}, handler_p99{};    // from hand-over to acknowledgement
  Duration response_p50{}, response_p99{};  // from log time to acknowledgement
};

struct Status {
  Subscription subscription;  // functions left out
  enum class Kind { handler, pull } kind = Kind::handler;
  bool present = true;  // its handler is registered, or it is a pull subscription
  bool paused = false;
  bool stalled = false;
  Offset acknowledged = 0;  // everything up to here is settled
  Offset read_to = 0;       // everything up to here was looked at
  size_t connections = 0;
  std::vector<Waiting> waiting;  // "not delivered because ..."; empty: nothing waits
  std::vector<HeldKey> held;     // at most 1,000
  Measures measures;
};

}  // namespace headrace::bus
