#include "workflow/expression_functions.h"

#include "workflow/expression_text.h"

namespace headrace::workflow {
namespace {

constexpr int argument_max = 254;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads {N} or {N:SPECIFIERS} whose brace is at `place`, and goes past it; -1 where there is none.
int read_argument(std::string_view format, size_t& place, std::string& specifiers) {
  size_t at = place + 1;
  int number = 0;
  for (; at < format.size() && is_digit(format[at]); ++at) number = std::min(number * 10 + (format[at] - '0'), 1000);
  if (at == place + 1 || at == format.size() || number > argument_max + 1) return -1;
  if (format[at] == ':') {
    size_t end = format.find('}', ++at);
    if (end == std::string_view::npos) return -1;
    specifiers = format.substr(at, end - at);
    at = end;
  }
  if (format[at] != '}') return -1;
  place = at + 1;
  return number;
}

std::unexpected<std::string> invalid(std::string_view format) {
  return std::unexpected("The following format string is invalid: " + std::string(format));
}

// Of an array any item that == finds; of a text any part.
bool array_contains(const Array& array, const Value& what) {
  for (const Value& item : array) {
    if (what.loosely_equals(item)) return true;
  }
  return false;
}

}  // namespace

std::expected<std::vector<FormatPiece>, std::string> read_format(std::string_view format, size_t arguments) {
  std::vector<FormatPiece> pieces;
  std::string literal;
  for (size_t place = 0; place < format.size();) {
    char c = format[place];
    if (c != '{' && c != '}') {
      size_t end = std::min(format.find_first_of("{}", place), format.size());
      literal.append(format, place, end - place);
      place = end;
      continue;
    }
    if (place + 1 < format.size() && format[place + 1] == c) {
      literal.push_back(c);
      place += 2;
      continue;
    }
    std::string specifiers;
    int argument = c == '{' ? read_argument(format, place, specifiers) : -1;
    if (argument < 0) return invalid(format);
    if (static_cast<size_t>(argument) >= arguments)
      return std::unexpected("The following format string references more arguments than were supplied: " +
                             std::string(format));
    if (!specifiers.empty())
      return std::unexpected("The format specifiers '" + specifiers + "' are not valid; write {" +
                             std::to_string(argument) + "}.");
    if (!literal.empty()) pieces.push_back({std::exchange(literal, {}), -1});
    pieces.push_back({{}, argument});
  }
  if (!literal.empty()) pieces.push_back({std::move(literal), -1});
  return pieces;
}

bool contains(const Value& where, const Value& what) {
  if (const Array* array = where.if_array()) return array_contains(*array, what);
  return where.is_primitive() && what.is_primitive() && contains_in_any_case(where.to_text(), what.to_text());
}

bool starts_with(const Value& text, const Value& start) {
  return text.is_primitive() && start.is_primitive() && starts_in_any_case(text.to_text(), start.to_text());
}

bool ends_with(const Value& text, const Value& end) {
  return text.is_primitive() && end.is_primitive() && ends_in_any_case(text.to_text(), end.to_text());
}

std::expected<Value, std::string> from_json(const Value& text) {
  auto json = core::parse_json(text.to_text());
  if (!json) return std::unexpected("Error parsing fromJson: " + json.error().message);
  return Value::from_json(*json);
}

bool BoundedText::append(std::string_view piece) {
  size_t bytes = piece.empty() ? 0 : memory_of_text(piece);
  if (bytes > memory_left_) return false;
  memory_left_ -= bytes;
  text_.append(piece);
  return true;
}

}  // namespace headrace::workflow
