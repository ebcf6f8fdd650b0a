#include "services/runner/step_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::runner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Variables values(std::string_view text) {
  auto read = parse_values_file(text);
  EXPECT_TRUE(read) << read.error().message;
  return read.value_or(Variables{});
}

std::string refusal(std::string_view text) {
  auto read = parse_values_file(text);
  EXPECT_FALSE(read) << text;
  return read ? "" : read.error().message;
}

TEST(ValuesFile, HoldsALineAValue) {
  EXPECT_EQ(values("A=1\n\nB=x=y\nC=\nD= two words \nE=<<\n"),
            (Variables{{"A", "1"}, {"B", "x=y"}, {"C", ""}, {"D", " two words "}, {"E", "<<"}}));
  EXPECT_EQ(values("A=1"), (Variables{{"A", "1"}})) << "the last line needs no end";
  EXPECT_TRUE(values("").empty());
}

TEST(ValuesFile, HoldsValuesOfSeveralLines) {
  EXPECT_EQ(values("A<<EOF\none\n\ntwo=2\nEOF\nB<<x y\nx y\nC<<E=F\nv\nE=F\n"),
            (Variables{{"A", "one\n\ntwo=2"}, {"B", ""}, {"C", "v"}}));
  EXPECT_EQ(values("A<<EOF\n EOF\nEOF"), (Variables{{"A", " EOF"}})) << "the delimiter is a whole line";
}

TEST(ValuesFile, CarriageReturnsBelongToTheValue) { EXPECT_EQ(values("A=1\r\n"), (Variables{{"A", "1\r"}})); }

TEST(ValuesFile, AByteOrderMarkIsNoPartOfTheFirstName) {
  EXPECT_EQ(values("\xEF\xBB\xBF"
                   "A=1\n"),
            (Variables{{"A", "1"}}));
}

TEST(ValuesFile, WhatIsWrongIsSaidInGitHubsWords) {
  EXPECT_EQ(refusal("A=1\nno value\n"), "Invalid format 'no value'");
  EXPECT_EQ(refusal("=1\n"), "Invalid format '=1'. Name must not be empty");
  EXPECT_EQ(refusal("A<<\n"), "Invalid format 'A<<'. Name must not be empty and delimiter must not be empty");
  EXPECT_EQ(refusal("<<EOF\n"), "Invalid format '<<EOF'. Name must not be empty and delimiter must not be empty");
  EXPECT_EQ(refusal("A<<EOF\none\n"), "Invalid value. Matching delimiter not found 'EOF'");
  EXPECT_EQ(refusal("A<<EOF\noneEOF"), "Invalid value. EOF marker missing new line.");
}

TEST(ValuesFile, TooManyValuesAreRefused) {
  std::string text;
  for (size_t i = 0; i <= step_file_values_max; ++i) text += "A=1\n";
  EXPECT_THAT(refusal(text), HasSubstr("more than"));
}

TEST(PathFile, HoldsAFolderALine) {
  EXPECT_THAT(parse_path_file("/a/bin\n\n/b c/bin\r\nlast"), ElementsAre("/a/bin", "/b c/bin", "last"));
}

}  // namespace
}  // namespace headrace::runner
