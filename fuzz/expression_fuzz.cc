// rooms: workflow core
// Any text as an expression, a template and a condition: refused with a place, or evaluated within its bounds; what is
// told of it holds, and a second evaluation gives the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "workflow/expression.h"

namespace {

using namespace headrace::workflow;

constexpr std::string_view contexts_known[] = {"github", "env", "steps", "matrix"};
constexpr Language language{.contexts = contexts_known, .functions = step_functions};
constexpr size_t memory_max = 64 * 1024;

const Object& contexts() {
  static const Object sample{
      {"github", Object{{"ref", "refs/heads/main"}, {"event", Object{{"labels", Array{Object{{"name", "Büg"}}, 1}}}}}},
      {"env", Object{{"A", "1"}, {"B", "x,y"}}},
      {"matrix", Object{{"n", 3}, {"list", Array{1, "two", Value(), true, Array{2}}}}}};
  return sample;
}

class Answers : public Host {
 public:
  std::expected<Value, std::string> call(std::string_view function, std::span<const Value> arguments) override {
    if (function == "hashFiles" && arguments.empty()) std::abort();
    return Value(function == "hashFiles" ? "0123456789abcdef" : "");
  }
};

void check(bool holds) {
  if (!holds) std::abort();
}

void check(const ExpressionError& error, std::string_view text) {
  check(!error.message.empty() && error.offset <= text.size() && error.position <= text.size() + 1);
}

void evaluate(const Expression& expression, std::string_view text) {
  Answers host;
  auto value = expression.evaluate(contexts(), &host, memory_max);
  auto again = expression.evaluate(contexts(), &host, memory_max);
  check(value.has_value() == again.has_value());
  if (!value) return check(value.error(), text);
  check(*value == *again && value->truthy() == again->truthy());
  check(!expression.literal() || *expression.literal() == *value);
  for (const Reference& reference : expression.references())
    check(!reference.name.empty() && reference.offset < text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto expression = Expression::parse(text, language)) {
    evaluate(*expression, text);
  } else {
    check(expression.error(), text);
  }
  if (auto condition = parse_condition(text, language)) {
    check(condition->calls_status_function() || condition->text().starts_with("success()"));
    evaluate(*condition, text);
  } else {
    check(condition.error(), text);
  }
  if (auto whole = Template::parse(text, language)) {
    Answers host;
    size_t written = 0;
    for (const auto& part : whole->parts()) written += part.expression ? 1 : part.literal.size();
    check(written <= text.size() && whole->text() == text);
    if (auto value = whole->evaluate(contexts(), &host, memory_max); value && whole->is_literal())
      check(*value == Value(text));
  } else {
    check(whole.error(), text);
  }
  check(equal_in_any_case(text, fold_case(text)));
  return 0;
}
