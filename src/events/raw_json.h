// Pieces of JSON text as they stand, for what must come back byte by byte: numbers keep their digits, objects their
// order. All but is_json_text() ask for text that is JSON already.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headrace::events {

bool is_json_text(std::string_view text);  // one value, UTF-8, at most 64 levels, nothing after it

// Members of an object as they stand, in their order, repeated names too: `name` with its quotes and escapes
// (plain_text reads it). Empty where the text is no object.
struct RawMember {
  std::string_view name;
  std::string_view value;
};
std::vector<RawMember> raw_members(std::string_view object);

// The text of a JSON string with its quotes; `kept` holds it where escapes make it another than what stands there.
std::string_view plain_text(std::string_view string, std::string& kept);

std::vector<std::string_view> raw_elements(std::string_view array);

}  // namespace headrace::events
