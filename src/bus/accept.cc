#include <string>

#include "bus/publish.h"
#include "events/cloudevents.h"

namespace headrace::bus {

core::Result<> accept_foreign(const events::Event& event) {
  if (events::is_reserved(event.source))
    return core::fail(core::Code::denied, "The source '" + event.source +
                                              "' is reserved: sources under /headrace/ are the platform's own. "
                                              "Send the event under a source of yours.");
  if (auto problems = events::check(event); !problems.empty()) return std::unexpected(events::to_error(problems));
  const size_t bytes = events::to_structured(event).size();
  if (bytes > events::event_bytes_max)
    return core::fail(core::Code::invalid, "The event '" + event.id + "' has " + std::to_string(bytes) +
                                               " bytes, and " + std::to_string(events::event_bytes_max) +
                                               " are allowed. Store what is large elsewhere and send its address.");
  return {};
}

}  // namespace headrace::bus
