// What the API says of itself, for tests: bodies are held against the schemas that their routes name. Stricter than
// what a client may rely on: a member that no schema names is an error here, so that the document tells of all there
// is.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "events/testing/json_schema.h"
#include "server/schemas.h"

namespace headrace::server::testing {

class OwnSchemas {
 public:
  OwnSchemas() {
    const auto all = core::parse_json(schemas_text()).value();
    for (const auto& [name, schema] : all.as_object()) {
      auto closed = closed_of(schema).as_object();
      closed["$id"] = id_of(name);
      schemas_.add(std::move(closed));
    }
  }
  // What is wrong with a body, each with its JSON Pointer.
  std::vector<std::string> check(const core::json::value& body, const std::string& name) const {
    return schemas_.check(body, id_of(name));
  }

 private:
  static std::string id_of(std::string_view name) { return "https://headrace.test/" + std::string(name); }

  // The same schema, where what is not named is not there, and references are by $id.
  static core::json::value closed_of(const core::json::value& schema) {
    if (schema.is_array()) {
      core::json::array all;
      for (const auto& one : schema.as_array()) all.push_back(closed_of(one));
      return all;
    }
    if (!schema.is_object()) return schema;
    core::json::object closed;
    for (const auto& [key, value] : schema.as_object()) {
      if (key == "$ref")
        closed[key] =
            id_of(std::string_view(value.as_string()).substr(std::string_view("#/components/schemas/").size()));
      else
        closed[key] = key == "required" || key == "enum" ? value : closed_of(value);
    }
    if (const auto* type = closed.if_contains("type"); type != nullptr && closed.contains("properties"))
      closed.emplace("additionalProperties", false);
    return closed;
  }

  events::testing::JsonSchemas schemas_;
};

}  // namespace headrace::server::testing
