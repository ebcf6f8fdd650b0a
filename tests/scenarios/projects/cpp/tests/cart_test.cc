#include "cart.h"

#include <gtest/gtest.h>

TEST(Cart, IsEmptyAtFirst) { EXPECT_EQ(Cart().total(), 0); }

TEST(Cart, AddsUp) {
  Cart cart;
  cart.add(3);
  cart.add(4);
  EXPECT_EQ(cart.total(), 7);
}
