#include "workflow/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::workflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;
using Stage = ExpressionError::Stage;

constexpr std::string_view contexts_known[] = {"github", "env", "steps", "needs", "matrix", "secrets"};
constexpr Language everything{.contexts = contexts_known, .functions = step_functions};

const Object& sample() {
  static const Object contexts{
      {"github", Object{{"ref", "refs/heads/main"}, {"event", Object{{"labels", Array{Object{{"name", "Bug"}}}}}}}},
      {"matrix", Object{{"os", "linux"}, {"n", 3}}},
      {"steps", Object{{"a", Object{{"outputs", Object{{"x", "1"}}}}}, {"b", Object{{"outputs", Object{}}}}}},
  };
  return contexts;
}

// Says what it was asked, and answers true, or with an error to hashFiles.
class AskedHost : public Host {
 public:
  std::expected<Value, std::string> call(std::string_view function, std::span<const Value> arguments) override {
    asked.append(function).append("(");
    for (const Value& argument : arguments) asked.append(argument.to_text()).append(";");
    asked.append(")");
    if (function == "hashFiles") return std::unexpected("no files");
    return Value(true);
  }
  std::string asked;
};

Expression parsed(std::string_view text) {
  auto expression = Expression::parse(text, everything);
  EXPECT_TRUE(expression) << expression.error().message;
  return expression ? *expression : Expression();
}

Value value_of(std::string_view text) {
  auto value = parsed(text).evaluate(sample());
  EXPECT_TRUE(value) << text << ": " << value.error().message;
  return value ? *value : Value();
}

ExpressionError error_of(std::string_view text) {
  auto expression = Expression::parse(text, everything);
  if (!expression) return expression.error();
  auto value = expression->evaluate(sample());
  EXPECT_FALSE(value) << text << " is " << value->to_json();
  return value ? ExpressionError{} : value.error();
}

TEST(Expression, LooksIntoContextsInAnyCase) {
  EXPECT_EQ(value_of("GitHub.REF"), Value("refs/heads/main"));
  EXPECT_EQ(value_of("github['event'].labels[0].name"), Value("Bug"));
  EXPECT_EQ(value_of("github.nothing.at.all"), Value());
  EXPECT_EQ(value_of("secrets.TOKEN"), Value()) << "a known context without a value is null";
}

TEST(Expression, FiltersObjectsAndArrays) {
  EXPECT_EQ(value_of("steps.*.outputs.x"), Value(Array{"1"}));
  EXPECT_EQ(value_of("github.event.labels.*.name"), Value(Array{"Bug"}));
  EXPECT_EQ(value_of("contains(github.event.labels[*].name, 'bug')"), Value(true));
  EXPECT_EQ(value_of("(steps.* || 1).outputs"), Value(Array{Object{{"x", "1"}}, Object{}}));
}

TEST(Expression, AndAndOrGiveTheValueThatDecided) {
  EXPECT_EQ(value_of("'' || matrix.os && matrix.n"), Value(3));
  EXPECT_EQ(value_of("0 && github.ref"), Value(0));
  EXPECT_EQ(value_of("!matrix.os || 'x'"), Value("x"));
}

TEST(Expression, EvaluatesNothingItDoesNotNeed) {
  AskedHost host;
  EXPECT_TRUE(parsed("false && hashFiles('a')").evaluate(sample(), &host));
  EXPECT_TRUE(parsed("case(true, 1, hashFiles('a'))").evaluate(sample(), &host));
  EXPECT_TRUE(parsed("format('{0}', 1, hashFiles('a'))").evaluate(sample(), &host));
  EXPECT_EQ(host.asked, "");
}

TEST(Expression, AsksTheHostByTheNameThatTheLanguageGives) {
  AskedHost host;
  EXPECT_EQ(*parsed("SUCCESS() && Always()").evaluate(sample(), &host), Value(true));
  EXPECT_EQ(host.asked, "success()always()");
  auto failed = parsed("1 == hashfiles('**/a', matrix.n)").evaluate(sample(), &host);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), (ExpressionError{Stage::evaluation, "no files", 6, 5}));
  EXPECT_THAT(host.asked, HasSubstr("hashFiles(**/a;3;)"));
  EXPECT_THAT(parsed("success()").evaluate(sample()).error().message, HasSubstr("'success'"));
}

