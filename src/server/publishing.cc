#include "server/publishing.h"

#include "bus/bus.h"

namespace headrace::server {

using core::Code;
using core::Result;

namespace {

Result<> admit(events::Event& event, const Caller& caller, core::Time now) {
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

core::Task<Result<core::json::array>> publish_foreign(Platform& platform, Caller caller,
                                                      std::vector<events::Event> events, bus::Publish how) {
  if (events.empty()) co_return core::fail(Code::invalid, "The batch holds no event.");
  std::vector<std::string> ids;
  std::vector<size_t> timeless;
  for (auto& event : events) {
    if (!event.time) timeless.push_back(ids.size());
    if (auto admitted = admit(event, caller, platform.clock.now()); !admitted)
      co_return std::unexpected(admitted.error());
    ids.push_back(event.id);
  }
  bool waited = how.sync == bus::Sync::before_return;
  std::vector<events::Event> copies;
  if (!timeless.empty()) copies = events;
  bus::Publish how_again = how;
  auto published = co_await platform.bus.publish(std::move(events), std::move(how));
  if (!published && published.error().code == Code::conflict && take_first_times(platform.log, copies, timeless))
    published = co_await platform.bus.publish(std::move(copies), std::move(how_again));
  if (!published) co_return std::unexpected(published.error());
  core::json::array answers;
  for (size_t i = 0; i < ids.size(); ++i) {
    core::json::object answer{{"offset", published->offsets.at(i)},
                              {"id", ids[i]},
                              {"durability", log::name_of(published->durability)},
                              {"duplicate", published->duplicate}};
    if (waited) answer["handled"] = published->handled;
    answers.push_back(std::move(answer));
  }
  co_return answers;
}

}  // namespace headrace::server
