// Texts with ${{ }}, and the conditions of `if`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workflow/expression.h"

namespace headrace::workflow {
namespace {

using testing::HasSubstr;
using Stage = ExpressionError::Stage;

constexpr std::string_view contexts_known[] = {"github", "matrix", "secrets"};
constexpr Language language{.contexts = contexts_known, .functions = job_status_functions};

const Object& sample() {
  static const Object contexts{{"matrix", Object{{"n", 3}, {"list", Array{1, 2}}, {"name", "it's {0}"}}}};
  return contexts;
}

Template parsed(std::string_view text) {
  auto made = Template::parse(text, language);
  EXPECT_TRUE(made) << text << ": " << made.error().message;
  return made ? *made : Template();
}

Value value_of(std::string_view text) {
  auto value = parsed(text).evaluate(sample());
  EXPECT_TRUE(value) << text << ": " << value.error().message;
  return value ? *value : Value();
}

ExpressionError error_of(std::string_view text) {
  auto made = Template::parse(text, language);
  EXPECT_FALSE(made) << text;
  return made ? ExpressionError{} : made.error();
}

std::string condition_of(std::string_view text) {
  auto condition = parse_condition(text, language);
  EXPECT_TRUE(condition) << text << ": " << condition.error().message;
  return condition ? condition->text() : "";
}

TEST(Template, WithoutExpressionsIsALiteral) {
  for (std::string_view text : {"", "plain", "$ {{ x }}", "{{ x }}", "}}"}) {
    EXPECT_EQ(value_of(text), Value(text));
    EXPECT_TRUE(parsed(text).is_literal());
  }
  EXPECT_EQ(*Template().evaluate(sample()), Value(""));
  EXPECT_EQ(*Template::literal("${{ as it is }}").evaluate(sample()), Value("${{ as it is }}"));
}

TEST(Template, OfOneExpressionKeepsItsKind) {
  EXPECT_EQ(value_of("${{ matrix.n }}"), Value(3));
  EXPECT_EQ(value_of("${{matrix.list}}"), Value(Array{1, 2}));
  EXPECT_EQ(value_of(" ${{ matrix.n }}"), Value(" 3")) << "a blank beside it makes a text of it";
  EXPECT_TRUE(parsed("${{ matrix.n }}").is_expression());
  EXPECT_EQ(*parsed("${{ matrix.list }}").evaluate_text(sample()), "Array");
}

TEST(Template, OfSeveralPartsIsAText) {
  EXPECT_EQ(value_of("a ${{ matrix.n }}${{ matrix.name }} {b} ${{ null }}'"), Value("a 3it's {0} {b} '"));
  EXPECT_EQ(value_of("${{ '}}' }}-${{ 'it''s }}' }}"), Value("}}-it's }}")) << "quotes keep }}";
}

TEST(Template, AnExpressionThatIsNotClosedOrEmptyIsAnErrorWithItsPlace) {
  EXPECT_EQ(error_of("ab ${{ matrix.n }").offset, 3U);
  EXPECT_THAT(error_of("${{ 'a }}").message, HasSubstr("The expression is not closed. An unescaped ${{ sequence"));
  EXPECT_EQ(error_of("ab ${{ }}"), (ExpressionError{Stage::parsing, "An expression was expected", 0, 3}));
}

TEST(Template, ErrorsCountPositionsInTheExpressionAndOffsetsInTheText) {
  EXPECT_EQ(
      error_of("ab ${{  1 == env.x  }}"),
      (ExpressionError{Stage::parsing,
                       "Unrecognized named-value: 'env'. Located at position 6 within expression: 1 == env.x", 6, 13}));
  auto value = parsed("ab ${{ fromJSON('') }}").evaluate(sample());
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().offset, 7U);
  EXPECT_EQ(value.error().stage, Stage::evaluation);
}

TEST(Template, TellsReferencesOfAllItsParts) {
  Template made = parsed("${{ matrix.n }} ${{ secrets.TOKEN }}");
  std::vector<size_t> offsets;
  made.visit([&](const Reference& one) { offsets.push_back(one.offset); });
  EXPECT_THAT(offsets, testing::ElementsAre(4, 20));
  EXPECT_TRUE(made.names_context("secrets"));
  EXPECT_FALSE(made.names_context("github"));
  EXPECT_FALSE(made.calls("success"));
}

TEST(Template, IsAsLongAsTheExpressionThatGitHubMakesOfIt) {
  std::string text(expression_length_max - std::string_view("format('{0}', 1)").size(), 'x');
  EXPECT_TRUE(Template::parse(text + "${{ 1 }}", language));
  EXPECT_EQ(error_of(text + "x${{ 1 }}").message, "Exceeded max expression length 21000");
  EXPECT_TRUE(Template::parse(std::string(100'000, 'x'), language)) << "a literal has no such bound";
}

TEST(Template, MemoryIsBounded) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "${{ matrix.name }}";
  EXPECT_TRUE(parsed(text).evaluate(sample()));
  EXPECT_THAT(parsed(text).evaluate(sample(), nullptr, 1000).error().message, HasSubstr("maximum allowed memory"));
}

TEST(Condition, IsSuccessAndWhatIsWritten) {
  EXPECT_EQ(condition_of(""), "success()");
  EXPECT_EQ(condition_of("  "), "success()");
  EXPECT_EQ(condition_of("matrix.n == 3"), "success() && (matrix.n == 3)");
  EXPECT_EQ(condition_of("${{ matrix.n == 3 }}"), "success() && (matrix.n == 3)");
  EXPECT_EQ(condition_of("true || 'success()'"), "success() && (true || 'success()')") << "a text is no call";
}

TEST(Condition, IsAsWrittenWhereItCallsAStatusFunction) {
  for (std::string_view text :
       {"always()", "failure() && matrix.n", "!Cancelled()", "fromJSON(toJSON(success('build')))"})
    EXPECT_EQ(condition_of(text), text);
  EXPECT_EQ(condition_of("${{ always() }}"), "always()");
}

class NoSuccess : public Host {
 public:
  std::expected<Value, std::string> call(std::string_view function, std::span<const Value>) override {
    return Value(function != "success");
  }
};

TEST(Condition, WithoutSuccessHoldsOnlyWhereItSaysSo) {
  NoSuccess host;
  auto holds = [&](std::string_view text) {
    return parse_condition(text, language)->evaluate(sample(), &host)->truthy();
  };
  EXPECT_FALSE(holds(""));
  EXPECT_FALSE(holds("true"));
  EXPECT_TRUE(holds("failure()"));
  EXPECT_TRUE(holds("always() && matrix.n == 3"));
  EXPECT_FALSE(holds("always() && matrix.n == 4"));
}

TEST(Condition, TextBesideTheExpressionIsAlwaysTrueAsOnGitHub) {
  EXPECT_EQ(condition_of("${{ 1 == 2 }} && 'x'"), "success() && (format('{0} && ''x''', 1 == 2))");
  EXPECT_TRUE(has_text_beside_expression(parsed("${{ 1 == 2 }} && true")));
  EXPECT_FALSE(has_text_beside_expression(parsed("${{ 1 == 2 }}\n")));
  EXPECT_FALSE(has_text_beside_expression(parsed("1 == 2")));
}

TEST(Condition, ErrorsAndReferencesCountInTheTextAsGiven) {
  auto error = parse_condition("${{ env.x }}", language);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().offset, 4U);
  EXPECT_EQ(error.error().position, 1U);
  EXPECT_EQ(parse_condition("x${{ matrix.n }}", language)->references().at(0).offset, 5U);
  EXPECT_EQ(parse_condition("matrix.n", language)->references().at(0).offset, 0U);
  NoSuccess host;
  auto failed = parse_condition("${{ always() && fromJSON('') }}", language)->evaluate(sample(), &host);
  EXPECT_EQ(failed.error().offset, 16U);
  failed = parse_condition("''''''''''''''''''''''''''''''''' ${{ always() && fromJSON('') }}", language)
               ->evaluate(sample(), &host);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().position, 0U) << "what is evaluated is longer than what was given";
}

}  // namespace
}  // namespace headrace::workflow
