#include "events/testing/json_schema.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

#include "core/json.h"
#include "events/formats.h"

namespace headrace::events::testing {

namespace {

namespace json = boost::json;

// RFC 3986, section 5.2, for ids that differ in their last segments.
std::string resolve(const std::string& base, std::string_view reference) {
  if (reference.find("://") != std::string_view::npos) return std::string(reference);
  return base.substr(0, base.rfind('/') + 1) + std::string(reference);
}

bool has_type(const json::value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "null") return value.is_null();
  throw std::logic_error("type " + std::string(type));
}

bool has_type(const json::value& value, const json::value& wanted) {
  if (!wanted.is_array()) return has_type(value, std::string_view(wanted.as_string()));
  return std::ranges::any_of(
      wanted.as_array(), [&](const json::value& one) { return has_type(value, std::string_view(one.as_string())); });
}

bool has_format(std::string_view text, std::string_view format) {
  if (format == "uri") return is_uri(text);
  if (format == "uri-reference") return is_uri_reference(text);
  if (format == "date-time") return is_date_time(text);
  throw std::logic_error("format " + std::string(format));
}

class Check {
 public:
  Check(const JsonSchemas& schemas, std::string base) : schemas_(schemas), base_(std::move(base)) {}

  void value(const json::value& value, const json::object& schema, const std::string& at) {
    for (const auto& member : schema) keyword(value, member.key(), member.value(), schema, at);
  }
  std::vector<std::string> problems;

 private:
  void blame(const std::string& at, std::string_view what) { problems.push_back(at + ": " + std::string(what)); }

  void keyword(const json::value& value, std::string_view name, const json::value& wanted, const json::object& schema,
               const std::string& at) {
    static const std::set<std::string_view> annotations{"$schema", "$id",     "title",          "description",
                                                        "default", "example", "contentEncoding"};
    if (annotations.contains(name)) return;
    if (name == "type" && !has_type(value, wanted))
      blame(at, "type");
    else if (name == "enum" && std::ranges::find(wanted.get_array(), value) == wanted.get_array().end())
      blame(at, "enum");
    else if (name == "const" && value != wanted)
      blame(at, "const");
    else if (name == "$ref")
      reference(value, resolve(base_, wanted.get_string()), at);
    else if (name == "oneOf" || name == "anyOf")
      choice(value, name, wanted.get_array(), at);
    else if (value.is_string())
      text(value.get_string(), name, wanted, at);
    else if (value.is_object())
      object(value.get_object(), name, wanted, schema, at);
    else if (value.is_array())
      array(value.get_array(), name, wanted, at);
  }

  void text(std::string_view text, std::string_view name, const json::value& wanted, const std::string& at) {
    if (name == "minLength" && std::cmp_less(text.size(), wanted.as_int64())) blame(at, "minLength");
    if (name == "format" && !has_format(text, wanted.as_string())) blame(at, "format");
    if (name == "pattern" && !std::regex_search(std::string(text), std::regex(std::string(wanted.as_string()))))
      blame(at, "pattern");
    known(name);
  }

  void object(const json::object& object, std::string_view name, const json::value& wanted, const json::object& schema,
              const std::string& at) {
    if (name == "required") {
      for (const auto& key : wanted.as_array())
        if (!object.contains(key.as_string())) blame(at + "/" + std::string(key.as_string()), "required");
    } else if (name == "properties") {
      for (const auto& property : wanted.as_object()) {
        if (const auto* found = object.if_contains(property.key()))
          value(*found, property.value().as_object(), at + "/" + std::string(property.key()));
      }
    } else if (name == "additionalProperties") {
      const auto* properties = schema.if_contains("properties");
      for (const auto& member : object)
        if (!properties || !properties->as_object().contains(member.key()))
          further(member.value(), wanted, at + "/" + std::string(member.key()));
    }
    known(name);
  }

  void further(const json::value& member, const json::value& wanted, const std::string& at) {
    if (wanted.is_object()) return value(member, wanted.as_object(), at);
    if (!wanted.as_bool()) blame(at, "additionalProperties");
  }

  void array(const json::array& array, std::string_view name, const json::value& wanted, const std::string& at) {
    known(name);
    if (name != "items") return;
    for (size_t i = 0; i < array.size(); ++i) value(array[i], wanted.as_object(), at + "/" + std::to_string(i));
  }

  void choice(const json::value& value_, std::string_view name, const json::array& schemas, const std::string& at) {
    auto good = std::ranges::count_if(schemas, [&](const json::value& schema) {
      Check one(schemas_, base_);
      one.value(value_, schema.as_object(), at);
      return one.problems.empty();
    });
    if (good == 0 || (name == "oneOf" && good > 1)) blame(at, name);
  }

  void reference(const json::value& value_, const std::string& id, const std::string& at) {
    Check there(schemas_, id);
    there.value(value_, schemas_.at(id).as_object(), at);
    problems.insert(problems.end(), there.problems.begin(), there.problems.end());
  }

  static void known(std::string_view name) {
    static const std::set<std::string_view> all{
        "type", "enum", "const", "pattern", "format", "minLength", "properties", "required", "additionalProperties",
        "items"};
    if (!all.contains(name)) throw std::logic_error("JSON Schema keyword " + std::string(name));
  }

  const JsonSchemas& schemas_;
  std::string base_;
};

}  // namespace

void JsonSchemas::add(json::value schema) {
  std::string id(schema.as_object().at("$id").as_string());
  schemas_.insert_or_assign(std::move(id), std::move(schema));
}

std::vector<std::string> JsonSchemas::add_folder(const std::string& path) {
  std::vector<std::string> ids;
  for (const auto& file : std::filesystem::directory_iterator(path)) {
    if (file.path().extension() != ".json") continue;
    auto schema = core::parse_json(read_text(file.path()));
    if (!schema) throw std::runtime_error(file.path().string() + ": " + schema.error().message);
    ids.emplace_back(schema->as_object().at("$id").as_string());
    add(std::move(*schema));
  }
  std::ranges::sort(ids);
  return ids;
}

std::vector<std::string> JsonSchemas::check(const json::value& value, const std::string& schema_id) const {
  Check check(*this, schema_id);
  check.value(value, at(schema_id).as_object(), "");
  return check.problems;
}

const json::value& JsonSchemas::at(const std::string& schema_id) const { return schemas_.at(schema_id); }

std::string conformance_folder() {
  const char* set = std::getenv("HEADRACE_CONFORMANCE");
  std::string folder = set ? set : "../shared/conformance";
  return std::filesystem::exists(folder) ? folder : std::string();
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path);
  return std::move(text).str();
}

}  // namespace headrace::events::testing
