#include "workflow/expression_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "workflow/expression_text.h"

namespace headrace::workflow {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double exact_max = 9007199254740992.0;  // 2^53: whole numbers up to here are exact

bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t digits_at(std::string_view text, size_t place) {
  size_t end = place;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - place;
}

// [digits][.digits][e[+-]digits], with a digit before the exponent.
bool is_decimal(std::string_view text) {
  size_t whole = digits_at(text, 0), place = whole, fraction = 0;
  if (place < text.size() && text[place] == '.') {
    fraction = digits_at(text, place + 1);
    place += 1 + fraction;
  }
  if (whole + fraction == 0) return false;
  if (place < text.size() && (text[place] == 'e' || text[place] == 'E')) {
    ++place;
    if (place < text.size() && (text[place] == '+' || text[place] == '-')) ++place;
    size_t exponent = digits_at(text, place);
    if (exponent == 0) return false;
    place += exponent;
  }
  return place == text.size();
}

// The power of ten of the first digit that is not 0.
int64_t magnitude_of(std::string_view decimal) {
  size_t letter = std::min(decimal.find_first_of("eE"), decimal.size());
  auto point = static_cast<int64_t>(std::min(decimal.find('.'), letter));
  auto first = static_cast<int64_t>(decimal.find_first_of("123456789"));
  if (letter == decimal.size()) return point - first;
  std::string_view power = decimal.substr(letter + 1);
  bool negative = power.front() == '-';
  if (negative || power.front() == '+') power.remove_prefix(1);
  int64_t exponent = 0;
  for (char c : power) exponent = std::min<int64_t>(exponent * 10 + (c - '0'), INT32_MAX);
  return point - first + (negative ? -exponent : exponent);
}

// What is too large for a double is infinite, what is too small is 0.
double decimal_of(std::string_view text) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc()) return number;
  return magnitude_of(text) > 0 ? infinity : 0;
}

// 0x and 0o take no sign.
double radix_of(std::string_view digits, double radix) {
  double number = 0;
  for (char c : digits) {
    int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
    if (digit >= static_cast<int>(radix)) return nan;
    number = number * radix + digit;
  }
  return number;
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr char hex[] = "0123456789abcdef";
  for (size_t place = 0; place < text.size();) {
    Character c = character_at(text, place);
    switch (c.code) {
      case '"': out.append("\\\""); break;
      case '\\': out.append("\\\\"); break;
      case '\b': out.append("\\b"); break;
      case '\f': out.append("\\f"); break;
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\t': out.append("\\t"); break;
      case 0x85: out.append("\\u0085"); break;
      case 0x2028: out.append("\\u2028"); break;
      case 0x2029: out.append("\\u2029"); break;
      default:
        if (c.code < 0x20) {
          out.append("\\u00").push_back(hex[c.code >> 4]);
          out.push_back(hex[c.code & 15]);
        } else {
          out.append(text, place, c.bytes);
        }
    }
    place += c.bytes;
  }
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  append_escaped(out, text);
  out.push_back('"');
  return out;
}

// Writes as toJSON does, and stops where that would hold more than it may.
class PrettyWriter {
 public:
  explicit PrettyWriter(size_t memory_max) : memory_left_(memory_max) {}

  bool write(const Value& value, size_t level) {
    if (const Array* array = value.if_array()) return write_array(*array, level);
    if (const Object* object = value.if_object()) return write_object(*object, level);
    if (const std::string* text = value.if_string()) return put(in_quotes(*text));
    return put(value.is_null() ? "null" : value.to_text());
  }

  std::string out;

 private:
  bool put(std::string_view piece) {
    size_t bytes = memory_of_text(piece);
    if (bytes > memory_left_) return false;
    memory_left_ -= bytes;
    out.append(piece);
    return true;
  }

  bool line(std::string_view separator, size_t level) {
    return put(std::string(separator) + "\n" + std::string(level * 2, ' '));
  }

  bool write_array(const Array& array, size_t level) {
    if (array.empty()) return put("[]");
    std::string_view separator = "[";
    for (const Value& item : array) {
      if (!line(separator, level + 1) || !write(item, level + 1)) return false;
      separator = ",";
    }
    return line("", level) && put("]");
  }

  bool write_object(const Object& object, size_t level) {
    if (object.empty()) return put("{}");
    std::string_view separator = "{";
    for (const auto& [key, value] : object) {
      if (!line(separator, level + 1) || !put(in_quotes(key) + ": ") || !write(value, level + 1)) return false;
      separator = ",";
    }
    return line("", level) && put("}");
  }

  size_t memory_left_;
};

// Kinds that differ meet as numbers, where they meet at all.
bool meet_as_numbers(const Value& left, const Value& right) {
  return left.kind() != right.kind() && left.is_primitive() && right.is_primitive();
}

core::json::value json_of(double number) {
  if (std::isnan(number) || std::isinf(number)) return core::json::value(text_of(number));
  if (std::trunc(number) == number && std::abs(number) <= exact_max)
    return core::json::value(static_cast<int64_t>(number));
  return core::json::value(number);
}

}  // namespace

Value::Value(Array value) : data_(std::make_shared<const Array>(std::move(value))) {}
Value::Value(Object value) : data_(std::make_shared<const Object>(std::move(value))) {}

