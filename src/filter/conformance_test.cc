// The CloudEvents SQL conformance suite (shared/conformance/cesql/tck, 275 cases) by value, type and kind of error, and
// the examples of the Subscriptions specification.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libfyaml.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "core/json.h"
#include "events/cloudevents.h"
#include "filter/filter.h"

namespace headrace::filter {
namespace {

namespace json = core::json;

std::filesystem::path material() {
  const char* given = std::getenv("HEADRACE_CONFORMANCE");
  return std::filesystem::path(given != nullptr ? given : "../shared/conformance") / "cesql";
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// YAML 1.2 core schema, as far as the suite uses it.
json::value plain_scalar(std::string_view text) {
  std::string lower;
  for (char c : text) lower.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  if (lower == "true" || lower == "false") return lower == "true";
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && error == std::errc() && end == text.data() + text.size()) return number;
  return json::string(text);
}

json::value to_json(fy_node* node) {
  if (fy_node_is_scalar(node)) {
    size_t size = 0;
    const char* text = fy_node_get_scalar(node, &size);
    fy_node_style style = fy_node_get_style(node);
    if (style == FYNS_PLAIN) return plain_scalar({text, size});
    return json::string(std::string_view(text, size));
  }
  void* at = nullptr;
  if (fy_node_is_sequence(node)) {
    json::array out;
    while (fy_node* item = fy_node_sequence_iterate(node, &at)) out.push_back(to_json(item));
    return out;
  }
  json::object out;
  while (fy_node_pair* pair = fy_node_mapping_iterate(node, &at)) {
    std::string key = fy_node_get_scalar0(fy_node_pair_key(pair));
    bool text = key == "name" || key == "expression";  // `expression: tRuE` is no Boolean of YAML
    fy_node* value = fy_node_pair_value(pair);
    out[key] = text ? json::value(fy_node_get_scalar0(value)) : to_json(value);
  }
  return out;
}

json::value parse_yaml(const std::string& text) {
  std::unique_ptr<fy_document, decltype(&fy_document_destroy)> document(
      fy_document_build_from_string(nullptr, text.data(), text.size()), fy_document_destroy);
  return to_json(fy_document_root(document.get()));
}

std::string event_of(const json::object& test) {
  if (const json::value* whole = test.if_contains("event")) return core::to_text(*whole);
  json::object event{{"specversion", "1.0"},           {"id", "an-id"},    {"source", "/a/source"},
                     {"type", "an.event.type"},        {"subject", "a/b"}, {"time", "2018-04-26T14:48:09Z"},
                     {"datacontenttype", "text/plain"}};
  if (const json::value* overrides = test.if_contains("eventOverrides")) {
    for (const auto& [name, value] : overrides->as_object()) event[name] = value;
  }
  return core::to_text(event);
}

void check_case(const json::object& testcase, const std::string& file) {
  SCOPED_TRACE(file + ": " + std::string(testcase.at("name").as_string()));
  std::string expression(testcase.at("expression").as_string());
  auto printed = test(expression, event_of(testcase));
  ASSERT_TRUE(printed) << printed.error().message;
  json::value got = *core::parse_json(*printed);
  if (const json::value* result = testcase.if_contains("result")) {
    EXPECT_EQ(core::to_text(got.at("result")), core::to_text(*result)) << expression;
  }
  const json::array& errors = got.at("errors").as_array();
  if (const json::value* kind = testcase.if_contains("error")) {
    ASSERT_FALSE(errors.empty()) << expression;
    for (const json::value& error : errors) EXPECT_EQ(error.at("kind"), *kind) << expression;
  } else {
    EXPECT_TRUE(errors.empty()) << expression << " " << core::to_text(errors);
  }
}

TEST(FilterConformance, EveryCaseOfTheCesqlSuiteGivesItsValueTypeAndErrorKind) {
  if (!std::filesystem::exists(material() / "tck")) GTEST_SKIP() << "no conformance material at " << material();
  size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(material() / "tck")) {
    json::value suite = parse_yaml(read(entry.path()));
    for (const json::value& testcase : suite.at("tests").as_array()) {
      check_case(testcase.as_object(), entry.path().filename().string());
      ++cases;
    }
  }
  EXPECT_EQ(cases, 275U);
}

json::value parsed(std::string_view text) { return *core::parse_json(text); }

events::Event event_with(std::string source, std::string type) {
  events::Event event;
  event.id = "1";
  event.source = std::move(source);
  event.type = std::move(type);
  return event;
}

TEST(FilterConformance, EveryExampleOfTheSubscriptionsSpecificationIsTakenAndComesBackUnchanged) {
  auto path = material() / "subscriptions" / "spec-examples.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no conformance material at " << path;
  events::Event matching = event_with("https://github.com/cloudevents/x", "com.github.push");
  matching.subject = "https://github.com/cloudevents/spec";
  events::Event created = matching;
  created.type = "com.github.issue.created";
  events::Event other = event_with("/elsewhere", "com.example.x");
  const json::value examples = parsed(read(path));
  for (const json::value& example : examples.as_array()) {
    bool subscription = example.at("kind") == "subscription";
    const json::value& value = subscription ? example.at("value").at("filters") : example.at("value");
    SCOPED_TRACE(core::to_text(value));
    auto filter = compile_json(core::to_text(value));
    ASSERT_TRUE(filter) << filter.error().message;
    EXPECT_EQ(parsed(filter->json()), value);
    if (subscription) continue;
    std::string dialect(example.at("dialect").as_string());
    const events::Event& made_to_match = dialect == "suffix" ? created : dialect == "not" ? other : matching;
    const events::Event& made_not_to = dialect == "not" ? matching : other;
    EXPECT_TRUE(filter->matches(made_to_match));
    EXPECT_FALSE(filter->matches(made_not_to));
  }
}

}  // namespace
}  // namespace headrace::filter
