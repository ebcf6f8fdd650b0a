#include "report/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace headrace::report {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr double seconds_max = 1e12;
constexpr size_t number_bytes_max = 64;

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// Tools that follow the country's custom write 1,234.5 or 0,5.
std::string with_a_point(std::string_view text) {
  std::string number(text);
  if (number.find('.') != std::string::npos)
    std::erase(number, ',');
  else
    std::replace(number.begin(), number.end(), ',', '.');
  return number;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  size_t from = text.find_first_not_of(blanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(blanks) + 1 - from);
}

std::string_view first_line(std::string_view text) {
  text = trimmed(text);
  return trimmed(text.substr(0, text.find('\n')));
}

std::string_view last_line(std::string_view text) {
  text = trimmed(text);
  auto newline = text.rfind('\n');
  return newline == std::string_view::npos ? text : trimmed(text.substr(newline + 1));
}

std::optional<double> parse_seconds(std::string_view text) {
  text = trimmed(text);
  if (text.ends_with('s')) text = trimmed(text.substr(0, text.size() - 1));
  if (text.empty() || text.size() > number_bytes_max) return std::nullopt;
  const std::string number = with_a_point(text);
  const char* end = number.data() + number.size();
  double seconds = 0;
  auto [stopped, error] = std::from_chars(number.data(), end, seconds);
  if (error != std::errc() || stopped != end || !std::isfinite(seconds)) return std::nullopt;
  return std::clamp(seconds, -seconds_max, seconds_max);
}

std::optional<int64_t> parse_count(std::string_view text) {
  text = trimmed(text);
  int64_t count = 0;
  auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || stopped != text.data() + text.size()) return std::nullopt;
  return count;
}

bool append_cut(std::string& text, std::string_view piece, size_t bytes_max) {
  size_t room = bytes_max > text.size() ? bytes_max - text.size() : 0;
  if (piece.size() <= room) {
    text.append(piece);
    return true;
  }
  while (room > 0 && is_continuation(piece[room])) --room;
  text.append(piece.substr(0, room));
  return false;
}

}  // namespace headrace::report
