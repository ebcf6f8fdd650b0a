#include "services/runner/line_counts.h"

namespace headrace::runner {

namespace {
constexpr size_t piece_bytes = 256 * 1024;
}

core::Result<std::optional<LineStart>> LineCounts::first_from(const LogName& name, uint64_t wanted) {
  auto counted = known(name, wanted);
  for (const auto turn_ends = counted.next + turn_bytes; counted.next < turn_ends;) {
    auto piece = logs_.read(name, counted.next, piece_bytes);
    if (!piece) return std::unexpected(piece.error());
    if (piece->empty()) {
      remember(name, counted);
      return counted.start;
    }
    for (auto feed = piece->find('\n'); feed != std::string::npos; feed = piece->find('\n', feed + 1)) {
      counted.start = {counted.next + feed + 1, counted.start.line + 1};
      if (counted.start.byte < wanted) continue;
      counted.next = counted.start.byte;
      remember(name, counted);
      return counted.start;
    }
    counted.next += piece->size();
  }
  remember(name, counted);
  return std::nullopt;
}

LineCounts::Counted LineCounts::known(const LogName& name, uint64_t wanted) {
  const std::lock_guard lock(mutex_);
  const auto found = counted_.find(name);
  // A line that begins before what is wanted is a place to go on from; of one behind it nothing is known.
  return found == counted_.end() || found->second.start.byte >= wanted ? Counted() : found->second;
}

void LineCounts::remember(const LogName& name, const Counted& counted) {
  const std::lock_guard lock(mutex_);
  if (counted_.size() >= logs_max && !counted_.contains(name)) counted_.erase(counted_.begin());
  counted_[name] = counted;
}

}  // namespace headrace::runner
