#include "git/upkeep.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/disk.h"

namespace headrace::git {
namespace {

namespace fs = std::filesystem;
using core::Result;

constexpr size_t fan_out = 256;

struct Pack {
  uint64_t bytes = 0;
  bool mapped = false;
};

size_t count_files(const std::string& folder, size_t max) {
  size_t count = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end && count < max; it.increment(error))
    if (it->is_regular_file(error)) ++count;
  return count;
}

}  // namespace

Upkeep upkeep_due(const PackState& state) {
  const uint64_t outside = state.bytes - state.mapped_bytes;
  if (outside >= unmapped_bytes_min && outside > state.mapped_bytes / 2) return Upkeep::whole;
  return state.packs >= packs_max || state.loose >= loose_max ? Upkeep::fold : Upkeep::nothing;
}

Result<PackState> look_at_packs(const std::string& path) {
  std::map<std::string, Pack> packs;
  std::error_code error;
  for (fs::directory_iterator it(path + "/objects/pack", error), end; !error && it != end; it.increment(error)) {
    const auto& file = it->path();
    std::error_code gone;  // another process may remove what is listed here
    if (file.extension() == ".pack") {
      const auto size = fs::file_size(file, gone);
      packs[file.stem()].bytes = gone ? 0 : size;
    }
    if (file.extension() == ".bitmap") packs[file.stem()].mapped = true;
  }
  if (error) return std::unexpected(core::error_of_errno(error.value(), "looking at packs", path));
  PackState state;
  for (const auto& [name, pack] : packs) {
    if (pack.bytes == 0) continue;
    ++state.packs;
    state.bytes += pack.bytes;
    if (pack.mapped) state.mapped_bytes += pack.bytes;
  }
  state.loose = count_files(path + "/objects/17", loose_max) * fan_out;
  state.loose_refs = count_files(path + "/refs", loose_refs_max);
  return state;
}

}  // namespace headrace::git
