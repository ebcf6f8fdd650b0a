#include "server/openapi.h"

#include "core/json.h"
#include "core/version.h"
#include "server/schemas.h"

namespace headrace::server {

namespace json = core::json;

namespace {

std::string lower(std::string_view text) {
  std::string out;
  for (char c : text) out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  return out;
}

// "{path...}" is ours; OpenAPI knows "{path}".
std::string path_of(std::string pattern) {
  if (auto dots = pattern.find("...}"); dots != std::string::npos) pattern.erase(dots, 3);
  return pattern;
}

std::string operation_id(const Route& route) {
  std::string id = lower(net::name_of(route.method));
  for (char c : path_of(route.pattern))
    id.push_back((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_');
  return id;
}

// See readings.h.
bool tells_its_offset(const Route& route) {
  return route.pattern.starts_with("/api/") && route.right != Right::anyone && route.about.success != 101 &&
         route.about.success < 300 && (route.about.success == 204 || route.about.answer.type == "application/json");
}

bool is_reading(const Route& route) { return route.method == net::Method::get && tells_its_offset(route); }

json::array parameters_of(const Route& route) {
  json::array parameters;
  std::string path = path_of(route.pattern);
  for (auto open = path.find('{'); open != std::string::npos; open = path.find('{', open + 1)) {
    auto name = path.substr(open + 1, path.find('}', open) - open - 1);
    parameters.push_back(
        json::object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  for (const auto& parameter : route.about.parameters)
    parameters.push_back(json::object{{"name", parameter.name},
                                      {"in", "query"},
                                      {"description", parameter.description},
                                      {"schema", {{"type", parameter.type}}}});
  if (is_reading(route)) parameters.push_back(json::object{{"$ref", "#/components/parameters/After"}});
  return parameters;
}

json::object reference_to(std::string_view schema) { return {{"$ref", "#/components/schemas/" + std::string(schema)}}; }

json::object content_of(const Content& body) {
  json::object content;
  if (body.type.empty()) return content;
  json::object media;
  if (!body.schema.empty()) media["schema"] = reference_to(body.schema);
  content[body.type] = std::move(media);
  return content;
}

json::object operation_of(const Route& route) {
  json::object answer{{"description", route.about.summary}};
  if (route.about.success != 204 && route.about.success != 101) answer["content"] = content_of(route.about.answer);
  if (tells_its_offset(route)) answer["headers"] = {{"X-Headrace-Offset", {{"$ref", "#/components/headers/Offset"}}}};
  json::object responses{{std::to_string(route.about.success), std::move(answer)},
                         {"default", {{"$ref", "#/components/responses/Error"}}}};
  json::object operation{{"operationId", operation_id(route)},
                         {"summary", route.about.summary},
                         {"tags", json::array{route.about.tag}},
                         {"parameters", parameters_of(route)},
                         {"responses", std::move(responses)}};
  if (!route.about.request.type.empty())
    operation["requestBody"] = json::object{{"required", true}, {"content", content_of(route.about.request)}};
  if (route.pattern.starts_with("/api/v3/"))
    operation["externalDocs"] = {{"description", "GitHub's REST API, whose answers these are"},
                                 {"url", "https://docs.github.com/rest"}};
  if (route.about.tag == "git") {
    operation["security"] = json::array{json::object{{"git", json::array{}}}};
  } else if (route.right == Right::anyone) {
    operation["security"] = json::array{};
  }
  return operation;
}

json::object components() {
  auto schemas = core::parse_json(schemas_text());
  core::require(schemas && schemas->is_object(), "src/server/schemas.json is a JSON object");
  json::object error{{"description", "What was wrong, and what to do"},
                     {"content", {{"application/json", {{"schema", reference_to("Error")}}}}}};
  const json::object offset_schema{{"type", "integer"}, {"minimum", 0}};
  json::object offset{
      {"description",
       "Of a reading: all events up to this offset are shown (absent with `at`, and while a projection "
       "is stopped or being made anew). Of a command: what it did is told by events up to this offset."},
      {"schema", offset_schema}};
  json::object after{{"name", "X-Headrace-After"},
                     {"in", "header"},
                     {"description", "the offset of an event that the answer shows, with all before it"},
                     {"schema", offset_schema}};
  return {{"schemas", std::move(*schemas)},
          {"headers", {{"Offset", std::move(offset)}}},
          {"parameters", {{"After", std::move(after)}}},
          {"responses", {{"Error", std::move(error)}}},
          {"securitySchemes",
           {{"token", {{"type", "http"}, {"scheme", "bearer"}}}, {"git", {{"type", "http"}, {"scheme", "basic"}}}}}};
}

}  // namespace

std::string openapi_text(const Router& router, const std::string& public_url) {
  json::object paths;
  for (const auto& route : router.routes()) {
    auto [path, fresh] = paths.emplace(path_of(route.pattern), json::object());
    path->value().get_object()[lower(net::name_of(route.method))] = operation_of(route);
  }
  json::object document{{"openapi", "3.1.0"},
                        {"info",
                         {{"title", "Headrace"},
                          {"version", core::version()},
                          {"description", "Push, build, test and everything that follows, on one event log."}}},
                        {"servers", json::array{json::object{{"url", public_url}}}},
                        {"security", json::array{json::object{{"token", json::array{}}}}},
                        {"paths", std::move(paths)},
                        {"components", components()}};
  return core::to_pretty_text(document);
}

}  // namespace headrace::server
