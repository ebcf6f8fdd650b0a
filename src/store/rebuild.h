// Rebuilding offline, for `headrace projections rebuild [--verify] --data DIR`: the caller holds DIR's lock (the log
// open).
//
// Each projection is made anew from the log beside its file, up to the same offset. With Verify::yes the two are
// compared and the file stays; otherwise the new one takes its place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "log/event_log.h"
#include "store/projection.h"

namespace headrace::store {

enum class Verify { no, yes };

// The first row, in order of table and key, that is not the same in both.
struct Difference {
  std::string table;  // "job" or "job_history"
  std::string key;    // "id=42"
  std::string what;   // "status is 'done', rebuilt 'queued'", "missing in the rebuilt file", "only in the rebuilt file"
};

struct Rebuilt {
  std::string name;
  int version = 0;
  log::Offset offset = 0;     // both digests are of this moment
  uint64_t events = 0;        // that it heard
  std::string digest;         // of the rebuilt file, SHA-256 in hexadecimal
  std::string digest_before;  // empty: there was no file of this version to compare with
  std::optional<Difference> difference;
};

// `name` empty: all of them, in order. not_found: there is none of that name. A projection that fails ends it, with its
// name, offset and cause. Blocks; no Store may be running on the directory.
core::Result<std::vector<Rebuilt>> rebuild(const std::vector<Projection*>& projections, log::EventLog& log,
                                           const std::string& directory, const std::string& name, Verify verify);

}  // namespace headrace::store
