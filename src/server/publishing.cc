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
    return core::fail(Code::denied, "The attribute 'actor' of the event " + event.id + " names somebody else than you (" + actor + "); leave it out.");
  if (!event.time) event.time = now;
  return {};
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

core::Task<Result<core::json::array>> publish_foreign(Platform& platform, Caller caller, std::vector<events::Event> events, bus::Publish how) {
  if (events.empty()) co_return core::fail(Code::invalid, "The batch holds no event.");
  std::vector<std::string> ids;
  for (auto& event : events) {
    if (auto admitted = admit(event, caller, platform.clock.now()); !admitted) co_return std::unexpected(admitted.error());
    ids.push_back(event.id);
  }
  bool waited = how.sync == bus::Sync::before_return;
  auto published = co_await platform.bus.publish(std::move(events), std::move(how));
  if (!published) co_return std::unexpected(published.error());
  core::json::array answers;
  for (size_t i = 0; i < ids.size(); ++i) {
    core::json::object answer{{"offset", published->offsets.at(i)}, {"id", ids[i]}, {"durability", log::name_of(published->durability)}, {"duplicate", published->duplicate}};
    if (waited) answer["handled"] = published->handled;
    answers.push_back(std::move(answer));
  }
  co_return answers;
}

}  // namespace headrace::server
