#include "report/place.h"

#include <gtest/gtest.h>

#include "report/report.h"

namespace headrace::report {
namespace {

TEST(PlaceOfAFailure, IsGoogleTestsWithWhatFollowsIt) {
  EXPECT_EQ(
      place_in("Running main()\n[ RUN      ] Cart.AddsUp\n/w/tests/cart_test.cc:11: Failure\nExpected equality of "
               "these values:\n  cart.total()\n    Which is: 7\n  8\n[  FAILED  ] Cart.AddsUp (0 ms)\n"),
      (Place{"/w/tests/cart_test.cc", 11, "Expected equality of these values:\n  cart.total()\n    Which is: 7\n  8"}));
}

TEST(PlaceOfAFailure, IsTheLastOfAPythonTraceback) {
  EXPECT_EQ(place_in("Traceback (most recent call last):\n  File \"/usr/lib/python3.11/unittest/case.py\", line 57, in "
                     "run\n    testMethod()\n  File \"/w/tests/test_cart.py\", line 14, in test_adds_up\n    "
                     "self.assertEqual(7, 8)\nAssertionError: 7 != 8\n"),
            (Place{"/w/tests/test_cart.py", 14, ""}));
}

TEST(PlaceOfAFailure, IsTheLastLineOfAPytestFailure) {
  EXPECT_EQ(
      place_in("self = <test_cart.CartTest>\n\n>       assert 7 == 8\nE       assert 7 == 8\n\ntests/test_cart.py:14: "
               "AssertionError"),
      (Place{"tests/test_cart.py", 14, ""}));
}

TEST(PlaceOfAFailure, IsTheFirstFrameOfAJavascriptStackThatIsTheProjectsOwn) {
  EXPECT_EQ(place_in("AssertionError [ERR_ASSERTION]: 7 !== 8\n    at strictEqual (node:assert:125:5)\n    at check "
                     "(/w/node_modules/chai/index.js:3:4)\n    at TestContext.<anonymous> "
                     "(file:///w/test/cart.test.js:11:12)\n    at Test.run (node:internal/test:796:25)"),
            (Place{"/w/test/cart.test.js", 11, ""}));
}

TEST(PlaceOfAFailure, IsThatOfAnError) {
  EXPECT_EQ(place_in("src/a.cc:3:7: error: expected ';'\n"), (Place{"src/a.cc", 3, "expected ';'"}));
}

TEST(PlaceOfAFailure, IsNothingWhereTheTextHasNone) {
  for (const char* text :
       {"", "plain words", "at 12:30: Failure", "see: this", ":1: Failure", "a.c:0: Failure", "File \"x\", line",
        "at nowhere", "at (:1:2)", "::: Error", "a.c:99999999999999999999: Failure"})
    EXPECT_FALSE(place_in(text)) << text;
}

TEST(PlaceOfAFailure, IsFoundInALongTextInLinearTime) {
  std::string text;
  while (text.size() < 4 * text_looked_at_max) text += "a:b:c: d: at (x:1\n";
  EXPECT_FALSE(place_in(text));
}

Case first_bad(std::string_view xml) {
  auto report = read(xml);
  if (!report) return ADD_FAILURE() << report.error().message, Case{};
  for (const auto& one : report->cases)
    if (is_bad(one.outcome)) return one;
  return {};
}

TEST(WordsOfAFailure, OfCtestAreThoseThatTheProgramPrinted) {
  auto one = first_bad(
      "<testsuite><testcase name='Cart.AddsUp' classname='Cart.AddsUp' status='fail'><failure message=''/>"
      "<system-out>/w/cart_test.cc:11: Failure\nExpected: 8\n[  FAILED  ]\n</system-out></testcase>"
      "</testsuite>");
  EXPECT_EQ(one.message, "Expected: 8");
  EXPECT_EQ(one.file, "/w/cart_test.cc");
  EXPECT_EQ(one.line, 11);
  auto plain = first_bad(
      "<testsuite><testcase name='a' status='fail'><failure message=''/><system-out>one\ntwo\n\n"
      "</system-out></testcase></testsuite>");
  EXPECT_EQ(plain.message, "two") << "the last line is the nearest to a reason";
}

TEST(WordsOfAFailure, OfGoogleTestBeginBehindThePlace) {
  auto one = first_bad(
      "<testsuite><testcase name='AddsUp' classname='Cart' file='/w/cart_test.cc' line='7'><failure "
      "message='/w/cart_test.cc:11&#x0A;Expected: 8' type=''/></testcase></testsuite>");
  EXPECT_EQ(one.message, "Expected: 8");
  EXPECT_EQ(one.line, 11) << "of the failure, not of the test";
}

TEST(ShownName, SaysWhatDistinguishesATest) {
  EXPECT_EQ(shown_name("unit", "CartTest", "adds"), "CartTest adds");
  EXPECT_EQ(shown_name("cart", "test", "adds up"), "cart adds up");
  EXPECT_EQ(shown_name("(empty)", "Cart.AddsUp", "Cart.AddsUp"), "Cart.AddsUp");
  EXPECT_EQ(shown_name("unit", "", ""), "unit");
  EXPECT_EQ(shown_name("", "", "adds"), "adds");
}

}  // namespace
}  // namespace headrace::report
