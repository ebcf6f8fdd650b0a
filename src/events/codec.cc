#include "events/codec.h"

#include "core/json.h"
#include "events/formats.h"
#include "events/upcast.h"

namespace headrace::events {

namespace {

struct ConclusionName {
  Conclusion conclusion;
  std::string_view name;
  std::string_view outcome;
};
constexpr ConclusionName conclusions[] = {
    {Conclusion::success, "success", "success"},    {Conclusion::failure, "failure", "failure"},
    {Conclusion::cancelled, "cancelled", "cancel"}, {Conclusion::skipped, "skipped", "success"},
    {Conclusion::timed_out, "timed_out", "error"},  {Conclusion::startup_failure, "startup_failure", "error"},
    {Conclusion::neutral, "neutral", "success"},    {Conclusion::action_required, "action_required", "error"},
    {Conclusion::stale, "stale", "error"},
};

}  // namespace

std::string_view name_of(Conclusion conclusion) { return conclusions[static_cast<size_t>(conclusion)].name; }
std::string_view outcome_of(Conclusion conclusion) { return conclusions[static_cast<size_t>(conclusion)].outcome; }

std::optional<Conclusion> parse_conclusion(std::string_view name) {
  for (const auto& known : conclusions)
    if (known.name == name) return known.conclusion;
  return std::nullopt;
}

std::string_view name_of(SettledBy by) { return by == SettledBy::hook ? "hook" : "reconcile"; }

}  // namespace headrace::events

