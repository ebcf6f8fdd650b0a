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

// The bytes of a segment before `end`, and their sum: corrupt where they are not any more what was written, with the
// place. Nothing if `cancelled` turned true meanwhile. Any thread.
struct Covered {
  Offset segment = 0;
  uint64_t end = 0;
  uint32_t sum = 0;
};
core::Result<> check_covered(core::Disk& disk, const std::string& directory, const Covered& covered,
                             const std::atomic<bool>& cancelled);

}  // namespace headrace::log
