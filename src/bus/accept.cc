#include <string>

#include "bus/publish.h"
#include "events/cloudevents.h"

namespace headrace::bus {

core::Result<> accept_foreign(const events::Event& event) {
  if (events::is_reserved(event.source))
    return core::fail(core::Code::denied, "The source '" + event.source +
                                              "' is reserved: sources under /headrace/ are the platform's own. "
                                              "Send the event under a source of yours.");
  auto problems = events::check(event);  // its size too
  if (!problems.empty()) return std::unexpected(events::to_error(problems));
  return {};
}

}  // namespace headrace::bus
