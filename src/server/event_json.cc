#include "server/event_json.h"

#include "events/cloudevents.h"

namespace headrace::server {

std::string event_text(const log::Stored& stored) {
  // The encoding of an event is an object that is not empty, so the new member goes in front.
  std::string text = events::to_structured(stored.event);
  return "{\"offset\":" + std::to_string(stored.offset) + "," + text.substr(1);
}

std::string event_list_text(const std::vector<log::Stored>& events) {
  std::string text = "[";
  for (const auto& stored : events) text.append(text.size() == 1 ? "" : ",").append(event_text(stored));
  return text + "]";
}

}  // namespace headrace::server
