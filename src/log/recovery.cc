#include "log/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "log/checkpoint.h"
#include "log/record.h"

namespace headrace::log {

namespace {

constexpr std::string_view meta_name = "meta";
constexpr std::string_view meta_title = "headrace event log, format 1";

std::string path_in(const std::string& directory, std::string_view name) { return directory + "/" + std::string(name); }

// The words behind `name` on a line of its own.
std::vector<std::string_view> line_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::vector<std::string_view> words;
    while (!line.empty()) {
      std::string_view word = line.substr(0, line.find(' '));
      line.remove_prefix(std::min(line.size(), word.size() + 1));
      words.push_back(word);
    }
    if (!words.empty() && words.front() == name) return {words.begin() + 1, words.end()};
  }
  return {};
}

template <class T>
bool parse(std::string_view text, T& value, int base) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

// One segment's batches into the index, the ids and the tail, as they were when it was written.
class TailScan {
 public:
  TailScan(Window& window, OpenSegment& segment, IdIndex& ids, Tail& tail)
      : scan_(window, segment.header), segment_(segment), ids_(ids), tail_(tail) {}

  void go_on_behind(Checkpoint checkpoint) {
    segment_.index = std::move(checkpoint.index);
    segment_.end = checkpoint.end;
    ids_.resume_segment(std::move(checkpoint.ids));
    tail_ = std::move(checkpoint.tail);
    scan_.resume(checkpoint.end, tail_.next_batch);
  }

  core::Result<> run() {
    for (;;) {
      if (auto read = whole_batches(); !read) return read;
      if (scan_.closed()) return {};
      auto written = scan_.end_of_writing();
      if (!written) return std::unexpected(written.error());
      end_of_writing_ = *written;
      if (end_of_writing_ == scan_.position()) return {};
      auto later = scan_.later_batch();
      if (!later) return std::unexpected(later.error());
      if (!*later) return {};
      if (!damaged_)
        damaged_ = Place{.segment = segment_name(segment_.header.first_offset),
                         .position = scan_.position(),
                         .offset = tail_.next_offset,
                         .what = "a batch is damaged, and later ones are whole"};
      if (auto on = scan_.goes_on_at(**later); !on) return std::unexpected(on.error());
      segment_.index.gap();
      tail_.next_batch = scan_.next_number();
    }
  }

  bool closed() const { return scan_.closed(); }
  const std::optional<Place>& damaged() const { return damaged_; }
  uint64_t end_of_writing() const { return end_of_writing_; }  // one behind the last byte that is not zero

 private:
  core::Result<> whole_batches() {
    for (;;) {
      auto batch = scan_.next();
      if (!batch) return std::unexpected(batch.error());
      if (!*batch) return {};
      if (auto noted = note(**batch); !noted) return noted;
    }
  }

  core::Result<> note(const BatchScan::Batch& batch) {
    note_items(batch, segment_.index);
    if (auto noted = note_ids(batch, ids_); !noted) return noted;
    tail_.sum = core::crc32c(batch.bytes, tail_.sum);
    segment_.end = batch.position + batch.header.size();
    tail_.next_batch = batch.header.number + 1;
    tail_.sealed = batch.header.kind != BatchKind::events;
    ++tail_.batches;
    tail_.last_batch = batch.position;
    if (batch.header.kind != BatchKind::events) return {};
    tail_.next_offset = batch.header.first_offset + batch.header.events;
    tail_.events += batch.header.events;
    tail_.last_time = batch.header.time;
    return {};
  }

  BatchScan scan_;
  OpenSegment& segment_;
  IdIndex& ids_;
  Tail& tail_;
  uint64_t end_of_writing_ = 0;
  std::optional<Place> damaged_;
};

core::Result<> cut(core::File& file, uint64_t position) {
  core::diagnose(core::Level::warning, "log",
                 fmt::format("cut a torn tail at byte {}: it was never acknowledged", position));
  if (auto done = file.truncate(position); !done) return done;
  return file.sync();
}

class Recovery {
 public:
  Recovery(core::Disk& disk, const std::string& directory, Access access, const SegmentLogOptions& options,
           Catalog& catalog, IdIndex& ids)
      : disk_(disk), directory_(directory), access_(access), options_(options), catalog_(catalog), ids_(ids) {}

