#include "shop/money.h"

#include <exception>

#include "check.h"

using shop::Money;

static void reads_an_amount() {
  CHECK_EQUAL(Money::of("12.34").text(), "12.34");
  CHECK_EQUAL(Money::of("7").text(), "7.00");
  CHECK_EQUAL(Money::of("-0.50").text(), "-0.50");
}

static void refuses_what_is_no_amount() {
  CHECK_THROWS(Money::of(""));
  CHECK_THROWS(Money::of("12.3"));
  CHECK_THROWS(Money::of("twelve"));
}

static void rounds_half_a_cent_away_from_zero() {
  CHECK_EQUAL(Money::of("0.05").percent(50).text(), "0.03");
  CHECK_EQUAL(Money::of("-0.05").percent(50).text(), "-0.03");
  CHECK_EQUAL(Money::of("0.05").percent(49).text(), "0.02");
}

int main(int argc, char** argv) {
  const check::Test tests[] = {{"reads_an_amount", reads_an_amount},
                               {"refuses_what_is_no_amount", refuses_what_is_no_amount},
                               {"rounds_half_a_cent_away_from_zero", rounds_half_a_cent_away_from_zero}};
  return check::run(tests, argc, argv);
}
