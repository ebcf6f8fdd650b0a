// Reading a segment to the last byte to say what is in it and whether it is whole.
#pragma once

#include <string>
#include <vector>

#include "core/disk.h"
#include "log/segment_log.h"

namespace headrace::log {

struct SegmentCheck {
  uint64_t batches = 0, events = 0, bytes = 0;
  Offset first = 0, last = 0;
  uint64_t first_batch = 0, next_batch = 0;
  bool closed = false;
  bool sealed = false;
  uint64_t end = 0;      // behind the last whole batch
  uint64_t written = 0;  // behind the last byte that is not zero
  std::vector<Place> bad;
};
core::Result<SegmentCheck> check_segment(core::Disk& disk, const std::string& directory, Offset first);
core::Result<VerifyReport> verify_folder(core::Disk& disk, const std::string& directory);  // who asks has the lock

}  // namespace headrace::log
