// Money is an amount in whole cents: sums are exact, and only what divides must round.
#pragma once

#include <cstdint>
#include <string>

namespace shop {

class Money {
 public:
  constexpr Money() = default;
  static constexpr Money cents(std::int64_t cents) { return Money(cents); }
  // "12.34", "-0.50" or "7"; throws std::invalid_argument for anything else.
  static Money of(const std::string& text);

  constexpr std::int64_t in_cents() const { return cents_; }
  std::string text() const;  // "12.34"

  constexpr Money operator+(Money other) const { return Money(cents_ + other.cents_); }
  constexpr Money operator*(std::int64_t times) const { return Money(cents_ * times); }
  constexpr bool operator==(Money other) const { return cents_ == other.cents_; }
  constexpr bool operator!=(Money other) const { return cents_ != other.cents_; }

  // So many percent of it; half a cent is rounded away from zero.
  Money percent(int percent) const;

 private:
  explicit constexpr Money(std::int64_t cents) : cents_(cents) {}
  std::int64_t cents_ = 0;
};

}  // namespace shop
