// Channels carry what is too much to be events, by name, to whoever listens right now: log lines, typing, live steps.
// Nothing is kept, nothing is durable. Payloads are shared, never copied, however many listen. Loop only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"

namespace headrace::bus {

using Payload = std::shared_ptr<const std::string>;

enum class WhenFull {
  drop_oldest,  // and count: the listener sees how many it missed
  wait,         // the publisher waits, for at most channel_patience; then as drop_oldest until there is room again
};
inline constexpr std::chrono::seconds channel_patience{5};
inline constexpr size_t channel_queue_max = 1024;                   // payloads a listener
inline constexpr size_t channel_queue_bytes_max = size_t{1} << 20;  // bytes a listener; one larger payload still passes

struct ListenOptions {
  WhenFull when_full = WhenFull::drop_oldest;
  size_t queue_max = channel_queue_max;
  size_t queue_bytes_max = channel_queue_bytes_max;
};

// A listener; leaving is destroying it.
class Listener {
 public:
  struct Impl;
  explicit Listener(std::shared_ptr<Impl> impl);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  struct Heard {
    std::vector<Payload> payloads;  // in order of publishing; none: `limit` passed
    uint64_t missed = 0;            // dropped before the first of these
  };
  core::Task<Heard> next(size_t max, core::Duration limit);

 private:
  std::shared_ptr<Impl> impl_;  // shared with the channel
};

class Channels {
 public:
  Channels(core::Executor executor, core::Clock& clock);  // the clock outlives this
  ~Channels();
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  std::unique_ptr<Listener> listen(std::string_view topic, ListenOptions options = {});
  // Hands the payload to all who listen. Waits only for listeners with WhenFull::wait that are full.
  core::Task<> publish(std::string topic, Payload payload);
  // The same without waiting: false, and nobody got it, if a listener with WhenFull::wait is full.
  bool offer(std::string_view topic, Payload payload);
  bool heard(std::string_view topic) const;  // somebody listens: spares making a payload for nobody

  struct Measures {
    uint64_t topics = 0, listeners = 0, published = 0, dropped = 0;
  };
  Measures measures() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with listeners, which may be left after this
};

}  // namespace headrace::bus