const std::string* Value::if_string() const {
  const auto* held = std::get_if<std::shared_ptr<const std::string>>(&data_);
  return held == nullptr ? nullptr : held->get();
}

const Array* Value::if_array() const {
  const auto* held = std::get_if<std::shared_ptr<const Array>>(&data_);
  return held == nullptr ? nullptr : held->get();
}

const Object* Value::if_object() const {
  const auto* held = std::get_if<std::shared_ptr<const Object>>(&data_);
  return held == nullptr ? nullptr : held->get();
}

const Value* Value::find(std::string_view key) const {
  const Object* object = if_object();
  return object == nullptr ? nullptr : object->find(key);
}

bool Value::truthy() const {
  if (const bool* value = if_boolean()) return *value;
  if (const double* value = if_number()) return *value != 0 && !std::isnan(*value);
  if (const std::string* value = if_string()) return !value->empty();
  return !is_null();
}

double Value::to_number() const {
  if (is_null()) return 0;
  if (const bool* value = if_boolean()) return *value ? 1 : 0;
  if (const double* value = if_number()) return *value;
  if (const std::string* value = if_string()) return number_of(*value);
  return nan;
}

std::string Value::to_text() const {
  if (is_null()) return {};
  if (const bool* value = if_boolean()) return *value ? "true" : "false";
  if (const double* value = if_number()) return text_of(*value);
  if (const std::string* value = if_string()) return *value;
  return std::string(name_of(kind()));
}

std::partial_ordering Value::compare(const Value& other) const {
  if (meet_as_numbers(*this, other)) return to_number() <=> other.to_number();
  if (kind() != other.kind()) return std::partial_ordering::unordered;
  if (is_null()) return std::partial_ordering::equivalent;
  if (const bool* value = if_boolean()) return *value <=> *other.if_boolean();
  if (const double* value = if_number()) return *value <=> *other.if_number();
  if (const std::string* value = if_string()) return compare_in_any_case(*value, *other.if_string()) <=> 0;
  return data_ == other.data_ ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
}

bool Value::loosely_equals(const Value& other) const { return std::is_eq(compare(other)); }

Value Value::from_json(const core::json::value& json) {
  switch (json.kind()) {
    case core::json::kind::null: return {};
    case core::json::kind::bool_: return json.get_bool();
    case core::json::kind::int64: return static_cast<double>(json.get_int64());
    case core::json::kind::uint64: return static_cast<double>(json.get_uint64());
    case core::json::kind::double_: return json.get_double();
    case core::json::kind::string: return std::string(json.get_string());
    case core::json::kind::array: break;
    case core::json::kind::object: {
      Object object;
      for (const auto& [key, value] : json.get_object()) object.set(std::string(key), from_json(value));
      return object;
    }
  }
  Array array;
  array.reserve(json.get_array().size());
  for (const auto& item : json.get_array()) array.push_back(from_json(item));
  return array;
}

core::json::value Value::to_json() const {
  if (is_null()) return nullptr;
  if (const bool* value = if_boolean()) return core::json::value(*value);
  if (const double* value = if_number()) return json_of(*value);
  if (const std::string* value = if_string()) return core::json::value(*value);
  if (const Array* items = if_array()) {
    core::json::array array;
    for (const Value& item : *items) array.push_back(item.to_json());
    return array;
  }
  core::json::object object;
  for (const auto& [key, value] : *if_object()) object[key] = value.to_json();
  return object;
}

std::optional<std::string> Value::to_pretty_json(size_t memory_max) const {
  PrettyWriter writer(memory_max);
  if (!writer.write(*this, 0)) return std::nullopt;
  return std::move(writer.out);
}

bool Value::operator==(const Value& other) const {
  if (kind() != other.kind()) return false;
  if (const double* value = if_number())
    return *value == *other.if_number() || (std::isnan(*value) && std::isnan(*other.if_number()));
  if (const bool* value = if_boolean()) return *value == *other.if_boolean();
  if (const std::string* value = if_string()) return *value == *other.if_string();
  if (const Array* items = if_array()) return *items == *other.if_array();
  if (const Object* object = if_object()) return std::ranges::equal(*object, *other.if_object());
  return true;
}

std::string_view name_of(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::null: return "Null";
    case Value::Kind::boolean: return "Boolean";
    case Value::Kind::number: return "Number";
    case Value::Kind::string: return "String";
    case Value::Kind::array: return "Array";
    case Value::Kind::object: return "Object";
  }
  return "Null";
}

std::string text_of(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  if (number == 0) return "0";
  char text[32];
  auto [end, error] = std::to_chars(text, text + sizeof text, number, std::chars_format::general, 15);
  std::replace(text, end, 'e', 'E');
  return std::string(text, end);
}

double number_of(std::string_view text) {
  text = trim_blanks(text);
  if (text.empty()) return 0;
  if (text.size() > 2 && text.starts_with("0x")) return radix_of(text.substr(2), 16);
  if (text.size() > 2 && text.starts_with("0o")) return radix_of(text.substr(2), 8);
  bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  double number = text == "Infinity" ? infinity : is_decimal(text) ? decimal_of(text) : nan;
  return negative ? -number : number;
}

size_t memory_of_text(std::string_view text) { return 26 + 2 * text.size(); }

}  // namespace headrace::workflow
