#pragma once

#include <string_view>

namespace headrace::core {

// The beginning of a text in UTF-8, at most so many bytes of it, cut between characters: what is shown of a long one.
constexpr std::string_view beginning(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace headrace::core
