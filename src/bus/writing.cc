// What the bus keeps on disk: cursors in groups, and the index of causes.
#include "bus/impl.h"
#include "core/diagnostics.h"

namespace headrace::bus {

namespace {

constexpr Duration index_pause = std::chrono::milliseconds(250);  // events of so long are indexed together

}  // namespace

void Bus::Impl::changed(Consumer& consumer, size_t count) {
  if (!consumer.subscription().durable) return;
  dirty.insert(consumer.name());
  acks += count;
  if (acks >= options.flush_acks) flush_now.ring();
  if (!closing && !std::exchange(flushing, true)) tasks.spawn("cursors of the bus", flush_soon());
}

core::Task<> Bus::Impl::flush_soon() {
  while (!dirty.empty() || !unsaved.empty()) {
    if (acks < options.flush_acks) co_await flush_now.wait_for(flush_now.rung(), parts.clock, options.flush_every);
    co_await flush();
  }
  flushing = false;
}

core::Task<> Bus::Impl::flush() {
  co_await lock();
  std::vector<Change> changes;
  std::vector<Remembered> whole;
  for (const auto& name : std::exchange(unsaved, {})) {
    dirty.erase(name);
    auto place = consumers.find(name);
    if (place == consumers.end() || !place->second->subscription().durable) continue;
    place->second->take_change();
    whole.push_back(place->second->remember());
  }
  for (const auto& name : std::exchange(dirty, {}))
    if (auto place = consumers.find(name); place != consumers.end()) changes.push_back(place->second->take_change());
  acks = 0;
  std::vector<std::string> names;
  for (const auto& change : changes) names.push_back(change.name);
  for (const auto& remembered : whole) names.push_back(remembered.subscription.name);
  auto work = [store = store.get(), changes = std::move(changes), whole = std::move(whole)]() -> core::Result<> {
    for (const auto& remembered : whole)
      if (auto put = store->put(remembered); !put) return put;
    return changes.empty() ? core::Result<>{} : store->write(changes);
  };
  core::Result<> done;
  if (parts.pool != nullptr && !closing) {
    done = co_await core::blocking(*parts.pool, std::move(work));
  } else {
    done = work();
  }
  unlock();
  if (done) co_return;
  core::diagnose(core::Level::error, "bus", "writing cursors: " + done.error().message + " " + done.error().detail);
  unsaved.insert(names.begin(), names.end());
  if (!closing) co_await parts.clock.sleep_for(std::chrono::seconds(1));  // what is not written is only delivered again
}

core::Task<core::Result<>> Bus::Impl::write(std::function<core::Result<>()> work) {
  co_await lock();
  core::Result<> done;
  if (parts.pool != nullptr) {
    done = co_await core::blocking(*parts.pool, std::move(work));
  } else {
    done = work();
  }
  unlock();
  co_return done;
}

core::Task<core::Result<>> Bus::Impl::remember(std::shared_ptr<Consumer> consumer) {
  if (!consumer->subscription().durable) co_return core::Result<>{};
  co_await lock();
  consumer->take_change();
  auto work = [store = store.get(), remembered = consumer->remember()] { return store->put(remembered); };
  core::Result<> done;
  if (parts.pool != nullptr) {
    done = co_await core::blocking(*parts.pool, std::move(work));
  } else {
    done = work();
  }
  unlock();
  if (!done) unsaved.insert(consumer->name());
  co_return done;
}

// One write at a time, of a state taken when its turn came: an older state never overtakes a newer one.
core::Task<> Bus::Impl::lock() {
  while (writing) co_await written.wait(written.rung());
  writing = true;
}

void Bus::Impl::unlock() {
  writing = false;
  written.ring();
}

// --- The index of causes follows at leisure; who asks waits for it.

core::Task<> Bus::Impl::keep_index() {
  while (true) {
    const auto rung = moved.rung();
    auto more = co_await index_some();
    if (!more)
      core::diagnose(core::Level::error, "bus", "indexing causes: " + more.error().message + " " + more.error().detail);
    if (more && *more) continue;
    co_await moved.wait(rung);
    co_await parts.clock.sleep_for(index_pause);
  }
}

core::Task<core::Result<bool>> Bus::Impl::index_some() {
  if (parts.pool == nullptr) co_return causes->catch_up_some();
  auto work = [index = causes.get()] { return index->catch_up_some(); };
  co_return co_await core::blocking(*parts.pool, std::move(work));
}

core::Task<core::Result<Chain>> Bus::why(std::string id) {
  auto* index = impl_->causes.get();
  if (impl_->parts.pool == nullptr) co_return index->why(id);
  auto work = [index, id] { return index->why(id); };
  co_return co_await core::blocking(*impl_->parts.pool, std::move(work));
}

core::Task<core::Result<log::Stored>> Bus::find(std::string id) {
  auto* index = impl_->causes.get();
  if (impl_->parts.pool == nullptr) co_return index->find(id);
  auto work = [index, id] { return index->find(id); };
  co_return co_await core::blocking(*impl_->parts.pool, std::move(work));
}

}  // namespace headrace::bus
