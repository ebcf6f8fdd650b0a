#include "shop/cart.h"

#include <stdexcept>
#include <utility>

namespace shop {

void Cart::add(std::string name, Money price, int pieces) {
  if (pieces < 1) throw std::invalid_argument("at least one piece of " + name + " is wanted");
  lines_.push_back({std::move(name), price, pieces});
}

void Cart::discount(int percent) {
  if (percent < 0 || percent > 100) throw std::invalid_argument("a discount is 0 to 100 percent");
  discount_ = percent;
}

int Cart::pieces() const {
  int sum = 0;
  for (const Line& line : lines_) sum += line.pieces;
  return sum;
}

Money Cart::total() const {
  Money sum;
  for (const Line& line : lines_) sum = sum + line.price * line.pieces;
  return sum.percent(100 - discount_);
}

}  // namespace shop
