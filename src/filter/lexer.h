// Words of a CESQL text (cloudevents/spec, cesql/CESQLLexer.g4), one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace headrace::filter {

struct Token {
  enum class Kind : uint8_t { end, word, integer, text, symbol, broken };
  Kind kind = Kind::end;
  std::string_view raw;   // as written, quotes included
  uint32_t position = 1;  // character of the expression
  std::string value;      // word: lower case; text: without quotes and escapes; broken: what is wrong
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token next();
  // Whether the next character, with no space between, is a digit: a sign before it belongs to the number.
  bool digit_follows() const;

 private:
  Token word();
  Token quoted();
  Token symbol();
  std::string_view take(size_t bytes);  // moves on, counting characters

  std::string_view text_;
  size_t at_ = 0;
  uint32_t position_ = 1;
};

}  // namespace headrace::filter
