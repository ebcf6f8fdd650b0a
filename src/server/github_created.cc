#include "server/github_created.h"

#include <chrono>
#include <string>

namespace headrace::server {

using core::Code;
using core::Result;

namespace {

struct Span {  // from the beginning of what a text names to its end, both included
  core::Time first, last;
};

Result<Span> span_of(std::string_view text) {
  constexpr size_t date_size = std::string_view("2026-11-23").size();
  const bool day = text.size() == date_size;
  auto first = core::parse_time(day ? std::string(text) + "T00:00:00Z" : std::string(text));
  if (!first)
    return core::fail(Code::invalid, "'" + std::string(text.substr(0, 60)) +
                                         "' in `created` is no time: write 2026-11-23 or 2026-11-23T10:00:00Z, with >, "
                                         ">=, < or <= before it, or two of them with .. between.");
  const core::Duration length = day ? core::Duration(std::chrono::hours(24)) : std::chrono::seconds(1);
  const bool whole = day || std::chrono::floor<std::chrono::seconds>(*first) == *first;
  return Span{*first, whole ? *first + length - core::Duration(1) : *first};
}

bool take(std::string_view& text, std::string_view sign) {
  if (!text.starts_with(sign)) return false;
  text.remove_prefix(sign.size());
  return true;
}

Result<CreatedRange> between(std::string_view begin, std::string_view end) {
  CreatedRange range;
  if (begin != "*") {
    auto span = span_of(begin);
    if (!span) return std::unexpected(span.error());
    range.from = span->first;
  }
  if (end != "*") {
    auto span = span_of(end);
    if (!span) return std::unexpected(span.error());
    range.to = span->last;
  }
  return range;
}

}  // namespace

Result<CreatedRange> created_range(std::string_view text) {
  if (text.empty()) return CreatedRange();
  if (auto dots = text.find(".."); dots != std::string_view::npos)
    return between(text.substr(0, dots), text.substr(dots + 2));
  const bool at_least = take(text, ">="), at_most = !at_least && take(text, "<=");
  const bool after = !at_least && !at_most && take(text, ">");
  const bool before = !at_least && !at_most && !after && take(text, "<");
  auto span = span_of(text);
  if (!span) return std::unexpected(span.error());
  if (at_least) return CreatedRange{span->first, {}};
  if (at_most) return CreatedRange{{}, span->last};
  if (after) return CreatedRange{span->last + core::Duration(1), {}};
  if (before) return CreatedRange{{}, span->first - core::Duration(1)};
  return CreatedRange{span->first, span->last};
}

}  // namespace headrace::server
