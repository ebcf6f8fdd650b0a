#include "log/housekeeper.h"

#include <utility>

namespace headrace::log {

void Housekeeper::start(std::chrono::milliseconds pause, std::function<void()> when_idle) {
  if (own_thread_) thread_ = std::thread([this, pause, idle = std::move(when_idle)] { run(pause, idle); });
}

void Housekeeper::post(Job job) {
  std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

void Housekeeper::run_posted() {
  if (own_thread_) return;
  while (!jobs_.empty()) {
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
  }
}

void Housekeeper::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  run_posted();
}

void Housekeeper::run(std::chrono::milliseconds pause, const std::function<void()>& when_idle) {
  std::unique_lock lock(mutex_);
  for (;;) {
    auto something = [&] { return stopping_ || !jobs_.empty(); };
    bool idle = false;
    if (pause.count() == 0) {
      changed_.wait(lock, something);
    } else {
      idle = !changed_.wait_for(lock, pause, something);
    }
    if (jobs_.empty() && stopping_) return;
    Job job = idle ? Job(when_idle) : std::move(jobs_.front());
    if (!idle) jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace headrace::log
