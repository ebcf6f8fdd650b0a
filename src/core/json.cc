#include "core/json.h"

#include <algorithm>
#include <boost/json/src.hpp>  // the one translation unit that compiles Boost.JSON

namespace headrace::core {

namespace {

constexpr size_t depth_max = 64;

std::string place_of(std::string_view text, size_t position) {
  auto before = text.substr(0, std::min(position, text.size()));
  auto line = 1 + std::count(before.begin(), before.end(), '\n');
  auto newline = before.rfind('\n');
  auto column = newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

void write_pretty(std::string& out, const json::value& value, size_t indent) {
  std::string pad(indent + 2, ' ');
  if (const auto* object = value.if_object(); object && !object->empty()) {
    std::string_view separator = "{\n";
    for (const auto& [key, member] : *object) {
      out.append(separator).append(pad).append(json::serialize(json::string(key))).append(": ");
      write_pretty(out, member, indent + 2);
      separator = ",\n";
    }
    out.append("\n").append(indent, ' ').append("}");
  } else if (const auto* array = value.if_array(); array && !array->empty()) {
    std::string_view separator = "[\n";
    for (const auto& member : *array) {
      out.append(separator).append(pad);
      write_pretty(out, member, indent + 2);
      separator = ",\n";
    }
    out.append("\n").append(indent, ' ').append("]");
  } else {
    out.append(json::serialize(value));
  }
}

json::value sorted(const json::value& value) {
  if (const auto* object = value.if_object()) {
    std::vector<std::string_view> keys;
    for (const auto& member : *object) keys.push_back(member.key());
    std::sort(keys.begin(), keys.end());
    json::object in_order;
    for (auto key : keys) in_order[key] = sorted(object->at(key));
    return in_order;
  }
  if (const auto* array = value.if_array()) {
    json::array members;
    for (const auto& member : *array) members.push_back(sorted(member));
    return members;
  }
  return value;
}

}  // namespace

Result<json::value> parse_json(std::string_view text) {
  json::stream_parser parser({}, {.max_depth = depth_max});
  boost::system::error_code error;
  size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error && read == text.size()) parser.finish(error);
  auto rest = text.substr(std::min(read, text.size()));
  if (!error && rest.find_first_not_of(" \t\r\n") != std::string_view::npos)
    return fail(Code::invalid, "This is not JSON: something follows the value at " + place_of(text, read) + ".");
  if (!error && !parser.done()) parser.finish(error);
  if (error) return fail(Code::invalid, "This is not JSON: " + error.message() + " at " + place_of(text, read) + ".");
  return parser.release();
}

std::string to_text(const json::value& value) { return json::serialize(value); }

std::string to_pretty_text(const json::value& value) {
  std::string out;
  write_pretty(out, value, 0);
  out.push_back('\n');
  return out;
}

std::string to_canonical_text(const json::value& value) { return json::serialize(sorted(value)); }

const json::value* find(const json::value& object, std::string_view key) {
  const auto* members = object.if_object();
  return members ? members->if_contains(key) : nullptr;
}

std::optional<std::string> string_at(const json::value& object, std::string_view key) {
  const auto* value = find(object, key);
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::optional<int64_t> integer_at(const json::value& object, std::string_view key) {
  const auto* value = find(object, key);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64() && value->get_uint64() <= INT64_MAX) return static_cast<int64_t>(value->get_uint64());
  return std::nullopt;
}

std::optional<bool> boolean_at(const json::value& object, std::string_view key) {
  const auto* value = find(object, key);
  if (!value || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

}  // namespace headrace::core
