#include "events/formats.h"

#include <algorithm>
#include <array>

#include "core/bytes.h"
#include "core/clock.h"

namespace headrace::events {

namespace {

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool among(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// RFC 3986, section 2: unreserved and sub-delims, which may stand anywhere.
constexpr auto anywhere_in_uri = [] {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (char c : std::string_view("-._~!$&'()*+,;=")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

// Those, pct-encoded, and what the place allows besides.
bool made_of(std::string_view text, std::string_view besides) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (anywhere_in_uri[static_cast<unsigned char>(text[i])]) continue;
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!among(text[i], besides)) {
      return false;
    }
  }
  return true;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_alpha(text[0]) &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || among(c, "+-."); });
}

bool is_host(std::string_view text) {
  if (!text.starts_with('[')) return made_of(text, "");
  return text.size() > 3 && text.ends_with(']') && made_of(text.substr(1, text.size() - 2), ":");
}

bool is_authority(std::string_view text) {
  if (auto at = text.rfind('@'); at != std::string_view::npos) {
    if (!made_of(text.substr(0, at), ":")) return false;
    text.remove_prefix(at + 1);
  }
  auto colon = text.rfind(':');
  auto bracket = text.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    if (!std::ranges::all_of(text.substr(colon + 1), is_digit)) return false;
    text = text.substr(0, colon);
  }
  return is_host(text);
}

// Cuts what follows `mark` off `text` and says whether that part is good.
bool cut_part(std::string_view& text, char mark) {
  auto at = text.find(mark);
  if (at == std::string_view::npos) return true;
  auto part = text.substr(at + 1);
  text = text.substr(0, at);
  return made_of(part, ":@/?");
}

bool is_hierarchy(std::string_view text) {
  if (!text.starts_with("//")) return made_of(text, ":@/");
  text.remove_prefix(2);
  auto path = std::min(text.find('/'), text.size());
  return is_authority(text.substr(0, path)) && made_of(text.substr(path), ":@/");
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_alnum(c) || among(c, "!#$%&'*+-.^_`|~"); });
}

}  // namespace

bool is_uri(std::string_view text) {
  if (!cut_part(text, '#') || !cut_part(text, '?')) return false;
  auto colon = text.find(':');
  return colon != std::string_view::npos && is_scheme(text.substr(0, colon)) && is_hierarchy(text.substr(colon + 1));
}

bool is_uri_reference(std::string_view text) {
  if (is_uri(text)) return true;
  if (!cut_part(text, '#') || !cut_part(text, '?')) return false;
  auto first_segment = text.substr(0, text.find('/'));  // section 4.2: no colon in it, it would read as a scheme
  return first_segment.find(':') == std::string_view::npos && is_hierarchy(text);
}

bool is_date_time(std::string_view text) { return core::parse_time(text).has_value(); }

bool is_media_type(std::string_view text) {
  auto semicolon = std::min(text.find(';'), text.size());
  auto essence = text.substr(0, semicolon);
  while (essence.ends_with(' ')) essence.remove_suffix(1);
  auto slash = essence.find('/');
  return slash != std::string_view::npos && is_token(essence.substr(0, slash)) && is_token(essence.substr(slash + 1)) &&
         std::ranges::all_of(text.substr(semicolon), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_string_value(std::string_view text) {
  if (std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; })) return true;
  if (!core::is_utf8(text)) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
    if (byte(i) >= 0x20 && byte(i) < 0x7f) continue;
    if (byte(i) < 0x80) return false;
    if (byte(i) == 0xc2 && byte(i + 1) < 0xa0) return false;  // U+0080 to U+009F
    if (byte(i) == 0xef && byte(i + 1) == 0xb7 && byte(i + 2) >= 0x90 && byte(i + 2) <= 0xaf)
      return false;                                                                   // U+FDD0-FDEF
    if (byte(i) == 0xef && byte(i + 1) == 0xbf && byte(i + 2) >= 0xbe) return false;  // U+FFFE, FFFF
    bool last_of_plane = byte(i) >= 0xf0 && (byte(i + 1) & 0x0f) == 0x0f && byte(i + 2) == 0xbf && byte(i + 3) >= 0xbe;
    if (last_of_plane) return false;  // U+nFFFE, U+nFFFF
  }
  return true;
}

bool is_custom_type(std::string_view text) {
  constexpr std::string_view prefix = "dev.cdeventsx.";
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  auto take = [&](auto allowed, char end) {
    size_t length = 0;
    while (length < text.size() && allowed(text[length])) ++length;
    if (length == 0 || length >= text.size() || text[length] != end) return false;
    text.remove_prefix(length + 1);
    return true;
  };
  return take(is_alnum, '-') && take(is_alpha, '.') && take(is_alpha, '.') && text.size() == 5 && is_digit(text[0]) &&
         text[1] == '.' && is_digit(text[2]) && text[3] == '.' && is_digit(text[4]);
}

}  // namespace headrace::events
