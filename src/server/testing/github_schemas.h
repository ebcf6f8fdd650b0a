// GitHub's own OpenAPI document (shared/conformance/github-openapi), for tests: an answer is held against the schema
// that GitHub publishes for it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "events/testing/json_schema.h"

namespace headrace::server::testing {

class GithubSchemas {
 public:
  // False where the material is not there.
  bool load() {
    auto folder = events::testing::conformance_folder();
    if (folder.empty()) return false;
    document_ = core::parse_json(events::testing::read_text(folder + "/github-openapi/api.github.com.trimmed.json"))
                    .value_or(nullptr);
    if (!document_.is_object()) return false;
    for (const auto& [name, schema] : document_.at("components").at("schemas").as_object())
      add(std::string(name), schema);
    return true;
  }

  // What is wrong with the body of an answer of this route: "GET", "/repos/{owner}/{repo}/environments", "200".
  std::vector<std::string> check(std::string_view method, std::string_view path, std::string_view status,
                                 const core::json::value& body) {
    const auto& answer = document_.at("paths").at(path).at(method).at("responses").at(status);
    std::string name = std::string(method) + " " + std::string(path) + " " + std::string(status);
    add(name, answer.at("content").at("application/json").at("schema"));
    return schemas_.check(body, id_of(name));
  }
  bool has(std::string_view method, std::string_view path) const {
    const auto* known = document_.at("paths").as_object().if_contains(path);
    return known != nullptr && known->as_object().contains(method);
  }

 private:
  static std::string last_part_of(const std::string& reference) { return reference.substr(reference.rfind('/') + 1); }
  static std::string id_of(std::string_view name) { return "https://api.github.test/" + std::string(name); }

  void add(const std::string& name, const core::json::value& schema) {
    auto plain = plain_of(schema).as_object();
    plain["$id"] = id_of(name);
    schemas_.add(plain);
  }

  // OpenAPI 3.0 as plain JSON Schema, as much of it as the checker knows.
  static core::json::value plain_of(const core::json::value& schema) {
    core::json::object plain;
    bool nullable = false;
    for (const auto& [key, value] : schema.as_object()) {
      if (key == "nullable") nullable = value.as_bool();
      if (key == "$ref") plain["$ref"] = id_of(last_part_of(std::string(value.as_string())));
      if (key == "type" || key == "enum" || key == "required") plain[key] = value;
      if (key == "format" && (value == "uri" || value == "date-time")) plain[key] = value;
      if (key == "additionalProperties" && value.is_bool()) plain[key] = value;
      if (key == "items") plain[key] = plain_of(value);
      if (key == "properties") plain[key] = members_of(value);
      if (key == "anyOf" || key == "oneOf" || key == "allOf") plain["anyOf"] = list_of(value);
    }
    if (!nullable) return plain;
    core::json::object null{{"const", nullptr}};
    return core::json::object{{"anyOf", core::json::array{std::move(plain), std::move(null)}}};
  }
  static core::json::value members_of(const core::json::value& properties) {
    core::json::object plain;
    for (const auto& [name, schema] : properties.as_object()) plain[name] = plain_of(schema);
    return plain;
  }
  static core::json::value list_of(const core::json::value& schemas) {
    core::json::array plain;
    for (const auto& schema : schemas.as_array()) plain.push_back(plain_of(schema));
    return plain;
  }

  core::json::value document_;
  events::testing::JsonSchemas schemas_;
};

}  // namespace headrace::server::testing
