// rooms: events
// Events as bytes from anywhere: reading them never breaks, and what was read is written so that it reads back equal.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "events/cdevents.h"
#include "events/cloudevents.h"
#include "events/vocabulary.h"

namespace {

using namespace headrace::events;

void expect(bool holds) {
  if (!holds) std::abort();
}

// White space around JSON data is all that structured mode does not keep.
void trim(Event& event) {
  if (!is_json(event.datacontenttype)) return;
  event.data.erase(0, std::min(event.data.find_first_not_of(" \t\r\n"), event.data.size()));
  event.data.erase(event.data.find_last_not_of(" \t\r\n") + 1);
}

void try_event(Event event) {
  trim(event);
  auto again = read_structured(to_structured(event));
  // Written compactly it can only be larger than what was read where escapes were shorter: then it is refused for size.
  expect(again ? *again == event : to_structured(event).size() > event_bytes_max);
  (void)check_word(event);
  auto binary = to_binary(event);
  (void)read_binary(binary.headers, binary.body);
}

// The first line is a header's value, the rest the body.
void try_binary(std::string_view text) {
  auto line = text.substr(0, text.find('\n'));
  auto body = text.substr(std::min(text.size(), line.size() + 1));
  auto event = read_binary(
      {{"ce-specversion", "1.0"}, {"ce-id", std::string(line)}, {"ce-source", "/a"}, {"ce-type", "t"}}, body);
  if (event) try_event(*event);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto event = read_structured(text)) try_event(*event);
  if (auto batch = read_batch(text)) {
    for (const auto& event : *batch) try_event(event);
  }
  try_binary(text);
  (void)validate(text);
  return 0;
}
