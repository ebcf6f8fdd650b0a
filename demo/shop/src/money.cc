#include "shop/money.h"

#include <cstddef>
#include <stdexcept>

namespace shop {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Money Money::of(const std::string& text) {
  std::size_t at = 0;
  const bool negative = at < text.size() && text[at] == '-';
  if (negative) ++at;
  std::int64_t cents = 0;
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at])) cents = cents * 10 + (text[at++] - '0');
  if (at == first) throw std::invalid_argument("no amount: " + text);
  cents *= 100;
  if (at < text.size()) {
    if (text[at] != '.' || text.size() != at + 3 || !is_digit(text[at + 1]) || !is_digit(text[at + 2]))
      throw std::invalid_argument("two digits are wanted after the point: " + text);
    cents += (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
  }
  return Money(negative ? -cents : cents);
}

std::string Money::text() const {
  const std::int64_t size = cents_ < 0 ? -cents_ : cents_;
  const std::int64_t rest = size % 100;
  return (cents_ < 0 ? "-" : "") + std::to_string(size / 100) + (rest < 10 ? ".0" : ".") + std::to_string(rest);
}

Money Money::percent(int percent) const {
  const std::int64_t hundredths = cents_ * percent;
  const std::int64_t half = hundredths < 0 ? -50 : 50;
  return Money((hundredths + half) / 100);
}

}  // namespace shop
