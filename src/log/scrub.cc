#include "log/scrub.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/verify.h"
#include "log/writer.h"

namespace headrace::log {

core::Result<> Scrubber::run(const std::vector<Offset>& closed, size_t segments_max,
                             const std::atomic<bool>& cancelled) {
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < std::min(segments_max, closed.size()) && !cancelled; ++i) {
    auto next = std::ranges::upper_bound(closed, done_);
    if (next == closed.end()) next = closed.begin();
    done_ = *next;
    auto checked = check_segment(disk_, directory_, done_);
    if (!checked && checked.error().code == core::Code::not_found) continue;  // trimmed meanwhile
    if (!checked) return std::unexpected(checked.error());
    if (checked->bad.empty()) continue;
    const Place& place = checked->bad.front();
    return core::fail(
        core::Code::corrupt,
        fmt::format("The event log takes no more events: closed segment {} is damaged at byte {}, from "
                    "offset {} on: {}. What is whole stays readable. Run `headrace log verify`, and restore "
                    "the segment from a backup.",
                    place.segment, place.position, place.offset, place.what));
  }
  return {};
}

}  // namespace headrace::log
