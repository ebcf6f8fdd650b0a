// All cases that GitHub's expression evaluators share (shared/conformance/expressions).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "workflow/expression.h"

namespace headrace::workflow {
namespace {

constexpr size_t cases_min = 1020;

std::filesystem::path material() {
  const char* given = std::getenv("HEADRACE_CONFORMANCE");
  return std::filesystem::path(given != nullptr ? given : "../shared/conformance") / "expressions";
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::expected<Value, ExpressionError> evaluated(const core::json::value& one) {
  Value contexts = Object{};
  if (const auto* given = core::find(one, "contexts")) contexts = Value::from_json(*given);
  std::vector<std::string_view> names;
  for (const auto& context : *contexts.if_object()) names.push_back(context.first);
  auto expression = Expression::parse(*core::string_at(one, "expr"), {.contexts = names});
  if (!expression) return std::unexpected(expression.error());
  return expression->evaluate(*contexts.if_object());
}

// Numbers without a JSON form are written as strings.
Value wanted_value(const core::json::value& result) {
  Value value = Value::from_json(result.at("value"));
  if (result.at("kind").as_string() == "Number" && value.if_string() != nullptr) return number_of(value.to_text());
  return value;
}

void check(const core::json::value& one) {
  auto got = evaluated(one);
  if (const auto* error = core::find(one, "err")) {
    ASSERT_FALSE(got) << "an error is expected, this is " << got->to_json();
    EXPECT_EQ(name_of(got.error().stage), core::string_at(*error, "kind"));
    EXPECT_THAT(got.error().message, testing::HasSubstr(*core::string_at(*error, "value")));
    return;
  }
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(name_of(got->kind()), core::string_at(one.at("result"), "kind"));
  EXPECT_EQ(*got, wanted_value(one.at("result"))) << got->to_json();
}

TEST(ExpressionConformance, EveryCaseOfGitHubHolds) {
  if (!std::filesystem::exists(material())) GTEST_SKIP() << "no conformance material at " << material();
  size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(material())) {
    if (entry.path().extension() != ".json") continue;
    auto file = core::parse_json(file_text(entry.path()));
    ASSERT_TRUE(file) << entry.path() << file.error().message;
    for (const auto& [group, list] : file->as_object()) {
      for (const auto& one : list.as_array()) {
        SCOPED_TRACE(entry.path().filename().string() + ", " + std::string(group) + ": " +
                     *core::string_at(one, "expr"));
        check(one);
        ++cases;
      }
    }
  }
  EXPECT_GE(cases, cases_min);
}

}  // namespace
}  // namespace headrace::workflow
