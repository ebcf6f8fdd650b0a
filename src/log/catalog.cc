#include "log/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "log/record.h"

namespace headrace::log {

struct Catalog::Reading {
  Offset from;
  size_t max;
  const std::vector<std::string>* types;
  std::vector<Stored> found = {};
  size_t bytes = 0;
  std::string looked_at = {};  // the field of the type looked at last, and whether that one is wanted: many are alike
  bool looked_for = false;

  bool full() const { return found.size() >= max || bytes >= read_bytes_max; }
  bool wants(const Item& item) {
    if (item.header.kind != ItemKind::event || item.header.offset < from) return false;
    if (types == nullptr) return true;
    auto fields = fields_of(item.attributes());
    if (!fields) return true;
    auto field = text_of(fields->type);
    if (field == looked_at) return looked_for;
    auto type = decode_type(fields->type);
    looked_at = field;
    looked_for = !type || std::ranges::find(*types, *type) != types->end();
    return looked_for;
  }
};

namespace {

bool may_have(const SegmentIndex& index, const std::vector<std::string>* types, Offset from) {
  if (types == nullptr) return true;
  std::vector<std::string> fields;
  for (const auto& type : *types) fields.push_back(encode_type(type));
  return index.may_have(fields, from);
}

core::Result<SegmentIndex> rebuild_index(Window& window, const SegmentHeader& header) {
  SegmentIndex index(header.first_offset);
  BatchScan scan(window, header);
  for (;;) {
    auto batch = scan.next();
    if (!batch) return std::unexpected(batch.error());
    if (!*batch) {
      if (scan.closed()) return index;
      auto later = scan.later_batch();
      if (!later) return std::unexpected(later.error());
      if (!*later) return index;
      if (auto on = scan.goes_on_at(**later); !on) return std::unexpected(on.error());
      index.gap();
      continue;
    }
    note_items(**batch, index);
  }
}

core::Result<std::optional<SegmentIndex>> saved_index(core::Disk& disk, const std::string& path, Offset first) {
  auto bytes = core::read_file(disk, path);
  if (!bytes) {
    if (bytes.error().code == core::Code::not_found) return std::optional<SegmentIndex>();
    return std::unexpected(bytes.error());
  }
  auto index = SegmentIndex::decode(core::as_bytes(*bytes));
  if (index && index->segment_first() != first) index.reset();
  return index;
}

}  // namespace

void note_items(const BatchScan::Batch& batch, SegmentIndex& index) {
  if (batch.header.kind != BatchKind::events) return;
  // A batch whose sum is right holds what was written; should it not, what follows the odd bytes is not indexed.
  static_cast<void>(
      each_item(batch, [&](const Item& item, uint64_t position) { index.note(item, position, batch.header.time); }));
}

core::Result<std::shared_ptr<const LoadedSegment>> load_segment(core::Disk& disk, const std::string& directory,
                                                                Offset first) {
  std::string name = segment_name(first);
  auto file = disk.open(directory + "/" + name, core::Disk::Open::read);
  if (!file) return std::unexpected(file.error());
  auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  auto header = read_segment_header(**file, name);
  if (!header) return std::unexpected(header.error());
  auto index = saved_index(disk, directory + "/" + index_name(first), first);
  if (!index) return std::unexpected(index.error());
  if (!*index) {
    Window window(**file, *size);
    auto rebuilt = rebuild_index(window, *header);
    if (!rebuilt) return std::unexpected(rebuilt.error());
    index->emplace(std::move(*rebuilt));
  }
  return std::make_shared<const LoadedSegment>(LoadedSegment{*header, std::move(*file), *size, std::move(**index)});
}

void Catalog::add_closed(Offset first, uint64_t bytes) {
  std::lock_guard lock(mutex_);
  closed_.push_back({first, bytes});
}

void Catalog::open(std::shared_ptr<OpenSegment> segment) {
  std::lock_guard lock(mutex_);
  open_ = std::move(segment);
}

void Catalog::close() {
  std::shared_ptr<const LoadedSegment> closed;
  {
    std::lock_guard lock(mutex_);
    closed_.push_back({open_->header.first_offset, open_->end});
    closed = std::make_shared<const LoadedSegment>(
        LoadedSegment{open_->header, open_->file, open_->end, std::move(open_->index)});
    open_.reset();
  }
  remember(std::move(closed));
}

void Catalog::add(const DurableBatch& batch) {
  std::lock_guard lock(mutex_);
  open_->end = batch.position + batch.header.size();
  if (batch.header.events == 0) return;
  note_items({batch.header, batch.position, core::as_bytes(*batch.bytes)}, open_->index);
  tail_bytes_ += batch.bytes->size();
  tail_.push_back(batch);
  while (tail_bytes_ > tail_bytes_max_ && tail_.size() > 1) {
    tail_bytes_ -= tail_.front().bytes->size();
    tail_.pop_front();
  }
}

std::vector<Offset> Catalog::forget_before(Offset before) {
  std::lock_guard lock(mutex_);
  std::vector<Offset> forgotten;
  auto next_first = [&](size_t i) {
    return i + 1 < closed_.size() ? closed_[i + 1].first : open_ ? open_->header.first_offset : 0;
  };
  size_t count = 0;
  while (count < closed_.size() && next_first(count) != 0 && next_first(count) <= before) ++count;
  for (size_t i = 0; i < count; ++i) forgotten.push_back(closed_[i].first);
  closed_.erase(closed_.begin(), closed_.begin() + static_cast<std::ptrdiff_t>(count));
  Offset kept = !closed_.empty() ? closed_.front().first : open_ ? open_->header.first_offset : 0;
  while (!tail_.empty() && tail_.front().header.first_offset < kept) {
    tail_bytes_ -= tail_.front().bytes->size();
    tail_.pop_front();
  }
  return forgotten;
}

std::string Catalog::encoded_index() const {
  std::lock_guard lock(mutex_);
  return open_->index.encode();
}

SegmentIndex Catalog::open_index() const {
  std::lock_guard lock(mutex_);
  return open_->index;
}

core::Result<std::shared_ptr<const LoadedSegment>> Catalog::loaded(Offset first) {
  {
    std::lock_guard lock(loaded_mutex_);
    auto found = std::ranges::find(loaded_, first, [](const auto& segment) { return segment->header.first_offset; });
    if (found != loaded_.end()) {
      loaded_.splice(loaded_.begin(), loaded_, found);
      return loaded_.front();
    }
  }
  auto segment = load_segment(disk_, directory_, first);
  if (segment) remember(*segment);
  return segment;
}

void Catalog::remember(std::shared_ptr<const LoadedSegment> segment) {
  std::lock_guard lock(loaded_mutex_);
  loaded_.push_front(std::move(segment));
  if (loaded_.size() > loaded_segments_max) loaded_.pop_back();
}

Catalog::Start Catalog::start_in_tail(Offset offset) const {
  auto behind =
      std::ranges::upper_bound(tail_, offset, {}, [](const DurableBatch& batch) { return batch.header.first_offset; });
  const DurableBatch& batch = *std::prev(behind);
  Start start;
  start.alive = batch.bytes;
  start.window.emplace(core::as_bytes(*batch.bytes), batch.position);
  start.seed = batch.seed;
  start.position = batch.position;
  start.time = batch.header.time;
  start.sums = ItemWalk::Sums::known;
  start.next = behind == tail_.end() ? 0 : batch.last() + 1;
  start.segment = open_ ? open_->header.first_offset : 0;
  return start;
}

template <class Key>
Catalog::Start Catalog::start_in_open(Key key, Offset from, const std::vector<std::string>* types) const {
  Start start;
  start.segment = open_->header.first_offset;
  auto entry = open_->index.before(key);
  if (!entry || !may_have(open_->index, types, from)) return start;
  start.alive = open_->file;
  start.window.emplace(*open_->file, open_->end);
  start.seed = seed_of(open_->header);
  start.position = entry->position;
  start.time = entry->time;
  return start;
}

template <class Key>
core::Result<Catalog::Start> Catalog::start_in_closed(Offset first, Key key, Offset from,
                                                      const std::vector<std::string>* types) {
  auto segment = loaded(first);
  if (!segment) return std::unexpected(segment.error());
  Start start;
  start.segment = first;
  auto entry = (*segment)->index.before(key);
  if (!entry || !may_have((*segment)->index, types, from)) return start;
  start.alive = *segment;
  start.window.emplace(*(*segment)->file, (*segment)->size);
  start.seed = seed_of((*segment)->header);
  start.position = entry->position;
  start.time = entry->time;
  return start;
}

core::Result<std::optional<Catalog::Start>> Catalog::start_at(Offset offset, const std::vector<std::string>* types) {
  if (offset > durable_) return std::optional<Start>();
  Offset first = 0, next = 0;
  {
    std::lock_guard lock(mutex_);
    if (!tail_.empty() && offset >= tail_.front().header.first_offset) return start_in_tail(offset);
    auto behind = std::ranges::upper_bound(closed_, offset, {}, &Closed::first);
    bool in_open = open_ && offset >= open_->header.first_offset;
    if (in_open || closed_.empty()) return open_ ? std::optional(start_in_open(offset, offset, types)) : std::nullopt;
    if (behind == closed_.begin()) ++behind;
    first = std::prev(behind)->first;
    next = behind != closed_.end() ? behind->first : open_ ? open_->header.first_offset : 0;
  }
  auto start = start_in_closed(first, offset, offset, types);
  if (!start) return std::unexpected(start.error());
  start->next = next;
  return std::optional(std::move(*start));
}

core::Result<> Catalog::read_from(Start& start, Reading& reading) {
  ItemWalk walk = start.walk();
  Offset expected = reading.from;
  while (!reading.full()) {
    auto item = walk.next();
    if (!item && item.error().code != core::Code::corrupt) return std::unexpected(item.error());
    if (!item) return damage(start, walk.position(), expected);
    if (!*item) return {};
    expected = std::max(expected, (*item)->header.offset + ((*item)->header.kind == ItemKind::event ? 1 : 0));
    if (!reading.wants(**item)) continue;
    auto event = decode_event((*item)->attributes(), (*item)->data(), (*item)->has_data());
    if (!event) return damage(start, walk.position(), (*item)->header.offset);
    reading.bytes += (*item)->size();
    reading.found.push_back({(*item)->header.offset, walk.time(), std::move(*event)});
  }
  return {};
}

Offset Catalog::goes_on_behind(Offset segment, Offset damaged) {
  {
    std::lock_guard lock(mutex_);
    if (open_ && open_->header.first_offset == segment) {
      auto entry = open_->index.after(damaged);
      return entry ? entry->offset : 0;
    }
  }
  auto closed = loaded(segment);
  if (!closed) return 0;
  if (auto entry = (*closed)->index.after(damaged)) return entry->offset;
  std::lock_guard lock(mutex_);
  auto behind = std::ranges::upper_bound(closed_, segment, {}, &Closed::first);
  return behind != closed_.end() ? behind->first : open_ ? open_->header.first_offset : 0;
}

std::unexpected<core::Error> Catalog::damage(const Start& start, uint64_t position, Offset damaged) {
  Offset on = goes_on_behind(start.segment, damaged);
  std::string rest =
      on != 0 ? fmt::format("reading goes on at offset {}", on) : std::string("nothing behind it is stored");
  return core::fail(core::Code::corrupt,
                    fmt::format("Segment {} of the event log is damaged at byte {}: the event at offset {} cannot be "
                                "read; {}. Run `headrace log verify`, and restore the segment from a backup.",
                                segment_name(start.segment), position, damaged, rest),
                    directory_);
}

core::Result<std::vector<Stored>> Catalog::read(Offset from, size_t max, const std::vector<std::string>* types) {
  Reading reading{.from = from, .max = max, .types = types};
  for (Offset next = std::max<Offset>(from, 1); next != 0 && !reading.full();) {
    auto start = start_at(next, types);
    core::Result<> done;
    if (!start) done = std::unexpected(start.error());
    if (start && !*start) break;
    reading.from = next;  // where the memory of recent batches ends meanwhile, the disk is read from a place before it
    if (start && (*start)->window) done = read_from(**start, reading);
    if (!done && reading.found.empty()) return std::unexpected(done.error());
    if (!done) break;
    next = (*start)->next;
  }
  return std::move(reading.found);
}

core::Result<std::optional<FoundItem>> Catalog::item(Offset offset, ItemKind kind) {
  auto start = start_at(offset, nullptr);
  if (!start) return std::unexpected(start.error());
  if (!*start || !(*start)->window || offset < first()) return std::optional<FoundItem>();
  ItemWalk walk = (*start)->walk();
  for (;;) {
    auto item = walk.next();
    if (!item && item.error().code != core::Code::corrupt) return std::unexpected(item.error());
    if (!item) return damage(**start, walk.position(), offset);
    if (!*item || (*item)->header.offset > offset) return std::optional<FoundItem>();
    if ((*item)->header.offset != offset || (*item)->header.kind != kind) continue;
    return FoundItem{(*item)->header, std::string(text_of((*item)->content)), walk.time()};
  }
}

// Events of a segment are never earlier than its creation, and those before it never later: the one looked for is in
// the last segment created before `time`, or the first event of the next.
core::Result<std::optional<Catalog::Start>> Catalog::start_at(core::Time time) {
  std::vector<Offset> firsts = closed();
  size_t low = 0, high = firsts.size();  // created before `time`: all below low; not: all from high on
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    auto segment = loaded(firsts[middle]);
    if (!segment) return std::unexpected(segment.error());
    if ((*segment)->header.created < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  Offset next = 0;
  {
    std::lock_guard lock(mutex_);
    if (open_ && (firsts.empty() || open_->header.created < time))
      return std::optional(start_in_open(time, 0, nullptr));
    if (firsts.empty()) return std::optional<Start>();
    low = std::max<size_t>(low, 1);
    next = low < firsts.size() ? firsts[low] : open_ ? open_->header.first_offset : 0;
  }
  auto start = start_in_closed(firsts[low - 1], time, 0, nullptr);
  if (!start) return std::unexpected(start.error());
  start->next = next;
  return std::optional(std::move(*start));
}

core::Result<std::optional<Offset>> Catalog::at(core::Time time) {
  if (durable_ == 0 || time > last_time_.load()) return std::optional<Offset>();
  auto start = start_at(time);
  while (start && *start) {
    if ((*start)->window) {
      ItemWalk walk = (*start)->walk();
      auto item = walk.next();
      for (; item && *item; item = walk.next())
        if ((*item)->header.kind == ItemKind::event && walk.time() >= time)
          return std::optional((*item)->header.offset);
      if (!item) return damage(**start, walk.position(), 0);
    }
    Offset next = (*start)->next;
    if (next == 0) break;
    start = start_at(next, nullptr);
  }
  if (!start) return std::unexpected(start.error());
  return std::optional<Offset>();
}

Offset Catalog::first() const {
  std::lock_guard lock(mutex_);
  if (!closed_.empty()) return closed_.front().first;
  return open_ ? open_->index.first() : 0;
}

Offset Catalog::newest_segment() const {
  std::lock_guard lock(mutex_);
  if (open_) return open_->header.first_offset;
  return closed_.empty() ? 0 : closed_.back().first;
}

std::vector<Offset> Catalog::closed() const {
  std::lock_guard lock(mutex_);
  std::vector<Offset> firsts;
  for (const auto& segment : closed_) firsts.push_back(segment.first);
  return firsts;
}

uint64_t Catalog::bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t sum = open_ ? open_->end : 0;
  for (const auto& segment : closed_) sum += segment.bytes;
  return sum;
}

size_t Catalog::segments() const {
  std::lock_guard lock(mutex_);
  return closed_.size() + (open_ ? 1 : 0);
}

}  // namespace headrace::log
