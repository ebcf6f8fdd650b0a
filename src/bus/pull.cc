// The two ways edges get events: Feed, which remembers nothing, and Pull, a connection to a durable subscription.
#include <algorithm>

#include "bus/consumer.h"
#include "bus/feed.h"
#include "bus/reader.h"

namespace headrace::bus {

// --- Feed

Feed::Feed(std::unique_ptr<Reader> reader, core::Clock& clock) : reader_(std::move(reader)), clock_(clock) {}
Feed::~Feed() = default;

namespace {

core::Task<> until_ready(Reader& reader, core::Result<>& result) { result = co_await reader.ready(); }

}  // namespace

core::Task<core::Result<std::vector<Shared>>> Feed::next(size_t max, Duration limit) {
  if (auto waiting = reader_->take(max); !waiting.empty()) co_return waiting;
  core::Result<> ready;
  co_await within(until_ready(*reader_, ready), clock_, limit);
  if (!ready) co_return std::unexpected(ready.error());
  co_return reader_->take(max);
}

Offset Feed::position() const { return reader_->position(); }
size_t Feed::queued() const { return reader_->queued(); }

// --- Pull

Pull::Pull(std::shared_ptr<Consumer> consumer, size_t credit) : impl_(std::make_shared<Impl>()) {
  impl_->consumer = std::move(consumer);
  impl_->credit = std::clamp<size_t>(credit, 1, pull_credit_max);
  impl_->consumer->attach(impl_);
}

Pull::~Pull() { impl_->consumer->detach(*impl_); }

core::Task<core::Result<std::vector<Handed>>> Pull::next(size_t max, Duration limit) {
  auto impl = impl_;
  auto consumer = impl->consumer;
  const auto until = consumer->clock().steady() + limit;
  while (true) {
    if (consumer->stopped())
      co_return core::fail(core::Code::not_found, "The subscription '" + consumer->name() + "' has ended.");
    const auto rung = consumer->available().rung();
    auto taken = consumer->take(*impl, max);
    if (!taken.empty()) co_return taken;
    const Duration left = until - consumer->clock().steady();
    if (left <= Duration::zero()) co_return taken;
    co_await consumer->available().wait_for(rung, consumer->clock(), left);
  }
}

core::Result<> Pull::acknowledge(Offset offset) { return impl_->consumer->acknowledge(*impl_, offset); }

core::Result<> Pull::acknowledge_to(Offset offset) {
  while (!impl_->in_hand.empty() && *impl_->in_hand.begin() <= offset)
    if (auto done = acknowledge(*impl_->in_hand.begin()); !done) return done;
  return {};
}

core::Result<> Pull::refuse(Offset offset, std::string why) {
  return impl_->consumer->refuse(*impl_, offset, std::move(why), false);
}

core::Result<> Pull::refuse_for_good(Offset offset, std::string why) {
  return impl_->consumer->refuse(*impl_, offset, std::move(why), true);
}

core::Result<> Pull::extend(Offset offset) { return impl_->consumer->extend(*impl_, offset); }

void Pull::set_credit(size_t credit) {
  impl_->credit = std::clamp<size_t>(credit, 1, pull_credit_max);
  impl_->consumer->credit_changed();
}

size_t Pull::in_hand() const { return impl_->in_hand.size(); }

// --- The consumer's side

namespace {

core::Result<> not_in_hand(Offset offset) {
  return core::fail(core::Code::not_found, "Offset " + std::to_string(offset) +
                                               " is not in this connection's hands: it was acknowledged, or its "
                                               "acknowledgement wait has passed and it is delivered again.");
}

}  // namespace

void Consumer::attach(std::shared_ptr<Pull::Impl> connection) {
  connections_.push_back(std::move(connection));
  credit_changed();
}

void Consumer::credit_changed() {
  room_.ring();
  available_.ring();
}

// What it held goes to another at once, and nobody failed.
void Consumer::detach(Pull::Impl& connection) {
  const bool live = !stopped_ && !stopping_;
  auto held = std::exchange(connection.in_hand, {});
  for (auto offset = held.rbegin(); live && offset != held.rend(); ++offset) back_to_line(*offset);
  std::erase_if(connections_, [&](const auto& other) { return other.get() == &connection; });
  if (live) dispatch();
}

std::vector<Handed> Consumer::take(Pull::Impl& connection, size_t max) {
  std::vector<Handed> taken;
  if (!started_ || paused_ || stopping_) return taken;
  while (!ready_.empty() && taken.size() < max && connection.in_hand.size() < connection.credit) {
    const Offset offset = ready_.front();
    ready_.pop_front();
    Item& item = items_.at(offset);
    if (!load(offset, item)) continue;
    auto work = begin_work(offset, item);
    connection.in_hand.insert(offset);
    taken.push_back({.stored = work->stored, .attempt = work->attempt, .key = work->key});
  }
  if (!taken.empty() && !std::exchange(watching_, true)) tasks_.spawn("ack waits of " + name(), watch_deadlines());
  return taken;
}

core::Result<> Consumer::acknowledge(Pull::Impl& connection, Offset offset) {
  if (stopped_ || connection.in_hand.erase(offset) == 0) return not_in_hand(offset);
  working_.erase(offset);
  done(offset);
  dispatch();
  return {};
}

core::Result<> Consumer::refuse(Pull::Impl& connection, Offset offset, std::string why, bool for_good) {
  if (stopped_ || connection.in_hand.erase(offset) == 0) return not_in_hand(offset);
  working_.erase(offset);
  failed(offset, std::move(why), for_good);
  dispatch();
  return {};
}

core::Result<> Consumer::extend(Pull::Impl& connection, Offset offset) {
  if (stopped_ || !connection.in_hand.contains(offset)) return not_in_hand(offset);
  Delivery(items_.at(offset).work).extend();
  return {};
}

}  // namespace headrace::bus
