// How an event is written: its attributes as compact fields (tag, length, value), then its data.
//
// The encoding is canonical: equal events give equal bytes. Source and id come first, so that the bytes of both are a
// prefix, the identity (CloudEvents 1.0, "id": source + id is unique per event); the type follows.
// Every field and value: docs/log-format.md, "An event".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "events/event.h"
#include "log/bytes.h"

namespace headrace::log {

struct EncodedSize {
  uint32_t attributes = 0;  // bytes before the data
  uint32_t identity = 0;    // bytes of source and id
};

// Appends attributes and data to `to`.
EncodedSize encode_event(const events::Event& event, std::string& to);

// The exact event again. Corrupt for bytes that encode_event did not write.
core::Result<events::Event> decode_event(ByteView attributes, ByteView data, bool has_data);

// The first bytes of every event with this source and id.
std::string encode_identity(std::string_view source, std::string_view id);
// What stands behind the identity for this type.
std::string encode_type(std::string_view type);

// Sizes and places within attributes; nothing where the bytes are not an event's.
struct Fields {
  ByteView identity;
  ByteView type;
};
std::optional<Fields> fields_of(ByteView attributes);
std::optional<std::string> decode_type(ByteView type_field);

// Milliseconds since 1970 that a UUIDv7 in the identity says; 0 for other ids.
uint64_t id_milliseconds(ByteView identity);

}  // namespace headrace::log