TEST(Expression, NamesThatAreNotKnownAreErrorsWithTheirPlace) {
  EXPECT_EQ(error_of("1 == inputs.x"),
            (ExpressionError{Stage::parsing,
                             "Unrecognized named-value: 'inputs'. Located at position 6 within expression: 1 == "
                             "inputs.x",
                             6, 5}));
  EXPECT_THAT(error_of("'ü\U0001F600' && toYAML(1)").message,
              HasSubstr("Unrecognized function: 'toYAML'. Located at position 10 "));
  EXPECT_TRUE(Expression::parse("foo(bar, 1).x", {.contexts = {}, .any_name = true}));
}

TEST(Expression, CountsParameters) {
  EXPECT_THAT(error_of("contains('a')").message, HasSubstr("Too few parameters supplied: 'contains'. Located at"));
  EXPECT_THAT(error_of("true || toJSON(1, 2)").message,
              HasSubstr("Too many parameters supplied: 'toJSON'. Located at position 9"));
  EXPECT_THAT(error_of("success(1)").message, HasSubstr("Too many parameters"));
  EXPECT_THAT(error_of("hashFiles()").message, HasSubstr("Too few parameters"));
  EXPECT_THAT(error_of("case(true, 1, false, 2)").message, HasSubstr("Even number of parameters"));
}

TEST(Expression, WordsThatCannotFollowEachOtherAreErrors) {
  for (std::string_view text : {"1 2",
                                "github.",
                                "github..ref",
                                "(1",
                                "1)",
                                "github[1",
                                "[1]",
                                "github[*.x]",
                                "github[* == 1]",
                                "*",
                                "1.*",
                                "'a'.b",
                                "null.x",
                                "!",
                                "1 !",
                                "1 == ",
                                "&& 1",
                                "contains(,1)",
                                "contains(1,)",
                                "(1, 2)",
                                "github(1)",
                                "success().x.",
                                "github[]",
                                "()",
                                "a.b",
                                "'a",
                                "1 = 2",
                                "$a",
                                "github.ref |",
                                "github.'ref'",
                                "contains",
                                "5.5.5",
                                "-",
                                "True"})
    EXPECT_FALSE(Expression::parse(text, everything)) << text;
}

TEST(Expression, AnEmptyTextIsNull) {
  EXPECT_EQ(value_of(""), Value());
  EXPECT_EQ(value_of(" \n\u00A0"), Value());
  EXPECT_EQ(*Expression().evaluate(sample()), Value());
}

TEST(Expression, LengthIsBounded) {
  std::string text = "'" + std::string(expression_length_max - 2, 'x') + "'";
  EXPECT_TRUE(Expression::parse(text, everything));
  EXPECT_EQ(error_of(text + " ").message, "Exceeded max expression length 21000");
  std::string wide = "'";
  for (size_t i = 2; i < expression_length_max; ++i) wide += "ü";
  EXPECT_TRUE(Expression::parse(wide + "'", everything)) << "characters count, not bytes";
}

