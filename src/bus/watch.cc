// What the bus itself says: dead letters, stalls, and what became of them; and what can be asked of all subscriptions.
#include <algorithm>
#include <tuple>

#include "bus/impl.h"
#include "core/diagnostics.h"
#include "events/bus.h"
#include "events/cloudevents.h"

namespace headrace::bus {

namespace {

std::string source_of_bus() { return std::string(events::reserved_source) + std::string(bus_service); }

std::string state_of(const Status& status) {
  if (!status.present) return "absent";
  if (status.paused) return "paused";
  return status.stalled ? "stalled" : "running";
}

}  // namespace

template <class T>
core::Task<> Bus::Impl::say_quietly(T said) {
  auto done = co_await say(std::move(said), core::Actor::service(std::string(bus_service)));
  if (!done)
    core::diagnose(core::Level::warning, "bus", "saying " + std::string(T::type) + ": " + done.error().message);
}

template <class T>
void Bus::Impl::say_aside(T said) {
  tasks.spawn("the bus says", say_quietly(std::move(said)));
}

// --- Dead letters

core::Task<core::Result<>> Bus::Impl::say_dead(std::string name, Trouble dead, Shared original) {
  if (original && original->event.source == source_of_bus()) co_return core::Result<>{};  // or it would never end
  events::DeliveryDead said{.subscription = name,
                            .event_offset = static_cast<int64_t>(dead.offset),
                            .event_id = original ? original->event.id : std::string(),
                            .event_type = original ? original->event.type : std::string(),
                            .key = dead.key,
                            .attempts = dead.attempts,
                            .reason = dead.error,
                            .first_failed_at = dead.first_failed};
  events::Event missing;  // of a user stream, trimmed since: the name and the offset stand for it
  missing.id = std::to_string(dead.offset);
  missing.source = "trimmed";
  const std::string handler = "dead/" + name + "/" + std::to_string(dead.replays);
  Said word(self, std::string(bus_service), original ? original->event : missing, handler);
  word.add("dead", said);
  auto published = co_await word.append();
  if (!published) co_return std::unexpected(published.error());
  co_return core::Result<>{};
}

core::Result<std::vector<DeadLetter>> Bus::dead_letters(std::string_view name, Offset after) const {
  if (!name.empty()) {
    auto found = impl_->consumer(name);
    if (!found) return std::unexpected(found.error());
    return (*found)->dead_letters(after, list_max);
  }
  std::vector<DeadLetter> all;
  for (const auto& [each, consumer] : impl_->consumers)
    for (auto& letter : consumer->dead_letters(after, list_max)) all.push_back(std::move(letter));
  std::ranges::sort(all, [](const DeadLetter& a, const DeadLetter& b) {
    return std::tie(a.offset, a.subscription) < std::tie(b.offset, b.subscription);
  });
  if (all.size() > list_max) all.resize(list_max);
  return all;
}

namespace {

// For the event that tells what became of a dead letter: what it was about.
template <class T>
T about(const std::string& name, const Trouble& dead, log::EventLog& log, const core::Actor& actor) {
  T said;
  said.subscription = name;
  said.event_offset = static_cast<int64_t>(dead.offset);
  said.key = dead.key;
  said.by = core::to_string(actor);
  if (auto read = log.read(dead.offset, 1); read && !read->empty() && read->front().offset == dead.offset) {
    said.event_id = read->front().event.id;
    said.event_type = read->front().event.type;
  }
  return said;
}

}  // namespace

core::Task<core::Result<>> Bus::replay(core::Actor actor, std::string name, Offset offset) {
  auto found = impl_->consumer(name);
  if (!found) co_return std::unexpected(found.error());
  auto dead = (*found)->dead_letter(offset);
  if (!dead) co_return std::unexpected(dead.error());
  auto said = co_await impl_->say(about<events::DeliveryReplayed>(name, *dead, impl_->parts.log, actor), actor);
  if (!said) co_return said;
  if (auto replayed = (*found)->replay(offset); !replayed) co_return replayed;
  co_return co_await impl_->remember(*found);
}

core::Task<core::Result<>> Bus::discard(core::Actor actor, std::string name, Offset offset, std::string reason) {
  auto found = impl_->consumer(name);
  if (!found) co_return std::unexpected(found.error());
  auto dead = (*found)->dead_letter(offset);
  if (!dead) co_return std::unexpected(dead.error());
  auto word = about<events::DeliveryDiscarded>(name, *dead, impl_->parts.log, actor);
  word.reason = std::move(reason);
  if (auto said = co_await impl_->say(std::move(word), actor); !said) co_return said;
  if (auto discarded = (*found)->discard(offset); !discarded) co_return discarded;
  co_return co_await impl_->remember(*found);
}

// --- Stalls: work waits, and nothing has moved for a while

core::Task<> Bus::Impl::watch_for_stalls() {
  while (true) {
    co_await parts.clock.sleep_for(options.stall_after / 3);
    auto all = consumers;
    for (auto& [name, consumer] : all) {
      look_for_stall(*consumer);
      if (consumer->lags()) changed(*consumer, 0);
    }
  }
}

void Bus::Impl::look_for_stall(Consumer& consumer) {
  auto& stall = consumer.stall;
  if (stall.said) {
    const bool moved_on = consumer.floor() >= stall.oldest && consumer.last_progress() > stall.since;
    if (!consumer.work_waits() || moved_on) say_recovered(consumer);
    return;
  }
  const auto now = parts.clock.steady();
  if (!consumer.work_waits() || now - consumer.last_progress() < options.stall_after) return;
  if (stall.last_said && now - *stall.last_said < options.stall_event_every) return;
  if (auto why = consumer.first_waiting()) say_stalled(consumer, *why);
}

void Bus::Impl::say_stalled(Consumer& consumer, const Waiting& why) {
  const auto now = parts.clock.steady();
  consumer.stall = {
      .said = true, .since = consumer.last_progress(), .oldest = consumer.oldest_unsettled(), .last_said = now};
  say_aside(events::SubscriptionStalled{.subscription = consumer.name(),
                                        .since = consumer.last_progress_at(),
                                        .oldest_offset = static_cast<int64_t>(consumer.stall.oldest),
                                        .reason = std::string(name_of(why.reason)) + ": " + why.detail});
}

void Bus::Impl::say_recovered(Consumer& consumer) {
  const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(parts.clock.steady() - consumer.stall.since);
  consumer.stall.said = false;
  say_aside(events::SubscriptionRecovered{.subscription = consumer.name(), .stalled_seconds = lasted.count()});
}

// --- Questions

core::Result<Status> Bus::status(std::string_view name) const {
  auto found = impl_->consumer(name);
  if (!found) return std::unexpected(found.error());
  return (*found)->status();
}

std::vector<Status> Bus::all() const {
  std::vector<Status> all;
  for (const auto& [name, consumer] : impl_->consumers) all.push_back(consumer->status());
  return all;
}

std::vector<Measures> Bus::measures() const {
  std::vector<Measures> all;
  for (const auto& [name, consumer] : impl_->consumers) all.push_back(consumer->measures());
  return all;
}

Attention Bus::attention() const {
  Attention all;
  for (const auto& [name, consumer] : impl_->consumers) {
    all.dead_letters += consumer->dead();
    if (!consumer->present()) continue;
    if (consumer->stall.said) ++all.stalled;
    if (consumer->paused()) ++all.paused;
  }
  return all;
}

void Bus::says(std::string service, std::vector<std::string> types) {
  impl_->said_by[std::move(service)].insert(types.begin(), types.end());
}

std::vector<Route> Bus::routes() const {
  std::vector<Route> routes;
  for (const auto& [name, consumer] : impl_->consumers) {
    const Status status = consumer->status();
    routes.push_back({.way = Route::Way::hears,
                      .service = status.subscription.service,
                      .subscription = name,
                      .types = status.subscription.types,
                      .filter = status.subscription.filter,
                      .handler = status.kind == Status::Kind::pull ? "pull" : "handler",
                      .state = state_of(status)});
  }
  for (const auto& [service, types] : impl_->said_by)
    routes.push_back({.way = Route::Way::says,
                      .service = service,
                      .subscription = {},
                      .types = {types.begin(), types.end()},
                      .filter = {},
                      .handler = {},
                      .state = {}});
  return routes;
}

}  // namespace headrace::bus
