#include "core/json.h"

#include <gtest/gtest.h>

namespace headrace::core {
namespace {

std::string complaint(std::string_view text) {
  const auto value = parse_json(text);
  if (value) return "accepted: " + to_text(*value);
  EXPECT_EQ(value.error().code, Code::invalid);
  return value.error().message;
}

std::string nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST(Json, IsReadWithSpaceAroundIt) {
  for (const char* text : {"null", " true ", "12", "-0.5\n", "\"x\"", "[]", "\t{ \"a\" : [ 1 , 2 ] }\r\n"})
    EXPECT_TRUE(parse_json(text)) << complaint(text);
}

TEST(Json, NamesLineAndColumnOfTheFirstBadCharacter) {
  EXPECT_NE(complaint("{\n  \"a\": 1,\n  \"b\": oops\n}").find("line 3, column 8"), std::string::npos)
      << complaint("{\n  \"a\": 1,\n  \"b\": oops\n}");
  EXPECT_NE(complaint("[1, 2,]").find("line 1, column 7"), std::string::npos) << complaint("[1, 2,]");
  EXPECT_NE(complaint("").find("line 1, column 1"), std::string::npos) << complaint("");
  EXPECT_NE(complaint("{\"a\":\n").find("line 2, column 1"), std::string::npos) << complaint("{\"a\":\n");
}

TEST(Json, RefusesWhatFollowsTheValueAndSaysWhere) {
  for (const char* text : {"{} x", "1 2", "[] []", "null,"}) {
    EXPECT_NE(complaint(text).find("follows the value"), std::string::npos) << text << " -> " << complaint(text);
  }
  EXPECT_NE(complaint("{} x").find("line 1, column 4"), std::string::npos) << complaint("{} x");
}

TEST(Json, RefusesWhatItsRuleDoesNotAllow) {
  for (const char* text : {"{'a':1}", "{a:1}", "[1 2]", "01", "+1", ".5", "1.", "NaN", "tru", "\"\t\"", "\"\\x\"",
                           "\"\\ud800\"", "\"\xff\"", "// x\n1", "[1,]", "{\"a\"}", "\"open"})
    EXPECT_EQ(complaint(text).find("accepted"), std::string::npos) << text << " " << complaint(text);
}

TEST(Json, IsRefusedBeyond64Levels) {
  EXPECT_TRUE(parse_json(nested(64)));
  EXPECT_FALSE(parse_json(nested(65)));
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST(Json, LetsTheLastOfRepeatedKeysCount) {
  EXPECT_EQ(to_text(*parse_json(R"({"a":1,"b":2,"a":3})")), R"({"a":3,"b":2})");
}

TEST(Json, IsEqualInItsCanonicalTextWhateverTheOrderOfKeys) {
  const auto a = *parse_json(R"({"b":[{"y":1,"x":2}],"a":null})");
  const auto b = *parse_json(R"({"a":null,"b":[{"x":2,"y":1}]})");
  EXPECT_EQ(to_canonical_text(a), R"({"a":null,"b":[{"x":2,"y":1}]})");
  EXPECT_EQ(to_canonical_text(a), to_canonical_text(b));
}

TEST(Json, IsPrettyWithTwoSpacesAndAFinalNewline) {
  EXPECT_EQ(to_pretty_text(*parse_json(R"({"a":[1,{"b":"x\ny"}],"c":{},"d":[]})")),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x\\ny\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}\n");
}

TEST(Json, GivesNothingForAMemberThatIsAbsentOrOfAnotherKind) {
  const auto value = *parse_json(R"({"s":"x","i":-3,"u":18446744073709551615,"d":1.5,"b":false,"n":null})");
  EXPECT_EQ(string_at(value, "s"), "x");
  EXPECT_EQ(string_at(value, "i"), std::nullopt);
  EXPECT_EQ(integer_at(value, "i"), -3);
  EXPECT_EQ(integer_at(value, "u"), std::nullopt) << "beyond 63 bits";
  EXPECT_EQ(integer_at(value, "d"), std::nullopt);
  EXPECT_EQ(boolean_at(value, "b"), false);
  EXPECT_EQ(boolean_at(value, "n"), std::nullopt);
  EXPECT_EQ(find(value, "absent"), nullptr);
  EXPECT_EQ(find(json::value("text"), "s"), nullptr);
  EXPECT_EQ(integer_at(*parse_json(R"({"u":9223372036854775807})"), "u"), INT64_MAX);
}

}  // namespace
}  // namespace headrace::core
