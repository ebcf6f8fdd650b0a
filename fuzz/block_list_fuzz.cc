// rooms: artifact
// The list of blocks that a client puts, as XML.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/result.h"
#include "services/artifact/block_list.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace;
  auto list = artifact::parse_block_list({reinterpret_cast<const char*>(data), size});
  if (!list) return 0;
  core::require(list->size() <= artifact::blocks_max, "no more blocks than a blob may have");
  for (const auto& id : *list) core::require(artifact::is_block_id(id), "each is the id of a block");
  return 0;
}
