#include "events/cdevents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/json.h"
#include "events/cdevents_table.h"
#include "events/formats.h"
#include "events/testing/json_schema.h"

namespace headrace::events {
namespace {

namespace json = core::json;
using cdevents::Shape;
using testing::conformance_folder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::JsonSchemas;
using testing::read_text;

#define SKIP_WITHOUT_CONFORMANCE \
  if (conformance_folder().empty()) GTEST_SKIP() << "no conformance material: set HEADRACE_CONFORMANCE"

std::vector<std::string> example_files() {
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(conformance_folder() + "/cdevents/conformance"))
    files.push_back(file.path());
  files.push_back(conformance_folder() + "/cdevents/custom/conformance.json");
  std::ranges::sort(files);
  return files;
}

// The standard's schemas, found by the type of event they are for.
struct Standard {
  JsonSchemas schemas;
  std::map<std::string, std::string> id_by_type;

  Standard() {
    schemas.add_folder(conformance_folder() + "/cdevents/schemas/links");
    for (const auto& id : schemas.add_folder(conformance_folder() + "/cdevents/schemas")) {
      const auto& context = schemas.at(id).at("properties").at("context");
      id_by_type[std::string(context.at("properties").at("type").at("enum").at(0).as_string())] = id;
    }
    auto custom = *core::parse_json(read_text(conformance_folder() + "/cdevents/custom/schema.json"));
    schemas.add(std::move(custom));
  }
  std::string id_for(const json::value& event) const {
    auto found = id_by_type.find(std::string(event.at("context").at("type").as_string()));
    return found == id_by_type.end() ? "https://cdevents.dev/0.5.1/schema/custom" : found->second;
  }
};

std::string form_of(const json::object& schema) {
  const auto* format = schema.if_contains("format");
  return format ? std::string(format->as_string()) : std::string();
}

// Says where the table and a schema differ.
class Comparison {
 public:
  std::vector<std::string> differences;

  void shape(const json::object& schema, const Shape& shape, const std::string& at) {
    if (const auto* choice = schema.if_contains("anyOf")) return any_of(choice->as_array(), shape, at);
    auto type = schema.at("type").as_string();
    if (type == "array") {
      same(shape.kind == Shape::Kind::texts && schema.at("items").at("type") == "string", at + " is a list");
    } else if (type == "object") {
      same(shape.kind == Shape::Kind::object, at + " is an object");
      const auto* additional = schema.if_contains("additionalProperties");
      same(shape.open == !(additional && !additional->as_bool()), at + " is open or not");
      fields(schema, shape.fields, at);
    } else {
      text(schema, shape, at);
    }
  }

  void fields(const json::object& schema, std::span<const cdevents::Field> fields, const std::string& at) {
    const auto* listed = schema.if_contains("properties");
    static const json::object none;
    const auto& properties = listed ? listed->as_object() : none;
    same(properties.size() == fields.size(), at + " has as many fields");
    for (const auto& field : fields) {
      const auto* property = properties.if_contains(field.name);
      same(property != nullptr, at + "/" + std::string(field.name) + " is there");
      if (!property) continue;
      const auto* required = schema.if_contains("required");
      bool needed =
          required && std::ranges::find(required->as_array(), json::value(field.name)) != required->as_array().end();
      same(needed == field.required, at + "/" + std::string(field.name) + " is required or not");
      shape(property->as_object(), *field.shape, at + "/" + std::string(field.name));
    }
  }

 private:
  void same(bool holds, const std::string& what) {
    if (!holds) differences.push_back(what);
  }

  void text(const json::object& schema, const Shape& shape, const std::string& at) {
    same(shape.kind == Shape::Kind::text, at + " is a string");
    same(shape.filled == schema.contains("minLength"), at + " may be empty or not");
    same(std::string(shape.form) == form_of(schema), at + " has its form");
    same((shape.good != nullptr) == !shape.form.empty(), at + " has its form checked");
    std::vector<std::string> names;
    if (const auto* known = schema.if_contains("enum"))
      for (const auto& name : known->as_array()) names.emplace_back(name.as_string());
    same(std::ranges::equal(names, shape.one_of), at + " is one of the same");
  }

