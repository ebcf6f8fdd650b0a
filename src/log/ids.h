// Which hashes of (source, id), batch key and expected key were stored, and at which offsets: what tells duplicates for
// ever, in little memory. A hash found is a candidate; who asks verifies it by reading the event.
//
// The open segment's hashes are in a table. A closed segment's go to a run: a file of entries sorted by hash with a
// filter (a Bloom filter of one cache line a hash) before them. The newest eight of one tier become one of the next, so
// a log of a hundred million events has a few dozen. An id that is a UUIDv7 is looked for only in runs whose ids' times
// enclose its own. Bytes: docs/log-format.md, "Ids".
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/disk.h"
#include "core/result.h"
#include "log/format.h"
#include "log/siphash.h"

namespace headrace::log {

inline constexpr size_t run_fan_in = 8;  // runs up to a tier that are merged into one of the next
inline constexpr size_t filter_bits_per_hash = 10;
inline constexpr size_t filter_block_bytes = 64;

// What is looked for: the hash, and for an event whose id is a UUIDv7 the time in it.
struct Identity {
  uint64_t hash = 0;
  uint64_t milliseconds = 0;  // 0: none
};
Identity identity_of_event(const HashKey& key, ByteView identity);
Identity identity_of_batch_key(const HashKey& key, std::string_view batch_key);
Identity identity_of_expected(const HashKey& key, std::string_view expected);

// Asked for each candidate; true ends the search.
using Candidate = std::function<core::Result<bool>(Offset)>;

// Hashes of one segment in memory, by open addressing. Not thread-safe; const from any number of threads.
class IdTable {
 public:
  explicit IdTable(Offset first) : first_(first) {}

  void insert(Identity identity, Offset offset);
  core::Result<bool> find(uint64_t hash, const Candidate& accept) const;

  struct Entry {
    uint64_t hash;
    uint32_t relative;  // offset - first
  };
  std::vector<Entry> sorted() const;  // by hash, newest first
  void each(const std::function<void(const Entry&)>& visit) const;
  void restore(const std::vector<Entry>& entries, uint64_t earliest, uint64_t latest);  // into an empty table
  Offset first() const { return first_; }
  Offset last() const { return last_; }
  uint64_t earliest() const { return earliest_; }  // of the UUIDv7s in it, milliseconds
  uint64_t latest() const { return latest_; }
  size_t size() const { return size_; }

 private:
  void grow(size_t slots);
  void place(Entry entry);

  Offset first_, last_ = 0;
  std::vector<uint64_t> hashes_;  // 0: free
  std::vector<uint32_t> relatives_;
  size_t size_ = 0;
  uint64_t earliest_ = UINT64_MAX, latest_ = 0;
};

// A run on disk. Immutable; any thread. Candidates with one hash come newest first.
class IdRun {
 public:
  struct Header {
    HashKey key{};
    Offset first = 0, last = 0;  // offsets it covers, those without entries included
    uint64_t entries = 0;
    uint64_t earliest = UINT64_MAX, latest = 0;
    uint64_t filter_blocks = 0;
    uint32_t tier = 0;
  };

  // Nothing if the file is damaged, of another key, or of another version.
  static core::Result<std::unique_ptr<IdRun>> open(core::Disk& disk, const std::string& path, const HashKey& key);

  core::Result<bool> find(Identity identity, const Candidate& accept) const;
  core::Result<> load_filter();  // from now on the filter is asked in memory. Before others use the run.
  bool filter_loaded() const { return !filter_.empty(); }
  size_t filter_bytes() const { return header_.filter_blocks * filter_block_bytes; }
  const Header& header() const { return header_; }
  const core::File& file() const { return *file_; }
  uint64_t entries_at() const;

 private:
  IdRun(Header header, std::unique_ptr<core::File> file) : header_(header), file_(std::move(file)) {}
  core::Result<bool> may_have(uint64_t hash) const;
  core::Result<uint64_t> lower_bound(uint64_t hash) const;

  Header header_;
  std::unique_ptr<core::File> file_;
  std::vector<std::byte> filter_;
};

std::string run_name(Offset first, Offset last);
std::optional<std::pair<Offset, Offset>> run_range(std::string_view name);  // first and last in a run's name
// Both write the whole file beside, sync it, rename it, and sync the folder.
core::Result<> write_run(core::Disk& disk, const std::string& directory, const HashKey& key, const IdTable& table,
                         Offset last);
// `runs` are neighbours, oldest first. Nothing is written if `cancelled` turns true (exhausted then).
core::Result<> merge_runs(core::Disk& disk, const std::string& directory, const HashKey& key,
                          const std::vector<std::shared_ptr<const IdRun>>& runs, const std::atomic<bool>& cancelled);

}  // namespace headrace::log
