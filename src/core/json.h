// JSON (RFC 8259) by Boost.JSON, with the few things every room wants: errors that say where, and careful getters.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace headrace::core {

namespace json = boost::json;

// One JSON value of at most 64 levels. An error names line and column of the first bad character. Of repeated keys the
// last counts.
Result<json::value> parse_json(std::string_view text);
std::string to_text(const json::value& value);         // compact
std::string to_pretty_text(const json::value& value);  // two spaces an indent, a final newline

// Keys sorted at every level, compact: equal values give equal text. For digests and comparisons.
std::string to_canonical_text(const json::value& value);

const json::value* find(const json::value& object, std::string_view key);  // null where absent or no object
std::optional<std::string> string_at(const json::value& object, std::string_view key);
std::optional<int64_t> integer_at(const json::value& object, std::string_view key);
std::optional<bool> boolean_at(const json::value& object, std::string_view key);

}  // namespace headrace::core
