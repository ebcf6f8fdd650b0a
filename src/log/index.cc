#include "log/index.h"

#include <algorithm>

#include "core/bytes.h"
#include "log/record.h"

namespace headrace::log {

namespace {

constexpr std::string_view magic = "HRLOGIDX";
constexpr size_t sum_at = 12;
constexpr size_t summed_from = 16;

int64_t count_of(core::Time time) { return time.time_since_epoch().count(); }
core::Time time_of(int64_t count) { return core::Time(core::Duration(count)); }

}  // namespace

void SegmentIndex::note(const Item& item, uint64_t position, core::Time time) {
  Offset offset = item.header.offset;
  // A commit and its first event have one offset: an entry stands before both or before neither.
  bool follows_commit = item.header.kind == ItemKind::event && offset == commit_;
  bool far_enough = gap_ || entries_.empty() || position - entries_.back().position >= index_stride;
  if (far_enough && !follows_commit) entries_.push_back({offset, position, time});
  gap_ = false;
  if (item.header.kind == ItemKind::commit) commit_ = offset;
  if (item.header.kind != ItemKind::event) return;
  if (first_ == 0) first_ = offset;
  last_ = offset;
  last_time_ = time;
  ++events_;
  if (auto fields = fields_of(item.attributes())) note_type(fields->type, offset);
}

void SegmentIndex::note_type(ByteView type, Offset offset) {
  auto found = types_.find(text_of(type));
  if (found == types_.end()) {
    if (any_type_ || type_bytes_ + type.size() > index_type_bytes_max) {
      any_type_ = true;
      return;
    }
    found = types_.emplace(std::string(text_of(type)), TypeRange{.first = offset}).first;
    type_bytes_ += type.size() + sizeof *found;
  }
  found->second.last = offset;
  ++found->second.events;
}

std::optional<SegmentIndex::Entry> SegmentIndex::before(Offset offset) const {
  if (entries_.empty()) return std::nullopt;
  auto behind = std::ranges::upper_bound(entries_, offset, {}, &Entry::offset);
  return behind == entries_.begin() ? entries_.front() : *std::prev(behind);
}

std::optional<SegmentIndex::Entry> SegmentIndex::before(core::Time time) const {
  if (entries_.empty()) return std::nullopt;
  auto at = std::ranges::lower_bound(entries_, time, {}, &Entry::time);
  return at == entries_.begin() ? entries_.front() : *std::prev(at);
}

std::optional<SegmentIndex::Entry> SegmentIndex::after(Offset offset) const {
  auto behind = std::ranges::upper_bound(entries_, offset, {}, &Entry::offset);
  if (behind == entries_.end()) return std::nullopt;
  return *behind;
}

bool SegmentIndex::may_have(const std::vector<std::string>& types, Offset from) const {
  if (any_type_) return true;
  return std::ranges::any_of(types, [&](const std::string& type) {
    auto found = types_.find(type);
    return found != types_.end() && found->second.last >= from;
  });
}

std::string SegmentIndex::encode() const {
  std::string bytes(magic);
  append_number(bytes, format_version);
  append_number(bytes, uint32_t{0});
  append_number(bytes, segment_first_);
  append_number(bytes, first_);
  append_number(bytes, last_);
  append_number(bytes, count_of(last_time_));
  append_number(bytes, events_);
  append_number(bytes, static_cast<uint32_t>(entries_.size()));
  append_number(bytes, static_cast<uint32_t>(any_type_));
  for (const Entry& entry : entries_) {
    append_number(bytes, static_cast<uint32_t>(entry.offset - segment_first_));
    append_number(bytes, static_cast<uint32_t>(entry.position / item_alignment));
    append_number(bytes, count_of(entry.time));
  }
  for (const auto& [type, range] : types_) {
    append_varint(bytes, type.size());
    bytes += type;
    append_varint(bytes, range.first - segment_first_);
    append_varint(bytes, range.last - segment_first_);
    append_varint(bytes, range.events);
  }
  store(bytes.data() + sum_at, core::crc32c(core::as_bytes(bytes).subspan(summed_from)));
  return bytes;
}

std::optional<SegmentIndex> SegmentIndex::decode(ByteView bytes) {
  Taker from(bytes);
  if (text_of(from.take(magic.size())) != magic || from.number<uint32_t>() != format_version ||
      from.number<uint32_t>() != core::crc32c(bytes.subspan(std::min(summed_from, bytes.size()))))
    return std::nullopt;
  SegmentIndex index(from.number<uint64_t>());
  index.first_ = from.number<uint64_t>();
  index.last_ = from.number<uint64_t>();
  index.last_time_ = time_of(from.number<int64_t>());
  index.events_ = from.number<uint64_t>();
  auto entries = from.number<uint32_t>();
  index.any_type_ = from.number<uint32_t>() != 0;
  if (entries > from.left() / 16) return std::nullopt;
  index.entries_.reserve(entries);
  for (uint32_t i = 0; i < entries; ++i) {
    Offset offset = index.segment_first_ + from.number<uint32_t>();
    uint64_t position = uint64_t{from.number<uint32_t>()} * item_alignment;
    index.entries_.push_back({offset, position, time_of(from.number<int64_t>())});
  }
  while (from.ok() && from.left() > 0) {
    std::string type(from.text());
    TypeRange range{.first = index.segment_first_ + from.varint(), .last = index.segment_first_ + from.varint()};
    range.events = from.varint();
    index.type_bytes_ += type.size() + sizeof(*index.types_.begin());
    index.types_.emplace(std::move(type), range);
  }
  if (!from.ok()) return std::nullopt;
  return index;
}

}  // namespace headrace::log
