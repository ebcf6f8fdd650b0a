#include "shop/cart.h"

#include <exception>

#include "check.h"

using shop::Cart;
using shop::Money;

static void an_empty_cart_costs_nothing() { CHECK_EQUAL(Cart().total().text(), "0.00"); }

static void pieces_are_counted() {
  Cart cart;
  cart.add("lamp", Money::of("19.99"));
  cart.add("bulb", Money::of("2.35"), 3);
  CHECK_EQUAL(cart.pieces(), 4);
}

static void total_is_exact() {
  Cart cart;
  for (int i = 0; i < 3; ++i) cart.add("screw", Money::of("0.10"));
  CHECK_EQUAL(cart.total().text(), "0.30");
}

static void discount_rounds_to_the_cent() {
  Cart cart;
  cart.add("lamp", Money::of("19.99"));
  cart.add("bulb", Money::of("2.35"), 3);
  cart.discount(10);
  CHECK_EQUAL(cart.total().text(), "24.34");
}

static void nothing_is_cheaper_than_free() {
  Cart cart;
  CHECK_THROWS(cart.discount(101));
  CHECK_THROWS(cart.add("lamp", Money::of("19.99"), 0));
}

int main(int argc, char** argv) {
  const check::Test tests[] = {{"an_empty_cart_costs_nothing", an_empty_cart_costs_nothing},
                               {"pieces_are_counted", pieces_are_counted},
                               {"total_is_exact", total_is_exact},
                               {"discount_rounds_to_the_cent", discount_rounds_to_the_cent},
                               {"nothing_is_cheaper_than_free", nothing_is_cheaper_than_free}};
  return check::run(tests, argc, argv);
}
