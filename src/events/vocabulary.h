// The words the parts of the platform share: plain structs (repository.h, pipeline.h, triggers.h, runner.h, tests.h,
// identity.h, bus.h), each with its type name, and the way from a struct to an Event and back.
//
// The data of every event is a whole CDEvent v0.5.1 {context, subject {id, content}, customData}; the CloudEvent's id,
// source, type, time and subject equal those of the CDEvent (cloudevents-binding.md, "Context"). CDEvents types take no
// other content than their own, so what we add rides in customData with a "version". Our own types
// dev.cdeventsx.headrace-<subject>.<predicate>.0.1.0 keep everything in content: docs/events/ has each field.
//
// decode() reads every version a log may hold, old ones by way of the upcasters (upcast.h), and standard events of
// other tools as far as their standard fields go. It costs a JSON parse; encode() one serialization. Any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "events/event.h"

namespace headrace::events {

// Everything about an event that is not what it says.
struct Header {
  std::string id = {};      // UUIDv7, or the id the bus derives for what a handler says
  std::string source = {};  // "/headrace/<service>"
  core::Time time = {};
  std::string actor = {};           // core::to_string(Actor); empty: attribute left out
  std::string causation_id = {};    // id of the event that led to this one; empty for a root
  std::string correlation_id = {};  // the root of the chain; empty: this event is the root, and its own id is taken
  std::string traceparent = {};     // W3C trace context; empty: left out
  std::vector<std::string> further_causes = {};  // ids, when one thing follows from several; kept as links
};

// T is one of the structs of the vocabulary. Besides the attributes of the Header the event carries `partitionkey`
// (CloudEvents extension "Partitioning") where T says which thing's order matters: the repository's full name, mostly.
template <class T>
Event encode(const T& said, const Header& header);

// Errors: invalid, with the JSON Pointer into the event's data; not_found when the event is not a T of any version.
template <class T>
core::Result<T> decode(const Event& event);

// Today's name of a type that decode() still reads under an older one; the name itself when it is today's already, or
// unknown.
std::string_view todays_type(std::string_view type);

// Whether the event is a T, in today's or an older version.
template <class T>
bool is(const Event& event) {
  return todays_type(event.type) == T::type;
}

// Today's and every older type name of T: what a reader of a log asks for.
std::vector<std::string> all_types(std::string_view todays_type);

// One entry a struct, in the order of the documentation; for docs/events/, AsyncAPI and `event routes`.
struct Word {
  std::string_view type;         // today's
  std::string_view name;         // of the struct: "PushReceived"
  std::string_view service;      // who says it
  std::string_view description;  // a sentence or two
  int custom_version;            // of customData for standard types, 0 for our own
};
std::span<const Word> all_words();
const Word* find_word(
    std::string_view type);  // by today's or an older name; null: unknown, to be counted by the caller

// Whether the event decodes as the struct of its type: not_found for a type that is no word, else as decode().
core::Result<> check_word(const Event& event);

// JSON Schema 2020-12 of the event's data, pretty text. `word` is one of all_words().
std::string schema_of(const Word& word);

}  // namespace headrace::events
