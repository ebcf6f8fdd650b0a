#include "report/place.h"

#include <algorithm>
#include <charconv>

#include "report/text.h"

namespace headrace::report {

namespace {

constexpr size_t path_bytes_max = 1024;
constexpr size_t message_lines_max = 8;

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

bool is_path(std::string_view text) {
  return !text.empty() && text.size() <= path_bytes_max && text.find('.') != std::string_view::npos &&
         text.find_first_of("<>|\"'\t") == std::string_view::npos;
}

bool is_word(std::string_view text) {
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.'; };
  return !text.empty() && std::ranges::all_of(text, plain);
}

std::string_view next_line(std::string_view& rest) {
  auto line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// What GoogleTest prints under "FILE:LINE: Failure".
std::string message_of_google(std::string_view rest) {
  std::string message;
  for (size_t lines = 0; lines < message_lines_max && !rest.empty(); ++lines) {
    auto line = next_line(rest);
    if (trimmed(line).empty() || line.starts_with('[') || line.ends_with(": Failure")) break;
    message.append(message.empty() ? "" : "\n").append(line);
  }
  return message;
}

// "FILE:LINE: WORD" or "FILE:LINE:COLUMN: error: WORDS".
std::optional<Place> of_colons(std::string_view line, std::string_view rest) {
  auto end = line.find(": ");
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view place = line.substr(0, end), words = trimmed(line.substr(end + 2));
  auto colon = place.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto number = whole_number(place.substr(colon + 1));
  if (auto before = place.rfind(':', colon - 1); number && colon > 0 && before != std::string_view::npos)
    if (auto row = whole_number(place.substr(before + 1, colon - before - 1))) {
      number = row;
      colon = before;
    }
  if (!number || !is_path(place.substr(0, colon))) return std::nullopt;
  const std::string file(place.substr(0, colon));
  if (words == "Failure") return Place{file, *number, message_of_google(rest)};
  if (is_word(words)) return Place{file, *number, {}};
  if (words.starts_with("error: ")) return Place{file, *number, std::string(words.substr(7))};
  return std::nullopt;
}

// `File "tests/test_cart.py", line 12, in test_adds`
std::optional<Place> of_python(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with("File \"")) return std::nullopt;
  line.remove_prefix(6);
  auto quote = line.find("\", line ");
  if (quote == std::string_view::npos || !is_path(line.substr(0, quote))) return std::nullopt;
  auto digits = line.substr(quote + 8);
  auto number = whole_number(digits.substr(0, digits.find(',')));
  if (!number) return std::nullopt;
  return Place{std::string(line.substr(0, quote)), *number, {}};
}

// `at TestContext.<anonymous> (file:///home/me/shop/test/cart.test.js:11:12)`, but for frames of Node and of packages.
std::optional<Place> of_javascript(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with("at ")) return std::nullopt;
  auto open = line.rfind('(');
  auto frame = open == std::string_view::npos ? line.substr(3) : line.substr(open + 1);
  if (frame.ends_with(')')) frame.remove_suffix(1);
  if (frame.starts_with("file://")) frame.remove_prefix(7);
  if (frame.starts_with("node:") || frame.find("/node_modules/") != std::string_view::npos) return std::nullopt;
  auto column = frame.rfind(':');
  auto row = column == std::string_view::npos || column == 0 ? column : frame.rfind(':', column - 1);
  if (row == std::string_view::npos || !whole_number(frame.substr(column + 1))) return std::nullopt;
  auto number = whole_number(frame.substr(row + 1, column - row - 1));
  if (!number || !is_path(frame.substr(0, row)) || frame.find(' ') != std::string_view::npos) return std::nullopt;
  return Place{std::string(frame.substr(0, row)), *number, {}};
}

}  // namespace

std::optional<Place> place_in(std::string_view text) {
  text = text.substr(0, text_looked_at_max);
  std::optional<Place> python, colons;
  for (std::string_view rest = text; !rest.empty();) {
    auto line = next_line(rest);
    if (auto place = of_javascript(line)) return place;  // the first frame is the nearest
    if (auto place = of_colons(line, rest)) {
      if (!place->message.empty()) return place;  // the first failure that says something
      colons = std::move(place);                  // the last line of a pytest failure
    }
    if (auto place = of_python(line)) python = std::move(place);  // the last frame is the nearest
  }
  return colons ? colons : python;
}

std::optional<Place> place_alone(std::string_view line) {
  line = trimmed(line);
  auto colon = line.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto number = whole_number(line.substr(colon + 1));
  if (!number || !is_path(line.substr(0, colon))) return std::nullopt;
  return Place{std::string(line.substr(0, colon)), *number, {}};
}

}  // namespace headrace::report
