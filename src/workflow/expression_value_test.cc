#include "workflow/expression_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace headrace::workflow {
namespace {

using Kind = Value::Kind;

TEST(ExpressionValue, PrintsNumbersAsGitHubDoes) {
  const std::pair<double, std::string_view> cases[] = {
      {0, "0"},
      {-0.0, "0"},
      {12, "12"},
      {-1.5, "-1.5"},
      {0.1 + 0.2, "0.3"},
      {0.84551240822557006, "0.84551240822557"},
      {123456789012345, "123456789012345"},
      {1e15, "1E+15"},
      {1.5e300, "1.5E+300"},
      {0.0001, "0.0001"},
      {0.00001, "1E-05"},
      {std::nan(""), "NaN"},
      {HUGE_VAL, "Infinity"},
      {-HUGE_VAL, "-Infinity"},
  };
  for (const auto& [number, text] : cases) EXPECT_EQ(text_of(number), text);
}

TEST(ExpressionValue, ReadsTheNumberThatATextSpells) {
  const std::pair<std::string_view, double> cases[] = {
      {"", 0},
      {" \t\n", 0},
      {" 12 ", 12},
      {"+.5", 0.5},
      {"-1.", -1},
      {"1e3", 1000},
      {"1E-1", 0.1},
      {"0x1F", 31},
      {"0o17", 15},
      {"\u00A07\u2003", 7},
      {"1e999", HUGE_VAL},
      {"-1e999", -HUGE_VAL},
      {"1e-999", 0},
      {"Infinity", HUGE_VAL},
      {"-Infinity", -HUGE_VAL},
      {"0xFFFFFFFF", 4294967295.0},
  };
  for (const auto& [text, number] : cases) EXPECT_EQ(number_of(text), number) << text;
  EXPECT_EQ(number_of("1" + std::string(400, '0')), HUGE_VAL);
  EXPECT_EQ(number_of("0." + std::string(400, '0') + "1"), 0);
  EXPECT_EQ(number_of("0." + std::string(400, '0') + "1e401"), 1);
}

TEST(ExpressionValue, ATextThatSpellsNoNumberIsNotANumber) {
  for (std::string_view text : {"a", "1a", "1 2", "0x", "0o8", "-0x1", "0X1", "1e", ".", "+", "e1", "inf", "nan",
                                "1_000", "infinity", "0b1", "1.2.3", "--1"})
    EXPECT_TRUE(std::isnan(number_of(text))) << text;
}

TEST(ExpressionValue, OnlyNothingZeroNaNFalseAndTheEmptyTextAreFalse) {
  for (const Value& value : {Value(), Value(false), Value(0), Value(-0.0), Value(std::nan("")), Value("")})
    EXPECT_FALSE(value.truthy()) << value.to_json();
  for (const Value& value : {Value(true), Value(-1), Value("0"), Value("false"), Value(Array{}), Value(Object{})})
    EXPECT_TRUE(value.truthy()) << value.to_json();
}

TEST(ExpressionValue, KindsThatDifferMeetAsNumbers) {
  EXPECT_TRUE(Value(1).loosely_equals("1"));
  EXPECT_TRUE(Value(true).loosely_equals(" 0x1 "));
  EXPECT_TRUE(Value().loosely_equals(""));
  EXPECT_TRUE(Value().loosely_equals(false));
  EXPECT_FALSE(Value("true").loosely_equals(true));
  EXPECT_FALSE(Value("NaN").loosely_equals(std::nan("")));
  EXPECT_FALSE(Value(Array{}).loosely_equals(""));
  EXPECT_FALSE(Value(Object{}).loosely_equals("Object"));
}

TEST(ExpressionValue, TextsCompareWithoutRegardToCase) {
  EXPECT_TRUE(Value("Grün ΣΑΣ").loosely_equals("gRÜN σας"));
  EXPECT_FALSE(Value("ı").loosely_equals("I"));
  EXPECT_FALSE(Value("ſ").loosely_equals("S"));
  EXPECT_FALSE(Value("ß").loosely_equals("ss"));
  EXPECT_TRUE(std::is_lt(Value("a").compare("B")));
  EXPECT_TRUE(std::is_lt(Value("_").compare("z")) == ('_' < 'Z'));
  EXPECT_TRUE(std::is_lt(Value("ab").compare("abc")));
  EXPECT_TRUE(std::is_lt(Value("\U0001F600").compare("\uFF21"))) << "ordered by UTF-16 code units";
}

TEST(ExpressionValue, ArraysAndObjectsEqualOnlyThemselves) {
  Value array = Array{1, 2}, object = Object{{"a", 1}};
  Value same = array;
  EXPECT_TRUE(array.loosely_equals(same));
  EXPECT_FALSE(array.loosely_equals(Array{1, 2}));
  EXPECT_TRUE(object.loosely_equals(object));
  EXPECT_FALSE(object.loosely_equals(Object{{"a", 1}}));
  EXPECT_EQ(array.compare(object), std::partial_ordering::unordered);
  EXPECT_EQ(array, Value(Array({1, 2}))) << "while == of the values themselves looks into them";
}

TEST(ExpressionValue, KeysAreFoundInAnyCaseHoweverManyThereAre) {
  Object object;
  for (int i = 0; i < 1000; ++i) object.set("Key" + std::to_string(i), i);
  object.set("kEY7", "seven");
  EXPECT_EQ(object.size(), 1000U);
  EXPECT_EQ(*object.find("KEY999"), Value(999));
  EXPECT_EQ(*object.find("key7"), Value("seven"));
  EXPECT_EQ(object.begin()->first, "Key0");
  EXPECT_EQ(object.find("Key1000"), nullptr);
}

TEST(ExpressionValue, KeysOfAnEnvironmentKeepTheirCase) {
  Object env(Object::Keys::exact);
  for (int i = 0; i < 20; ++i) env.set("NAME" + std::to_string(i), i);
  env.set("name1", "other");
  EXPECT_EQ(env.size(), 21U);
  EXPECT_EQ(*env.find("NAME1"), Value(1));
  EXPECT_EQ(env.find("Name1"), nullptr);
}

TEST(ExpressionValue, GoesToJsonAndBack) {
  auto json = *core::parse_json(R"({"b":[1,-2.5,null,true,"x"],"a":{"c":{}}})");
  Value value = Value::from_json(json);
  EXPECT_EQ(core::to_text(value.to_json()), core::to_text(json));
  EXPECT_EQ(value.find("B")->if_array()->at(1), Value(-2.5));
  EXPECT_EQ(Value(std::nan("")).to_json(), core::json::value("NaN"));
  EXPECT_EQ(Value(9007199254740993.0).to_json(), core::json::value(9007199254740992));
}

TEST(ExpressionValue, IsWrittenAsToJsonWritesIt) {
  Value value = Object{{"a", Array{1, "x\"\\\n\x01\u2028", Array{}, Object{}}}, {"b", Value()}};
  EXPECT_EQ(value.to_pretty_json(),
            "{\n  \"a\": [\n    1,\n    \"x\\\"\\\\\\n\\u0001\\u2028\",\n    [],\n    {}\n  ],\n  \"b\": null\n}");
  EXPECT_EQ(value.to_pretty_json(200), std::nullopt) << "more than it may hold";
}

}  // namespace
}  // namespace headrace::workflow
