// The grammar of CESQL 2 by recursive descent, one function a level of precedence (CESQL 3.6).
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/bytes.h"
#include "filter/functions.h"
#include "filter/lexer.h"
#include "filter/program.h"
#include "filter/text.h"

namespace headrace::filter {
namespace {

using Parsed = std::expected<Node, ParseError>;
using Symbols = std::span<const std::pair<std::string_view, Op>>;

constexpr std::pair<std::string_view, Op> factors[] = {{"*", Op::multiply}, {"/", Op::divide}, {"%", Op::modulo}};
constexpr std::pair<std::string_view, Op> terms[] = {{"+", Op::add}, {"-", Op::subtract}};
constexpr std::pair<std::string_view, Op> comparisons[] = {
    {"=", Op::equal},       {"!=", Op::not_equal}, {"<>", Op::not_equal},    {"<", Op::less},
    {"<=", Op::less_equal}, {">", Op::greater},    {">=", Op::greater_equal}};
constexpr std::pair<std::string_view, Op> logic[] = {
    {"and", Op::logical_and}, {"or", Op::logical_or}, {"xor", Op::logical_xor}};
constexpr std::array<std::string_view, 9> keywords{"and", "or", "xor", "not", "like", "exists", "in", "true", "false"};

std::unexpected<ParseError> wrong(const Token& token, std::string message) {
  return std::unexpected(ParseError{std::move(message), token.position});
}

std::string shown(const Token& token) {
  if (token.kind == Token::Kind::end) return "the end of the expression";
  return std::string(token.raw);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text), token_(lexer_.next()) {}

  Parsed whole() {
    Parsed node = expression();
    if (!node) return node;
    if (token_.kind == Token::Kind::broken) return wrong(token_, token_.value);
    if (token_.kind != Token::Kind::end) {
      return wrong(token_, "an operator is expected instead of " + shown(token_));
    }
    return node;
  }

 private:
  bool at_symbol(std::string_view symbol) const { return token_.kind == Token::Kind::symbol && token_.raw == symbol; }
  bool at_word(std::string_view word) const { return token_.kind == Token::Kind::word && token_.value == word; }
  void advance() { token_ = lexer_.next(); }

  const std::pair<std::string_view, Op>* operator_in(Symbols symbols) const {
    for (const auto& candidate : symbols) {
      if (at_symbol(candidate.first) || at_word(candidate.first)) return &candidate;
    }
    return nullptr;
  }

  // Parentheses, arguments and prefix operators come through here, so this bounds the recursion.
  template <class Inner>
  Parsed deeper(Inner inner) {
    if (nesting_ >= depth_max) return wrong(token_, too_deep);
    ++nesting_;
    Parsed node = inner();
    --nesting_;
    return node;
  }

  static Parsed bounded(Node node) {
    for (const Node& child : node.children) node.depth = std::max(node.depth, child.depth + 1);
    if (node.depth > depth_max) return std::unexpected(ParseError{too_deep, node.position});
    return node;
  }

  static Parsed combine(Op op, uint32_t position, Node left, Node right) {
    bool chain = op == left.op && (op == Op::logical_and || op == Op::logical_or);
    if (chain) {  // one node, so that long chains are not deep
      left.children.push_back(std::move(right));
      return bounded(std::move(left));
    }
    Node node{.op = op, .position = position};
    node.children.reserve(2);
    node.children.push_back(std::move(left));
    node.children.push_back(std::move(right));
    return bounded(std::move(node));
  }

  template <class Next>
  Parsed left_to_right(Symbols symbols, Next next) {
    Parsed left = next();
    while (left) {
      const auto* found = operator_in(symbols);
      if (found == nullptr) break;
      uint32_t position = token_.position;
      advance();
      Parsed right = next();
      if (!right) return right;
      left = combine(found->second, position, std::move(*left), std::move(*right));
    }
    return left;
  }

  Parsed expression() {
    return left_to_right(logic, [this] { return comparison(); });
  }
  Parsed comparison() {
    return left_to_right(comparisons, [this] { return sum(); });
  }
  Parsed sum() {
    return left_to_right(terms, [this] { return product(); });
  }
  Parsed product() {
    return left_to_right(factors, [this] { return tested(); });
  }

  // expression [NOT] LIKE text, expression [NOT] IN (...)
  Parsed tested() {
    Parsed node = prefixed();
    while (node && (at_word("not") || at_word("like") || at_word("in"))) {
      uint32_t position = token_.position;
      bool negated = at_word("not");
      if (negated) advance();
      if (at_word("like")) {
        node = like(std::move(*node), position, negated);
      } else if (at_word("in")) {
        node = in(std::move(*node), position, negated);
      } else {
        return wrong(token_, "LIKE or IN is expected after NOT instead of " + shown(token_));
      }
    }
    return node;
  }

  Parsed like(Node left, uint32_t position, bool negated) {
    advance();
    if (token_.kind == Token::Kind::broken) return wrong(token_, token_.value);
    if (token_.kind != Token::Kind::text) {
      return wrong(token_, "LIKE wants a pattern in quotes instead of " + shown(token_));
    }
    if (token_.value.size() > pattern_bytes_max)
      return wrong(token_, "the pattern is longer than 1024 bytes; shorten it");
    Node node{.op = Op::like, .negated = negated, .position = position};
    node.pattern.emplace(token_.value);
    node.children.push_back(std::move(left));
    advance();
    return bounded(std::move(node));
  }

