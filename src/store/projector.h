// The projection thread: hears the log, applies what is new to every live file, and between that rebuilds files that
// are missing, damaged or of an older version. A second one moves write-ahead logs into their files, so that no event
// waits for a sync. Store is their face.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/result.h"
#include "log/event_log.h"
#include "store/projection.h"
#include "store/projection_file.h"
#include "store/readers.h"
#include "store/store.h"

namespace headrace::store {

// One projection. What is not said to be for any thread belongs to the projection thread, and to start() before it.
class Line {
 public:
  Line(std::unique_ptr<Projection> projection, const std::string& directory, const Store::Limits& limits);

  // Any thread.
  const std::string name;
  const int version;
  std::atomic<Offset> applied{0};
  std::atomic<Offset> rebuilt{0};
  std::atomic<int> interest{0};  // who waits for `applied` to move
  std::atomic<bool> rebuild_wanted{false};
  const std::shared_ptr<Readers> readers;  // shared with reads that run on the pool
  Status::Phase phase() const;
  std::optional<core::Error> why() const;
  bool keeps_up(Offset tail) const;  // at the tail, or behind it for no longer than a moment
  Projection& projection() { return *projection_; }

  // Checkpoint thread.
  std::atomic<bool> checkpoint_wanted{false};
  void checkpoint();

  // Projection thread.
  core::Result<> open(log::EventLog& log);
  bool live_now() const;  // has a file that wants events, and is not waiting after a failure
  Offset live_offset() const { return file_->applied(); }
  void apply(std::span<const log::Stored> events);  // of the live file
  void nothing_until(Offset tail);
  void mark_behind(Offset tail);
  bool rebuilding_now() const;
  bool rebuild_slice(log::EventLog& log, Offset tail);  // true: something was done
  std::optional<std::chrono::steady_clock::time_point> retry_at() const;
  void close();

 private:
  core::Result<> begin_rebuild();
  void rebuild_failed(core::Error error);
  core::Result<> swap(log::EventLog& log);
  void report(const core::Error& error) const;
  void hold(core::Error error);  // stops, or pauses where trying again can help
  void resume();
  void set(Status::Phase phase, std::optional<core::Error> why);

  const std::unique_ptr<Projection> projection_;
  const std::string path_, rebuild_path_;
  const size_t slice_;
  const std::chrono::milliseconds retry_pause_;
  std::unique_ptr<ProjectionFile> file_, scratch_;
  bool stopped_ = false;
  std::optional<std::chrono::steady_clock::time_point> retry_at_, rebuild_retry_at_;

  std::mutex exchange_;                   // the file keeps its place while it is held
  std::atomic<int64_t> behind_since_{0};  // steady nanoseconds; 0: at the tail when last looked
  mutable std::mutex mutex_;              // guards the next two
  Status::Phase phase_ = Status::Phase::live;
  std::optional<core::Error> why_;
};

class Projector {
 public:
  // `moved` is called on the projection thread when a line has moved that somebody waits for, or stopped.
  Projector(log::EventLog& log, std::string directory, Store::Limits limits, std::function<void()> moved);
  ~Projector();

  void add(std::unique_ptr<Projection> projection);
  core::Result<> start();
  void stop();
  void wake();

  Line* find(std::string_view name) const;
  const std::vector<std::unique_ptr<Line>>& lines() const { return lines_; }
  std::optional<core::Error> log_error() const;  // why nothing can be read from the log, if so

 private:
  void run();
  bool round();
  bool live_round(Offset tail);
  void note_types();
  bool rebuild_round(Offset tail);
  void checkpoints();
  void ask_for_checkpoint();
  void deliver(std::span<const log::Stored> events, Offset tail);
  void rest();

  log::EventLog& log_;
  const std::string directory_;
  const Store::Limits limits_;
  const std::function<void()> moved_;
  std::vector<std::unique_ptr<Line>> lines_;
  std::optional<std::vector<std::string>> types_;  // that any of them hears; nothing: all
  log::EventLog::Watch watch_;
  mutable std::mutex mutex_;  // guards the next four
  bool heard_ = false;
  bool checkpoint_asked_ = false;
  bool stopping_ = false;
  std::optional<core::Error> log_error_;
  std::condition_variable changed_, checkpoint_changed_;
  std::thread thread_, checkpoint_thread_;
};

}  // namespace headrace::store