  // ["known names", "any string"]: any string it is.
  void any_of(const json::array& choice, const Shape& shape, const std::string& at) {
    text(choice.at(1).as_object(), shape, at);
    same(choice.at(0).at("type") == "string", at + " is a string either way");
  }
};

TEST(CdeventsTable, IsWhatTheStandardsSchemasSay) {
  SKIP_WITHOUT_CONFORMANCE;
  Standard standard;
  ASSERT_EQ(standard.id_by_type.size(), 45u);
  ASSERT_EQ(cdevents::all_types().size(), 45u);
  for (const auto& [type, id] : standard.id_by_type) {
    const auto* known = cdevents::find_type(type);
    ASSERT_NE(known, nullptr) << type;
    Comparison comparison;
    const auto& properties = standard.schemas.at(id).at("properties");
    comparison.shape(properties.at("subject").at("properties").at("content").as_object(),
                     Shape{.kind = Shape::Kind::object, .fields = known->content}, type);
    EXPECT_THAT(comparison.differences, IsEmpty());
    bool form = properties.at("context").at("properties").at("source").as_object().contains("format");
    EXPECT_EQ(known->quirk != cdevents::Type::Quirk::any_source, form) << type;
    bool subject_type = properties.at("subject").at("properties").as_object().contains("type");
    EXPECT_EQ(known->quirk == cdevents::Type::Quirk::subject_type, subject_type) << type;
  }
}

TEST(CdeventsTable, IsSortedSoThatATypeIsFound) {
  EXPECT_TRUE(std::ranges::is_sorted(cdevents::all_types(), {}, &cdevents::Type::name));
  for (auto type : cdevent_types()) EXPECT_NE(cdevents::find_type(type), nullptr) << type;
  EXPECT_EQ(cdevents::find_type("dev.cdevents.build.queued.0.2.0"), nullptr);
  EXPECT_EQ(cdevents::find_type("build.queued.0.3.0"), nullptr);
}

TEST(CdeventsValidate, AcceptsEveryExampleOfTheStandard) {
  SKIP_WITHOUT_CONFORMANCE;
  auto files = example_files();
  ASSERT_EQ(files.size(), 46u);
  for (const auto& file : files) {
    auto text = read_text(file);
    auto verdict = validate(text);
    EXPECT_TRUE(verdict.valid) << file << to_json(verdict);
    EXPECT_EQ(verdict.type, core::parse_json(text)->at("context").at("type").as_string());
  }
}

TEST(CdeventsValidate, ReadsEveryExampleAndWritesItBackEqual) {
  SKIP_WITHOUT_CONFORMANCE;
  for (const auto& file : example_files()) {
    auto cdevent = *core::parse_json(read_text(file));
    const auto& context = cdevent.at("context");
    json::object cloudevent{{"specversion", "1.0"},
                            {"id", context.at("id")},
                            {"source", context.at("source")},
                            {"type", context.at("type")},
                            {"subject", cdevent.at("subject").at("id")},
                            {"time", context.at("timestamp")},
                            {"datacontenttype", "application/json"},
                            {"data", cdevent}};
    auto text = core::to_text(cloudevent);
    auto event = read_structured(text);
    ASSERT_TRUE(event) << file << to_error(event.error()).message;
    EXPECT_EQ(core::parse_json(to_structured(*event)), core::parse_json(text)) << file;
    EXPECT_EQ(*core::parse_json(event->data), cdevent) << file;
    auto binary = to_binary(*event);
    EXPECT_EQ(read_binary(binary.headers, binary.body), event) << file;
    EXPECT_TRUE(validate(text).valid) << file << to_json(validate(text));
  }
}

// Every way to spoil an example by one change: a member gone, one too many, or a value of another kind.
// All carry the same links, which are spoiled in the one of a custom event only.
void for_each_spoiled(json::value& root, json::value& at, const std::string& pointer, const auto& visit) {
  bool custom = root.is_object() && root.as_object().contains("context") && pointer == "/context/links" &&
                is_custom_type(core::string_at(root.at("context"), "type").value_or(""));
  if (pointer == "/context/links" && !custom) return;
  static const json::value others[] = {nullptr,        true,          7, "", "no uri: \x7f", "%%", json::array{},
                                       json::object{}, json::array{1}};
  for (const auto& other : others) {
    if (at == other) continue;
    json::value kept = at;
    at = other;
    visit(root, pointer);
    at = std::move(kept);
  }
  if (at.is_object()) {
    json::object kept = at.as_object();
    at.as_object()["unheardof"] = "x";
    visit(root, pointer + " and more");
    at = kept;
    for (const auto& member : kept) {
      at.as_object().erase(member.key());
      visit(root, pointer + " without " + std::string(member.key()));
      at = kept;
    }
    for (const auto& member : kept)
      for_each_spoiled(root, at.as_object().at(member.key()), pointer + "/" + std::string(member.key()), visit);
  } else if (at.is_array()) {
    for (size_t i = 0; i < at.as_array().size(); ++i)
      for_each_spoiled(root, at.as_array()[i], pointer + "/" + std::to_string(i), visit);
  }
}

TEST(CdeventsValidate, AgreesWithTheStandardsSchemasOnEverySpoiledExample) {
  SKIP_WITHOUT_CONFORMANCE;
  Standard standard;
  size_t spoiled = 0;
  size_t refused = 0;
  for (const auto& file : example_files()) {
    auto event = *core::parse_json(read_text(file));
    auto id = standard.id_for(event);
    for_each_spoiled(event, event, "", [&](const json::value& changed, const std::string& pointer) {
      bool good = standard.schemas.check(changed, id).empty();
      auto ours = check_cdevent(core::to_text(changed));
      EXPECT_EQ(ours.empty(), good) << file << " " << pointer << " " << core::to_text(changed);
      ++spoiled;
      refused += ours.empty() ? 0u : 1u;
    });
  }
  EXPECT_GT(spoiled, 5'000u);
  EXPECT_GT(refused, spoiled / 2);
}

TEST(CdeventsValidate, SaysWhereAndWhyAndWhatToDo) {
  auto verdict =
      validate(R"({"context":{"specversion":"0.5.1","id":"1","source":"/a","type":"dev.cdevents.taskrun.finished.0.3.0",
    "timestamp":"yesterday"},"subject":{"id":"","content":{"outcome":"success","conclusion":"timed_out","uri":"here"}}})");
  EXPECT_FALSE(verdict.valid);
  EXPECT_EQ(verdict.type, "dev.cdevents.taskrun.finished.0.3.0");
  EXPECT_THAT(
      verdict.errors,
      ElementsAre(
          Problem{"/context/timestamp", "This is not a date-time (RFC 3339, as 2026-11-23T07:16:00Z)."},
          Problem{"/subject/id", "This must not be empty."},
          Problem{"/subject/content/uri", "This is not a uri (RFC 3986: with a scheme, as https://example.com/a)."},
          Problem{"/subject/content/conclusion",
                  "The standard has no field 'conclusion' here; put what is your own into customData."}));
}

