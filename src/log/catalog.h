// The segments of a log as readers see them: which there are, what is durable, and the events in them. The thread that
// writes adds to it; any thread reads. Recent batches are read from memory, the rest from disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/disk.h"
#include "log/event_log.h"
#include "log/index.h"
#include "log/scan.h"

namespace headrace::log {

inline constexpr size_t read_bytes_max = size_t{1} << 20;  // of one read, beyond its first event
inline constexpr size_t loaded_segments_max = 8;           // closed segments whose index is kept in memory

// A closed segment with what is needed to read it.
struct LoadedSegment {
  SegmentHeader header;
  std::shared_ptr<core::File> file;  // shared with readers that were in it while it was open
  uint64_t size = 0;
  SegmentIndex index;
};
// Index from its file, or from the segment where that is missing, damaged or of another segment.
core::Result<std::shared_ptr<const LoadedSegment>> load_segment(core::Disk& disk, const std::string& directory,
                                                                Offset first);

// Every item of a checked batch into the index.
void note_items(const BatchScan::Batch& batch, SegmentIndex& index);

// The segment that is written to. The index is guarded by the catalog's lock once it is added.
struct OpenSegment {
  explicit OpenSegment(SegmentHeader of) : header(of), index(of.first_offset) {}
  SegmentHeader header;
  std::shared_ptr<core::File> file;  // shared with readers that are in it when it is closed
  SegmentIndex index;
  uint64_t end = segment_header_bytes;  // behind the last durable batch
};

// What a batch made durable: where it stands, its bytes, and its items' places.
struct DurableBatch {
  BatchHeader header;
  uint64_t position = 0;
  uint32_t seed = 0;                         // of its segment
  std::shared_ptr<const std::string> bytes;  // header, payload and padding; shared by catalog and readers

  Offset last() const { return header.first_offset + header.events - 1; }
};

struct FoundItem {
  ItemHeader header;
  std::string content;
  core::Time time;

  ByteView bytes() const { return std::as_bytes(std::span(content)); }
  ByteView attributes() const { return bytes().first(header.attributes); }
  ByteView data() const { return bytes().subspan(header.attributes); }
};

class Catalog {
 public:
  Catalog(core::Disk& disk, std::string directory, size_t tail_bytes_max)
      : disk_(disk), directory_(std::move(directory)), tail_bytes_max_(tail_bytes_max) {}

  // By the writer.
  void add_closed(Offset first, uint64_t bytes);  // at start, oldest first
  void open(std::shared_ptr<OpenSegment> segment);
  void close();                         // the open one is closed; another may follow
  void add(const DurableBatch& batch);  // readers may have it from now on
  void set_durable(Offset offset, core::Time time) { last_time_ = time, durable_ = offset; }
  std::vector<Offset> forget_before(Offset before);  // whole closed segments; their first offsets
  std::string encoded_index() const;                 // of the open segment
  SegmentIndex open_index() const;                   // a copy

  // By anyone.
  core::Result<std::vector<Stored>> read(Offset from, size_t max, const std::vector<std::string>* types);  // null: all
  core::Result<std::optional<Offset>> at(core::Time time);
  core::Result<std::optional<FoundItem>> item(Offset offset, ItemKind kind);
  Offset first() const;
  Offset newest_segment() const;  // its first offset; 0: there is none
  Offset durable() const { return durable_; }
  core::Time last_time() const { return last_time_; }
  std::vector<Offset> closed() const;  // first offsets, oldest first
  uint64_t bytes() const;
  size_t segments() const;

 private:
  struct Closed {
    Offset first;
    uint64_t bytes;
  };
  // Where reading starts: a segment's bytes from a place on, from memory or from disk.
  struct Start {
    std::shared_ptr<const void> alive;  // keeps what window reads; shared with the catalog
    std::optional<Window> window;
    uint32_t seed = 0;
    uint64_t position = 0;
    core::Time time;
    ItemWalk::Sums sums = ItemWalk::Sums::check;  // known: it is what the writer made, and was on no disk in between
    Offset next = 0;                              // where to go on when this is read; 0: nowhere
    Offset segment = 0;

    ItemWalk walk() { return {*window, seed, position, time, sums}; }
  };
  struct Reading;

  core::Result<std::optional<Start>> start_at(Offset offset, const std::vector<std::string>* types);
  core::Result<std::optional<Start>> start_at(core::Time time);
  Start start_in_tail(Offset offset) const;
  template <class Key>
  Start start_in_open(Key key, Offset from, const std::vector<std::string>* types) const;
  template <class Key>
  core::Result<Start> start_in_closed(Offset first, Key key, Offset from, const std::vector<std::string>* types);
  core::Result<std::shared_ptr<const LoadedSegment>> loaded(Offset first);
  void remember(std::shared_ptr<const LoadedSegment> segment);
  core::Result<> read_from(Start& start, Reading& reading);
  Offset goes_on_behind(Offset segment, Offset damaged);
  std::unexpected<core::Error> damage(const Start& start, uint64_t position, Offset damaged);

  core::Disk& disk_;
  std::string directory_;
  size_t tail_bytes_max_;
  std::atomic<Offset> durable_ = 0;
  std::atomic<core::Time> last_time_{};

  mutable std::mutex mutex_;
  std::vector<Closed> closed_;
  std::shared_ptr<OpenSegment> open_;  // shared with the writer
  std::deque<DurableBatch> tail_;
  size_t tail_bytes_ = 0;
  std::mutex loaded_mutex_;
  std::list<std::shared_ptr<const LoadedSegment>> loaded_;  // the one used last first
};

}  // namespace headrace::log
