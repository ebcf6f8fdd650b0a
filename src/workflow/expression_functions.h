// What the functions of the language do with values, apart from the order in which they evaluate their parameters.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "workflow/expression_value.h"

namespace headrace::workflow {

// One piece of a format string: a literal, or the number of an argument.
struct FormatPiece {
  std::string literal;
  int argument = -1;  // from 0; -1: a literal
};
// Errors are GitHub's words. Specifiers, {0:x}, are refused, as there are none.
std::expected<std::vector<FormatPiece>, std::string> read_format(std::string_view format, size_t arguments);

bool contains(const Value& where, const Value& what);
bool starts_with(const Value& text, const Value& start);
bool ends_with(const Value& text, const Value& end);
std::expected<Value, std::string> from_json(const Value& text);

// Text that grows under a bound of memory.
class BoundedText {
 public:
  explicit BoundedText(size_t memory_max) : memory_left_(memory_max) {}
  bool append(std::string_view piece);  // false where it would hold more than it may
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  size_t memory_left_;
};

}  // namespace headrace::workflow
