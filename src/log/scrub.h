// Re-reading closed segments against their sums, so that decay of the disk is found before it is needed.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "core/disk.h"
#include "log/event_log.h"

namespace headrace::log {

class Scrubber {
 public:
  Scrubber(core::Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  // Goes on behind the segment it did last, round and round; at most `segments_max` of `closed`. Corrupt, with the
  // place, at the first damage. Any thread.
  core::Result<> run(const std::vector<Offset>& closed, size_t segments_max, const std::atomic<bool>& cancelled);

 private:
  core::Disk& disk_;
  std::string directory_;
  std::mutex mutex_;
  Offset done_ = 0;
};

}  // namespace headrace::log
