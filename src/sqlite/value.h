// What SQLite stores, as C++ values: bound to the `?` of a statement, read from its columns, given to functions.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace headrace::sqlite {

struct Blob {
  std::string_view bytes;
  bool operator==(const Blob&) const = default;
};

// A value somebody else holds: text and blobs are views, good as long as what they were made from.
class Value {
 public:
  using Any = std::variant<std::nullptr_t, int64_t, double, std::string_view, Blob>;

  Value() = default;  // NULL
  Value(std::nullptr_t) {}
  template <std::integral Integer>
  Value(Integer number) : any_(static_cast<int64_t>(number)) {}  // also bool; offsets stay below 2^63
  template <class Enum>
    requires std::is_enum_v<Enum>
  Value(Enum) = delete;  // say which integer or which word is meant
  Value(double number) : any_(number) {}
  Value(std::string_view text) : any_(text) {}
  Value(const std::string& text) : any_(std::string_view(text)) {}
  Value(const char* text) : any_(std::string_view(text)) {}
  Value(Blob blob) : any_(blob) {}
  template <class T>
  Value(const std::optional<T>& maybe) {
    if (maybe) *this = Value(*maybe);
  }

  const Any& any() const { return any_; }
  bool is_null() const { return std::holds_alternative<std::nullptr_t>(any_); }
  int64_t integer() const { return std::get<int64_t>(any_); }
  double real() const { return std::get<double>(any_); }
  std::string_view text() const { return std::get<std::string_view>(any_); }
  bool operator==(const Value&) const = default;

 private:
  Any any_ = nullptr;
};

// The words of a statement. A literal becomes one by itself; text made at run time does not compile, so that a value
// can never be pasted in: values are bound. SQL that our own code generates from names it knows says so.
class Sql {
 public:
  consteval Sql(const char* literal) : text_(literal) {}
  static Sql generated(std::string_view text) { return Sql(text, 0); }  // text lives until the call returns
  constexpr std::string_view text() const { return text_; }

 private:
  constexpr Sql(std::string_view text, int) : text_(text) {}
  std::string_view text_;
};

// "name" in double quotes, with those inside doubled: for generated SQL.
std::string quoted_name(std::string_view name);

}  // namespace headrace::sqlite
