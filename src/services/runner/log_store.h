// LogStore keeps the logs of jobs as files, one a job and attempt: DATA/logs/<last two of job>/<job>-<attempt>.log.
//
// A line is "2026-11-23T07:16:00.123456Z <step> <text>\n", step 0 being the job itself (docs/job-log.md). Whoever
// watches reads the file and waits for it to grow: no log is ever whole in memory, however long it is or many watch it.
//
// Loop only, but read() which is for any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "core/disk.h"
#include "core/result.h"
#include "core/task.h"

namespace headrace::runner {

struct LogName {
  std::string job;  // UUID
  int64_t attempt = 1;
  auto operator<=>(const LogName&) const = default;
};

class LogStore {
 public:
  LogStore(core::Executor executor, core::Disk& disk, std::string directory);  // disk outlives this
  ~LogStore();

  // How much is there of a log that grows, or will; opens it for writing.
  core::Result<uint64_t> open(const LogName& name);
  // Puts bytes at `offset`, which may lie within what is there (they came before: nothing is doubled) but not beyond it
  // (conflict: something is missing). Returns the size then. exhausted: the disk is full, nothing changed.
  core::Result<uint64_t> write(const LogName& name, uint64_t offset, std::string_view bytes);
  // It will not grow any more. Twice is once.
  void close(const LogName& name);
  core::Result<> sync(const LogName& name);  // its bytes and its name are durable then. Blocks
  // The same for another thread; it may outlive this, but not the disk.
  std::function<core::Result<>()> syncing(const LogName& name) const;

  // Up to `max` bytes from `offset`; empty at the end and where there is no such log. Any thread.
  core::Result<std::string> read(const LogName& name, uint64_t offset, size_t max) const;
  core::Result<uint64_t> size(const LogName& name) const;  // 0 where there is none. Loop only
  bool growing(const LogName& name) const;
  // Returns when the log is longer than `size`, or has been closed, or `limit` has passed.
  core::Task<> until_beyond(LogName name, uint64_t size, std::chrono::milliseconds limit);

  std::string path_of(const LogName& name) const;

 private:
  struct Growing;
  struct Durable {  // folders whose names are
    std::mutex mutex;
    std::set<std::string> folders;  // at most 256 where jobs are named by UUIDs
  };
  static core::Result<> sync_file(core::Disk& disk, const std::string& directory, const std::string& path,
                                  Durable& durable);
  core::Executor executor_;
  core::Disk& disk_;
  std::string directory_;
  std::shared_ptr<Durable> durable_ = std::make_shared<Durable>();  // shared with syncs at work
  std::map<LogName, std::shared_ptr<Growing>> growing_;             // shared with those who wait for it
};

}  // namespace headrace::runner
