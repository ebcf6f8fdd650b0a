// Old versions of what events hold, brought to today's. A log is kept for ever, and other tools speak older CDEvents:
// so an entry here is never removed, and each has its golden file in tests/golden/events/.
#pragma once

#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <string_view>

namespace headrace::events {

// One step from a (type, version of our customData) to the next. Version 0: there is no customData of ours.
struct Upcaster {
  std::string_view type;
  int version;
  std::string_view to_type;
  int to_version;
  void (*change)(boost::json::object& data);
};
std::span<const Upcaster> all_upcasters();

// Applies every step there is to the data of an event of `type`; `ours`: customData is as we write it.
void upcast(boost::json::object& data, std::string_view type, bool ours);

}  // namespace headrace::events
