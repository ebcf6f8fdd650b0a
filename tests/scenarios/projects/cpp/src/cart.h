#pragma once
#include <vector>
class Cart {
 public:
  void add(int price) { prices_.push_back(price); }
  int total() const;

 private:
  std::vector<int> prices_;
};
