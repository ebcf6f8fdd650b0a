// How events are published; see bus/bus.h.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/result.h"
#include "log/event_log.h"

namespace headrace::bus {

enum class Sync {
  no,
  before_return,  // wait, at most `sync_limit`, until the handlers that asked for it (Subscription::sync) are done.
                  // For edges, never in a handler: a handler that waits for handlers waits for itself.
};
inline constexpr std::chrono::milliseconds sync_limit_default{5'000};

struct Publish {
  std::string key;  // as log::Batch::key
  std::vector<log::Expected> expected;
  log::Durability durability = log::Durability::disk;
  Sync sync = Sync::no;
  std::chrono::milliseconds sync_limit = sync_limit_default;
};

struct Published : log::Appended {
  bool handled = false;  // Sync::before_return only: all who asked were done in time. Not so is no failure of the event
};

// Ingress: what comes from outside may not speak as us, nor be larger than events::event_bytes_max, and must be a good
// CloudEvent. Code::invalid or Code::denied with a sentence for the sender.
core::Result<> accept_foreign(const events::Event& event);

}  // namespace headrace::bus
