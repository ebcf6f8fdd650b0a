// What producers hand to the log's thread: a double buffer under a short lock, bounded by the bytes in it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "log/submission.h"

namespace headrace::log {

class Queue {
 public:
  explicit Queue(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Any thread. What does not fit, or comes refused, is passed on to be answered, without its events.
  void push(Submission submission);
  // All that is there, once there is something; nothing when `patience` passed (0: no end), or stop() was called and
  // nothing is left. `stopped` tells which.
  std::vector<Submission> take(std::chrono::milliseconds patience);
  void settled(size_t bytes);  // so much of what was taken is answered
  void stop();
  bool stopped() const;
  size_t pending_bytes() const;

 private:
  const size_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Submission> waiting_;
  size_t bytes_ = 0;
  bool stopped_ = false;
};

}  // namespace headrace::log