namespace headrace::events::codec {

namespace {

constexpr std::string_view no_page = "urn:headrace:";

// What another tool's outcome is in our words. CDEvents: "error" is a failure to run at all.
std::optional<Conclusion> conclusion_of(std::string_view outcome) {
  if (outcome == "success") return Conclusion::success;
  if (outcome == "failure") return Conclusion::failure;
  if (outcome == "cancel") return Conclusion::cancelled;
  if (outcome == "error") return Conclusion::startup_failure;
  return std::nullopt;
}

json::object enumeration(std::vector<std::string_view> names) {
  json::array values;
  for (auto name : names) values.push_back(json::string(name));
  return {{"type", "string"}, {"enum", std::move(values)}};
}

}  // namespace

// --- Values

json::value to_json(const std::string& value) { return json::string(value); }
json::value to_json(int64_t value) { return value; }
json::value to_json(bool value) { return value; }
json::value to_json(core::Time value) { return json::string(core::format_time(value)); }
json::value to_json(Conclusion value) { return json::string(name_of(value)); }
json::value to_json(SettledBy value) { return json::string(name_of(value)); }

bool from_json(const json::value& json, std::string& value) {
  if (json.is_string()) value = json.get_string();
  return json.is_string();
}
bool from_json(const json::value& json, int64_t& value) {
  if (json.is_int64()) value = json.get_int64();
  return json.is_int64();
}
bool from_json(const json::value& json, bool& value) {
  if (json.is_bool()) value = json.get_bool();
  return json.is_bool();
}
bool from_json(const json::value& json, core::Time& value) {
  auto time = json.is_string() ? core::parse_time(json.get_string()) : core::fail(core::Code::invalid, "");
  if (time) value = *time;
  return time.has_value();
}
bool from_json(const json::value& json, Conclusion& value) {
  auto conclusion = json.is_string() ? parse_conclusion(json.get_string()) : std::nullopt;
  if (conclusion) value = *conclusion;
  return conclusion.has_value();
}
bool from_json(const json::value& json, SettledBy& value) {
  if (json == "hook")
    value = SettledBy::hook;
  else if (json == "reconcile")
    value = SettledBy::reconcile;
  else
    return false;
  return true;
}

json::object schema_for(const std::string&) { return {{"type", "string"}}; }
json::object schema_for(int64_t) { return {{"type", "integer"}}; }
json::object schema_for(bool) { return {{"type", "boolean"}}; }
json::object schema_for(core::Time) { return {{"type", "string"}, {"format", "date-time"}}; }
json::object schema_for(Conclusion) {
  std::vector<std::string_view> names;
  for (const auto& known : conclusions) names.push_back(known.name);
  return enumeration(std::move(names));
}
json::object schema_for(SettledBy) { return enumeration({"hook", "reconcile"}); }

std::string wanted_for(const json::object& schema) {
  if (const auto* names = schema.if_contains("enum")) {
    std::string wanted = "one of";
    for (const auto& name : names->get_array())
      wanted.append(wanted == "one of" ? " " : ", ").append(name.get_string());
    return wanted;
  }
  if (schema.contains("format")) return "a time as RFC 3339 writes it";
  std::string type(schema.at("type").get_string());
  return type == "integer" ? "a whole number of 64 bits" : "a " + type;
}

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

bool is_standard_type(std::string_view type) { return type.starts_with("dev.cdevents."); }

// --- Encoder

void Encoder::standard(std::string_view name, const std::string& text, Presence presence, std::string_view) {
  if (!text.empty() || presence == Presence::always) content_[name] = text;
}

void Encoder::reference(std::string_view name, const std::string& id, std::string_view) {
  if (!id.empty()) content_[name] = json::object{{"id", id}};
}

void Encoder::uri(const std::string& url, Presence presence, std::string_view) {
  core::require(url.empty() || is_uri(url), "the url of an event is absolute, with its scheme");
  if (!url.empty()) {
    content_["uri"] = url;
  } else if (presence == Presence::always) {
    content_["uri"] = std::string(no_page) + subject_;
  }
}

void Encoder::outcome(const Conclusion& conclusion, std::string_view) { content_["outcome"] = outcome_of(conclusion); }

json::object Encoder::context() const {
  json::object context{{"specversion", "0.5.1"},
                       {"id", header_.id},
                       {"source", header_.source},
                       {"type", type_},
                       {"timestamp", core::format_time(header_.time)},
                       {"chainId", header_.correlation_id.empty() ? header_.id : header_.correlation_id}};
  json::array links;
  auto add = [&](const std::string& cause) {
    if (!cause.empty())
      links.push_back(
          json::object{{"linkType", "RELATION"}, {"linkKind", "TRIGGER"}, {"target", {{"contextId", cause}}}});
  };
  add(header_.causation_id);
  for (const auto& cause : header_.further_causes) add(cause);
  if (!links.empty()) context["links"] = std::move(links);
  return context;
}

Event Encoder::finish() && {
  core::require(!subject_.empty(), "an event has a subject");
  core::require(!header_.id.empty() && !header_.source.empty(), "an event has an id and a source");
  Event event{.id = header_.id,
              .source = header_.source,
              .type = std::string(type_),
              .subject = subject_,
              .time = header_.time,
              .datacontenttype = "application/json",
              .dataschema = {},
              .extensions = {},
              .data = {},
              .has_data = true};
  auto extend = [&](const char* name, const std::string& text) {
    if (!text.empty()) event.extensions.emplace(name, text);
  };
  extend("actor", header_.actor);
  extend("causationid", header_.causation_id);
  extend("correlationid", header_.correlation_id.empty() ? header_.id : header_.correlation_id);
  extend("traceparent", header_.traceparent);
  extend("partitionkey", key_);
  json::object data{{"context", context()}, {"subject", {{"id", subject_}, {"content", std::move(content_)}}}};
  if (is_standard_type(type_)) {
    custom_["version"] = own_version;
    data["customData"] = std::move(custom_);
  }
  event.data = core::to_text(data);
  return event;
}

// --- Decoder

core::Result<Decoder> Decoder::open(const Event& event, std::string_view todays) {
  if (todays_type(event.type) != todays)
    return core::fail(core::Code::not_found,
                      "The event is of type " + event.type + ", not of " + std::string(todays) + ".");
  if (!event.has_data || !is_json(event.datacontenttype))
    return core::fail(core::Code::invalid,
                      "An event of type " + event.type + " has a CDEvent in JSON as its data; this one has not.");
  auto parsed = core::parse_json(event.data);
  if (!parsed) return core::pass_on(parsed.error(), "decoding " + event.type);
  if (!parsed->is_object())
    return core::fail(core::Code::invalid, "The data of an event of type " + event.type + " is a JSON object.");
  bool ours = event.source.starts_with(reserved_source);
  upcast(parsed->get_object(), event.type, ours);
  Decoder decoder(todays);
  if (auto taken = decoder.take(std::move(parsed->get_object()), ours); !taken) return std::unexpected(taken.error());
  return decoder;
}

core::Result<> Decoder::take(json::object data, bool ours) {
  auto object_in = [](json::object& from, std::string_view name) {
    auto* found = from.if_contains(name);
    return found ? found->if_object() : nullptr;
  };
  auto wrong = [&](std::string_view what) {
    return core::fail(core::Code::invalid,
                      "The data of " + std::string(type_) + " is not good: " + std::string(what) + ".");
  };
  auto* subject = object_in(data, "subject");
  if (!subject) return wrong("/subject must be an object");
  const auto* id = subject->if_contains("id");
  if (!id || !id->is_string() || id->get_string().empty()) return wrong("/subject/id must be a string, and not empty");
  subject_ = id->get_string();
  auto* content = object_in(*subject, "content");
  if (!content) return wrong("/subject/content must be an object");
  bool standard = is_standard_type(type_);
  if (!standard) own_at_ = "/subject/content";
  if (standard && ours) own_at_ = "/customData";
  (standard ? content_ : own_) = std::move(*content);
  if (standard && ours) {
    auto* custom = object_in(data, "customData");
    if (!custom) return wrong("/customData must be an object");
    own_ = std::move(*custom);
  }
  return {};
}

void Decoder::text(std::string_view name, std::string& into, bool required) {
  if (fault_) return;
  const auto* found = content_.if_contains(name);
  if (found && found->is_string())
    into = found->get_string();
  else if (found)
    fault_ = Fault{"/subject/content/" + std::string(name), "must be a string"};
  else if (required)
    fault_ = Fault{"/subject/content/" + std::string(name), "is missing"};
}

void Decoder::subject(std::string_view, std::string& id, std::string_view) { id = subject_; }

// What CDEvents leaves free another tool may leave out, though we never do.
void Decoder::standard(std::string_view name, std::string& text_, Presence presence, std::string_view) {
  text(name, text_, presence == Presence::always && !own_at_.empty());
}

void Decoder::reference(std::string_view name, std::string& id, std::string_view) {
  const auto* found = content_.if_contains(name);
  if (!found || fault_) return;
  auto text = core::string_at(*found, "id");
  if (text)
    id = *text;
  else
    fault_ = Fault{"/subject/content/" + std::string(name), "must be an object with an id"};
}

void Decoder::uri(std::string& url, Presence, std::string_view) {
  text("uri", url, false);
  if (url.starts_with(no_page)) url.clear();
}

void Decoder::outcome(Conclusion& conclusion, std::string_view) {
  std::string outcome;
  text("outcome", outcome, false);
  if (outcome.empty() || fault_) return;
  if (auto known = conclusion_of(outcome))
    conclusion = *known;
  else
    fault_ = Fault{"/subject/content/outcome", "must be one of success, failure, cancel, error"};
}

std::optional<core::Error> Decoder::fault() const {
  if (!fault_) return std::nullopt;
  return core::Error{
      core::Code::invalid,
      "The data of " + std::string(type_) + " is not good: " + fault_->pointer + " " + fault_->message + ".",
      {}};
}

// --- SchemaWriter

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