TEST(Expression, DepthIsBounded) {
  auto nested = [](size_t depth) { return std::string(depth - 1, '!') + "1"; };
  EXPECT_EQ(parsed(nested(expression_depth_max)).evaluate(sample()), Value(false));
  EXPECT_EQ(error_of(nested(expression_depth_max + 1)).message, "Exceeded max expression depth 50");
  EXPECT_EQ(error_of(nested(20'000)).message, "Exceeded max expression depth 50");
  EXPECT_EQ(value_of(std::string(5000, '(') + "1" + std::string(5000, ')')), Value(1)) << "brackets are not depth";
}

TEST(Expression, AChainIsOneLevelDeepHoweverLong) {
  std::string left = "1", right = "1";
  for (int i = 0; i < 3000; ++i) left += "&&1";
  for (int i = 0; i < 3000; ++i) right = "1&&(" + right + ")";
  EXPECT_EQ(value_of(left), Value(1));
  EXPECT_EQ(value_of(right), Value(1));
  EXPECT_EQ(value_of("(1 && 2) && (3 && 0) && 5 || 6"), Value(6));
}

TEST(Expression, MemoryIsBounded) {
  std::string doubled = "'0123456789'";
  for (int i = 0; i < 20; ++i) doubled = "format('{0}{0}{0}{0}', " + doubled + ")";
  EXPECT_THAT(error_of(doubled).message, HasSubstr("The maximum allowed memory size was exceeded while evaluating"));
  Array numbers;
  for (int i = 0; i < 100'000; ++i) numbers.push_back(i);
  Object contexts{{"env", Object{{"n", std::move(numbers)}}}};
  auto joined = parsed("join(env.n, 'xxxxxxxxxx')").evaluate(contexts);
  ASSERT_FALSE(joined);
  EXPECT_THAT(joined.error().message, HasSubstr("memory"));
  EXPECT_FALSE(parsed("toJSON(env.n)").evaluate(contexts));
  EXPECT_TRUE(parsed("toJSON(env.n)").evaluate(contexts, nullptr, template_memory_max));
  EXPECT_FALSE(parsed("env.*.*").evaluate(contexts, nullptr, 1000));
}

TEST(Expression, WhatIsDoneWithTakesNoMemoryAnyMore) {
  std::string big = "contains(format('" + std::string(1000, 'x') + "'), 'y')", many = big;
  for (int i = 0; i < 15; ++i) many += " || " + big;
  EXPECT_EQ(*parsed(many).evaluate(sample(), nullptr, 10'000), Value(false));
}

TEST(Expression, SaysWhatItRefersTo) {
  auto expression = parsed("needs.Build.outputs['x'] == steps[matrix.n].outputs.* && hashFiles('a', env.B)");
  const auto& references = expression.references();
  ASSERT_EQ(references.size(), 5U);
  EXPECT_EQ(references[0].name, "needs");
  EXPECT_THAT(references[0].path, ElementsAre(Optional(std::string("Build")), Optional(std::string("outputs")),
                                              Optional(std::string("x"))));
  EXPECT_EQ(references[1].name, "steps");
  EXPECT_THAT(references[1].path, ElementsAre(std::nullopt, Optional(std::string("outputs")), std::nullopt));
  EXPECT_EQ(references[1].position, 29U);
  EXPECT_EQ(references[3].kind, Reference::Kind::function);
  EXPECT_EQ(references[3].name, "hashfiles");
  EXPECT_THAT(references[3].arguments, ElementsAre(Optional(std::string("a")), std::nullopt));
  EXPECT_TRUE(expression.names_context("MATRIX"));
  EXPECT_FALSE(expression.names_context("secrets"));
  EXPECT_TRUE(expression.calls("hashFiles"));
  EXPECT_FALSE(expression.calls_status_function());
}

TEST(Expression, KnowsWhetherItIsOneLiteral) {
  EXPECT_EQ(parsed("'a'").literal(), Value("a"));
  EXPECT_EQ(parsed("(1)").literal(), Value(1));
  EXPECT_EQ(parsed("!1").literal(), std::nullopt);
}

TEST(Expression, BadJsonIsAnError) {
  EXPECT_THAT(error_of("fromJSON('{')").message, HasSubstr("Error parsing fromJson: "));
  EXPECT_THAT(error_of("fromJSON('')").message, HasSubstr("Error parsing fromJson: "));
  EXPECT_FALSE(Expression::parse("fromJSON('" + std::string(200, '[') + "')", everything)->evaluate(sample()));
}

TEST(Expression, FormatKnowsNoSpecifiersAndNoHugeNumbers) {
  EXPECT_THAT(error_of("format('{0:x}', 1)").message, HasSubstr("The format specifiers 'x' are not valid"));
  EXPECT_EQ(error_of("format('{99999999999999999999}', 1)").message,
            "The following format string is invalid: {99999999999999999999}");
  EXPECT_EQ(error_of("format('{ 0}', 1)").message, "The following format string is invalid: { 0}");
}

}  // namespace
}  // namespace headrace::workflow
