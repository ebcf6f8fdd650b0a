#include "events/raw_json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstring>

#include "core/json.h"

namespace headrace::events {

namespace {

namespace json = boost::json;

// Hears the parser and keeps nothing.
struct Deaf {
  static constexpr size_t max_array_size = static_cast<size_t>(-1);
  static constexpr size_t max_object_size = static_cast<size_t>(-1);
  static constexpr size_t max_string_size = static_cast<size_t>(-1);
  static constexpr size_t max_key_size = static_cast<size_t>(-1);
  using Error = json::error_code;
  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(size_t, Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(size_t, Error&) { return true; }
  bool on_string_part(json::string_view, size_t, Error&) { return true; }
  bool on_string(json::string_view, size_t, Error&) { return true; }
  bool on_key_part(json::string_view, size_t, Error&) { return true; }
  bool on_key(json::string_view, size_t, Error&) { return true; }
  bool on_number_part(json::string_view, Error&) { return true; }
  bool on_int64(int64_t, json::string_view, Error&) { return true; }
  bool on_uint64(uint64_t, json::string_view, Error&) { return true; }
  bool on_double(double, json::string_view, Error&) { return true; }
  bool on_bool(bool, Error&) { return true; }
  bool on_null(Error&) { return true; }
  bool on_comment_part(json::string_view, Error&) { return true; }
  bool on_comment(json::string_view, Error&) { return true; }
};

constexpr size_t depth_max = 64;  // as core::parse_json
constexpr size_t members_expected = 12;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Walks over JSON text that is known to be good.
struct Walker {
  std::string_view text;
  size_t at = 0;

  void skip_space() {
    while (at < text.size() && is_space(text[at])) ++at;
  }
  char peek() {
    skip_space();
    return at < text.size() ? text[at] : '\0';
  }
  // To behind the first quote that an even number of backslashes stands before: most strings have none.
  void skip_string() {
    const size_t begin = ++at;
    while (at < text.size()) {
      const auto* quote = static_cast<const char*>(std::memchr(text.data() + at, '"', text.size() - at));
      if (quote == nullptr) break;
      at = static_cast<size_t>(quote - text.data()) + 1;
      size_t backslashes = 0;
      while (at - 2 - backslashes >= begin && text[at - 2 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 0) return;
    }
    at = text.size();
  }
  void skip_nested() {
    for (size_t depth = 0; at < text.size();) {
      if (text[at] == '"') {
        skip_string();
        continue;
      }
      if (text[at] == '{' || text[at] == '[') ++depth;
      if (text[at] == '}' || text[at] == ']') --depth;
      ++at;
      if (depth == 0) return;
    }
  }
  void skip_scalar() {
    while (at < text.size() && !is_space(text[at]) && text[at] != ',' && text[at] != '}' && text[at] != ']') ++at;
  }
  std::string_view value() {
    char first = peek();
    size_t begin = at;
    if (first == '"') {
      skip_string();
    } else if (first == '{' || first == '[') {
      skip_nested();
    } else {
      skip_scalar();
    }
    return text.substr(begin, at - begin);
  }
};

}  // namespace

bool is_json_text(std::string_view text) {
  json::basic_parser<Deaf> parser({.max_depth = depth_max});
  json::error_code error;
  size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error) return false;
  return text.find_first_not_of(" \t\r\n", read) == std::string_view::npos;
}

std::vector<RawMember> raw_members(std::string_view object) {
  Walker walker{object};
  std::vector<RawMember> found;
  if (walker.peek() != '{') return found;
  found.reserve(members_expected);
  ++walker.at;
  while (walker.peek() == '"') {
    auto name = walker.value();
    walker.peek();  // at the colon
    ++walker.at;
    found.push_back({name, walker.value()});
    if (walker.peek() != ',') break;
    ++walker.at;
  }
  return found;
}

std::string_view plain_text(std::string_view string, std::string& kept) {
  if (string.find('\\') == std::string_view::npos) return string.substr(1, string.size() - 2);
  auto plain = core::parse_json(string);
  kept = plain && plain->is_string() ? std::string(plain->get_string()) : std::string();
  return kept;
}

std::vector<std::string_view> raw_elements(std::string_view array) {
  Walker walker{array};
  std::vector<std::string_view> found;
  if (walker.peek() != '[') return found;
  ++walker.at;
  if (walker.peek() == ']') return found;
  while (walker.at < array.size()) {
    found.push_back(walker.value());
    if (walker.peek() != ',') break;
    ++walker.at;
  }
  return found;
}

}  // namespace headrace::events
