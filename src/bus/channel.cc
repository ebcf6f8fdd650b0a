#include "bus/channel.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <unordered_map>

#include "bus/bell.h"

namespace headrace::bus {

namespace {

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

}  // namespace

struct Listener::Impl {
  Impl(core::Executor executor, core::Clock& on, ListenOptions how)
      : clock(on), options(how), arrived(executor), taken(std::move(executor)) {}

  bool full(size_t bytes) const {
    return queue.size() >= options.queue_max || (!queue.empty() && queued_bytes + bytes > options.queue_bytes_max);
  }
  void drop_oldest() {
    queued_bytes -= queue.front()->size();
    queue.pop_front();
    ++missed;
  }
  uint64_t push(const Payload& payload) {
    const uint64_t before = missed;
    while (full(payload->size())) drop_oldest();
    queued_bytes += payload->size();
    queue.push_back(payload);
    if (queue.size() == 1) arrived.ring();
    return missed - before;
  }
  bool holds_up(size_t bytes) const { return options.when_full == WhenFull::wait && !overtaken && full(bytes); }

  core::Clock& clock;
  ListenOptions options;
  std::deque<Payload> queue;
  size_t queued_bytes = 0;
  uint64_t missed = 0;
  bool overtaken = false;  // held the publisher up for too long: loses until there is room again
  Bell arrived;
  Bell taken;
  std::function<void()> leave;
};

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() { impl_->leave(); }

core::Task<Listener::Heard> Listener::next(size_t max, core::Duration limit) {
  auto impl = impl_;
  if (impl->queue.empty()) co_await impl->arrived.wait_for(impl->arrived.rung(), impl->clock, limit);
  Heard heard;
  heard.missed = std::exchange(impl->missed, 0);
  while (!impl->queue.empty() && heard.payloads.size() < max) {
    impl->queued_bytes -= impl->queue.front()->size();
    heard.payloads.push_back(std::move(impl->queue.front()));
    impl->queue.pop_front();
  }
  if (!heard.payloads.empty()) {
    impl->overtaken = false;
    impl->taken.ring();
  }
  co_return heard;
}

struct Channels::Impl {
  Impl(core::Executor on, core::Clock& by) : executor(std::move(on)), clock(by) {}

  using Listeners = std::vector<std::shared_ptr<Listener::Impl>>;

  // Who keeps a publisher waiting, if anybody.
  std::shared_ptr<Listener::Impl> in_the_way(std::string_view topic, size_t bytes) const {
    auto place = topics.find(topic);
    if (place == topics.end()) return nullptr;
    auto slow =
        std::ranges::find_if(place->second, [bytes](const auto& listener) { return listener->holds_up(bytes); });
    return slow == place->second.end() ? nullptr : *slow;
  }

  void push(std::string_view topic, const Payload& payload) {
    ++published;
    auto place = topics.find(topic);
    if (place == topics.end()) return;
    for (const auto& listener : place->second) dropped += listener->push(payload);
  }

  void leave(const std::string& topic, const Listener::Impl* listener) {
    auto place = topics.find(topic);
    if (place == topics.end()) return;
    std::erase_if(place->second, [listener](const auto& other) { return other.get() == listener; });
    if (place->second.empty()) topics.erase(place);
  }

  core::Executor executor;
  core::Clock& clock;
  std::unordered_map<std::string, Listeners, Hash, std::equal_to<>> topics;
  uint64_t published = 0, dropped = 0;
};

Channels::Channels(core::Executor executor, core::Clock& clock)
    : impl_(std::make_shared<Impl>(std::move(executor), clock)) {}
Channels::~Channels() = default;

std::unique_ptr<Listener> Channels::listen(std::string_view topic, ListenOptions options) {
  options.queue_max = std::max<size_t>(options.queue_max, 1);
  auto listener = std::make_shared<Listener::Impl>(impl_->executor, impl_->clock, options);
  listener->leave = [weak = std::weak_ptr(impl_), name = std::string(topic), self = listener.get()] {
    self->overtaken = true;  // nobody waits for one who has left
    self->taken.ring();
    if (auto channels = weak.lock()) channels->leave(name, self);
  };
  impl_->topics[std::string(topic)].push_back(listener);
  return std::make_unique<Listener>(std::move(listener));
}

core::Task<> Channels::publish(std::string topic, Payload payload) {
  auto impl = impl_;
  const auto until = impl->clock.steady() + channel_patience;
  while (auto slow = impl->in_the_way(topic, payload->size())) {
    const core::Duration left = until - impl->clock.steady();
    if (left <= core::Duration::zero()) {
      slow->overtaken = true;
    } else {
      co_await slow->taken.wait_for(slow->taken.rung(), impl->clock, left);
    }
  }
  impl->push(topic, payload);
}

bool Channels::offer(std::string_view topic, Payload payload) {
  if (impl_->in_the_way(topic, payload->size())) return false;
  impl_->push(topic, payload);
  return true;
}

bool Channels::heard(std::string_view topic) const { return impl_->topics.contains(topic); }

Channels::Measures Channels::measures() const {
  Measures measures{
      .topics = impl_->topics.size(), .listeners = 0, .published = impl_->published, .dropped = impl_->dropped};
  for (const auto& [topic, listeners] : impl_->topics) measures.listeners += listeners.size();
  return measures;
}

}  // namespace headrace::bus
