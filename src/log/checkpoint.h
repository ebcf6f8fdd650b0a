// What recovery learns from the open segment by reading it, up to one of its batches: kept in the file `checkpoint`, so
// that opening a log reads what was appended since and not the whole segment.
//
// It is only ever a shortcut: written without a sync, believed only where its own sum, the segment's epoch and the last
// batch it covers all fit, and what it covers is read again soon after the log was opened. Where it is missing,
// damaged, or of another segment, the segment is read. Bytes: docs/log-format.md, "Checkpoint".
#pragma once

#include <optional>
#include <string>

#include "core/disk.h"
#include "log/id_index.h"
#include "log/index.h"
#include "log/writer.h"

namespace headrace::log {

inline constexpr std::string_view checkpoint_name = "checkpoint";
inline constexpr size_t checkpoint_bytes_max = size_t{64} << 20;  // a larger file is no checkpoint of ours

struct Checkpoint {
  Offset segment = 0;  // its first offset
  uint64_t epoch = 0;  // of its header
  uint64_t end = 0;    // behind the last batch covered
  Tail tail;           // as it was there, without the segment itself
  SegmentIndex index;
  OpenIds ids;
};

std::string encode(const Checkpoint& checkpoint);
std::optional<Checkpoint> decode_checkpoint(ByteView bytes);  // nothing if damaged

core::Result<> write_checkpoint(core::Disk& disk, const std::string& directory, const Checkpoint& checkpoint);
// Nothing where there is none that can be used with this segment.
core::Result<std::optional<Checkpoint>> read_checkpoint(core::Disk& disk, const std::string& directory,
                                                        const SegmentHeader& header, Window& segment);

}  // namespace headrace::log
