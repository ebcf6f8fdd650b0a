#include "workflow/expression_text.h"

#include <clocale>
#include <cstring>
#include <cwctype>
#include <string>

#include "workflow/expression_value.h"

namespace headrace::workflow {
namespace {

char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Bytes of the sequence that starts with this one; 0 where none does.
size_t sequence_length(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

void append_utf8(std::string& out, char32_t code) {
  auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xE0 | code >> 12);
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3F));
    }
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

// Unicode's simple upper case, whatever the locale of the process; null where the system has no such table.
locale_t unicode() {
  static const locale_t table = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return table;
}

// What UTF-16 code units order by: those above U+FFFF begin with a surrogate, which is below U+E000.
char32_t order_of(char32_t code) { return code > 0xFFFF ? 0xD800 : code < 0xD800 ? code : code + 0x110000; }

int compare_codes(char32_t left, char32_t right) {
  char32_t first = order_of(left), second = order_of(right);
  if (first == second) return left < right ? -1 : left > right ? 1 : 0;
  return first < second ? -1 : 1;
}

}  // namespace

Character wide_character_at(std::string_view text, size_t place) {
  auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  unsigned char lead = byte(place);
  size_t length = sequence_length(lead);
  if (length == 0 || text.size() - place < length) return {0xFFFD, 1};
  char32_t code = lead & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(place + i) & 0xC0) != 0x80) return {0xFFFD, 1};
    code = code << 6 | (byte(place + i) & 0x3FU);
  }
  bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {0xFFFD, 1};
  return {code, length};
}

// .NET, Char.IsWhiteSpace.
size_t wide_blank_at(std::string_view text, size_t place) {
  Character c = character_at(text, place);
  bool blank = c.code == 0x85 || c.code == 0xA0 || c.code == 0x1680 || (c.code >= 0x2000 && c.code <= 0x200A) ||
               c.code == 0x2028 || c.code == 0x2029 || c.code == 0x202F || c.code == 0x205F || c.code == 0x3000;
  return blank ? c.bytes : 0;
}

std::string_view trim_blanks(std::string_view text) {
  size_t start = 0, end = 0;
  while (start < text.size() && blank_at(text, start) != 0) start += blank_at(text, start);
  for (size_t place = start; place < text.size();) {
    size_t blank = blank_at(text, place);
    place += blank != 0 ? blank : character_at(text, place).bytes;
    if (blank == 0) end = place;
  }
  return end <= start ? std::string_view{} : text.substr(start, end - start);
}

size_t utf16_length(std::string_view text) {
  size_t units = 0;
  for (size_t place = 0; place < text.size();) {
    Character c = character_at(text, place);
    units += c.units();
    place += c.bytes;
  }
  return units;
}

// Characters beyond ASCII never become ASCII (.NET: the dotless i and the long s keep to themselves).
char32_t upper_case(char32_t code) {
  if (code < 0x80) return static_cast<char32_t>(ascii_upper(static_cast<char>(code)));
  if (unicode() == nullptr) return code;
  auto upper = static_cast<char32_t>(towupper_l(static_cast<wint_t>(code), unicode()));
  return upper < 0x80 ? code : upper;
}

std::string fold_case(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (size_t place = 0; place < text.size();) {
    if (is_ascii(text[place])) {
      folded.push_back(ascii_upper(text[place++]));
      continue;
    }
    Character c = character_at(text, place);
    char32_t upper = upper_case(c.code);
    if (upper == c.code) {
      folded.append(text, place, c.bytes);
    } else {
      append_utf8(folded, upper);
    }
    place += c.bytes;
  }
  return folded;
}

int compare_in_any_case(std::string_view left, std::string_view right) {
  size_t i = 0, k = 0;
  while (i < left.size() && k < right.size()) {
    if (is_ascii(left[i]) && is_ascii(right[k])) {
      char first = ascii_upper(left[i++]), second = ascii_upper(right[k++]);
      if (first != second) return first < second ? -1 : 1;
      continue;
    }
    Character first = character_at(left, i), second = character_at(right, k);
    int order = compare_codes(upper_case(first.code), upper_case(second.code));
    if (order == 0 && first.code == 0xFFFD && second.code == 0xFFFD)
      order = left.substr(i, first.bytes).compare(right.substr(k, second.bytes));
    if (order != 0) return order;
    i += first.bytes;
    k += second.bytes;
  }
  if (i < left.size()) return 1;
  return k < right.size() ? -1 : 0;
}

bool equal_in_any_case(std::string_view left, std::string_view right) { return compare_in_any_case(left, right) == 0; }

bool contains_in_any_case(std::string_view text, std::string_view part) {
  std::string where = fold_case(text), what = fold_case(part);
  return memmem(where.data(), where.size(), what.data(), what.size()) != nullptr;
}

bool starts_in_any_case(std::string_view text, std::string_view start) {
  return fold_case(text).starts_with(fold_case(start));
}

bool ends_in_any_case(std::string_view text, std::string_view end) { return fold_case(text).ends_with(fold_case(end)); }

}  // namespace headrace::workflow
