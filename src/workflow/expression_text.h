// Text as .NET sees it, from UTF-8: blanks, lengths in UTF-16 code units, upper case. Bytes that are no UTF-8 stand for
// themselves.
#pragma once

#include <cstddef>
#include <string_view>

namespace headrace::workflow {

struct Character {
  char32_t code = 0;
  size_t bytes = 1;
  size_t units() const { return code > 0xFFFF ? 2 : 1; }  // of UTF-16
};
inline bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
Character wide_character_at(std::string_view text, size_t place);
inline Character character_at(std::string_view text, size_t place) {  // place < text.size()
  if (is_ascii(text[place])) return {static_cast<unsigned char>(text[place]), 1};
  return wide_character_at(text, place);
}

// Bytes of the white space there; 0: there is none.
size_t wide_blank_at(std::string_view text, size_t place);
inline size_t blank_at(std::string_view text, size_t place) {
  char c = text[place];
  if (is_ascii(c)) return c == ' ' || (c >= 9 && c <= 13) ? 1 : 0;
  return wide_blank_at(text, place);
}
std::string_view trim_blanks(std::string_view text);
size_t utf16_length(std::string_view text);
char32_t upper_case(char32_t code);

// <0, 0, >0 as OrdinalIgnoreCase orders: by UTF-16 code units in upper case.
int compare_in_any_case(std::string_view left, std::string_view right);
bool contains_in_any_case(std::string_view text, std::string_view part);  // in time linear in both
bool starts_in_any_case(std::string_view text, std::string_view start);
bool ends_in_any_case(std::string_view text, std::string_view end);

}  // namespace headrace::workflow
