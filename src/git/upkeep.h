// What keeps a repository quick to read: few packs, one of them with a bitmap (so that a full fetch costs no walk
// through history), few loose files. Decided here from what lies in its folder; done by git, see Server::maintain.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace headrace::git {

struct PackState {
  size_t packs = 0;
  uint64_t bytes = 0;         // of all packs
  uint64_t mapped_bytes = 0;  // of packs with a bitmap
  size_t loose = 0;           // objects in files of their own, estimated from one folder of 256, as git does
  size_t loose_refs = 0;      // counted up to loose_refs_max
  bool operator==(const PackState&) const = default;
};

enum class Upkeep {
  nothing,
  fold,   // small packs and loose objects into one, large ones untouched: git repack --geometric
  whole,  // all into one pack with a bitmap; costs as much as the repository is large
};

inline constexpr size_t packs_max = 24;
inline constexpr size_t loose_max = 1024;
inline constexpr size_t loose_refs_max = 256;
inline constexpr uint64_t unmapped_bytes_min = uint64_t{256} << 10;  // below, a bitmap saves nothing

// Whole, where what lies outside the bitmap is more than half of what lies inside: so all that is ever written this way
// is a small multiple of what was pushed.
Upkeep upkeep_due(const PackState& state);
core::Result<PackState> look_at_packs(const std::string& path);  // blocks

}  // namespace headrace::git
