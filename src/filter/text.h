// Characters of UTF-8 text, as CESQL counts them: code points. Malformed bytes count as one character each run of
// continuation bytes, so no text makes these loop or read beyond its end.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace headrace::filter {

inline bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

size_t character_count(std::string_view text);
size_t next_character(std::string_view text, size_t at);      // byte where the next one starts; text.size() at the end
size_t skip_characters(std::string_view text, size_t count);  // byte where the character with this index from 0 starts
// Byte where the last `count` characters start; npos where there are fewer.
size_t last_characters(std::string_view text, size_t count);

std::string to_lower(std::string_view text);  // simple case mapping of Unicode, whatever the process' locale
std::string to_upper(std::string_view text);
std::string_view trim(std::string_view text);                             // Unicode White_Space, both ends
bool equal_ignoring_case(std::string_view text, std::string_view lower);  // ASCII

}  // namespace headrace::filter
