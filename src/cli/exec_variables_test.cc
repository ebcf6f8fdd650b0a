#include "cli/exec_variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

std::string wrong(std::string_view text) {
  auto read = parse_variables(text, "some.env");
  return read ? "no error" : read.error().message;
}

TEST(ExecVariables, AreNamesAndValuesAsDotenvHasThem) {
  auto read = parse_variables(
      "\xef\xbb\xbf# first\nA=plain text   # why\nexport B='as $it is\\n'\n\n  C = \"one\\ntwo \\\"x\\\" \\q\" # "
      "end\r\n"
      "D=a#b\nE=\nKEY=\"-----BEGIN-----\nabc\n-----END-----\"\nA=again\n",
      "some.env");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(*read, ElementsAre(Pair("A", "again"), Pair("B", "as $it is\\n"), Pair("C", "one\ntwo \"x\" \\q"),
                                 Pair("D", "a#b"), Pair("E", ""), Pair("KEY", "-----BEGIN-----\nabc\n-----END-----")));
}

TEST(ExecVariables, AMistakeIsToldWithItsPlaceAndNeverWithTheValue) {
  EXPECT_THAT(wrong("A=1\n2B=x\n"), HasSubstr("some.env:2:1: A name is expected"));
  EXPECT_THAT(wrong("A=1\n\n  TOKEN secret\n"), HasSubstr("some.env:3:9: '=' is expected behind the name 'TOKEN'"));
  EXPECT_THAT(wrong("A=1\nB=\"secret\nC=2\n"), HasSubstr("some.env:2:3: The quote"));
  EXPECT_THAT(wrong("A='x' secret\n"), HasSubstr("some.env:1:7: Nothing but a comment"));
  EXPECT_THAT(wrong("A='x' secret\n"), Not(HasSubstr("secret")));
}

TEST(ExecVariables, AnEmptyFileIsNone) {
  EXPECT_TRUE(parse_variables("", "some.env")->empty());
  EXPECT_TRUE(parse_variables("# nothing", "some.env")->empty());
}

}  // namespace
}  // namespace headrace::cli
