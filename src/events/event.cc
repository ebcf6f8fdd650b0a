#include "events/event.h"

#include <algorithm>
#include <cctype>

namespace headrace::events {

namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::optional<Attribute> present(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace

std::string_view Event::text(std::string_view extension) const {
  auto found = extensions.find(extension);
  if (found == extensions.end()) return {};
  const auto* text = std::get_if<std::string>(&found->second);
  return text ? std::string_view(*text) : std::string_view();
}

bool is_json(std::string_view datacontenttype) {
  auto media_type = datacontenttype.substr(0, datacontenttype.find(';'));
  while (!media_type.empty() && media_type.back() == ' ') media_type.remove_suffix(1);
  if (media_type.empty()) return true;
  auto slash = media_type.find('/');
  if (slash == std::string_view::npos) return false;
  auto subtype = media_type.substr(slash + 1);
  return equal_ignoring_case(subtype, "json") ||
         (subtype.size() > 5 && equal_ignoring_case(subtype.substr(subtype.size() - 5), "+json"));
}

std::optional<Attribute> attribute(const Event& event, std::string_view name) {
  if (name == "specversion") return std::string("1.0");
  if (name == "id") return present(event.id);
  if (name == "source") return present(event.source);
  if (name == "type") return present(event.type);
  if (name == "subject") return present(event.subject);
  if (name == "datacontenttype") return present(event.datacontenttype);
  if (name == "dataschema") return present(event.dataschema);
  if (name == "time") return event.time ? std::optional<Attribute>(core::format_time(*event.time)) : std::nullopt;
  auto found = event.extensions.find(name);
  if (found == event.extensions.end()) return std::nullopt;
  return found->second;
}

}  // namespace headrace::events
