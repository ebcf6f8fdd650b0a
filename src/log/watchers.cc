#include "log/watchers.h"

namespace headrace::log {

EventLog::Watch Watchers::add(std::function<void(Offset)> heard) {
  std::lock_guard lock(list_->mutex);
  auto place = list_->heard.insert(list_->heard.end(), std::move(heard));
  auto leave = [list = list_, place](void*) {
    std::lock_guard held(list->mutex);
    if (list->telling) {
      *place = nullptr;
    } else {
      list->heard.erase(place);
    }
  };
  return {list_.get(), leave};
}

void Watchers::tell(Offset durable) {
  std::lock_guard lock(list_->mutex);
  list_->telling = true;
  for (auto& heard : list_->heard) {
    auto held = heard;  // it may leave while it is told
    if (held) held(durable);
  }
  list_->telling = false;
  list_->heard.remove_if([](const auto& heard) { return !heard; });
}

}  // namespace headrace::log
