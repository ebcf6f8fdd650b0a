// The body of "Put Block List" (Azure Blob Storage REST API), by which a client names the blocks that make a blob:
//
//   <?xml version="1.0" encoding="utf-8"?>
//   <BlockList><Latest>base64 of an id</Latest><Committed>...</Committed><Uncommitted>...</Uncommitted></BlockList>
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::artifact {

inline constexpr size_t blocks_max = 50'000;                     // Azure's
inline constexpr size_t block_id_bytes_max = 88;                 // base64 of at most 64 bytes
inline constexpr size_t block_list_bytes_max = size_t{8} << 20;  // of the XML

// The ids as written, in order; which of the three an element is makes no difference here, where what was put last
// counts. invalid: what is wrong, with its line.
core::Result<std::vector<std::string>> parse_block_list(std::string_view xml);
// Base64 of 1 to 64 bytes.
bool is_block_id(std::string_view id);

}  // namespace headrace::artifact
