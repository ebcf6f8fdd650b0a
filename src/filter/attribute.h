// The attributes of an event as filters see them: by name, resolved once, read without allocation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "events/event.h"

namespace headrace::filter {

// What an expression computes with. The text of a String lives elsewhere: in the event, the program or the run's
// scratch.
using View = std::variant<bool, int32_t, std::string_view>;

struct AttributeName {
  enum class Slot : uint8_t { id, source, type, subject, time, specversion, datacontenttype, dataschema, extension };
  Slot slot = Slot::extension;
  std::string name;  // lower case

  bool operator==(const AttributeName&) const = default;
};
AttributeName attribute_name(std::string_view name);

struct Found {
  bool present = false;
  View value = false;
};

// `scratch` holds the text of `time`, unless `time_spelling` stands for it.
Found find(const events::Event& event, const AttributeName& name, std::string_view time_spelling, std::string& scratch);
bool exists(const events::Event& event, const AttributeName& name);

}  // namespace headrace::filter
