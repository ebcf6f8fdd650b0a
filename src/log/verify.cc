#include "log/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "log/recovery.h"
#include "log/scan.h"

namespace headrace::log {

namespace {

constexpr size_t places_max = 100;

class Check {
 public:
  Check(Window& window, const SegmentHeader& header)
      : window_(window),
        scan_(window, header),
        name_(segment_name(header.first_offset)),
        next_offset_(header.first_offset) {
    sum_ = core::crc32c(encode(header));
    found_.first_batch = header.first_batch;
    found_.sealed = true;
  }

  core::Result<SegmentCheck> run() {
    for (;;) {
      auto batch = scan_.next();
      if (!batch) return std::unexpected(batch.error());
      if (*batch) {
        note(**batch);
        continue;
      }
      if (scan_.closed()) break;
      auto later = scan_.later_batch();
      if (!later) return std::unexpected(later.error());
      if (!*later) break;
      bad(scan_.position(), "a batch is damaged, and later ones are whole");
      if (auto on = scan_.goes_on_at(**later); !on) return std::unexpected(on.error());
    }
    auto written = scan_.end_of_writing();
    if (!written) return std::unexpected(written.error());
    found_.end = scan_.position();
    found_.written = *written;
    found_.next_batch = scan_.next_number();
    found_.closed = scan_.closed();
    found_.bytes = window_.end();
    return std::move(found_);
  }

 private:
  void bad(uint64_t position, std::string what) {
    if (found_.bad.size() < places_max) found_.bad.push_back({name_, position, next_offset_, std::move(what)});
  }

  void note(const BatchScan::Batch& batch) {
    ++found_.batches;
    found_.sealed = batch.header.kind != BatchKind::events;
    if (batch.header.first_offset < next_offset_) bad(batch.position, "offsets go back");
    if (batch.header.kind == BatchKind::close) note_trailer(batch);
    uint32_t events = batch.header.kind == BatchKind::events ? note_items(batch) : 0;
    if (events != batch.header.events) bad(batch.position, "a batch has other events than it counts");
    sum_ = core::crc32c(batch.bytes, sum_);
  }

  uint32_t note_items(const BatchScan::Batch& batch) {
    Window window(batch.payload(), batch.position + batch_header_bytes);
    ItemWalk walk(window, scan_.seed(), batch.position + batch_header_bytes, batch.header.time);
    uint32_t events = 0;
    auto item = walk.next();
    for (; item && *item; item = walk.next()) {
      if ((*item)->header.kind != ItemKind::event) continue;
      if ((*item)->header.offset < next_offset_) bad(walk.position(), "offsets go back");
      if (found_.first == 0) found_.first = (*item)->header.offset;
      found_.last = (*item)->header.offset;
      next_offset_ = found_.last + 1;
      ++events;
    }
    if (!item) bad(walk.position(), "an event is damaged in a batch that is whole");
    found_.events += events;
    return events;
  }

  void note_trailer(const BatchScan::Batch& batch) {
    auto trailer = decode_trailer(batch.payload());
    if (!trailer || trailer->events != found_.events || trailer->batches + 1 != found_.batches)
      bad(batch.position, "the closing batch counts other events and batches than there are");
    if (trailer && trailer->sum != sum_) bad(batch.position, "the sum over the whole segment is wrong");
  }

  Window& window_;
  BatchScan scan_;
  std::string name_;
  Offset next_offset_;
  uint32_t sum_ = 0;
  SegmentCheck found_;
};

void add(VerifyReport& report, const SegmentCheck& check) {
  ++report.segments;
  report.batches += check.batches;
  report.events += check.events;
  report.bytes += check.bytes;
  if (report.first == 0) report.first = check.first;
  if (check.last != 0) report.last = check.last;
  for (const Place& place : check.bad)
    if (report.bad.size() < places_max) report.bad.push_back(place);
}

void add_last(VerifyReport& report, const SegmentCheck& check, Offset first) {
  report.tail = check.sealed || check.closed ? VerifyReport::Tail::sealed : VerifyReport::Tail::unsealed;
  if (check.closed || check.written <= check.end) return;
  report.tail = VerifyReport::Tail::torn;
  report.torn =
      Place{segment_name(first), check.end, report.last + 1, "a batch was being written; it was never acknowledged"};
}

// What must hold between a segment that is not the last and the one behind it.
void check_neighbours(VerifyReport& report, const SegmentCheck& check, const SegmentCheck& next, Offset first) {
  auto bad = [&](std::string what) {
    if (report.bad.size() < places_max)
      report.bad.push_back({segment_name(first), check.end, check.last + 1, std::move(what)});
  };
  if (!check.closed) return bad("the segment ends without its closing batch, though another follows");
  if (next.next_batch != 0 && check.next_batch != next.first_batch)
    bad("batches are missing between this segment and the next");
}

}  // namespace

core::Result<SegmentCheck> check_segment(core::Disk& disk, const std::string& directory, Offset first) {
  std::string name = segment_name(first);
  auto file = disk.open(directory + "/" + name, core::Disk::Open::read);
  if (!file) return std::unexpected(file.error());
  auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  auto header = read_segment_header(**file, name);
  if (!header && header.error().code != core::Code::corrupt) return std::unexpected(header.error());
  if (!header || header->first_offset != first) {
    SegmentCheck check;
    check.bytes = *size;
    check.bad.push_back({name, 0, first, header ? "the header names another segment" : "the header is damaged"});
    return check;
  }
  Window window(**file, *size);
  return Check(window, *header).run();
}

core::Result<VerifyReport> verify_folder(core::Disk& disk, const std::string& directory) {
  auto names = disk.list(directory);
  if (!names) return std::unexpected(names.error());
  VerifyReport report;
  SegmentCheck before;
  Offset before_first = 0;
  std::vector<Offset> segments = segments_in(*names);
  for (Offset first : segments) {
    auto check = check_segment(disk, directory, first);
    if (!check) return std::unexpected(check.error());
    if (before_first != 0) check_neighbours(report, before, *check, before_first);
    add(report, *check);
    if (first == segments.back()) add_last(report, *check, first);
    before = std::move(*check);
    before_first = first;
  }
  return report;
}

}  // namespace headrace::log