  core::Result<Recovered> run() {
    auto names = disk_.list(directory_);
    if (!names) return std::unexpected(names.error());
    segments_ = segments_in(*names);
    if (segments_.empty()) return std::move(result_);
    for (Offset first : segments_)
      if (first != segments_.back())
        if (auto added = add_closed(first); !added) return std::unexpected(added.error());
    if (auto runs = load_runs(*names); !runs) return std::unexpected(runs.error());
    if (auto last = read_last(); !last) return std::unexpected(last.error());
    return std::move(result_);
  }

 private:
  core::Result<> add_closed(Offset first) {
    auto file = disk_.open(path_in(directory_, segment_name(first)), core::Disk::Open::read);
    if (!file) return std::unexpected(file.error());
    auto size = (*file)->size();
    if (!size) return std::unexpected(size.error());
    catalog_.add_closed(first, *size);
    return {};
  }

  // The runs that are there, the wider ones first: what a merge that was not cleaned up left is dropped. Then those of
  // closed segments that no run covers.
  core::Result<> load_runs(const std::vector<std::string>& names) {
    std::vector<std::pair<Offset, Offset>> found;
    for (const auto& name : names)
      if (auto range = run_range(name)) found.push_back(*range);
    std::ranges::sort(found, [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    });
    Offset covered = 0;
    for (const auto& [first, last] : found) {
      bool used = first > covered && install(first, last);
      if (used) covered = last;
      if (!used && access_ == Access::write)
        static_cast<void>(disk_.remove(path_in(directory_, run_name(first, last))));
    }
    IdIndex::Runs runs = ids_.runs();
    for (size_t i = 0; i + 1 < segments_.size(); ++i) {
      Offset first = segments_[i], last = segments_[i + 1] - 1;
      auto covers = [&](const auto& run) { return run->header().first <= first && run->header().last >= last; };
      if (std::ranges::none_of(runs, covers))
        if (auto made = make_run(first, last); !made) return made;
    }
    return {};
  }

  bool install(Offset first, Offset last) {
    return ids_.install_run(disk_, directory_, run_name(first, last)).has_value();
  }

  core::Result<> make_run(Offset first, Offset last) {
    auto file = disk_.open(path_in(directory_, segment_name(first)), core::Disk::Open::read);
    if (!file) return std::unexpected(file.error());
    auto header = read_segment_header(**file, segment_name(first));
    if (!header) return {};  // its events cannot be read, hence not be repeated
    auto size = (*file)->size();
    if (!size) return std::unexpected(size.error());
    OpenSegment segment(*header);
    Window window(**file, *size);
    Tail tail;
    ids_.start_segment(first);
    TailScan scan(window, segment, ids_, tail);
    if (auto read = scan.run(); !read) return read;
    ids_.end_segment(last);
    return access_ == Access::write ? ids_.save(disk_, directory_) : core::Result<>();
  }

  core::Result<> read_last() {
    Tail& tail = result_.tail;
    Offset first = segments_.back();
    std::string name = segment_name(first);
    auto how = access_ == Access::write ? core::Disk::Open::write : core::Disk::Open::read;
    auto file = disk_.open(path_in(directory_, name), how);
    if (!file) return std::unexpected(file.error());
    auto size = (*file)->size();
    if (!size) return std::unexpected(size.error());
    tail.next_offset = first;
    auto header = read_segment_header(**file, name);
    if (!header && header.error().code != core::Code::corrupt) return std::unexpected(header.error());
    if (!header) {
      result_.stopped = corruption({.segment = name, .position = 0, .offset = first, .what = header.error().message});
      catalog_.set_durable(first - 1, {});
      return {};
    }
    auto segment = std::make_shared<OpenSegment>(*header);
    segment->file = std::move(*file);
    tail.last_time = header->created;
    tail.next_batch = header->first_batch;
    tail.sum = core::crc32c(encode(*header));
    Window window(*segment->file, *size);
    TailScan scan(window, *segment, ids_, tail);
    auto checkpoint = read_checkpoint(disk_, directory_, *header, window);
    if (!checkpoint) return std::unexpected(checkpoint.error());
    if (*checkpoint) {
      result_.unread = Covered{first, (*checkpoint)->end, (*checkpoint)->tail.sum};
      scan.go_on_behind(std::move(**checkpoint));
    } else {
      ids_.start_segment(first);
    }
    tail.prefilled = *size >= options_.segment_bytes;
    if (auto read = scan.run(); !read) return read;
    return settle(scan, std::move(segment));
  }

