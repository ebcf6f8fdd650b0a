#include "log/queue.h"

#include <fmt/format.h>

namespace headrace::log {

void Queue::push(Submission submission) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    if (bytes_ + submission.bytes() > bytes_max_ && !submission.refused && !submission.seal) {
      auto full = core::fail(core::Code::exhausted,
                             fmt::format("More than {} KiB wait to be written to the event log; try again "
                                         "in a moment.",
                                         bytes_max_ / 1024));
      submission.refused = full.error();
    }
    if (submission.refused) {
      submission.items = {};
      submission.events = {};
    }
    bytes_ += submission.bytes();
    first = waiting_.empty();
    waiting_.push_back(std::move(submission));
  }
  if (first) arrived_.notify_one();
}

std::vector<Submission> Queue::take(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  auto something = [&] { return stopped_ || !waiting_.empty(); };
  if (patience.count() == 0) {
    arrived_.wait(lock, something);
  } else {
    arrived_.wait_for(lock, patience, something);
  }
  return std::exchange(waiting_, {});
}

void Queue::settled(size_t bytes) {
  std::lock_guard lock(mutex_);
  bytes_ -= bytes;
}

void Queue::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  arrived_.notify_all();
}

bool Queue::stopped() const {
  std::lock_guard lock(mutex_);
  return stopped_ && waiting_.empty();
}

size_t Queue::pending_bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace headrace::log
