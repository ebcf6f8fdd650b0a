// Said is what a handler says because of one event: one atomic append, keyed (source, cause, handler, step). The first
// batch wins, and is what a retry gets back; ids come from (source, cause, handler, semantic key), so a retry says
// equal events, and the same id with other content is a conflict (DESIGN section 6).
//
//   bus::Said said(bus, "pipeline", delivery);
//   said.add("run", events::RunQueued{...});
//   said.add("job:build/1", events::JobQueued{...});
//   auto published = co_await said.append();      // nothing added: nothing appended, and that is a success
//
// A handler that touches the world appends its intent first, `said.append("intent")`, then adds and appends the
// outcome.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bus/publish.h"
#include "bus/subscription.h"
#include "events/vocabulary.h"

namespace headrace::bus {

class Bus;

// Whose word it is, and why it is said.
struct Origin {
  std::string service;  // "pipeline": the source is /headrace/pipeline
  core::Actor actor;
  std::string causation_id;    // empty: a root
  std::string correlation_id;  // empty: its own
  std::string traceparent;

  static Origin root(std::string service, core::Actor actor) {
    return {std::move(service), std::move(actor), {}, {}, {}};
  }
  static Origin because_of(const events::Event& cause, std::string service, core::Actor actor);
};

// The id of what `handler` says of `semantic_key` because of `cause`: UUIDv8 (RFC 9562, section 5.8) of a SHA-256.
std::string derived_id(std::string_view source, const events::Event& cause, std::string_view handler,
                       std::string_view semantic_key);
std::string derived_batch_key(std::string_view source, const events::Event& cause, std::string_view handler,
                              std::string_view step);

class Said {
 public:
  // `bus` outlives this. The actor is the service itself; the handler's name is the subscription's.
  Said(Bus& bus, std::string service, const Delivery& cause);
  // The same outside of a delivery (reconcile): `handler` keeps it apart from what others say because of `cause`.
  Said(Bus& bus, std::string service, const events::Event& cause, std::string handler);

  Said& as(core::Actor actor);  // for what is added from here on

  // Returns the id of the event. `semantic_key` says what it is about, unique among what this handler says of the
  // cause.
  template <class T>
  std::string add(std::string_view semantic_key, const T& said) {
    return add(events::encode(said, header(semantic_key)));
  }
  events::Header header(std::string_view semantic_key) const;
  std::string add(events::Event event);
  void expect(log::Expected expected);
  bool empty() const { return events_.empty(); }

  // Appends what was added since the last append. `step` names it where a handler appends more than once.
  core::Task<core::Result<Published>> append(std::string step = {}, log::Durability durability = log::Durability::disk);

 private:
  Bus& bus_;
  std::string service_;
  events::Event cause_;
  std::string handler_;
  core::Actor actor_;
  std::vector<events::Event> events_;
  std::vector<log::Expected> expected_;
};

}  // namespace headrace::bus
