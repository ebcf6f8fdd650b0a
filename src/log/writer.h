// Appends batches to the open segment and goes from one segment to the next. Used by the log's thread alone.
//
// A batch is written only after the one before it is durable. When a write finds the disk full nothing has changed: the
// next batch overwrites what was written in part, and a crash before that sees a torn tail. Any other failure stops it
// for good; a sync is never tried twice, for the state of the pages is unknown after one that failed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/disk.h"
#include "core/random.h"
#include "log/catalog.h"
#include "log/group.h"
#include "log/id_index.h"
#include "log/segment_log.h"
#include "log/spare.h"

namespace headrace::log {

// Where appending goes on.
struct Tail {
  Offset next_offset = 1;
  uint64_t next_batch = 1;
  core::Time last_time;
  bool sealed = true;                    // nothing after the last seal
  std::shared_ptr<OpenSegment> segment;  // null: the last one is closed, or there is none
  uint64_t events = 0;                   // in the open segment
  uint32_t batches = 0;                  // likewise
  uint64_t last_batch = 0;               // the position of the last of them
  uint32_t sum = 0;                      // of the open segment's file up to its end
  bool prefilled = false;
};

class Writer {
 public:
  struct Parts {
    core::Disk& disk;
    const core::Clock& clock;
    core::Random& random;
    std::string directory;
    SegmentLogOptions options;
    Catalog& catalog;
    IdIndex& ids;
    Spare& spare;
  };
  struct Hooks {
    std::function<void(Offset first, std::string index)> closed;  // a segment was closed; its index is to be saved
    std::function<void()> started;                                // the next one is there; ids are to be saved
    std::function<core::Result<>()>
        saved;  // before closing another: brings it about that all ids are saved, or why not
  };
  Writer(Parts parts, Hooks hooks, Tail tail);

  // Durable when it returns without error. `written` is called between the write and the sync. Errors: exhausted (try
  // again later), else stopped() says what for.
  core::Result<> write(Group& group, const std::function<void()>& written);
  core::Result<> seal();  // nothing if it is sealed
  bool sealed() const { return tail_.sealed; }

  Offset next_offset() const { return tail_.next_offset; }
  bool prefilled() const { return tail_.prefilled; }
  const Tail& tail() const { return tail_; }
  // The open segment is in earnest use, so that the next one is worth preparing: small logs never take the room.
  bool wants_spare() const;
  core::Duration last_sync() const { return last_sync_; }
  uint64_t bytes_written() const { return bytes_written_; }
  uint64_t batches_written() const { return batches_written_; }
  const std::optional<core::Error>& failure() const { return failure_; }  // for good

 private:
  core::Result<> make_room(uint64_t bytes);
  bool is_full(uint64_t bytes) const;
  core::Result<> close_segment();
  core::Result<> start_segment();
  core::Result<> start_segment_in(std::string_view fresh, bool prefilled);
  core::Result<> write_batch(const BatchHeader& header, std::shared_ptr<const std::string> bytes,
                             const std::function<void()>& written);
  BatchHeader next_header(BatchKind kind) const;
  uint32_t seed() const { return seed_of(tail_.segment->header); }
  core::Result<> stop(core::Error cause, std::string_view doing);  // also for the full disk, which does not stop

  Parts parts_;
  Hooks hooks_;
  Tail tail_;
  core::Duration last_sync_{};
  uint64_t bytes_written_ = 0;
  uint64_t batches_written_ = 0;
  std::optional<core::Error> failure_;
};

// What is said once appends have stopped for good.
core::Error stopped_error(std::string_view reason, Offset segment, Offset offset, std::string detail);

}  // namespace headrace::log
