// Who wants to hear that more is durable.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "log/event_log.h"

namespace headrace::log {

class Watchers {
 public:
  Watchers() : list_(std::make_shared<List>()) {}

  EventLog::Watch add(std::function<void(Offset)> heard);
  void tell(Offset durable);

 private:
  struct List {
    std::recursive_mutex mutex;                    // a watcher may leave while it is told
    std::list<std::function<void(Offset)>> heard;  // empty: has left, while others are told
    bool telling = false;
  };
  std::shared_ptr<List> list_;  // shared with the handles, which may outlive the log
};

}  // namespace headrace::log
