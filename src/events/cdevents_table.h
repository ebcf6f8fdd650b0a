// The content of each CDEvents v0.5.1 event type, as data: what a field may hold, and which must be there. For
// cdevents.cc and its tests, which hold this table against the standard's own schemas.
#pragma once

#include <span>
#include <string_view>

namespace headrace::events::cdevents {

struct Field;

// What a value must be. Objects take no other fields than theirs, unless `open`.
struct Shape {
  enum class Kind { text, texts, object };
  Kind kind = Kind::text;
  bool filled = false;                            // text: not empty
  bool (*good)(std::string_view) = nullptr;       // text: its form
  std::string_view form = {};                     // its name in JSON Schema: "uri"
  std::span<const std::string_view> one_of = {};  // text: empty for any
  std::span<const Field> fields = {};
  bool open = false;
};

struct Field {
  std::string_view name;
  const Shape* shape;
  bool required = false;
};

struct Type {
  std::string_view name;  // without "dev.cdevents."
  std::span<const Field> content;
  // The testing schemas ask no form of context.source and subject.source; ticket.closed knows subject.type.
  enum class Quirk { none, any_source, subject_type } quirk = Quirk::none;
};

std::span<const Type> all_types();             // sorted by name
const Type* find_type(std::string_view type);  // by its whole name

}  // namespace headrace::events::cdevents
