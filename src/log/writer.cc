#include "log/writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"

namespace headrace::log {

namespace {

constexpr uint64_t spare_at_fraction = 4;  // of the open segment written: then the next one is prepared

std::string path_in(const std::string& directory, std::string_view name) { return directory + "/" + std::string(name); }

// After a failed sync nothing is known, whatever the reason was: never a full disk that one waits for.
core::Result<> final_if_failed(core::Result<> synced) {
  if (!synced) synced.error().code = core::Code::unavailable;
  return synced;
}

}  // namespace

core::Error stopped_error(std::string_view reason, Offset segment, Offset offset, std::string detail) {
  return {
      core::Code::unavailable,
      fmt::format("The event log takes no more events: {} in segment {} at offset {}. What is stored stays readable. "
                  "Check the disk, run `headrace log verify`, and start Headrace again.",
                  reason, segment_name(segment), offset),
      std::move(detail)};
}

Writer::Writer(Parts parts, Hooks hooks, Tail tail)
    : parts_(std::move(parts)), hooks_(std::move(hooks)), tail_(std::move(tail)) {}

core::Result<> Writer::stop(core::Error cause, std::string_view doing) {
  if (cause.code == core::Code::exhausted) {
    cause.message = "The event log has no room: the disk is full. Nothing was stored; free some space, and try again.";
    return std::unexpected(std::move(cause));
  }
  Offset segment = tail_.segment ? tail_.segment->header.first_offset : tail_.next_offset;
  failure_ =
      stopped_error(fmt::format("{} failed", doing), segment, tail_.next_offset, cause.message + " " + cause.detail);
  return std::unexpected(*failure_);
}

core::Result<> Writer::write(Group& group, const std::function<void()>& written) {
  if (failure_) return std::unexpected(*failure_);
  if (auto room = make_room(group.bytes()); !room) return room;
  BatchHeader header = next_header(BatchKind::events);
  auto bytes = std::make_shared<const std::string>(group.finish(header, seed()));
  if (auto done = write_batch(header, std::move(bytes), written); !done) return done;
  tail_.next_offset += header.events;
  tail_.events += header.events;
  tail_.last_time = header.time;
  tail_.sealed = false;
  group.store_ids(parts_.ids);
  parts_.catalog.set_durable(tail_.next_offset - 1, header.time);
  return {};
}

core::Result<> Writer::seal() {
  if (failure_) return std::unexpected(*failure_);
  if (tail_.sealed || !tail_.segment) return {};
  BatchHeader header = next_header(BatchKind::seal);
  auto bytes = std::make_shared<const std::string>(finish_batch(header, seed(), std::string(batch_header_bytes, '\0')));
  if (auto done = write_batch(header, std::move(bytes), [] {}); !done) return done;
  tail_.sealed = true;
  return {};
}

BatchHeader Writer::next_header(BatchKind kind) const {
  BatchHeader header;
  header.kind = kind;
  header.number = tail_.next_batch;
  header.first_offset = tail_.next_offset;
  header.time = std::max(tail_.last_time, parts_.clock.now());
  return header;
}

core::Result<> Writer::write_batch(const BatchHeader& header, std::shared_ptr<const std::string> bytes,
                                   const std::function<void()>& written) {
  OpenSegment& segment = *tail_.segment;
  uint64_t position = segment.end;
  auto start = parts_.clock.steady();
  if (auto done = segment.file->write_at(position, core::as_bytes(*bytes)); !done) {
    // Gives back the room that a part of the batch took; should that fail too, the next batch overwrites it.
    if (done.error().code == core::Code::exhausted && !tail_.prefilled)
      static_cast<void>(segment.file->truncate(position));
    return stop(done.error(), "a write");
  }
  written();
  if (auto done = final_if_failed(segment.file->sync()); !done) return stop(done.error(), "a sync");
  last_sync_ = parts_.clock.steady() - start;
  tail_.sum = core::crc32c(core::as_bytes(*bytes), tail_.sum);
  ++tail_.next_batch;
  ++tail_.batches;
  tail_.last_batch = position;
  ++batches_written_;
  bytes_written_ += bytes->size();
  parts_.catalog.add({header, position, seed(), std::move(bytes)});
  return {};
}

bool Writer::is_full(uint64_t bytes) const {
  if (tail_.events == 0) return false;
  bool better_one_ready = parts_.spare.ready() && !tail_.prefilled;
  return better_one_ready || tail_.segment->end + bytes > parts_.options.segment_bytes ||
         parts_.ids.full(parts_.options.segment_events_max);
}

bool Writer::wants_spare() const {
  return tail_.segment && tail_.segment->end - segment_header_bytes > parts_.options.segment_bytes / spare_at_fraction;
}

core::Result<> Writer::make_room(uint64_t bytes) {
  if (tail_.segment && is_full(bytes)) {
    if (auto saved = hooks_.saved(); !saved) return stop(saved.error(), "saving the index of a closed segment");
    if (auto closed = close_segment(); !closed) return closed;
  }
  return tail_.segment ? core::Result<>() : start_segment();
}

core::Result<> Writer::close_segment() {
  BatchHeader header = next_header(BatchKind::close);
  std::string bytes(batch_header_bytes, '\0');
  bytes += encode(Trailer{tail_.events, tail_.batches, tail_.sum});
  auto whole = std::make_shared<const std::string>(finish_batch(header, seed(), std::move(bytes)));
  if (auto done = write_batch(header, std::move(whole), [] {}); !done) return done;
  // The zeros behind it are of no use any more; where this fails they only take room.
  if (tail_.prefilled) static_cast<void>(tail_.segment->file->truncate(tail_.segment->end));
  hooks_.closed(tail_.segment->header.first_offset, parts_.catalog.encoded_index());
  parts_.catalog.close();
  tail_.segment.reset();
  tail_.sealed = true;
  return {};
}

core::Result<> Writer::start_segment() {
  bool prefilled = parts_.spare.take();
  auto started = start_segment_in(prefilled ? spare_name : fresh_name, prefilled);
  if (prefilled) parts_.spare.done_with();  // it has its own name now; or nobody uses it
  return started;
}

core::Result<> Writer::start_segment_in(std::string_view fresh, bool prefilled) {
  std::string path = path_in(parts_.directory, fresh);
  auto file = parts_.disk.open(path, core::Disk::Open::ensure);
  if (!file) return stop(file.error(), "opening the next segment");
  if (!prefilled)
    if (auto emptied = (*file)->truncate(0); !emptied) return stop(emptied.error(), "emptying the next segment");
  SegmentHeader header;
  header.first_offset = tail_.next_offset;
  header.first_batch = tail_.next_batch;
  header.epoch = parts_.random.next();
  header.created = std::max(tail_.last_time, parts_.clock.now());
  auto page = encode(header);
  if (auto done = (*file)->write_at(0, page); !done) return stop(done.error(), "a write");
  if (auto done = final_if_failed((*file)->sync()); !done) return stop(done.error(), "a sync");
  std::string name = path_in(parts_.directory, segment_name(header.first_offset));
  if (auto done = parts_.disk.rename(path, name); !done) return stop(done.error(), "naming the next segment");
  if (auto done = final_if_failed(parts_.disk.sync_directory(parts_.directory)); !done)
    return stop(done.error(), "a sync of the folder");
  auto segment = std::make_shared<OpenSegment>(header);
  segment->file = std::move(*file);
  parts_.ids.start_segment(header.first_offset);
  parts_.catalog.open(segment);
  tail_.segment = std::move(segment);
  tail_.events = 0;
  tail_.batches = 0;
  tail_.last_batch = 0;
  tail_.sum = core::crc32c(page);
  tail_.prefilled = prefilled;
  tail_.last_time = header.created;
  hooks_.started();
  return {};
}

}  // namespace headrace::log
