// Cart holds what somebody wants to buy, and says what it costs.
#pragma once

#include <string>
#include <vector>

#include "shop/money.h"

namespace shop {

class Cart {
 public:
  // Throws std::invalid_argument for less than one piece.
  void add(std::string name, Money price, int pieces = 1);
  // Of the whole, 0 to 100 percent; the last one given counts. Throws std::invalid_argument beyond.
  void discount(int percent);

  int pieces() const;
  Money total() const;

 private:
  struct Line {
    std::string name;
    Money price;
    int pieces;
  };
  std::vector<Line> lines_;
  int discount_ = 0;
};

}  // namespace shop
