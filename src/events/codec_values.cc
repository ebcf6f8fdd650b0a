// The kinds of value a field of the vocabulary may have, and their names.
#include "core/json.h"
#include "events/codec.h"

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

json::object enumeration(std::vector<std::string_view> names) {
  json::array values;
  for (auto name : names) values.push_back(json::string(name));
  return {{"type", "string"}, {"enum", std::move(values)}};
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

}  // namespace headrace::events::codec
