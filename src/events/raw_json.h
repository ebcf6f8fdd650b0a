// Pieces of JSON text as they stand, for what must come back byte by byte: numbers keep their digits, objects their
// order. All but is_json_text() ask for text that is JSON already.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace headrace::events {

bool is_json_text(std::string_view text);  // one value, UTF-8, at most 64 levels, nothing after it

// Value by name at the top level of an object; of repeated names the last; empty where there is none.
std::string_view raw_member(std::string_view object, std::string_view name);

std::vector<std::string_view> raw_elements(std::string_view array);

}  // namespace headrace::events
