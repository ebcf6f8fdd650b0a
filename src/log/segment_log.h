// SegmentLog is the embedded EventLog: a folder of segment files that one thread appends to, with group commit.
//
// What is acknowledged (Durability::disk) has been through fdatasync. A batch on disk is whatever arrived while the
// previous one was being synced: there is no timer to wait for. A batch is written only after the one before it is
// durable, so damage with a valid batch behind it is corruption, and damage at the very end is a torn tail, which is
// cut. After `idle_seal` without work, and at the end, an empty batch seals the last one, so that damage to the last
// acknowledged batch is told apart as well; the window that is left is `idle_seal` after an append.
//
// Failures: a full disk refuses (exhausted) and accepts again once there is room. A failed sync, a failed write for any
// other reason, and corruption stop appends for good (unavailable): stopped() names segment and offset, reads go on.
//
// Threads: everything but append() is for any thread. The log owns one thread that writes and one that keeps house
// (prepares the next segment, saves indexes, merges them, re-reads old segments).
// Bytes on disk: docs/log-format.md. Decisions: DESIGN section 5, EVENT-LOG.md section 3.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/random.h"
#include "core/result.h"
#include "log/event_log.h"

namespace headrace::log {

struct SegmentLogOptions {
  // Whether the next segment is filled with zeros beforehand, which makes syncs cheaper on most disks; begun when a
  // quarter of the open one is written.
  enum class Prefill { never, measured, always };      // measured: once for a folder, by a probe of 200 syncs
  enum class Housekeeping { own_thread, log_thread };  // log_thread: between batches, in a fixed order; for tests

  uint64_t segment_bytes = uint64_t{64} << 20;
  size_t segment_events_max = 262'144;                  // bounds the memory of the open segment's tables
  size_t pending_bytes_max = size_t{8} << 20;           // waiting to be written; beyond, submit answers exhausted
  size_t batch_bytes_max = size_t{1} << 20;             // of one write and sync; a larger client batch is one alone
  std::chrono::milliseconds idle_seal{50};              // 0: sealed only by seal() and at the end
  uint64_t checkpoint_bytes = uint64_t{16} << 20;       // appended since the last checkpoint: then the next one
  uint64_t checkpoint_bytes_least = uint64_t{1} << 20;  // at the end: reading less again is not worth a file
  size_t tail_cache_bytes = size_t{8} << 20;            // recent batches kept in memory for readers
  size_t filter_bytes_max = size_t{4} << 20;  // filters of stored ids kept in memory; the rest is read when asked
  Prefill prefill = Prefill::measured;
  Housekeeping housekeeping = Housekeeping::own_thread;
  std::chrono::milliseconds scrub_pause{60'000};  // one closed segment is re-read each time; 0: never by itself
};

// A place in the log that an operator can look at.
struct Place {
  std::string segment;    // file name
  uint64_t position = 0;  // byte in the file
  Offset offset = 0;      // first event that is not readable there, as far as known
  std::string what;       // what is wrong, a sentence
};

struct VerifyReport {
  enum class Tail {
    sealed,    // ends with a seal or a closed segment: nothing after the last event is missing
    unsealed,  // ends with a whole batch, as after a kill
    torn,      // ends with a batch that was being written when power or process went; never acknowledged
  };
  uint64_t segments = 0, batches = 0, events = 0, bytes = 0;
  Offset first = 0, last = 0;
  Tail tail = Tail::sealed;
  std::optional<Place> torn;  // where the tail is torn, and will be cut at the next start
  std::vector<Place> bad;     // corruption, in log order, at most 100 places
  bool good() const { return bad.empty(); }
};

struct LogStat {
  uint64_t segments = 0, bytes = 0;  // on disk, without indexes
  Offset first = 0, durable = 0;
  uint64_t batches_written = 0, events_written = 0, bytes_written = 0, duplicates = 0;  // since open
  uint64_t pending_bytes = 0;
  core::Duration last_sync{};  // of the last batch: write and sync
  bool prefilled = false;      // the open segment was filled with zeros beforehand
};

class SegmentLog final : public EventLog {
 public:
  using Options = SegmentLogOptions;

  // Opens or creates the log in `directory` and recovers its tail. Disk, clock and random outlive it. The loops whose
  // tasks append outlive it too: destroy the log first. Errors: conflict (another process has the folder), unavailable,
  // exhausted, corrupt (not a log of a version we know). A log with damaged events opens: see stopped().
  static core::Result<std::unique_ptr<SegmentLog>> open(core::Disk& disk, const core::Clock& clock,
                                                        core::Random& random, std::string directory,
                                                        Options options = {});
  // For offline reading while no server runs: takes the lock, changes nothing else, refuses appends; a torn tail is
  // left as it is and not read.
  static core::Result<std::unique_ptr<SegmentLog>> open_read_only(core::Disk& disk, const core::Clock& clock,
                                                                  std::string directory);
  // Reads every byte of a log that no process has open (else conflict).
  static core::Result<VerifyReport> verify(core::Disk& disk, const std::string& directory);

  ~SegmentLog() override;  // writes what is pending, answers it, seals, closes
  SegmentLog(const SegmentLog&) = delete;
  SegmentLog& operator=(const SegmentLog&) = delete;

  void submit(Batch batch, Done done) override;
  core::Result<std::vector<Stored>> read(Offset from, size_t max) override;
  core::Result<std::vector<Stored>> read_types(Offset from, size_t max, const std::vector<std::string>& types) override;
  Offset first() const override;
  Offset durable() const override;
  core::Result<std::optional<Offset>> at(core::Time time) override;
  core::Result<std::optional<Offset>> offset_of(std::string_view source, std::string_view id) override;
  core::Result<Offset> last_of(std::string_view expected_key) override;
  core::Result<> trim(Offset before) override;
  std::optional<core::Error> stopped() const override;
  Watch watch(std::function<void(Offset durable)> heard) override;

  LogStat stat() const;
  core::Result<>
  seal();  // writes the seal now, if the last batch has none; waits for it. Not from the log's own thread.
  // Re-reads closed segments against their sums, the least recently read first, at most `segments_max` of them. The
  // first damage found stops appends and is returned as corrupt. Any thread; long.
  core::Result<> scrub(size_t segments_max = SIZE_MAX);

 private:
  struct Impl;
  explicit SegmentLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::log
