// The words of an expression, each checked against the one before it, so that what the parser hears is well formed up
// to there. Sources: GitHub, "Literals" and "Operators"; messages are its own.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "workflow/expression.h"

namespace headrace::workflow {

struct Token {
  enum class Kind {
    start,  // what stands before the first
    start_group,
    end_group,
    start_parameters,
    end_parameters,
    start_index,
    end_index,
    separator,
    dereference,
    wildcard,        // the * of .*
    wildcard_index,  // the * of [*]
    logical_not,
    not_equal,
    greater,
    greater_or_equal,
    less,
    less_or_equal,
    equal,
    logical_and,
    logical_or,
    literal,
    property,
    function,
    context,
    end,
  };
  Kind kind = Kind::start;
  std::string_view text;  // as written
  Value value;            // of a literal
  size_t position = 0;    // from 1, UTF-16 code units
  size_t offset = 0;      // bytes
};

// "MESSAGE: 'TOKEN'. Located at position N within expression: EXPRESSION"
std::unexpected<ExpressionError> refuse(ExpressionError::Stage stage, std::string_view message, const Token& token,
                                        std::string_view expression);

class Lexer {
 public:
  explicit Lexer(std::string_view expression) : text_(expression) {}
  std::expected<Token, ExpressionError> next();  // Kind::end at the end
  bool has_unclosed() const { return !unclosed_.empty(); }

 private:
  using Kind = Token::Kind;

  Token token(Kind kind, size_t bytes);  // goes on past it
  Token word();
  Token number();
  Token string();
  Token logical();
  Token punctuation();
  size_t word_length(bool with_dots) const;
  char ahead(size_t bytes) const { return place_ + bytes < text_.size() ? text_[place_ + bytes] : '\0'; }
  bool is_legal(Kind kind) const;
  bool close(Kind kind);
  void advance(size_t bytes);

  std::string_view text_;
  size_t place_ = 0;     // bytes
  size_t position_ = 1;  // UTF-16 code units
  Kind last_ = Kind::start;
  std::vector<Kind> unclosed_;
};

}  // namespace headrace::workflow
