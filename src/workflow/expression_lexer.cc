#include "workflow/expression_lexer.h"

#include <cmath>

#include "workflow/expression_text.h"

namespace headrace::workflow {
namespace {

using Kind = Token::Kind;

constexpr Kind malformed = Kind::end;  // what a word is that can stand nowhere; the end itself is told apart before

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view word) {
  if (!is_letter(word.front())) return false;
  for (char c : word) {
    if (!is_letter(c) && !is_digit(c) && c != '-') return false;
  }
  return true;
}

bool ends_word(char c) {
  switch (c) {
    case '(':
    case ')':
    case '[':
    case ']':
    case ',':
    case '.':
    case '!':
    case '<':
    case '>':
    case '=':
    case '&':
    case '|': return true;
    default: return false;
  }
}

bool is_logical(Kind kind) { return kind >= Kind::logical_not && kind <= Kind::logical_or; }

// Where an operand may begin.
bool awaits_operand(Kind last) {
  return last == Kind::start || last == Kind::separator || last == Kind::start_group ||
         last == Kind::start_parameters || last == Kind::start_index || is_logical(last);
}

// What . and [ may follow.
bool can_be_indexed(Kind last) {
  return last == Kind::end_group || last == Kind::end_parameters || last == Kind::end_index || last == Kind::wildcard ||
         last == Kind::property || last == Kind::context;
}

bool ends_operand(Kind last) { return can_be_indexed(last) || last == Kind::literal; }

Kind opening_of(Kind closing) {
  if (closing == Kind::end_index) return Kind::start_index;
  return closing == Kind::end_group ? Kind::start_group : Kind::start_parameters;
}

}  // namespace

std::unexpected<ExpressionError> refuse(ExpressionError::Stage stage, std::string_view message, const Token& token,
                                        std::string_view expression) {
  std::string text(message);
  text.append(": '").append(token.text).append("'. Located at position ").append(std::to_string(token.position));
  text.append(" within expression: ").append(expression);
  return std::unexpected(ExpressionError{stage, std::move(text), token.position, token.offset});
}

void Lexer::advance(size_t bytes) {
  position_ += utf16_length(text_.substr(place_, bytes));
  place_ += bytes;
}

Token Lexer::token(Kind kind, size_t bytes) {
  Token made{kind, text_.substr(place_, bytes), {}, position_, place_};
  advance(bytes);
  return made;
}

std::expected<Token, ExpressionError> Lexer::next() {
  while (place_ < text_.size()) {
    size_t blank = blank_at(text_, place_);
    if (blank == 0) break;
    advance(blank);
  }
  if (place_ == text_.size()) return token(Kind::end, 0);
  char c = text_[place_];
  bool starts_number = is_digit(c) || c == '+' || c == '-' || (c == '.' && awaits_operand(last_));
  Token made = c == '\''                                 ? string()
               : starts_number                           ? number()
               : std::string_view("!<>=&|").contains(c)  ? logical()
               : std::string_view("()[],.*").contains(c) ? punctuation()
                                                         : word();
  if (made.kind == malformed) return refuse(ExpressionError::Stage::lexing, "Unexpected symbol", made, text_);
  if (!is_legal(made.kind) || !close(made.kind))
    return refuse(ExpressionError::Stage::parsing, "Unexpected symbol", made, text_);
  last_ = made.kind;
  return made;
}

Token Lexer::punctuation() {
  switch (text_[place_]) {
    case '(': return token(last_ == Kind::function ? Kind::start_parameters : Kind::start_group, 1);
    case ')': {
      bool call = !unclosed_.empty() && unclosed_.back() == Kind::start_parameters;
      return token(call ? Kind::end_parameters : Kind::end_group, 1);
    }
    case '[': return token(Kind::start_index, 1);
    case ']': return token(Kind::end_index, 1);
    case ',': return token(Kind::separator, 1);
    case '.': return token(Kind::dereference, 1);
    default: return token(last_ == Kind::start_index ? Kind::wildcard_index : Kind::wildcard, 1);
  }
}

