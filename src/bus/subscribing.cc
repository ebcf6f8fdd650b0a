// Subscriptions come, go, and are steered.
#include <algorithm>

#include "bus/impl.h"
#include "events/bus.h"

namespace headrace::bus {

namespace {

constexpr size_t concurrency_max = 1'000;
constexpr size_t back_off_steps_max = 32;
constexpr uint32_t deliveries_limit = 1'000;

bool good_name(std::string_view name) {
  constexpr std::string_view beside = "._-/";
  return !name.empty() && name.size() <= subscription_name_max && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || beside.contains(c);
  });
}

core::Result<> check(const Subscription& s) {
  using core::Code;
  if (!good_name(s.name))
    return core::fail(Code::invalid,
                      "A subscription's name has 1 to 100 letters, digits, or . _ - /; '" + s.name + "' has not.");
  if (s.concurrency == 0 || s.concurrency > concurrency_max)
    return core::fail(Code::invalid, "The concurrency of '" + s.name + "' must be 1 to 1,000.");
  if (s.ack_wait < std::chrono::milliseconds(1) || s.ack_wait > std::chrono::hours(24))
    return core::fail(Code::invalid, "The acknowledgement wait of '" + s.name + "' must be 1 ms to 24 h.");
  if (s.deliveries_max == 0 || s.deliveries_max > deliveries_limit)
    return core::fail(Code::invalid,
                      "The deliveries of '" + s.name + "' must be 1 to 1,000 before it is a dead letter.");
  const bool steps_good =
      std::ranges::all_of(s.back_off, [](Duration d) { return d > Duration::zero() && d <= std::chrono::hours(24); });
  if (s.back_off.empty() || s.back_off.size() > back_off_steps_max || !steps_good)
    return core::fail(Code::invalid,
                      "The back-off of '" + s.name + "' must have 1 to 32 pauses, each above 0 and at most 24 h.");
  return {};
}

std::string start_in_words(const Start& start) {
  switch (start.from) {
    case Start::From::now: return "now";
    case Start::From::beginning: return "beginning";
    case Start::From::offset: return "offset:" + std::to_string(start.offset);
    case Start::From::time: return "time:" + core::format_time(start.time);
  }
  return "now";
}

events::SubscriptionCreated created(const Subscription& s) {
  return {.subscription = s.name,
          .filter = s.filter,
          .delivery = "pull",
          .start = start_in_words(s.start),
          .on_dead = s.on_dead == OnDead::hold ? "hold" : "continue"};
}

}  // namespace

core::Result<Offset> Bus::Impl::resolve(const Start& start) const {
  const Offset durable = parts.log.durable();
  switch (start.from) {
    case Start::From::now: return durable;
    case Start::From::beginning: return 0;
    case Start::From::offset: return start.offset == 0 ? 0 : std::min(start.offset - 1, durable);
    case Start::From::time: break;
  }
  auto found = parts.log.at(start.time);
  if (!found) return std::unexpected(found.error());
  return *found ? **found - 1 : durable;
}

core::Result<std::shared_ptr<Consumer>> Bus::Impl::consumer(std::string_view name) const {
  auto place = consumers.find(name);
  if (place == consumers.end())
    return core::fail(core::Code::not_found,
                      "There is no subscription '" + std::string(name) + "'. `headrace subscription list` shows them.");
  return place->second;
}

// A name that was seen before keeps its cursor and its dead letters; all else is as it is given now.
core::Result<std::shared_ptr<Consumer>> Bus::Impl::make(Subscription subscription, Status::Kind kind, bool& is_new) {
  if (auto good = check(subscription); !good) return std::unexpected(good.error());
  auto matcher = Matcher::make(subscription.types, subscription.filter);
  if (!matcher) return std::unexpected(matcher.error());
  Remembered remembered;
  auto before = consumers.find(subscription.name);
  is_new = before == consumers.end();
  if (is_new) {
    if (consumers.size() >= subscriptions_max)
      return core::fail(core::Code::exhausted,
                        "There are 10,000 subscriptions, as many as the bus keeps. Delete some that nobody needs.");
    auto offset = resolve(subscription.start);
    if (!offset) return std::unexpected(offset.error());
    remembered.cursor = {.floor = *offset, .seen = *offset, .unsettled = {}};
    remembered.paused = subscription.paused;
    remembered.paused_since = parts.clock.now();
  } else {
    if (before->second->present())
      return core::fail(core::Code::conflict, "There is a subscription '" + subscription.name + "' already.");
    remembered = before->second->remember();
  }
  remembered.kind = kind;
  remembered.subscription = std::move(subscription);
  return std::make_shared<Consumer>(house, std::move(remembered), std::move(*matcher));
}

// At a start each service subscribes as it did before; what the store holds need not be written again.
bool Bus::Impl::is_stored(const Subscription& subscription) const {
  auto before = consumers.find(subscription.name);
  return !started && before != consumers.end() && before->second->kind() == Status::Kind::handler &&
         before->second->as_stored() && to_text(before->second->subscription()) == to_text(subscription);
}

template <class H>
core::Result<> Bus::Impl::subscribe(Subscription subscription, H handler) {
  bool is_new = false;
  const bool stored = is_stored(subscription);
  auto made = make(std::move(subscription), Status::Kind::handler, is_new);
  if (!made) return std::unexpected(made.error());
  auto& fresh = *made;
  fresh->hand_to(std::move(handler));
  if (fresh->subscription().durable && !stored)
    if (auto put = store->put(fresh->remember()); !put)
      return core::pass_on(put.error(), "remembering subscription " + fresh->name());
  consumers[fresh->name()] = fresh;
  if (started && !closing) fresh->start();
  return {};
}

