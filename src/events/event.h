// The envelope of everything that happens: a CloudEvent 1.0 in memory, and its encodings.
//
// CloudEvents 1.0.2, "Context Attributes": id, source, type and specversion are required; source + id is unique per
// event; attribute names are made of a-z 0-9 (more than 20 of them are discouraged, not forbidden); values are Boolean,
// Integer (32 bit), String, Binary, URI, URI-reference, Timestamp - the last four are kept here as canonical strings.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/actor.h"
#include "core/clock.h"
#include "core/result.h"

namespace headrace::events {

using Attribute = std::variant<bool, int32_t, std::string>;

struct Event {
  std::string id;
  std::string source;
  std::string type;
  std::string subject;  // empty: absent
  std::optional<core::Time> time;
  std::string datacontenttype;  // empty: absent; JSON is meant where there is data
  std::string dataschema;       // empty: absent
  // Extension attributes, ours among them: actor, causationid (the event that led to this one), correlationid (the root
  // of the chain, usually a push), traceparent. Ordered, so that encoding is canonical.
  std::map<std::string, Attribute, std::less<>> extensions;
  // The payload, as it came: JSON text where datacontenttype is JSON, any bytes otherwise.
  std::string data;
  bool has_data = false;

  std::string_view text(std::string_view extension) const;  // of a String extension; empty where absent
  std::string_view actor() const { return text("actor"); }
  std::string_view causation_id() const { return text("causationid"); }
  std::string_view correlation_id() const { return text("correlationid"); }

  bool operator==(const Event&) const = default;
};

inline constexpr size_t event_bytes_max = 256 * 1024;              // of the structured form; what is larger is a blob
inline constexpr std::string_view reserved_source = "/headrace/";  // ours alone; ingress refuses it

bool is_json(std::string_view datacontenttype);  // application/json, text/json, anything +json, or absent

// The value of an attribute by its CloudEvents name, required and optional ones and extensions; nothing where absent.
std::optional<Attribute> attribute(const Event& event, std::string_view name);

}  // namespace headrace::events
