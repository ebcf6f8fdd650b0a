// The YAML test suite (shared/conformance/yaml), as far as a reader of workflow files meets it: one document, whose
// keys are scalars, with YAML's own tags. What libfyaml gets wrong is listed by id with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "core/json.h"
#include "workflow/yaml.h"

namespace headrace::workflow {
namespace {

namespace json = core::json;

std::filesystem::path material() {
  const char* given = std::getenv("HEADRACE_CONFORMANCE");
  return std::filesystem::path(given != nullptr ? given : "../shared/conformance") / "yaml" / "src";
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void replace_all(std::string& text, std::string_view sign, std::string_view by) {
  for (size_t at = 0; (at = text.find(sign, at)) != std::string::npos; at += by.size()) {
    text.replace(at, sign.size(), by);
  }
}

// The signs of the suite's README.
std::string undone(std::string text) {
  replace_all(text, "\u2423", " ");
  while (text.contains("\u2014\u00bb")) replace_all(text, "\u2014\u00bb", "\u00bb");
  replace_all(text, "\u00bb", "\t");
  replace_all(text, "\u2190", "\r");
  replace_all(text, "\u21d4", "\ufeff");
  replace_all(text, "\u21b5", "");
  if (text.ends_with("\u220e\n")) text.resize(text.size() - std::string_view("\u220e\n").size());
  return text;
}

json::value json_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return nullptr;
    case Node::Kind::boolean: return node.is_true();
    case Node::Kind::number: return node.number;
    case Node::Kind::string: return json::value(node.text);
    case Node::Kind::sequence: {
      json::array items;
      for (const Node& item : node.items) items.push_back(json_of(item));
      return items;
    }
    case Node::Kind::mapping: break;
  }
  json::object members;
  for (const Pair& pair : node.pairs) members[pair.key.text] = json_of(pair.value);
  return members;
}

// Numbers as doubles, for 1 and 1.0 are one value.
json::value with_doubles(json::value value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  if (value.is_array()) {
    for (json::value& item : value.get_array()) item = with_doubles(item);
  }
  if (value.is_object()) {
    for (auto& member : value.get_object()) member.value() = with_doubles(member.value());
  }
  return value;
}

struct SuiteCase {
  std::string id, yaml;
  std::optional<json::value> value;  // of exactly one document
  bool fails = false, several = false;
};

std::vector<SuiteCase> read_tests(const std::filesystem::path& path) {
  std::vector<SuiteCase> tests;
  Tree tree = parse_yaml(file_text(path));
  EXPECT_TRUE(tree.errors.empty()) << path << tree.errors[0].message;
  std::map<std::string, std::string> fields;  // a later test takes what it does not give from the one before
  for (const Node& item : tree.root.items) {
    if (item.at_or_null("skip").is_true()) break;
    SuiteCase test;
    test.id = path.stem().string() + (tree.root.items.size() > 1 ? "/" + std::to_string(tests.size()) : "");
    fields.erase("fail");
    for (const Pair& pair : item.pairs) {
      fields[pair.key.text] = pair.value.text;
      if (pair.key.text == "json" && pair.value.is_null()) fields.erase("json");
    }
    test.yaml = undone(fields["yaml"]);
    test.fails = fields.contains("fail");
    if (!test.fails && fields.contains("json")) {
      auto value = core::parse_json(undone(fields["json"]));
      if (value)
        test.value = with_doubles(*value);
      else
        test.several = true;  // no value, or several one after another
    }
    tests.push_back(std::move(test));
  }
  return tests;
}

// What our reader refuses on purpose: a workflow file has none of these.
bool refused_on_purpose(const std::string& message) {
  constexpr std::string_view reasons[] = {"A second document", "A key must be a string", "Unexpected tag",
                                          "already defined", "stands within its own anchor"};
  return std::ranges::any_of(reasons, [&](std::string_view reason) { return message.contains(reason); });
}

enum class Outcome { held, wrong_value, accepted, refused, on_purpose, not_asked };

Outcome outcome_of(const SuiteCase& test) {
  Tree tree = parse_yaml(test.yaml);
  bool refused = !tree.errors.empty();
  if (test.fails) return refused ? Outcome::held : Outcome::accepted;
  if (refused && refused_on_purpose(tree.errors[0].message)) return Outcome::on_purpose;
  if (!test.value) return Outcome::not_asked;
  if (refused) return Outcome::refused;
  return json_of(tree.root) == *test.value ? Outcome::held : Outcome::wrong_value;
}

TEST(YamlConformance, ReadsTheTestSuite) {
  if (!std::filesystem::exists(material())) GTEST_SKIP() << "no conformance material at " << material();
  std::map<Outcome, std::set<std::string>> found;
  for (const auto& entry : std::filesystem::directory_iterator(material())) {
    for (const SuiteCase& test : read_tests(entry.path())) found[outcome_of(test)].insert(test.id);
  }
  using testing::ElementsAre;
  EXPECT_THAT(found[Outcome::wrong_value], ElementsAre());
  EXPECT_THAT(found[Outcome::refused], ElementsAre());
  // libfyaml is more lenient: flow collections and quoted text may stand less indented than they should (9C9N, VJP3/0
  // by FYPCF_SLOPPY_FLOW_INDENTATION, as hand-written files have them; QB6E), and a tab may stand before "-" (Y79Y/3).
  EXPECT_THAT(found[Outcome::accepted], ElementsAre("9C9N", "QB6E", "VJP3/0", "Y79Y/3"));
  EXPECT_EQ(found[Outcome::on_purpose].size(), 48U);
  EXPECT_EQ(found[Outcome::held].size(), 333U);
}

}  // namespace
}  // namespace headrace::workflow
