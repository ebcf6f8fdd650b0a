// Events from outside, on their way to the log: the checks of ingress, and what the sender is answered.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bus/publish.h"
#include "server/caller.h"
#include "server/platform.h"

namespace headrace::server {

// `durability`: disk, memory or empty; `sync`: true, false or empty.
core::Result<bus::Publish> publish_options(const std::string& durability, const std::string& sync);

struct Acknowledged {
  std::string json;  // {"offset","id","durability","duplicate"}, one an event, with commas between
  bool duplicate = false;
};

// Events of one sender, checked: none speaks as us, and the `actor` of each is who sends it.
class Foreign {
 public:
  static core::Result<Foreign> admit(std::vector<events::Event> events, const Caller& caller, core::Time now);

  std::vector<events::Event> take() { return std::move(events_); }  // to publish them, all or none
  // After a conflict, once: the events again, if they may have been sent before and only the times given here differ.
  std::optional<std::vector<events::Event>> again(log::EventLog& log);
  Acknowledged acknowledged(const bus::Published& published, const bus::Publish& how) const;

 private:
  std::vector<std::string> ids_;
  std::vector<size_t> timeless_;  // came without a time
  std::vector<events::Event> events_;
  std::vector<events::Event> copies_;  // where some are timeless
};

core::Task<core::Result<Acknowledged>> publish_foreign(Platform& platform, Caller caller,
                                                       std::vector<events::Event> events, bus::Publish how);

}  // namespace headrace::server
