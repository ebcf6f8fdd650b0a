#include "events/raw_json.h"

#include <boost/json/basic_parser_impl.hpp>

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
  void skip_string() {
    for (++at; at < text.size() && text[at] != '"'; ++at)
      if (text[at] == '\\') ++at;
    ++at;
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

bool is_name(std::string_view key, std::string_view name) {
  if (key.find('\\') == std::string_view::npos) return key.substr(1, key.size() - 2) == name;
  auto plain = core::parse_json(key);
  return plain && plain->is_string() && plain->get_string() == name;
}

}  // namespace

bool is_json_text(std::string_view text) {
  json::basic_parser<Deaf> parser({.max_depth = depth_max});
  json::error_code error;
  size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (error) return false;
  return text.find_first_not_of(" \t\r\n", read) == std::string_view::npos;
}

std::string_view raw_member(std::string_view object, std::string_view name) {
  Walker walker{object};
  std::string_view found;
  if (walker.peek() != '{') return found;
  ++walker.at;
  while (walker.peek() == '"') {
    auto key = walker.value();
    walker.peek();  // at the colon
    ++walker.at;
    auto value = walker.value();
    if (is_name(key, name)) found = value;
    if (walker.peek() != ',') break;
    ++walker.at;
  }
  return found;
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
