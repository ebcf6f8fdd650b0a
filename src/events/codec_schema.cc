#include "core/json.h"
#include "events/codec.h"

namespace headrace::events::codec {

void ObjectSchema::add(std::string_view name, json::object schema, Presence presence, std::string_view description) {
  if (!description.empty()) schema["description"] = description;
  properties_[name] = std::move(schema);
  if (presence == Presence::always) required_.push_back(json::string(name));
}

json::object ObjectSchema::finish() && {
  json::object schema{{"type", "object"}, {"properties", std::move(properties_)}};
  if (!required_.empty()) schema["required"] = std::move(required_);
  return schema;
}

void SchemaWriter::subject(std::string_view, const std::string&, std::string_view description) {
  subject_description_ = description;
}

void SchemaWriter::standard(std::string_view name, const std::string& text, Presence presence,
                            std::string_view description) {
  standard_.own(name, text, presence, description);
}

void SchemaWriter::reference(std::string_view name, const std::string&, std::string_view description) {
  json::object id{{"type", "object"}, {"properties", {{"id", {{"type", "string"}}}}}, {"required", {"id"}}};
  standard_.add(name, std::move(id), Presence::where_known, description);
}

void SchemaWriter::uri(const std::string&, Presence presence, std::string_view description) {
  standard_.add("uri", {{"type", "string"}, {"format", "uri"}}, presence, description);
}

void SchemaWriter::outcome(const Conclusion&, std::string_view description) {
  standard_.add("outcome", enumeration({"success", "failure", "cancel", "error"}), Presence::always, description);
}

json::object SchemaWriter::finish() && {
  bool standard = is_standard_type(word_.type);
  json::object text{{"type", "string"}};
  json::object context{
      {"type", "object"},
      {"properties",
       {{"type", {{"const", word_.type}}},
        {"id", text},
        {"source", text},
        {"specversion", text},
        {"timestamp", schema_for(core::Time{})},
        {"chainId", {{"type", "string"}, {"description", "The root of the chain of causes, usually a push."}}},
        {"links",
         {{"type", "array"}, {"items", {{"type", "object"}}}, {"description", "A TRIGGER relation for each cause."}}}}},
      {"required", {"specversion", "id", "source", "type", "timestamp"}}};
  json::object subject{{"type", "object"},
                       {"properties",
                        {{"id", {{"type", "string"}, {"minLength", 1}, {"description", subject_description_}}},
                         {"content", std::move(standard ? standard_ : own_).finish()}}},
                       {"required", {"id", "content"}}};
  json::object properties{{"context", std::move(context)}, {"subject", std::move(subject)}};
  json::array required{"context", "subject"};
  if (standard) {
    own_.add("version", {{"const", word_.custom_version}}, Presence::always, "Of this object's shape.");
    properties["customData"] = std::move(own_).finish();
    required.push_back("customData");
  }
  return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
          {"$id", "urn:headrace:schema:" + std::string(word_.type)},
          {"title", word_.name},
          {"description", word_.description},
          {"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)}};
}

}  // namespace headrace::events::codec