  core::Result<> settle(TailScan& scan, std::shared_ptr<OpenSegment> segment) {
    Tail& tail = result_.tail;
    if (scan.damaged()) result_.stopped = corruption(*scan.damaged());
    bool writable = access_ == Access::write && !result_.stopped;
    if (writable && !scan.closed()) {
      if (scan.end_of_writing() > segment->end) {
        if (auto done = cut(*segment->file, segment->end); !done) return done;
        tail.prefilled = false;
      }
    }
    catalog_.open(segment);
    catalog_.set_durable(tail.next_offset - 1, tail.last_time);
    tail.segment = std::move(segment);
    if (!scan.closed()) return {};
    catalog_.close();
    tail.segment.reset();
    ids_.end_segment(tail.next_offset - 1);
    return writable ? ids_.save(disk_, directory_) : core::Result<>();
  }

  core::Disk& disk_;
  const std::string& directory_;
  Access access_;
  const SegmentLogOptions& options_;
  Catalog& catalog_;
  IdIndex& ids_;
  std::vector<Offset> segments_;
  Recovered result_;
};

}  // namespace

core::Error corruption(const Place& place) {
  core::Error error = stopped_error("stored events are damaged", 0, place.offset, place.what);
  error.message = fmt::format(
      "The event log takes no more events: segment {} is damaged at byte {}, from offset {} on: {}. "
      "What is whole stays readable. Run `headrace log verify`, and restore the segment from a backup.",
      place.segment, place.position, place.offset, place.what);
  return error;
}

core::Result<std::optional<Meta>> read_meta(core::Disk& disk, const std::string& directory) {
  auto text = core::read_file(disk, path_in(directory, meta_name), 4096);
  if (!text && text.error().code == core::Code::not_found) return std::optional<Meta>();
  if (!text) return std::unexpected(text.error());
  Meta meta;
  auto key = line_of(*text, "key");
  if (key.size() != 2 || !parse(key[0], meta.key[0], 16) || !parse(key[1], meta.key[1], 16))
    return std::optional<Meta>();
  auto prefill = line_of(*text, "prefill");
  int64_t growing = 0, prefilled = 0;
  if (prefill.size() == 2 && parse(prefill[0], growing, 10) && parse(prefill[1], prefilled, 10))
    meta.prefill = PrefillProbe{core::Duration(growing), core::Duration(prefilled)};
  return meta;
}

core::Result<> write_meta(core::Disk& disk, const std::string& directory, const Meta& meta) {
  std::string text = fmt::format("{}\nkey {:016x} {:016x}\n", meta_title, meta.key[0], meta.key[1]);
  if (meta.prefill)
    text += fmt::format("prefill {} {}\n", meta.prefill->growing.count(), meta.prefill->prefilled.count());
  return core::write_file(disk, path_in(directory, meta_name), text);
}

std::vector<Offset> segments_in(const std::vector<std::string>& names) {
  std::vector<Offset> firsts;
  for (const auto& name : names)
    if (auto first = offset_in_name(name, segment_suffix)) firsts.push_back(*first);
  std::ranges::sort(firsts);
  return firsts;
}

core::Result<> note_ids(const BatchScan::Batch& batch, IdIndex& ids) {
  if (batch.header.kind != BatchKind::events) return {};
  return each_item(batch, [&](const Item& item, uint64_t) {
    Offset offset = item.header.offset;
    if (item.header.kind == ItemKind::event) {
      if (auto fields = fields_of(item.attributes())) ids.insert(ids.event(fields->identity), offset);
    } else if (auto commit = decode_commit(item.content)) {
      if (!commit->key.empty()) ids.insert(ids.batch(commit->key), offset);
      for (const auto& expected : commit->expected) ids.name(expected, {offset, offset + commit->events - 1});
    }
  });
}

core::Result<Recovered> recover(core::Disk& disk, const std::string& directory, Access access,
                                const SegmentLogOptions& options, Catalog& catalog, IdIndex& ids) {
  return Recovery(disk, directory, access, options, catalog, ids).run();
}

}  // namespace headrace::log
