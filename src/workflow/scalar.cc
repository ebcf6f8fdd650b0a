#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "workflow/yaml.h"

namespace headrace::workflow {
namespace {

constexpr std::array<std::string_view, 5> nulls{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 3> trues{"true", "True", "TRUE"};
constexpr std::array<std::string_view, 3> falses{"false", "False", "FALSE"};
constexpr std::array<std::string_view, 3> infinities{".inf", ".Inf", ".INF"};
constexpr std::array<std::string_view, 3> nans{".nan", ".NaN", ".NAN"};

template <class Words>
bool is_one_of(const Words& words, std::string_view text) {
  return std::ranges::find(words, text) != words.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool parse_base(std::string_view digits, int base, double& number) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return false;
  number = static_cast<double>(value);
  return true;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_decimal(std::string_view text) {
  size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  auto digits = [&] {
    size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - from;
  };
  size_t whole = digits();
  bool point = at < text.size() && text[at] == '.';
  if (point) ++at;
  size_t fraction = point ? digits() : 0;
  if (whole + fraction == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

bool parse_infinity(std::string_view text, double& number) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (!is_one_of(infinities, text)) return false;
  number = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  return true;
}

bool parse_number(std::string_view text, double& number) {
  if (text.starts_with("0x")) return parse_base(text.substr(2), 16, number);
  if (text.starts_with("0o")) return parse_base(text.substr(2), 8, number);
  if (parse_infinity(text, number)) return true;
  if (is_one_of(nans, text)) {
    number = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (!is_decimal(text)) return false;
  if (text.starts_with('+')) text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) number = text.starts_with('-') ? -HUGE_VAL : HUGE_VAL;
  return true;
}

// As GitHub turns a number into a string: 15 significant digits.
std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  if (number == 0) return "0";
  return fmt::format("{:.15g}", number);
}

}  // namespace

// Lines are folded: blanks around a break go, one break is a space, further ones stay.
std::string single_quoted(std::string_view source, size_t start) {
  std::string out;
  for (size_t at = start; at < source.size(); ++at) {
    if (source[at] == '\'') {
      if (source.substr(at + 1, 1) != "'") break;
      out.push_back(source[at++]);
    } else if (source[at] != '\n' && source[at] != '\r') {
      out.push_back(source[at]);
    } else {
      size_t breaks = 0;
      for (; at < source.size() && std::string_view(" \t\r\n").contains(source[at]); ++at) breaks += source[at] == '\n';
      --at;
      while (!out.empty() && (out.back() == ' ' || out.back() == '\t')) out.pop_back();
      out.append(breaks > 1 ? breaks - 1 : 1, breaks > 1 ? '\n' : ' ');
    }
  }
  return out;
}

void resolve_plain(std::string_view text, Node& into) {
  into.text = text;
  into.kind = Node::Kind::string;
  // What is no string begins with one of these; most texts do not.
  if (!text.empty() && !std::string_view("~nNtTfF.-+0123456789").contains(text.front())) return;
  if (is_one_of(nulls, text)) {
    into.kind = Node::Kind::null;
    into.text.clear();
  } else if (is_one_of(trues, text) || is_one_of(falses, text)) {
    into.kind = Node::Kind::boolean;
    into.text = is_one_of(trues, text) ? "true" : "false";
  } else if (parse_number(text, into.number)) {
    into.kind = Node::Kind::number;
    into.text = number_text(into.number);
  }
}

const Node* Node::find(std::string_view key) const {
  for (const Pair& pair : pairs) {
    if (pair.key.text == key) return &pair.value;
  }
  return nullptr;
}

const Node& Node::at_or_null(std::string_view key) const {
  static const Node nothing;
  const Node* found = find(key);
  return found == nullptr ? nothing : *found;
}

std::string_view name_of(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::boolean: return "a boolean";
    case Node::Kind::number: return "a number";
    case Node::Kind::string: return "a string";
    case Node::Kind::sequence: return "a sequence";
    case Node::Kind::mapping: return "a mapping";
  }
  return "a value";
}

}  // namespace headrace::workflow
