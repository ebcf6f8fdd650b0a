#include "filter/lexer.h"

#include <algorithm>

#include "filter/text.h"

namespace headrace::filter {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string lower_case(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

}  // namespace

std::string_view Lexer::take(size_t bytes) {
  std::string_view taken = text_.substr(at_, bytes);
  at_ += bytes;
  position_ += static_cast<uint32_t>(character_count(taken));
  return taken;
}

bool Lexer::digit_follows() const { return at_ < text_.size() && is_digit(text_[at_]); }

Token Lexer::next() {
  while (at_ < text_.size() && is_space(text_[at_])) take(1);
  if (at_ == text_.size()) return {Token::Kind::end, {}, position_, {}};
  char c = text_[at_];
  if (is_letter(c) || is_digit(c)) return word();
  if (c == '\'' || c == '"') return quoted();
  return symbol();
}

// A name, a keyword or a number: the longest run of letters and digits; names of functions have "_" as well.
Token Lexer::word() {
  uint32_t position = position_;
  size_t bytes = 1;
  bool underscores = is_letter(text_[at_]);
  auto belongs = [&](char c) { return is_letter(c) || is_digit(c) || (underscores && c == '_'); };
  while (at_ + bytes < text_.size() && belongs(text_[at_ + bytes])) ++bytes;
  std::string_view raw = take(bytes);
  bool number = std::ranges::all_of(raw, is_digit);
  return {number ? Token::Kind::integer : Token::Kind::word, raw, position, lower_case(raw)};
}

// A backslash keeps the next character from ending the text and stays, unless that character is the quote; two quotes
// stand for one, as in SQL.
Token Lexer::quoted() {
  uint32_t position = position_;
  char quote = text_[at_];
  std::string value;
  for (size_t i = at_ + 1; i < text_.size(); ++i) {
    char c = text_[i];
    bool more = i + 1 < text_.size();
    if (c == quote) {
      if (!more || text_[i + 1] != quote) return {Token::Kind::text, take(i + 1 - at_), position, std::move(value)};
      ++i;
    } else if (c == '\\' && more) {
      if (text_[i + 1] != quote) value.push_back(c);
      c = text_[++i];
    }
    value.push_back(c);
  }
  return {Token::Kind::broken, text_.substr(at_), position,
          std::string("the text that begins here does not end; close it with ") + quote};
}

Token Lexer::symbol() {
  uint32_t position = position_;
  std::string_view two = text_.substr(at_, 2);
  if (two == "!=" || two == "<>" || two == "<=" || two == ">=") return {Token::Kind::symbol, take(2), position, {}};
  if (std::string_view("()+-*/%=<>,").contains(text_[at_])) return {Token::Kind::symbol, take(1), position, {}};
  std::string_view raw = take(next_character(text_, at_) - at_);
  return {Token::Kind::broken, raw, position, "'" + std::string(raw) + "' has no meaning here; texts stand in quotes"};
}

}  // namespace headrace::filter