// From the place on, its first character whatever it is.
size_t Lexer::word_length(bool with_dots) const {
  size_t end = place_ + character_at(text_, place_).bytes;
  while (end < text_.size()) {
    char c = text_[end];
    if ((ends_word(c) && !(with_dots && c == '.')) || blank_at(text_, end) != 0) break;
    end += character_at(text_, end).bytes;
  }
  return end - place_;
}

Token Lexer::number() {
  size_t bytes = word_length(true);
  double number = number_of(text_.substr(place_, bytes));
  if (std::isnan(number)) return token(malformed, bytes);
  Token made = token(Kind::literal, bytes);
  made.value = number;
  return made;
}

Token Lexer::string() {
  std::string content;
  for (size_t end = place_ + 1; end < text_.size(); ++end) {
    if (text_[end] == '\'') {
      bool quote = end + 1 < text_.size() && text_[end + 1] == '\'';
      if (!quote) {
        Token made = token(Kind::literal, end + 1 - place_);
        made.value = std::move(content);
        return made;
      }
      ++end;
    }
    content.push_back(text_[end]);
  }
  return token(malformed, text_.size() - place_);
}

Token Lexer::logical() {
  constexpr struct {
    std::string_view text;
    Kind kind;
  } operators[] = {{"!=", Kind::not_equal},  {">=", Kind::greater_or_equal}, {"<=", Kind::less_or_equal},
                   {"==", Kind::equal},      {"&&", Kind::logical_and},      {"||", Kind::logical_or},
                   {"!", Kind::logical_not}, {">", Kind::greater},           {"<", Kind::less}};
  for (const auto& one : operators) {
    if (text_.substr(place_).starts_with(one.text)) return token(one.kind, one.text.size());
  }
  return token(malformed, word_length(false));
}

Token Lexer::word() {
  size_t bytes = word_length(false);
  std::string_view text = text_.substr(place_, bytes);
  if (!is_name(text)) return token(malformed, bytes);
  Token made = token(Kind::context, bytes);
  if (last_ == Kind::dereference) {
    made.kind = Kind::property;
    return made;
  }
  made.kind = Kind::literal;
  if (text == "null") return made;
  made.value = text == "true"       ? Value(true)
               : text == "false"    ? Value(false)
               : text == "NaN"      ? Value(std::nan(""))
               : text == "Infinity" ? Value(HUGE_VAL)
                                    : Value();
  if (!made.value.is_null()) return made;
  size_t after = place_;
  while (after < text_.size() && blank_at(text_, after) != 0) after += blank_at(text_, after);
  made.kind = after < text_.size() && text_[after] == '(' ? Kind::function : Kind::context;
  return made;
}

// Whether it may follow the word before it.
bool Lexer::is_legal(Kind kind) const {
  switch (kind) {
    case Kind::start_index:
    case Kind::dereference: return can_be_indexed(last_);
    case Kind::start_parameters: return last_ == Kind::function;
    case Kind::end_parameters: return ends_operand(last_) || last_ == Kind::start_parameters;
    case Kind::end_index: return ends_operand(last_) || last_ == Kind::wildcard_index;
    case Kind::end_group:
    case Kind::separator: return ends_operand(last_);
    case Kind::wildcard_index: return last_ == Kind::start_index;
    case Kind::wildcard:
    case Kind::property: return last_ == Kind::dereference;
    default: return is_logical(kind) && kind != Kind::logical_not ? ends_operand(last_) : awaits_operand(last_);
  }
}

// Keeps account of what is open; false where something else is.
bool Lexer::close(Kind kind) {
  if (kind == Kind::start_group || kind == Kind::start_parameters || kind == Kind::start_index) {
    unclosed_.push_back(kind);
    return true;
  }
  if (kind == Kind::separator) return !unclosed_.empty() && unclosed_.back() == Kind::start_parameters;
  if (kind != Kind::end_group && kind != Kind::end_parameters && kind != Kind::end_index) return true;
  if (unclosed_.empty() || unclosed_.back() != opening_of(kind)) return false;
  unclosed_.pop_back();
  return true;
}

}  // namespace headrace::workflow
