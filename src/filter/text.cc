#include "filter/text.h"

#include <algorithm>
#include <clocale>
#include <cstdint>
#include <cwctype>

namespace headrace::filter {
namespace {

struct Character {
  char32_t code = 0;
  size_t bytes = 1;
};

Character character_at(std::string_view text, size_t at) {
  size_t end = next_character(text, at);
  auto lead = static_cast<unsigned char>(text[at]);
  size_t bytes = end - at;
  if (bytes == 1) return {lead, 1};
  char32_t code = lead & (0xFFU >> (bytes + 1));
  for (size_t i = at + 1; i < end; ++i) code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  return {code, bytes};
}

void append(std::string& out, char32_t code) {
  auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) return put(0xC0U | code >> 6), put(0x80U | (code & 0x3FU));
  if (code < 0x10000) return put(0xE0U | code >> 12), put(0x80U | (code >> 6 & 0x3FU)), put(0x80U | (code & 0x3FU));
  put(0xF0U | code >> 18), put(0x80U | (code >> 12 & 0x3FU)), put(0x80U | (code >> 6 & 0x3FU)),
      put(0x80U | (code & 0x3FU));
}

// glibc's C.UTF-8 holds Unicode's tables and needs no installed locale; without it only ASCII letters change.
locale_t unicode() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

template <class Ascii, class Wide>
std::string map_characters(std::string_view text, Ascii ascii, Wide wide) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    auto [code, bytes] = character_at(text, at);
    if (bytes == 1) {
      out.push_back(ascii(text[at]));
    } else if (unicode() != nullptr) {
      append(out, static_cast<char32_t>(wide(static_cast<wint_t>(code), unicode())));
    } else {
      out.append(text.substr(at, bytes));
    }
    at += bytes;
  }
  return out;
}

// Unicode 15, PropList.txt, White_Space.
bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace

size_t next_character(std::string_view text, size_t at) {
  if (at >= text.size()) return text.size();
  auto lead = static_cast<unsigned char>(text[at]);
  size_t wanted = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  size_t end = at + 1;
  while (end < text.size() && end < at + wanted && continues(text[end])) ++end;
  return end;
}

size_t character_count(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at = next_character(text, at)) ++count;
  return count;
}

size_t skip_characters(std::string_view text, size_t count) {
  size_t at = 0;
  while (count > 0 && at < text.size()) {
    at = next_character(text, at);
    --count;
  }
  return at;
}

size_t last_characters(std::string_view text, size_t count) {
  size_t at = text.size();
  for (; count > 0; --count) {
    if (at == 0) return std::string_view::npos;
    size_t least = at > 4 ? at - 4 : 0;
    --at;
    while (at > least && continues(text[at])) --at;
  }
  return at;
}

std::string to_lower(std::string_view text) {
  return map_characters(text, ascii_lower, [](wint_t c, locale_t l) { return towlower_l(c, l); });
}

std::string to_upper(std::string_view text) {
  return map_characters(text, ascii_upper, [](wint_t c, locale_t l) { return towupper_l(c, l); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty()) {
    auto [code, bytes] = character_at(text, 0);
    if (!is_space(code)) break;
    text.remove_prefix(bytes);
  }
  while (!text.empty()) {
    size_t at = last_characters(text, 1);
    if (!is_space(character_at(text, at).code)) break;
    text.remove_suffix(text.size() - at);
  }
  return text;
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {}, ascii_lower);
}

}  // namespace headrace::filter
