// Topic is fan-out within the process: publish calls every handler, on the publisher's thread, in the order they
// subscribed. No log, no queue, no lock while nobody comes or goes: a snapshot of the handlers is replaced on write and
// cached by each thread.
//
//   bus::Topic<Reading> readings;
//   auto sub = readings.subscribe([](const Reading& r) { ... });   // until `sub` is destroyed
//   readings.publish(Reading{...});
//
// Any thread, also within a handler. A publish that is under way on another thread may still call a handler that has
// just left; what a handler captured may live on in threads' snapshots until those publish again or end. An exception
// of a handler reaches the publisher; handlers after it are not called.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace headrace::bus {

// Ends what it stands for when destroyed. Empty when default-made or moved from.
class [[nodiscard]] Held {
 public:
  Held() = default;
  explicit Held(std::move_only_function<void()> leave) : leave_(std::move(leave)) {}
  Held(Held&& other) noexcept : leave_(std::exchange(other.leave_, nullptr)) {}
  Held& operator=(Held&& other) noexcept {
    if (this != &other) {
      leave();
      leave_ = std::exchange(other.leave_, nullptr);
    }
    return *this;
  }
  ~Held() { leave(); }
  void leave() {
    if (auto last = std::exchange(leave_, nullptr)) last();
  }

 private:
  std::move_only_function<void()> leave_;
};

template <class... Args>
class Topic {
 public:
  using Handler = std::function<void(const Args&...)>;

  Topic() : state_(std::make_shared<State>()) {}
  Topic(const Topic&) = delete;
  Topic& operator=(const Topic&) = delete;

  Held subscribe(Handler handler);
  void publish(const Args&... args) const;
  size_t handlers() const;

 private:
  // Apart, so that publishing walks over the handlers alone.
  struct Snapshot {
    std::vector<Handler> handlers;
    std::vector<uint64_t> numbers;  // of the handlers, ascending
  };
  struct State {
    std::mutex mutex;
    uint64_t next_number = 1;                                                 // of mutex
    std::shared_ptr<const Snapshot> snapshot = std::make_shared<Snapshot>();  // of mutex
    const uint64_t id = next_topic_id();
    std::atomic<uint64_t> version{1};
  };
  // What one thread remembers of a topic. While it is being called through, `busy` keeps its snapshot from being
  // replaced.
  struct Cached {
    uint64_t topic = 0;
    uint64_t version = 0;
    uint32_t busy = 0;
    std::shared_ptr<const Snapshot> snapshot;
  };
  static constexpr size_t cached_topics = 32;  // a thread and type; more of them share places, and are only slower

  static uint64_t next_topic_id() {
    static std::atomic<uint64_t> next{1};
    return next.fetch_add(1, std::memory_order_relaxed);
  }
  static Cached& place_of(uint64_t topic) {
    thread_local std::array<Cached, cached_topics> places;
    return places[topic % cached_topics];
  }
  static void call(const Snapshot& snapshot, const Args&... args) {
    for (const Handler& handler : snapshot.handlers) handler(args...);
  }
  void publish_afresh(Cached& place, const Args&... args) const;

  std::shared_ptr<State> state_;  // shared with the Held of each subscriber, which may be left after the topic is gone
};

template <class... Args>
void Topic<Args...>::publish(const Args&... args) const {
  Cached& place = place_of(state_->id);
  if (place.topic != state_->id || place.version != state_->version.load(std::memory_order_acquire)) [[unlikely]]
    return publish_afresh(place, args...);
  struct Busy {
    uint32_t& count;
    ~Busy() { --count; }
  } busy{++place.busy};
  call(*place.snapshot, args...);
}

template <class... Args>
void Topic<Args...>::publish_afresh(Cached& place, const Args&... args) const {
  std::shared_ptr<const Snapshot> snapshot;
  uint64_t version = 0;
  {
    std::lock_guard lock(state_->mutex);
    snapshot = state_->snapshot;
    version = state_->version.load(std::memory_order_relaxed);
  }
  if (place.busy == 0) {
    place.topic = state_->id;
    place.version = version;
    place.snapshot = snapshot;
  }
  call(*snapshot, args...);
}

template <class... Args>
Held Topic<Args...>::subscribe(Handler handler) {
  std::lock_guard lock(state_->mutex);
  const uint64_t number = state_->next_number++;
  auto changed = std::make_shared<Snapshot>(*state_->snapshot);
  changed->handlers.push_back(std::move(handler));
  changed->numbers.push_back(number);
  state_->snapshot = std::move(changed);
  state_->version.fetch_add(1, std::memory_order_release);
  return Held([state = state_, number] {
    std::lock_guard leaving(state->mutex);
    auto rest = std::make_shared<Snapshot>(*state->snapshot);
    auto place = std::ranges::lower_bound(rest->numbers, number) - rest->numbers.begin();
    rest->numbers.erase(rest->numbers.begin() + place);
    rest->handlers.erase(rest->handlers.begin() + place);
    state->snapshot = std::move(rest);
    state->version.fetch_add(1, std::memory_order_release);
  });
}

template <class... Args>
size_t Topic<Args...>::handlers() const {
  std::lock_guard lock(state_->mutex);
  return state_->snapshot->handlers.size();
}

}  // namespace headrace::bus
