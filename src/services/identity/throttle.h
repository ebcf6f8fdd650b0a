// Throttle counts the failures of each peer in a window of time, and says when it has had enough of one. In memory,
// bounded: beyond peers_max the one whose window began first is forgotten. Loop only.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.h"

namespace headrace::identity {

inline constexpr size_t peers_max = 10'000;

class Throttle {
 public:
  // `clock` outlives it.
  Throttle(const core::Clock& clock, size_t failures_max, std::chrono::seconds window)
      : clock_(clock), failures_max_(failures_max), window_(window) {}

  // Counts one failure. How long the peer is to wait where it was one too many; zero else.
  std::chrono::seconds failed(std::string_view peer);
  size_t peers() const { return by_peer_.size(); }

 private:
  struct Window {
    std::string peer;
    core::Steady began;
    size_t failures = 0;
  };
  void forget_old();

  const core::Clock& clock_;
  size_t failures_max_;
  std::chrono::seconds window_;
  std::list<Window> windows_;  // in the order in which they began
  std::unordered_map<std::string, std::list<Window>::iterator> by_peer_;
};

}  // namespace headrace::identity