TEST(CdeventsValidate, NamesTodaysVersionOfAnOldType) {
  auto verdict =
      validate(R"({"context":{"specversion":"0.4.1","id":"1","source":"/a","type":"dev.cdevents.build.queued.0.2.0",
    "timestamp":"2026-11-23T07:16:00Z"},"subject":{"id":"b","content":{}}})");
  EXPECT_THAT(verdict.errors, ElementsAre(Problem{"/context/type",
                                                  "CDEvents 0.5.1 has this type as dev.cdevents.build.queued.0.3.0."}));
}

TEST(CdeventsValidate, RefusesACloudEventThatContradictsTheCdeventInIt) {
  constexpr std::string_view good =
      R"({"specversion":"1.0","id":"1","source":"/a","type":"dev.cdevents.build.queued.0.3.0","subject":"b",
    "time":"2026-11-23T07:16:00Z","data":{"context":{"specversion":"0.5.1","id":"1","source":"/a",
    "type":"dev.cdevents.build.queued.0.3.0","timestamp":"2026-11-23T08:16:00+01:00"},"subject":{"id":"b","content":{}}}})";
  EXPECT_EQ(to_json(validate(good)), R"({"valid":true,"type":"dev.cdevents.build.queued.0.3.0","errors":[]})");
  std::string other(good);
  other.replace(other.find("\"subject\":\"b\""), 13, "\"subject\":\"c\"");
  EXPECT_THAT(validate(other).errors,
              ElementsAre(Problem{"/subject", "The CloudEvent's subject and the CDEvent's subject.id must be equal."}));
  std::string batch = "[" + std::string(good) + "," + other + "]";
  EXPECT_THAT(
      validate(batch).errors,
      ElementsAre(Problem{"/1/subject", "The CloudEvent's subject and the CDEvent's subject.id must be equal."}));
  EXPECT_EQ(validate(batch).type, "batch");
}

TEST(CdeventsValidate, LeavesOtherCloudEventsToTheirOwners) {
  EXPECT_TRUE(
      validate(R"({"specversion":"1.0","id":"1","source":"/a","type":"com.example.sale","data":{"context":1}})").valid);
  EXPECT_THAT(validate("[]").errors, IsEmpty());
  EXPECT_EQ(validate("{").errors.size(), 1u);
  EXPECT_EQ(validate("7").errors, (Problems{{"", "An event is a JSON object; this is a number."}}));
}

}  // namespace
}  // namespace headrace::events
