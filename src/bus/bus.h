// Bus is how every part of the platform hears and speaks: publish to the log, subscribe to it, and never call a
// neighbour.
//
//   says  delivery.dead, .replayed, .discarded          a handler gave up on an event; what became of that
//         subscription.created, .deleted                one that was made by somebody, not by the program
//         subscription.paused, .resumed, .sought        by hand
//         subscription.stalled, .recovered              work waits and nothing moves; it moves again
//
// Delivery is at least once, in log order within an ordering key, of durable events only. Handlers run on the loop that
// runs the bus; so does every call here (loop only) unless it says otherwise. Cursors are kept in one SQLite file,
// written every 50 ms or 1,000 acknowledgements: a crash repeats at most what was acknowledged since. They are read
// after the log and clamped to its durable tail. Effects once: bus/said.h.
//
// A life: open() -> subscribe() ... -> start() -> ... -> close(). See docs/bus.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/causes.h"
#include "bus/channel.h"
#include "bus/feed.h"
#include "bus/local.h"
#include "bus/publish.h"
#include "bus/said.h"
#include "bus/subscription.h"
#include "bus/topic.h"
#include "core/actor.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/random.h"
#include "core/result.h"
#include "core/task.h"
#include "events/event.h"
#include "events/vocabulary.h"
#include "log/event_log.h"

namespace headrace::bus {

// What the bus is built on; all of it outlives the bus.
struct Parts {
  core::Loop& loop;
  core::Clock& clock;
  core::Random& random;
  core::IdSource& ids;
  log::EventLog& log;
  core::Pool* pool = nullptr;  // where SQLite and long replays block; null: on the loop (tests, offline commands)
  std::string database;        // DATA/bus.db, and DATA/bus-causes.db beside it; "" or ":memory:": kept nowhere
};

struct Options {
  bool start_paused = false;  // after a restore: every subscription waits for resume()
  Duration flush_every = std::chrono::milliseconds(50);
  size_t flush_acks = 1'000;
  Duration stall_after = std::chrono::seconds(30);  // work waits and nothing moved for so long: subscription.stalled
  Duration stall_event_every = std::chrono::minutes(5);  // at most one stalled event a subscription in that time
};

inline constexpr size_t publish_events_max = 1'000;  // events in one publish
inline constexpr size_t subscriptions_max = 10'000;  // durable ones

struct Route {  // one line of `headrace event routes`
  enum class Way { hears, says } way = Way::hears;
  std::string service;
  std::string subscription;        // of hears
  std::vector<std::string> types;  // of says, and of hears where they are known; empty: any
  std::string filter;              // of hears, beside the types
  std::string handler;             // "handler" or "pull"
  std::string state;               // "running", "paused", "stalled", "absent"
};

struct Attention {  // what a person has to look at, over all subscriptions
  uint64_t dead_letters = 0;
  uint64_t stalled = 0;
  uint64_t paused = 0;
};

class Bus {
 public:
  static core::Result<std::unique_ptr<Bus>> open(Parts parts, Options options = {});
  ~Bus();  // after close(), or with the loop no longer running
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  void start();          // deliveries begin; what is subscribed later begins at once
  core::Task<> close();  // handlers are cancelled (no failure of theirs), cursors written; nothing is delivered after

  // --- Publishing. Errors are the log's (conflict, exhausted, unavailable), and invalid for an event that is too large
  // or lacks id, source or type.
  core::Task<core::Result<Published>> publish(std::vector<events::Event> events, Publish options = Publish());
  core::Task<core::Result<Published>> publish(events::Event event, Publish options = Publish());
  // The same for a struct of the vocabulary. For commands; what a handler says goes through bus/said.h.
  template <class T>
  core::Task<core::Result<Published>> say(T said, Origin origin, Publish options = Publish()) {
    return publish(events::encode(said, header(origin)), std::move(options));
  }
  // A new id, now, and the rest from `origin`: for encode() where several events go in one publish.
  events::Header header(const Origin& origin) const;

  // --- Handlers. Under a name the log position is kept. A name twice is a conflict, a filter that is none invalid. The
  // types may be given in any version that events/ knows: today's name stands for the older ones too.
  core::Result<> subscribe(Subscription subscription, Handler handler);
  core::Result<> subscribe(Subscription subscription, AsyncHandler handler);
  // No delivery begins after it returned; a delivery at work is cancelled and waited for. The cursor stays.
  core::Task<> unsubscribe(std::string name);

  // --- Pull subscriptions, made by people and other machines. They are remembered.
  core::Task<core::Result<>> create(core::Actor actor, Subscription subscription);
  core::Result<std::unique_ptr<Pull>> attach(std::string_view name, size_t credit);
  // What is not durable at all: `filter` as in Subscription, from `start` on.
  core::Result<std::unique_ptr<Feed>> tail(std::string_view filter, Start start = Start::now());

  // --- Control of any subscription: durable on return, and said on the log.
  core::Task<core::Result<>> pause(core::Actor actor, std::string name, std::string reason);
  core::Task<core::Result<>> resume(core::Actor actor, std::string name);
  // Deliveries at work are cancelled; everything from there on is delivered (again). Dead letters stay.
  core::Task<core::Result<>> seek(core::Actor actor, std::string name, Start start);
  // conflict while a handler of this program has the name.
  core::Task<core::Result<>> remove(core::Actor actor, std::string name);

  // --- Dead letters, oldest first, at most list_max; `name` empty: of all subscriptions.
  core::Result<std::vector<DeadLetter>> dead_letters(std::string_view name, Offset after = 0) const;
  core::Task<core::Result<>> replay(core::Actor actor, std::string name, Offset offset);
  core::Task<core::Result<>> discard(core::Actor actor, std::string name, Offset offset, std::string reason);

  // --- Questions.
  core::Result<Status> status(std::string_view name) const;
  std::vector<Status> all() const;         // by name
  std::vector<Measures> measures() const;  // by name
  Attention attention() const;             // cheap, whatever waits
  // The program says what its services say, for routes(). Types of today.
  void says(std::string service, std::vector<std::string> types);
  std::vector<Route> routes() const;
  // not_found: no durable event has the id. Waits until the index has what is durable now.
  core::Task<core::Result<Chain>> why(std::string id);
  core::Task<core::Result<log::Stored>> find(std::string id);  // by id alone

  Channels& channels();
  log::EventLog& log();
  core::Clock& clock();

  struct Impl;  // the room's own

 private:
  explicit Bus(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::bus
