// The shapes of text that CloudEvents and CDEvents ask for. Each says whether the text has the shape; no I/O.
#pragma once

#include <string_view>

namespace headrace::events {

bool is_uri(std::string_view text);            // RFC 3986, "URI": with a scheme
bool is_uri_reference(std::string_view text);  // RFC 3986, "URI-reference"; the empty one counts
bool is_date_time(std::string_view text);      // RFC 3339
bool is_media_type(std::string_view text);     // RFC 2046: type "/" subtype *(";" parameter)

// CloudEvents "Type System", String: UTF-8 without control characters, surrogates and noncharacters.
bool is_string_value(std::string_view text);

// dev.cdeventsx.<tool>-<subject>.<predicate>.<major>.<minor>.<patch> of custom/schema.json.
bool is_custom_type(std::string_view text);

}  // namespace headrace::events