  Parsed in(Node left, uint32_t position, bool negated) {
    advance();
    Node node{.op = Op::in, .negated = negated, .position = position};
    node.children.push_back(std::move(left));
    if (!at_symbol("(")) return wrong(token_, "IN wants a set in parentheses instead of " + shown(token_));
    Token open = token_;
    advance();
    if (at_symbol(")")) return wrong(token_, "the set is empty; name at least one element");
    return list(std::move(node), open);
  }

  Parsed prefixed() {
    if (at_word("not")) return prefix(Op::logical_not);
    if (at_word("exists")) return exists();
    if (at_symbol("-") && !lexer_.digit_follows()) return prefix(Op::negate);
    if (at_symbol("-") || (at_symbol("+") && lexer_.digit_follows())) return signed_integer();
    return primary();
  }

  Parsed prefix(Op op) {
    Node node{.op = op, .position = token_.position};
    advance();
    Parsed operand = deeper([this] { return prefixed(); });
    if (!operand) return operand;
    node.children.push_back(std::move(*operand));
    return bounded(std::move(node));
  }

  Parsed exists() {
    Node node{.op = Op::exists, .position = token_.position};
    advance();
    if (!is_attribute()) return wrong(token_, "EXISTS wants the name of an attribute instead of " + shown(token_));
    node.attribute = attribute_name(token_.value);
    advance();
    return node;
  }

  bool is_attribute() const {
    bool keyword = std::ranges::find(keywords, token_.value) != keywords.end();
    return token_.kind == Token::Kind::word && !keyword && !token_.value.contains('_');
  }

  Parsed signed_integer() {
    Token sign = token_;
    advance();
    return integer(sign, sign.raw == "-");
  }

  Parsed integer(const Token& start, bool negative) {
    if (token_.kind != Token::Kind::integer) return wrong(token_, shown(token_) + " is no Integer");
    std::string text = (negative ? "-" : "") + std::string(token_.raw);
    int32_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) {
      return wrong(start, text + " does not fit in 32 bits; Integers go from -2147483648 to 2147483647");
    }
    advance();
    return Node{.position = start.position, .value = value};
  }

  Parsed primary() {
    Token start = token_;
    switch (start.kind) {
      case Token::Kind::broken: return wrong(start, start.value);
      case Token::Kind::integer: return integer(start, false);
      case Token::Kind::text: advance(); return Node{.position = start.position, .value = std::move(start.value)};
      case Token::Kind::word: return name();
      case Token::Kind::symbol:
        if (at_symbol("(")) return parenthesised();
        break;
      case Token::Kind::end: break;
    }
    return wrong(start, "a value is expected instead of " + shown(start));
  }

  Parsed parenthesised() {
    Token open = token_;
    advance();
    Parsed node = deeper([this] { return expression(); });
    if (!node) return node;
    if (auto closed = close(open); !closed) return std::unexpected(closed.error());
    return node;
  }

  std::expected<void, ParseError> close(const Token& open) {
    if (token_.kind == Token::Kind::broken) return wrong(token_, token_.value);
    if (!at_symbol(")")) {
      return wrong(token_, "a ')' is expected instead of " + shown(token_) + ", for the '(' of column " +
                               std::to_string(open.position));
    }
    advance();
    return {};
  }

  Parsed name() {
    Token start = token_;
    if (start.value == "true" || start.value == "false") {
      advance();
      return Node{.position = start.position, .value = start.value == "true"};
    }
    bool keyword = std::ranges::find(keywords, start.value) != keywords.end();
    if (keyword) return wrong(start, "a value is expected instead of the operator " + shown(start));
    bool attribute = is_attribute();
    advance();
    if (at_symbol("(")) return call(start);
    if (!attribute)
      return wrong(start, shown(start) + " is no name of an attribute; those have only letters and digits");
    return Node{.op = Op::attribute, .position = start.position, .attribute = attribute_name(start.value)};
  }

  Parsed call(const Token& name) {
    bool lettered = std::ranges::none_of(name.raw, [](char c) { return c >= '0' && c <= '9'; });
    if (!lettered) return wrong(name, shown(name) + " is no name of a function; those have only letters and _");
    Node node{.op = Op::call, .position = name.position, .name = std::string(name.raw)};
    Token open = token_;
    advance();
    if (at_symbol(")")) {
      advance();
      return named(std::move(node));
    }
    Parsed filled = list(std::move(node), open);
    return filled ? named(std::move(*filled)) : std::move(filled);
  }

  static Parsed named(Node node) {
    node.function = find_function(node.name, node.children.size());
    return bounded(std::move(node));
  }

  // Expressions parted by commas up to the ")", as further children.
  Parsed list(Node node, const Token& open) {
    while (true) {
      Parsed element = deeper([this] { return expression(); });
      if (!element) return element;
      node.children.push_back(std::move(*element));
      if (!at_symbol(",")) break;
      advance();
    }
    if (auto closed = close(open); !closed) return std::unexpected(closed.error());
    return bounded(std::move(node));
  }

  static constexpr const char* too_deep =
      "the expression is nested deeper than 100 levels; use IN for alternatives, or split the filter";

  Lexer lexer_;
  Token token_;
  size_t nesting_ = 0;
};

}  // namespace

std::expected<Node, ParseError> parse(std::string_view expression) {
  if (expression.size() > expression_bytes_max) {
    return std::unexpected(ParseError{"the expression is longer than 16 KiB; shorten it or split the filter", 1});
  }
  if (!core::is_utf8(expression)) return std::unexpected(ParseError{"the expression is no UTF-8 text", 1});
  return Parser(expression).whole();
}

}  // namespace headrace::filter
