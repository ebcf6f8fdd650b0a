#include "services/identity/throttle.h"

namespace headrace::identity {

std::chrono::seconds Throttle::failed(std::string_view peer) {
  forget_old();
  std::string name(peer);
  auto found = by_peer_.find(name);
  if (found == by_peer_.end()) {
    windows_.push_back({name, clock_.steady(), 0});
    found = by_peer_.emplace(std::move(name), std::prev(windows_.end())).first;
  }
  auto& window = *found->second;
  if (window.failures < failures_max_) {
    ++window.failures;
    return std::chrono::seconds(0);
  }
  return std::chrono::ceil<std::chrono::seconds>(window.began + window_ - clock_.steady());
}

void Throttle::forget_old() {
  while (!windows_.empty() && (windows_.front().began + window_ <= clock_.steady() || windows_.size() >= peers_max)) {
    by_peer_.erase(windows_.front().peer);
    windows_.pop_front();
  }
}

}  // namespace headrace::identity
