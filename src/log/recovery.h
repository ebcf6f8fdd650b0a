// What a log's folder holds when it is opened: which segments, where appending goes on, whether it may.
//
// Only the last segment is read, and of that only what its checkpoint does not cover. Damage at its end is a torn tail
// and is cut off, unless a later batch is there: then it is corruption, nothing is changed, and what is valid stays
// readable. Indexes and ids that are missing are made again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/disk.h"
#include "core/random.h"
#include "log/catalog.h"
#include "log/id_index.h"
#include "log/scrub.h"
#include "log/segment_log.h"
#include "log/writer.h"

namespace headrace::log {

// The log's own small facts, in the file `meta`.
struct Meta {
  HashKey key{};                        // of the hashes in its runs
  std::optional<PrefillProbe> prefill;  // measured once
};
core::Result<std::optional<Meta>> read_meta(core::Disk& disk, const std::string& directory);
core::Result<> write_meta(core::Disk& disk, const std::string& directory, const Meta& meta);

enum class Access { write, read_only };

struct Recovered {
  Tail tail;
  std::optional<core::Error> stopped;  // corruption: appends are refused
  std::optional<Covered> unread;       // of the open segment, for a checkpoint told what is in it
};

core::Error corruption(const Place& place);  // what is said for good

std::vector<Offset> segments_in(const std::vector<std::string>& names);  // first offsets, sorted

core::Result<Recovered> recover(core::Disk& disk, const std::string& directory, Access access,
                                const SegmentLogOptions& options, Catalog& catalog, IdIndex& ids);

// Every identity in a checked batch into the open segment's ids.
core::Result<> note_ids(const BatchScan::Batch& batch, IdIndex& ids);

}  // namespace headrace::log
