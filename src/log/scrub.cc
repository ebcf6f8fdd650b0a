#include "log/scrub.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "log/recovery.h"
#include "log/verify.h"
#include "log/writer.h"

namespace headrace::log {

namespace {
constexpr size_t read_at_once = 256 * 1024;
}

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

core::Result<> check_covered(core::Disk& disk, const std::string& directory, const Covered& covered,
                             const std::atomic<bool>& cancelled) {
  auto file = disk.open(directory + "/" + segment_name(covered.segment), core::Disk::Open::read);
  if (!file && file.error().code == core::Code::not_found) return {};  // trimmed meanwhile
  if (!file) return std::unexpected(file.error());
  std::vector<std::byte> bytes(read_at_once);
  uint32_t sum = 0;
  size_t got = 1;
  for (uint64_t at = 0; at < covered.end && got > 0 && !cancelled; at += got) {
    auto wanted = static_cast<size_t>(std::min<uint64_t>(bytes.size(), covered.end - at));
    auto read = (*file)->read_at(at, std::span(bytes).first(wanted));
    if (!read) return std::unexpected(read.error());
    got = *read;
    sum = core::crc32c(ByteView(bytes).first(got), sum);
  }
  if (cancelled || sum == covered.sum) return {};
  auto checked = check_segment(disk, directory, covered.segment);
  if (!checked) return std::unexpected(checked.error());
  Place place{.segment = segment_name(covered.segment),
              .position = checked->end,
              .offset = checked->last + 1,
              .what = "its bytes are not those that were written"};
  core::Error error = corruption(checked->bad.empty() ? place : checked->bad.front());
  error.code = core::Code::corrupt;
  return std::unexpected(std::move(error));
}

}  // namespace headrace::log
