#include "filter/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "filter/text.h"

namespace headrace::filter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

events::Event push() {
  events::Event event;
  event.id = "1";
  event.source = "/headrace/repository";
  event.type = "push.received";
  event.subject = "team/hello";
  event.time = core::Time(std::chrono::seconds(1'000'000'000));
  event.extensions = {{"hop", "5"}, {"ttl", int32_t{10}}, {"urgent", true}};
  return event;
}

Evaluation evaluate(std::string_view expression, const events::Event& event = push()) {
  auto filter = compile(expression);
  EXPECT_TRUE(filter) << expression << ": " << (filter ? "" : filter.error().message);
  return filter ? filter->evaluate(event) : Evaluation{};
}

events::Attribute value(std::string_view expression) {
  Evaluation evaluation = evaluate(expression);
  EXPECT_THAT(evaluation.errors, IsEmpty()) << expression << ": " << evaluation.errors[0].message;
  return evaluation.value;
}

std::string text(std::string_view expression) {
  events::Attribute got = value(expression);
  const std::string* string = std::get_if<std::string>(&got);
  EXPECT_NE(string, nullptr) << expression;
  return string != nullptr ? *string : "";
}

bool matches(std::string_view expression) {
  auto filter = compile(expression);
  EXPECT_TRUE(filter) << expression;
  Evaluation evaluation = evaluate(expression);
  EXPECT_EQ(filter->matches(push()), evaluation.passed()) << expression;  // both ways of evaluating agree
  return filter->matches(push());
}

ErrorKind kind(std::string_view expression) {
  Evaluation evaluation = evaluate(expression);
  EXPECT_EQ(evaluation.errors.size(), 1U) << expression;
  EXPECT_FALSE(matches(expression));
  return evaluation.errors.empty() ? ErrorKind::generic : evaluation.errors[0].kind;
}

std::string refusal(std::string_view expression) {
  auto filter = compile(expression);
  EXPECT_FALSE(filter) << expression;
  return filter ? "" : filter.error().message;
}

TEST(Cesql, ReadsEveryAttributeByItsNameWhateverTheCase) {
  EXPECT_EQ(text("SUBJECT"), "team/hello");
  EXPECT_EQ(text("specversion"), "1.0");
  EXPECT_EQ(text("time"), "2001-09-09T01:46:40Z");
  EXPECT_EQ(value("ttl"), events::Attribute(int32_t{10}));
  EXPECT_EQ(value("urgent"), events::Attribute(true));
  EXPECT_EQ(kind("dataschema = ''"), ErrorKind::missing_attribute);
  EXPECT_EQ(kind("data = ''"), ErrorKind::missing_attribute);
}

TEST(Cesql, LogicGoesLeftToRightWithOnePrecedence) {
  EXPECT_EQ(value("FALSE AND TRUE OR TRUE"), events::Attribute(true));
  EXPECT_EQ(value("TRUE OR TRUE AND FALSE"), events::Attribute(false));
  EXPECT_EQ(value("TRUE XOR TRUE XOR TRUE"), events::Attribute(true));
  EXPECT_EQ(value("TRUE OR (TRUE AND FALSE)"), events::Attribute(true));
}

TEST(Cesql, NotBindsTighterThanComparisonsAndLike) {
  EXPECT_EQ(value("NOT urgent = FALSE"), events::Attribute(true));
  EXPECT_EQ(value("NOT (urgent = TRUE)"), events::Attribute(false));
  EXPECT_EQ(value("NOT urgent LIKE 'fal%'"), events::Attribute(true));
}

TEST(Cesql, ASignBelongsToANumberOnlyWhereAValueIsExpected) {
  EXPECT_EQ(value("4-1"), events::Attribute(int32_t{3}));
  EXPECT_EQ(value("4 - -1"), events::Attribute(int32_t{5}));
  EXPECT_EQ(value("+7"), events::Attribute(int32_t{7}));
  EXPECT_EQ(value("- ttl"), events::Attribute(int32_t{-10}));
  EXPECT_EQ(value("-2147483648"), events::Attribute(int32_t{-2147483647 - 1}));
  EXPECT_THAT(refusal("2147483648"), HasSubstr("column 1: 2147483648 does not fit in 32 bits"));
}

TEST(Cesql, OverflowIsAMathErrorWithTheValueZero) {
  for (std::string_view expression :
       {"2147483647 + 1", "-2147483648 - 1", "65536 * 65536", "-(-2147483648)", "-2147483648 / -1"}) {
    EXPECT_EQ(kind(expression), ErrorKind::math) << expression;
    EXPECT_EQ(evaluate(expression).value, events::Attribute(int32_t{0})) << expression;
  }
  EXPECT_EQ(value("-7 % 3"), events::Attribute(int32_t{-1}));
  EXPECT_EQ(value("-7 / 2"), events::Attribute(int32_t{-3}));
  EXPECT_EQ(value("-2147483648 % -1"), events::Attribute(int32_t{0}));
}

TEST(Cesql, EqualityCastsTheLeftSideToTheTypeOfTheRight) {
  EXPECT_TRUE(matches("hop = 5"));
  EXPECT_TRUE(matches("5 = hop"));
  EXPECT_TRUE(matches("hop != '05'"));
  EXPECT_TRUE(matches("'+5' = 5"));
  EXPECT_EQ(kind("subject = 5"), ErrorKind::cast);
  EXPECT_EQ(kind("'+-5' = 5"), ErrorKind::cast);
  EXPECT_EQ(kind("'99999999999' < 5"), ErrorKind::cast);
}

TEST(Cesql, AnOperatorWithAFailedOperandGivesItsZeroValueAndTheError) {
  EXPECT_EQ(evaluate("1 != 1 / 0").value, events::Attribute(false));
  EXPECT_EQ(evaluate("CONCAT(missing, 'a')").value, events::Attribute(std::string()));
  EXPECT_EQ(evaluate("LENGTH(missing)").value, events::Attribute(int32_t{0}));
  EXPECT_EQ(evaluate("missing IN ('a')").value, events::Attribute(false));
  EXPECT_EQ(evaluate("missing").value, events::Attribute(false));
}

TEST(Cesql, TellsEveryErrorWithItsPlace) {
  Evaluation evaluation = evaluate("missing = 1 OR  absent = 2 OR 1/0 = 3");
  EXPECT_THAT(evaluation.errors,
              ElementsAre(Problem{ErrorKind::missing_attribute, "The event has no attribute missing.", 1},
                          Problem{ErrorKind::missing_attribute, "The event has no attribute absent.", 17},
                          Problem{ErrorKind::math, "Division by zero.", 32}));
}

TEST(Cesql, AndAndOrStopAtTheOperandThatDecides) {
  EXPECT_FALSE(matches("hop = 4 AND missing = 1"));
  EXPECT_THAT(evaluate("hop = 4 AND missing = 1").errors, IsEmpty());
  EXPECT_TRUE(matches("hop = 5 OR missing = 1"));
  EXPECT_TRUE(matches("TRUE OR missing = 1"));
  EXPECT_THAT(evaluate("FALSE AND missing").errors, IsEmpty());
}

TEST(Cesql, ASetIsComparedInTheTypeOfTheLeftSide) {
  EXPECT_TRUE(matches("hop IN ('4', 5)"));
  EXPECT_TRUE(matches("ttl IN (1, '10')"));
  EXPECT_TRUE(matches("urgent IN ('TRUE')"));
  EXPECT_TRUE(matches("ttl NOT IN (1, hop)"));
  EXPECT_TRUE(matches("subject IN (hop, CONCAT('team', '/hello'))"));
  EXPECT_EQ(kind("ttl IN (10, 'ten')"), ErrorKind::cast);
  EXPECT_EQ(kind("ttl IN (10, missing)"), ErrorKind::missing_attribute);
  EXPECT_EQ(kind("urgent IN (TRUE, 'yes')"), ErrorKind::cast);
}

TEST(Cesql, LikeKnowsWholeCharactersAndEscapes) {
  EXPECT_EQ(value("'grün' LIKE 'gr_n'"), events::Attribute(true));
  EXPECT_EQ(value("'gr\xC3\xBCn\xE2\x82\xAC' LIKE '%_n_'"), events::Attribute(true));
  EXPECT_EQ(value("'a\\b' LIKE 'a\\b'"), events::Attribute(true));
  EXPECT_EQ(value("'100%' LIKE '%\\%'"), events::Attribute(true));
  EXPECT_EQ(value("'100' LIKE '%\\%'"), events::Attribute(false));
  EXPECT_EQ(value("'' LIKE '%%'"), events::Attribute(true));
  EXPECT_EQ(value("'' LIKE '_'"), events::Attribute(false));
  EXPECT_EQ(value("'aXbXc' LIKE 'a%X_'"), events::Attribute(true));
  EXPECT_EQ(value("'ab' LIKE 'ab%b'"), events::Attribute(false));
  EXPECT_EQ(value("'abcabc' LIKE '%b_a%'"), events::Attribute(true));
}

TEST(Cesql, LikeWithManyPercentSignsStaysQuick) {
  events::Event event = push();
  event.subject = std::string(200'000, 'a');
  std::string pattern;
  for (int i = 0; i < 300; ++i) pattern += "a%";
  auto filter = compile("subject LIKE '%" + pattern + "b'");
  ASSERT_TRUE(filter);
  auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(filter->matches(event));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));  // backtracking would take for ever
}

TEST(Cesql, FunctionsCountCharactersNotBytes) {
  EXPECT_EQ(value("LENGTH('Grüße €')"), events::Attribute(int32_t{7}));
  EXPECT_EQ(text("LEFT('üöä', 2)"), "üö");
  EXPECT_EQ(text("RIGHT('üöä', 2)"), "öä");
  EXPECT_EQ(text("SUBSTRING('üöäß', -2)"), "äß");
  EXPECT_EQ(text("SUBSTRING('üöäß', 2, 2)"), "öä");
  EXPECT_EQ(text("SUBSTRING('abc', 3, 9)"), "c");
  EXPECT_EQ(kind("SUBSTRING('abc', 1, -1)"), ErrorKind::function_evaluation);
}

TEST(Cesql, FunctionsKnowTheLettersAndSpacesOfUnicode) {
  EXPECT_EQ(text("UPPER('straße élan жук')"), "STRAßE ÉLAN ЖУК");
  EXPECT_EQ(text("LOWER('ÉLAN ЖУК')"), "élan жук");
  EXPECT_EQ(text("TRIM('\xE2\x80\x83\xC2\xA0 x y\xE3\x80\x80')"), "x y");
  EXPECT_EQ(text("CONCAT_WS('-', hop, ttl, urgent)"), "5-10-true");
}

TEST(Cesql, AFunctionThatDoesNotExistIsKnownWithoutAnEvent) {
  auto filter = compile("hop = 5 AND FOO(1) = 2");
  ASSERT_TRUE(filter);
  ASSERT_EQ(filter->problems().size(), 1U);
  EXPECT_EQ(filter->problems()[0].kind, ErrorKind::missing_function);
  EXPECT_EQ(filter->problems()[0].position, 13U);
  EXPECT_THAT(filter->problems()[0].message, HasSubstr("There is no function FOO; there are ABS,"));
  EXPECT_EQ(kind("LEFT('a') = ''"), ErrorKind::missing_function);
  EXPECT_THAT(compile("LEFT('a')")->problems()[0].message, HasSubstr("LEFT takes 2 argument(s), not 1."));
}

TEST(Cesql, AParseErrorNamesColumnReasonAndRemedy) {
  EXPECT_THAT(refusal(""), HasSubstr("column 1: a value is expected instead of the end of the expression"));
  EXPECT_THAT(refusal("id = 'ab"), HasSubstr("column 6: the text that begins here does not end; close it with '"));
  EXPECT_THAT(refusal("(id = 'a'"), HasSubstr("column 10: a ')' is expected instead of the end of the expression"));
  EXPECT_THAT(refusal("id = 'a' type = 'b'"), HasSubstr("column 10: an operator is expected instead of type"));
  EXPECT_THAT(refusal("'ü' = id && 1"), HasSubstr("column 10: '&' has no meaning here"));
  EXPECT_THAT(refusal("id NOT = 'a'"), HasSubstr("column 8: LIKE or IN is expected after NOT"));
  EXPECT_THAT(refusal("id LIKE source"), HasSubstr("column 9: LIKE wants a pattern in quotes"));
  EXPECT_THAT(refusal("id IN ()"), HasSubstr("column 8: the set is empty"));
  EXPECT_THAT(refusal("EXISTS 'id'"), HasSubstr("EXISTS wants the name of an attribute"));
  EXPECT_THAT(refusal("my_name = 'a'"), HasSubstr("my_name is no name of an attribute"));
  EXPECT_THAT(refusal("like = 'a'"), HasSubstr("a value is expected instead of the operator like"));
  EXPECT_THAT(refusal("\xFF"), HasSubstr("no UTF-8"));
}

TEST(Cesql, HostileNestingIsRefusedNotOverflowed) {
  std::string parentheses(8000, '('), nots, minus(8000, '-'), calls, sums = "1";
  for (int i = 0; i < 4000; ++i) nots += "NOT ", sums += "+1";
  for (int i = 0; i < 3000; ++i) calls += "ABS(";
  for (const std::string& hostile : {parentheses, nots + "TRUE", minus + " 1", calls + "1", sums}) {
    EXPECT_THAT(refusal(hostile), HasSubstr("nested deeper than 100 levels")) << hostile.substr(0, 20);
  }
  EXPECT_THAT(refusal(std::string(expression_bytes_max + 1, ' ')), HasSubstr("longer than 16 KiB"));
}

TEST(Cesql, ALongChainOfAlternativesIsNotDeep) {
  std::string chain = "type = 'a0'";
  for (int i = 1; i < 500; ++i) chain += " OR type = 'a" + std::to_string(i) + "'";
  auto filter = compile(chain);
  ASSERT_TRUE(filter) << filter.error().message;
  events::Event event = push();
  event.type = "a499";
  EXPECT_TRUE(filter->matches(event));
  EXPECT_EQ(filter->types()->size(), 500U);
}

TEST(Cesql, TextMadeByFunctionsIsBounded) {
  events::Event event = push();
  event.subject = std::string(200'000, 'x');
  std::string many = "CONCAT(subject";
  for (int i = 0; i < 20; ++i) many += ", subject";
  Evaluation evaluation = evaluate(many + ")", event);
  ASSERT_EQ(evaluation.errors.size(), 1U);
  EXPECT_EQ(evaluation.errors[0].kind, ErrorKind::function_evaluation);
  EXPECT_EQ(evaluation.value, events::Attribute(std::string()));
}

TEST(Cesql, AQuoteIsWrittenEscapedOrTwice) {
  EXPECT_EQ(text(R"('it\'s')"), "it's");
  EXPECT_EQ(text("'it''s'"), "it's");
  EXPECT_EQ(text(R"("a\nb")"), R"(a\nb)");
  EXPECT_EQ(text(R"('a\\')"), R"(a\\)");
}

TEST(Types, AreKnownForFiltersThatNameThem) {
  auto types = [](std::string_view expression) {
    return compile(expression)->types().value_or(std::vector<std::string>{"*"});
  };
  EXPECT_THAT(types("type = 'b' OR 'a' = type"), ElementsAre("a", "b"));
  EXPECT_THAT(types("type IN ('b', 'a') AND subject = 'x'"), ElementsAre("a", "b"));
  EXPECT_THAT(types("type IN ('b', 'a') AND type = 'b'"), ElementsAre("b"));
  EXPECT_THAT(types("type LIKE 'a'"), ElementsAre("a"));
  EXPECT_THAT(types("type LIKE 'a%'"), ElementsAre("*"));
  EXPECT_THAT(types("type = 'a' OR subject = 'x'"), ElementsAre("*"));
  EXPECT_THAT(types("type != 'a'"), ElementsAre("*"));
  EXPECT_THAT(types("type NOT IN ('a')"), ElementsAre("*"));
  EXPECT_THAT(types("type IN (subject)"), ElementsAre("*"));
  EXPECT_THAT(types("1 = 2"), IsEmpty());
  EXPECT_THAT(types("'true' AND type = 'a'"), ElementsAre("a"));
  EXPECT_THAT(types("'true' AND TRUE"), ElementsAre("*"));
}

bool json_matches(std::string_view json, const events::Event& event = push()) {
  auto filter = compile_json(json);
  EXPECT_TRUE(filter) << filter.error().message;
  return filter && filter->matches(event);
}

TEST(Dialects, CompareAttributesOfEveryType) {
  EXPECT_TRUE(json_matches(R"({"exact": {"ttl": "10", "urgent": "true"}})"));
  EXPECT_TRUE(json_matches(R"({"prefix": {"time": "2001-"}})"));
  EXPECT_TRUE(json_matches(R"({"suffix": {"subject": "/hello", "source": "repository"}})"));
  EXPECT_FALSE(json_matches(R"({"suffix": {"subject": "/hello", "source": "x"}})"));
  EXPECT_FALSE(json_matches(R"({"exact": {"type": "PUSH.received"}})"));
}

TEST(Dialects, AMissingAttributeIsFalseAndItsNegationTrue) {
  EXPECT_FALSE(json_matches(R"({"exact": {"missing": "x"}})"));
  EXPECT_TRUE(json_matches(R"({"not": {"exact": {"missing": "x"}}})"));
  EXPECT_TRUE(json_matches(R"({"not": {"sql": "missing = 'x'"}})"));
}

TEST(Dialects, NestAndListTheirTypes) {
  std::string_view json = R"({"all":[{"any":[{"exact":{"type":"push.received"}},{"exact":{"type":"b"}}]},)"
                          R"({"sql":"hop < ttl"},{"not":{"prefix":{"subject":"x"}}}]})";
  EXPECT_TRUE(json_matches(json));
  EXPECT_THAT(*compile_json(json)->types(), ElementsAre("b", "push.received"));
  EXPECT_EQ(compile_json(json)->json(), json);
}

TEST(Dialects, AnArrayIsTrueWhenAllOfItAreAndAnEmptyOneAlways) {
  EXPECT_TRUE(json_matches("[]"));
  EXPECT_TRUE(Filter().matches(push()));
  EXPECT_EQ(Filter().json(), "[]");
  EXPECT_FALSE(json_matches(R"([{"exact": {"hop": "5"}}, {"exact": {"hop": "6"}}])"));
}

TEST(Dialects, ARefusalNamesPlaceReasonAndRemedy) {
  auto refused = [](std::string_view json) {
    auto filter = compile_json(json);
    EXPECT_FALSE(filter) << json;
    return filter ? std::string() : filter.error().message;
  };
  EXPECT_THAT(refused("{"), Not(IsEmpty()));
  EXPECT_THAT(refused("3"), HasSubstr("must be an object with one dialect"));
  EXPECT_THAT(refused(R"({"like": {}})"), HasSubstr("dialect 'like'; there are exact, prefix"));
  EXPECT_THAT(refused(R"({"all": []})"), HasSubstr("/all must be an array of filters, with at least one"));
  EXPECT_THAT(refused(R"({"all": [{"exact": {"Type": "x"}}]})"), HasSubstr("/all/0/exact names the attribute 'Type'"));
  EXPECT_THAT(refused(R"({"exact": {"type": ""}})"), HasSubstr("/exact/type must be a text that is not empty"));
  EXPECT_THAT(refused(R"({"exact": {}})"), HasSubstr("with at least one"));
  EXPECT_THAT(refused(R"([{"not": {"sql": "id ="}}])"), HasSubstr("at /0/not/sql cannot be read at column 5"));
}

TEST(FilterTest, PrintsTheResultWithItsErrors) {
  std::string event = R"({"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2018-04-26T14:48:09+02:00"})";
  EXPECT_EQ(*test("type = 't'", event), R"({"result":true,"errors":[]})");
  EXPECT_EQ(*test("time", event), R"({"result":"2018-04-26T14:48:09+02:00","errors":[]})");
  EXPECT_EQ(*test("1/0", event),
            R"({"result":0,"errors":[{"kind":"math","message":"Division by zero.","position":2}]})");
  EXPECT_THAT(*test("1 +", event), HasSubstr(R"({"result":false,"errors":[{"kind":"parse")"));
  EXPECT_FALSE(test("TRUE", R"({"id":"1"})"));
}

}  // namespace
}  // namespace headrace::filter
