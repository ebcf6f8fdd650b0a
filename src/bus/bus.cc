#include "bus/bus.h"

#include "bus/impl.h"
#include "events/cloudevents.h"

namespace headrace::bus {

namespace {

constexpr size_t surely_small = 64 * 1024;  // of id, source, type, subject and data: no need to encode it to know

core::Result<> check_one(const events::Event& event) {
  if (event.id.empty() || event.source.empty() || event.type.empty())
    return core::fail(core::Code::invalid,
                      "An event needs an id, a source and a type (CloudEvents 1.0, required attributes).");
  const size_t about = size_of(event) + event.data.size();
  if (about > surely_small && events::to_structured(event).size() > events::event_bytes_max)
    return core::fail(
        core::Code::invalid,
        "The event '" + event.id + "' is larger than 256 KiB; store it as a blob and let the event hold its digest.");
  return {};
}

std::string beside(const std::string& database) {
  if (database.empty() || database == ":memory:") return database;
  const std::string ending = ".db";
  const bool ends = database.ends_with(ending);
  return database.substr(0, database.size() - (ends ? ending.size() : 0)) + "-causes.db";
}

}  // namespace

core::Result<> check_all(const std::vector<events::Event>& events) {
  if (events.empty() || events.size() > publish_events_max)
    return core::fail(core::Code::invalid, "One publish takes 1 to " + std::to_string(publish_events_max) +
                                               " events, not " + std::to_string(events.size()) + ".");
  for (const auto& event : events)
    if (auto good = check_one(event); !good) return good;
  return {};
}

// --- Life

core::Result<std::unique_ptr<Bus>> Bus::open(Parts parts, Options options) {
  auto store = CursorStore::open(parts.database);
  if (!store) return core::pass_on(store.error(), "opening the cursors of the bus");
  auto causes = CauseIndex::open(beside(parts.database), parts.log);
  if (!causes) return core::pass_on(causes.error(), "opening the index of causes");
  auto bus = std::unique_ptr<Bus>(new Bus(nullptr));
  bus->impl_ = std::make_unique<Impl>(*bus, parts, options, std::move(*store), std::move(*causes));
  if (auto loaded = bus->impl_->load(); !loaded) return std::unexpected(loaded.error());
  return bus;
}

Bus::Bus(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Bus::~Bus() = default;

Bus::Impl::Impl(Bus& bus, Parts with, Options how, std::unique_ptr<CursorStore> cursors,
                std::unique_ptr<CauseIndex> index)
    : self(bus),
      parts(std::move(with)),
      options(how),
      store(std::move(cursors)),
      causes(std::move(index)),
      router(parts.loop, parts.log),
      house{parts.loop, parts.clock, parts.random, parts.log, parts.pool, router, {}, {}, {}},
      channels(parts.loop.executor(), parts.clock),
      flush_now(parts.loop.executor()),
      written(parts.loop.executor()),
      settled(parts.loop.executor()),
      moved(parts.loop.executor()),
      tasks(parts.loop.executor()) {
  house.changed = [this](Consumer& consumer, size_t count) { changed(consumer, count); };
  house.settled = [this] { settled.ring(); };
  house.say_dead = [this](std::string name, Trouble dead, Shared original) {
    return say_dead(std::move(name), std::move(dead), std::move(original));
  };
  router.on_progress([this] {
    settled.ring();
    moved.ring();
  });
}

// Handlers that have not returned keep their consumer; it touches nothing of this any more.
Bus::Impl::~Impl() {
  for (auto& [name, consumer] : consumers) consumer->abandon();
}

core::Result<> Bus::Impl::load() {
  for (const auto& word : events::all_words())
    if (word.service == bus_service) said_by[std::string(bus_service)].emplace(word.type);
  auto all = store->load();
  if (!all) return core::pass_on(all.error(), "reading the cursors of the bus");
  for (auto& remembered : *all) {
    std::string name = remembered.subscription.name;
    auto matcher = Matcher::make(remembered.subscription.types, remembered.subscription.filter);
    if (!matcher) return core::pass_on(matcher.error(), "reading the filter of subscription " + name);
    consumers.emplace(std::move(name), std::make_shared<Consumer>(house, std::move(remembered), std::move(*matcher)));
  }
  return {};
}

void Bus::start() { impl_->start(); }

void Bus::Impl::start() {
  started = true;
  for (auto& [name, consumer] : consumers) {
    if (options.start_paused) consumer->pause("Subscriptions start paused after a restore.");
    consumer->start();
  }
  tasks.spawn("watch for stalls", watch_for_stalls());
  tasks.spawn("index of causes", keep_index());
}

core::Task<> Bus::close() { return impl_->close(); }

core::Task<> Bus::Impl::close() {
  if (std::exchange(closing, true)) co_return;
  auto all = consumers;
  for (auto& [name, consumer] : all) {
    unsaved.insert(name);
    co_await consumer->stop();
  }
  settled.ring();  // publishers that wait learn that it is over
  co_await tasks.close();
  writing = false;  // a flush that was cancelled while it held the lock
  co_await flush();
}

// --- Publishing

events::Header Bus::header(const Origin& origin) const {
  return {.id = impl_->parts.ids.next(),
          .source = std::string(events::reserved_source) + origin.service,
          .time = impl_->parts.clock.now(),
          .actor = core::to_string(origin.actor),
          .causation_id = origin.causation_id,
          .correlation_id = origin.correlation_id,
          .traceparent = origin.traceparent,
          .further_causes = {}};
}

core::Task<core::Result<Published>> Bus::publish(events::Event event, Publish options) {
  std::vector<events::Event> one;
  one.push_back(std::move(event));
  return publish(std::move(one), std::move(options));
}

core::Task<core::Result<Published>> Bus::publish(std::vector<events::Event> events, Publish options) {
  if (auto good = check_all(events); !good) co_return std::unexpected(good.error());
  log::Batch batch{std::move(events), std::move(options.key), std::move(options.expected), options.durability};
  auto appended = co_await impl_->parts.log.append(std::move(batch));
  if (!appended) co_return std::unexpected(appended.error());
  Published published{std::move(*appended)};
  if (options.sync == Sync::before_return)
    published.handled = co_await impl_->wait_until_handled(published.offsets, options.sync_limit);
  co_return published;
}

core::Task<bool> Bus::Impl::wait_until_handled(std::vector<Offset> offsets, Duration limit) {
  const auto until = parts.clock.steady() + limit;
  while (true) {
    const auto rung = settled.rung();
    if (handled(offsets)) co_return true;
    const Duration left = until - parts.clock.steady();
    if (left <= Duration::zero() || closing) co_return false;
    co_await settled.wait_for(rung, parts.clock, left);
  }
}

bool Bus::Impl::handled(const std::vector<Offset>& offsets) const {
  for (const auto& [name, consumer] : consumers) {
    if (!consumer->subscription().sync) continue;
    for (Offset offset : offsets)
      if (!consumer->settled(offset)) return false;
  }
  return true;
}

Channels& Bus::channels() { return impl_->channels; }
log::EventLog& Bus::log() { return impl_->parts.log; }
core::Clock& Bus::clock() { return impl_->parts.clock; }

}  // namespace headrace::bus
