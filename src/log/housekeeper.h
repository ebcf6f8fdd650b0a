// The second thread of a log: does what need not be done while somebody waits. Jobs run one after the other, in the
// order they were posted; or on the log's own thread, when it says so.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace headrace::log {

class Housekeeper {
 public:
  using Job = std::move_only_function<void()>;

  explicit Housekeeper(bool own_thread) : own_thread_(own_thread) {}
  ~Housekeeper() { stop(); }
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  // `when_idle` is run after each `pause` without a job; 0: never. Only with a thread of its own.
  void start(std::chrono::milliseconds pause, std::function<void()> when_idle);
  void post(Job job);
  void run_posted();  // here, if there is no thread of its own
  void stop();        // runs what was posted; long jobs watch stopping()
  const std::atomic<bool>& stopping() const { return stopping_; }

 private:
  void run(std::chrono::milliseconds pause, const std::function<void()>& when_idle);

  const bool own_thread_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::thread thread_;
};

}  // namespace headrace::log
