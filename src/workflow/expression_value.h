// The values of expressions: JSON's kinds, shared and immutable, so a copy costs a reference count. Conversions and
// comparisons are GitHub's ("Evaluate expressions in workflows and actions", "Literals" and "Operators").
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/json.h"

namespace headrace::workflow {

class Value;
class Object;
using Array = std::vector<Value>;

class Value {
 public:
  enum class Kind { null, boolean, number, string, array, object };

  Value() = default;  // null
  Value(std::nullptr_t) {}
  Value(std::same_as<bool> auto value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(std::integral auto value)
    requires(!std::same_as<decltype(value), bool>)
      : data_(static_cast<double>(value)) {}
  Value(std::string value) : data_(std::make_shared<const std::string>(std::move(value))) {}
  Value(std::string_view value) : Value(std::string(value)) {}
  Value(const char* value) : Value(std::string(value)) {}
  Value(Array value);
  Value(Object value);

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_null() const { return kind() == Kind::null; }
  bool is_primitive() const { return kind() < Kind::array; }

  // The content where it is of that kind, else null.
  const bool* if_boolean() const { return std::get_if<bool>(&data_); }
  const double* if_number() const { return std::get_if<double>(&data_); }
  const std::string* if_string() const;
  const Array* if_array() const;
  const Object* if_object() const;
  const Value* find(std::string_view key) const;  // null where it is no object, or has no such key

  bool truthy() const;          // all but null, false, 0, NaN and ""
  double to_number() const;     // null and "" 0, true 1, a string as the number it spells, others NaN
  std::string to_text() const;  // null "", true "true", numbers by text_of, arrays "Array", objects "Object"

  // ==: kinds that differ compare as numbers; strings without regard to case; arrays and objects only to themselves.
  bool loosely_equals(const Value& other) const;
  // <0, 0, >0, by the same rules; nothing where there is no order (NaN, arrays, objects).
  std::partial_ordering compare(const Value& other) const;

  static Value from_json(const core::json::value& json);  // numbers as doubles
  core::json::value to_json() const;                      // whole numbers as integers; NaN and infinities as strings
  // What toJSON gives; nothing where it would hold more than memory_max, as GitHub reckons it.
  std::optional<std::string> to_pretty_json(size_t memory_max = SIZE_MAX) const;
  bool operator==(const Value& other) const;  // deep and exact, for tests: same kinds, keys and order; NaN is NaN

 private:
  std::variant<std::monostate, bool, double, std::shared_ptr<const std::string>, std::shared_ptr<const Array>,
               std::shared_ptr<const Object>>
      data_;
};

size_t memory_of_text(std::string_view text);  // what GitHub reckons for a string

std::string_view name_of(Value::Kind kind);  // "Null", "Boolean", "Number", "String", "Array", "Object"

// Keys in order of arrival, found without regard to case; or with it, as the env context has them on Linux.
class Object {
 public:
  enum class Keys { any_case, exact };
  using Member = std::pair<std::string, Value>;

  explicit Object(Keys keys = Keys::any_case) : keys_(keys) {}
  Object(std::initializer_list<Member> members);
  void set(std::string key, Value value);  // replaces the value of a key that is there
  const Value* find(std::string_view key) const;

  Keys keys() const { return keys_; }
  size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  auto begin() const { return members_.begin(); }
  auto end() const { return members_.end(); }

 private:
  size_t place_of(std::string_view key) const;  // size() where it is not there

  Keys keys_;
  std::vector<Member> members_;
  std::map<std::string, size_t> by_key_;  // places in members_; only where there are many
};

// As GitHub prints numbers: up to 15 significant digits, -0 as 0, "NaN", "Infinity"; exponents as in 1E+21, 1E-05.
std::string text_of(double number);
double number_of(std::string_view text);  // blanks around it, 0x, 0o, exponents, Infinity; "" is 0, no number is NaN

// Without regard to case, as .NET's OrdinalIgnoreCase: by the upper case of each character.
bool equal_in_any_case(std::string_view left, std::string_view right);
std::string fold_case(std::string_view text);  // equal for texts that are equal in any case

}  // namespace headrace::workflow
