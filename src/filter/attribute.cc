#include "filter/attribute.h"

#include <array>
#include <utility>

namespace headrace::filter {
namespace {

using Slot = AttributeName::Slot;

constexpr std::array<std::pair<std::string_view, Slot>, 8> known{{{"id", Slot::id},
                                                                  {"source", Slot::source},
                                                                  {"type", Slot::type},
                                                                  {"subject", Slot::subject},
                                                                  {"time", Slot::time},
                                                                  {"specversion", Slot::specversion},
                                                                  {"datacontenttype", Slot::datacontenttype},
                                                                  {"dataschema", Slot::dataschema}}};

Found text(std::string_view value) { return {true, value}; }
Found optional_text(std::string_view value) { return value.empty() ? Found{} : text(value); }

View view_of(const events::Attribute& value) {
  if (const bool* b = std::get_if<bool>(&value)) return *b;
  if (const int32_t* i = std::get_if<int32_t>(&value)) return *i;
  return std::string_view(*std::get_if<std::string>(&value));
}

Found find_extension(const events::Event& event, std::string_view name) {
  auto found = event.extensions.find(name);
  if (found == event.extensions.end()) return {};
  return {true, view_of(found->second)};
}

Found find_time(const events::Event& event, std::string_view spelling, std::string& scratch) {
  if (!spelling.empty()) return text(spelling);
  if (!event.time) return {};
  scratch = core::format_time(*event.time);
  return text(scratch);
}

}  // namespace

AttributeName attribute_name(std::string_view name) {
  for (auto [text, slot] : known) {
    if (text == name) return {slot, std::string(name)};
  }
  return {Slot::extension, std::string(name)};
}

Found find(const events::Event& event, const AttributeName& name, std::string_view time_spelling,
           std::string& scratch) {
  switch (name.slot) {
    case Slot::id: return text(event.id);
    case Slot::source: return text(event.source);
    case Slot::type: return text(event.type);
    case Slot::subject: return optional_text(event.subject);
    case Slot::time: return find_time(event, time_spelling, scratch);
    case Slot::specversion: return text("1.0");
    case Slot::datacontenttype: return optional_text(event.datacontenttype);
    case Slot::dataschema: return optional_text(event.dataschema);
    case Slot::extension: return find_extension(event, name.name);
  }
  return {};
}

bool exists(const events::Event& event, const AttributeName& name) {
  if (name.slot == Slot::time) return event.time.has_value();
  std::string unused;
  return find(event, name, {}, unused).present;
}

}  // namespace headrace::filter
