// CloudEvents 1.0.2 on the wire: structured JSON, batches of it, and HTTP binary mode, with every rule of the standard
// checked and nothing lost on a round trip.
//
// Sources: JSON Event Format 1.0.2 (sections 2 and 3), JSON Batch Format (section 4), HTTP Protocol Binding 1.0.2
// (section 3.1). A reader reports everything it finds wrong, not only the first thing. No I/O, no state; any thread.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "events/event.h"

namespace headrace::events {

inline constexpr size_t batch_events_max = 1000;
inline constexpr size_t batch_bytes_max = size_t{8} << 20;
inline constexpr size_t attribute_name_max =
    64;  // "Naming Conventions" asks for 20, as a SHOULD: we refuse only beyond this

inline constexpr std::string_view structured_media_type = "application/cloudevents+json";
inline constexpr std::string_view batch_media_type = "application/cloudevents-batch+json";

// Something wrong, and where: a JSON Pointer (RFC 6901) into the document; in binary mode "/headers/<name>" or "/body".
struct Problem {
  std::string pointer;
  std::string message;
  bool operator==(const Problem&) const = default;
};
using Problems = std::vector<Problem>;  // at most problems_max
inline constexpr size_t problems_max = 100;

// As one Error for a person: "3 problems: /id is missing; ...", Code::invalid.
core::Error to_error(const Problems& problems);

template <class T>
using Read = std::expected<T, Problems>;

// --- Structured. Compact; attributes in the order specversion, id, source, type, others, extensions by name, data
// last. JSON data stands there as it came, digit for digit, but for white space around it.
std::string to_structured(const Event& event);
Read<Event> read_structured(std::string_view text);

std::string to_batch(const std::vector<Event>& events);
Read<std::vector<Event>> read_batch(std::string_view text);  // pointers start with the index: "/3/id"

// --- Binary. Header names in lower case, without repetition (HTTP joins repeated ones before this).
using Headers = std::map<std::string, std::string, std::less<>>;
struct Binary {
  Headers headers;  // "ce-id", ..., "content-type"
  std::string body;
  bool operator==(const Binary&) const = default;
};
Binary to_binary(const Event& event);
// Looks only at `ce-*` and `content-type`. Extension values all come as Strings: HTTP has no types (section 3.1.3.1).
Read<Event> read_binary(const Headers& headers, std::string_view body);

// What a request holds, by its content-type and headers: one event or a batch.
enum class Mode { structured, batch, binary };
Mode mode_of(const Headers& headers);
Read<std::vector<Event>> read_http(const Headers& headers, std::string_view body);

// The rules for an Event made in memory, as to_structured() would write it; empty when it is good.
Problems check(const Event& event);

bool is_reserved(std::string_view source);  // ours: whoever takes events from outside refuses it

}  // namespace headrace::events