core::Result<> Bus::subscribe(Subscription subscription, Handler handler) {
  return impl_->subscribe(std::move(subscription), std::move(handler));
}

core::Result<> Bus::subscribe(Subscription subscription, AsyncHandler handler) {
  return impl_->subscribe(std::move(subscription), std::move(handler));
}

core::Task<> Bus::unsubscribe(std::string name) {
  auto found = impl_->consumer(name);
  if (!found || !(*found)->present()) co_return;
  auto leaving = *found;
  co_await leaving->stop();
  if (!leaving->subscription().durable) {
    impl_->consumers.erase(name);
    co_return;
  }
  auto matcher = Matcher::make(leaving->subscription().types, leaving->subscription().filter);
  auto absent = std::make_shared<Consumer>(impl_->house, leaving->remember(), std::move(*matcher));
  impl_->consumers[name] = absent;
  co_await impl_->remember(absent);
}

core::Task<core::Result<>> Bus::create(core::Actor actor, Subscription subscription) {
  bool is_new = false;
  auto made = impl_->make(std::move(subscription), Status::Kind::pull, is_new);
  if (!made) co_return std::unexpected(made.error());
  auto fresh = *made;
  if (!is_new) co_return core::fail(core::Code::conflict, "There is a subscription '" + fresh->name() + "' already.");
  impl_->consumers[fresh->name()] = fresh;
  if (auto kept = co_await impl_->remember(fresh); !kept) {
    impl_->consumers.erase(fresh->name());
    co_return kept;
  }
  if (impl_->started && !impl_->closing) fresh->start();
  co_return co_await impl_->say(created(fresh->subscription()), std::move(actor));
}

core::Result<std::unique_ptr<Pull>> Bus::attach(std::string_view name, size_t credit) {
  auto found = impl_->consumer(name);
  if (!found) return std::unexpected(found.error());
  if ((*found)->kind() != Status::Kind::pull)
    return core::fail(core::Code::conflict, "The subscription '" + std::string(name) +
                                                "' is a handler of the program: nobody can attach to it.");
  return std::make_unique<Pull>(*found, credit);
}

core::Result<std::unique_ptr<Feed>> Bus::tail(std::string_view filter, Start start) {
  auto matcher = Matcher::make({}, filter);
  if (!matcher) return std::unexpected(matcher.error());
  auto before = impl_->resolve(start);
  if (!before) return std::unexpected(before.error());
  const Reader::Limits limits{.events = feed_queue_max, .bytes = feed_queue_bytes_max};
  auto& parts = impl_->parts;
  auto reader = std::make_unique<Reader>(impl_->router, parts.log, parts.pool, parts.loop.executor(),
                                         std::move(*matcher), *before + 1, limits);
  return std::make_unique<Feed>(std::move(reader), parts.clock);
}

// --- Control

core::Task<core::Result<>> Bus::pause(core::Actor actor, std::string name, std::string reason) {
  auto found = impl_->consumer(name);
  if (!found) co_return std::unexpected(found.error());
  (*found)->pause(reason);
  if (auto kept = co_await impl_->remember(*found); !kept) co_return kept;
  events::SubscriptionPaused paused{.subscription = name, .reason = reason};
  co_return co_await impl_->say(std::move(paused), std::move(actor));
}

core::Task<core::Result<>> Bus::resume(core::Actor actor, std::string name) {
  auto found = impl_->consumer(name);
  if (!found) co_return std::unexpected(found.error());
  (*found)->resume();
  if (auto kept = co_await impl_->remember(*found); !kept) co_return kept;
  events::SubscriptionResumed resumed{.subscription = name};
  co_return co_await impl_->say(std::move(resumed), std::move(actor));
}

core::Task<core::Result<>> Bus::seek(core::Actor actor, std::string name, Start start) {
  auto found = impl_->consumer(name);
  if (!found) co_return std::unexpected(found.error());
  auto before = impl_->resolve(start);
  if (!before) co_return std::unexpected(before.error());
  const Offset was = (*found)->floor();
  if (auto sought = co_await (*found)->seek(*before + 1); !sought) co_return sought;
  if (auto kept = co_await impl_->remember(*found); !kept) co_return kept;
  events::SubscriptionSought sought{
      .subscription = name, .from_offset = static_cast<int64_t>(was), .to_offset = static_cast<int64_t>(*before + 1)};
  co_return co_await impl_->say(std::move(sought), std::move(actor));
}

core::Task<core::Result<>> Bus::remove(core::Actor actor, std::string name) {
  auto found = impl_->consumer(name);
  if (!found) co_return std::unexpected(found.error());
  auto leaving = *found;
  if (leaving->present() && leaving->kind() == Status::Kind::handler)
    co_return core::fail(
        core::Code::conflict,
        "The subscription '" + name + "' belongs to a part of this program, which goes on with it. Pause it instead.");
  impl_->consumers.erase(name);
  co_await leaving->stop();
  std::function<core::Result<>()> forget = [store = impl_->store.get(), name] { return store->remove(name); };
  auto removed = co_await impl_->write(std::move(forget));
  if (!removed) co_return removed;
  events::SubscriptionDeleted deleted{.subscription = name};
  co_return co_await impl_->say(std::move(deleted), std::move(actor));
}

}  // namespace headrace::bus
