#include "server/publishing.h"

#include "bus/bus.h"
#include "core/json_text.h"

namespace headrace::server {

using core::Code;
using core::Result;

namespace {

Result<> admit_one(events::Event& event, const Caller& caller, core::Time now) {
  auto accepted = bus::accept_foreign(event);
  if (!accepted) return accepted;
  auto actor = core::to_string(caller.actor);
  auto [said, absent] = event.extensions.try_emplace("actor", actor);
  if (!absent && said->second != events::Attribute(actor))
    return core::fail(Code::denied, "The attribute 'actor' of the event " + event.id +
                                        " names somebody else than you (" + actor + "); leave it out.");
  if (!event.time) event.time = now;
  return {};
}

// An event that comes without a time gets one here. Sent again it must get that of its first sending, or it would be
// another event: those of `timeless` that the log holds take its time. False: none of them is there.
bool take_first_times(log::EventLog& log, std::vector<events::Event>& events, const std::vector<size_t>& timeless) {
  bool taken = false;
  for (auto index : timeless) {
    auto& event = events[index];
    auto offset = log.offset_of(event.source, event.id);
    if (!offset || !*offset) continue;
    auto stored = log.read(**offset, 1);
    if (!stored || stored->empty() || stored->front().offset != **offset) continue;
    event.time = stored->front().event.time;
    taken = true;
  }
  return taken;
}

}  // namespace

Result<bus::Publish> publish_options(const std::string& durability, const std::string& sync) {
  bus::Publish how;
  if (durability == "memory") {
    how.durability = log::Durability::memory;
  } else if (!durability.empty() && durability != "disk") {
    return core::fail(Code::invalid, "durability is disk or memory, not '" + durability.substr(0, 40) + "'.");
  }
  if (sync == "true") {
    how.sync = bus::Sync::before_return;
  } else if (!sync.empty() && sync != "false") {
    return core::fail(Code::invalid, "sync is true or false, not '" + sync.substr(0, 40) + "'.");
  }
  return how;
}

Result<Foreign> Foreign::admit(std::vector<events::Event> events, const Caller& caller, core::Time now) {
  if (events.empty()) return core::fail(Code::invalid, "The batch holds no event.");
  Foreign foreign;
  for (auto& event : events) {
    if (!event.time) foreign.timeless_.push_back(foreign.ids_.size());
    if (auto admitted = admit_one(event, caller, now); !admitted) return std::unexpected(admitted.error());
    foreign.ids_.push_back(event.id);
  }
  if (!foreign.timeless_.empty()) foreign.copies_ = events;
  foreign.events_ = std::move(events);
  return foreign;
}

std::optional<std::vector<events::Event>> Foreign::again(log::EventLog& log) {
  if (!take_first_times(log, copies_, timeless_)) return std::nullopt;
  timeless_.clear();
  return std::move(copies_);
}

Acknowledged Foreign::acknowledged(const bus::Published& published, const bus::Publish& how) const {
  core::JsonText text;
  for (size_t i = 0; i < ids_.size(); ++i) {
    text.begin_object().key("offset").value(static_cast<int64_t>(published.offsets.at(i)));
    text.key("id").value(ids_[i]).key("durability").value(log::name_of(published.durability));
    text.key("duplicate").value(published.duplicate);
    if (how.sync == bus::Sync::before_return) text.key("handled").value(published.handled);
    text.end_object();
  }
  return {text.take(), published.duplicate};
}

core::Task<Result<Acknowledged>> publish_foreign(Platform& platform, Caller caller, std::vector<events::Event> events,
                                                 bus::Publish how) {
  auto foreign = Foreign::admit(std::move(events), caller, platform.clock.now());
  if (!foreign) co_return std::unexpected(foreign.error());
  auto published = co_await platform.bus.publish(foreign->take(), how);
  if (!published && published.error().code == Code::conflict)
    if (auto again = foreign->again(platform.log)) published = co_await platform.bus.publish(std::move(*again), how);
  if (!published) co_return std::unexpected(published.error());
  co_return foreign->acknowledged(*published, how);
}

}  // namespace headrace::server
