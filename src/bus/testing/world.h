// A bus in a world of its own: simulated clock, seeded chance, a log in memory. Time passes by advance() alone.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bus/bus.h"
#include "bus/testing/memory_log.h"
#include "core/testing/simulated_clock.h"

namespace headrace::bus::testing {

// What survives a crash of the process: the log and the file of cursors. A folder of its own, removed at the end.
class Disk {
 public:
  Disk();
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  std::string database() const { return (folder_ / "bus.db").string(); }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

events::Event event(std::string type, std::string key = {}, std::string id = {});

class World {
 public:
  explicit World(std::string database = ":memory:", Options options = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Bus& bus() { return *bus_; }
  MemoryLog& log() { return *log_; }
  core::testing::SimulatedClock& clock() { return *clock_; }
  core::Loop& loop() { return *loop_; }

  void start() {
    bus_->start();
    settle();
  }
  void settle();  // everything that can happen without time passing has happened
  void advance(core::Duration duration) {
    clock_->advance(duration);
    settle();
  }
  void restart();  // as after SIGTERM: close, then a new bus on the same log and file
  void crash();    // as after kill -9: a new bus on the same log and file, and nothing was closed
  void stop_cleanly();
  void open();

  Offset say(events::Event event);  // published and durable; not yet delivered
  Offset say(std::string type, std::string key = {}) { return say(event(std::move(type), std::move(key))); }
  // Runs a task of the bus to its end; time passes where it waits, at most `limit`.
  template <class T>
  T run(core::Task<T> task, core::Duration limit = std::chrono::minutes(1));
  std::vector<log::Stored> said(std::string_view type) const;  // on the log, of this type

 private:
  void end();

  std::string database_;
  Options options_;
  std::unique_ptr<core::Loop> loop_;
  std::unique_ptr<core::testing::SimulatedClock> clock_;
  std::unique_ptr<core::SeededRandom> random_;
  std::unique_ptr<core::IdSource> ids_;
  std::unique_ptr<core::testing::SimulatedClock> log_clock_;
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<Bus> bus_;
};

template <class T>
core::Task<> keep_result(core::Task<T> task, std::shared_ptr<std::optional<T>> into) {
  into->emplace(co_await std::move(task));
}
core::Task<> keep_end(core::Task<> task, std::shared_ptr<bool> ended);

template <class T>
T World::run(core::Task<T> task, core::Duration limit) {
  constexpr core::Duration step = std::chrono::milliseconds(10);
  if constexpr (std::is_void_v<T>) {
    auto ended = std::make_shared<bool>(false);
    loop_->spawn(keep_end(std::move(task), ended));
    settle();
    for (core::Duration waited{}; !*ended && waited < limit; waited += step) advance(step);
    core::require(*ended, "the task ended within its limit");
  } else {
    auto value = std::make_shared<std::optional<T>>();
    loop_->spawn(keep_result(std::move(task), value));
    settle();
    for (core::Duration waited{}; !*value && waited < limit; waited += step) advance(step);
    core::require(value->has_value(), "the task ended within its limit");
    return std::move(**value);
  }
}

}  // namespace headrace::bus::testing
