#include "cart.h"

#include <numeric>

int Cart::total() const { return std::accumulate(prices_.begin(), prices_.end(), 0); }
