// `created` of GitHub's searches: GitHub Docs, "Understanding the search syntax", "Query for dates". Pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace headrace::server {

struct CreatedRange {
  std::optional<core::Time> from, to;  // both included; nothing: without an end
};

// "2026-11-23", ">=2026-11-23T10:00:00Z", "<2026-11-23", "2026-11-01..2026-11-23", "*..2026-11-23"; a date is its whole
// day, in UTC, and a time its whole second. Empty: all. invalid: anything else.
core::Result<CreatedRange> created_range(std::string_view text);

}  // namespace headrace::server
