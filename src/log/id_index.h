// What the log has stored, by identity: the open segment's ids in memory, the closed segment's whose run is not saved
// yet, and the runs. The log's thread adds to it, that and the housekeeper's save runs (one at a time)
// and the housekeeper's merges them, any thread asks.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/ids.h"

namespace headrace::log {

inline constexpr size_t expected_bytes_max = size_t{4} << 20;  // of the open segment's expected keys in memory

// The batch that named an expected key last.
struct Named {
  Offset commit = 0;  // its first event's
  Offset ended = 0;   // its last event's
};

// What the open segment has stored.
struct OpenIds {
  explicit OpenIds(Offset first) : table(first) {}
  IdTable table;
  std::map<std::string, Named, std::less<>> expected;
};

class IdIndex {
 public:
  using Runs = std::vector<std::shared_ptr<const IdRun>>;

  IdIndex(HashKey key, size_t filter_bytes_max) : key_(key), filter_bytes_max_(filter_bytes_max) {}

  const HashKey& key() const { return key_; }
  Identity event(ByteView identity) const { return identity_of_event(key_, identity); }
  Identity batch(std::string_view batch_key) const { return identity_of_batch_key(key_, batch_key); }

  void start_segment(Offset first);  // what was open is closed
  void resume_segment(OpenIds ids);  // the same, for one whose first part is known
  void end_segment(Offset last);     // the same, where the next one is not there yet
  OpenIds open_ids() const;          // a copy
  void insert(const Identity& identity, Offset offset);
  void name(std::string_view expected, Named named);
  bool full(size_t events_max) const;  // the open segment holds as much as memory may

  // Verified by `accept`, which reads the log.
  core::Result<bool> find(const Identity& identity, const Candidate& accept) const;
  // From memory: exact. Nothing: ask `find` with the key's identity in the runs.
  std::optional<Named> named_in_memory(std::string_view expected) const;
  core::Result<bool> find_named(std::string_view expected, const Candidate& accept) const;

  // The closed segments', until their runs are installed: save() does the oldest.
  bool has_unsaved() const;
  core::Result<> save(core::Disk& disk, const std::string& directory);
  core::Result<> install_run(core::Disk& disk, const std::string& directory, const std::string& name);
  // Merges the newest runs that are due, if any are; false when nothing was due.
  core::Result<bool> merge(core::Disk& disk, const std::string& directory, const std::atomic<bool>& cancelled);
  Runs runs() const;
  void drop_before(Offset first, std::vector<std::string>& names);  // forgets runs that end before; their files

 private:
  struct Segment : OpenIds {
    using OpenIds::OpenIds;
    Offset last = 0;  // it covers, once closed
    size_t expected_bytes = 0;
  };
  void close_open(Offset last);
  Runs due_for_merge() const;
  core::Result<> load_filter_if_it_fits(IdRun& run) const;

  HashKey key_;
  size_t filter_bytes_max_;
  mutable std::mutex mutex_;
  std::shared_ptr<Segment> open_;
  std::vector<std::shared_ptr<const Segment>> closed_;  // runs not saved yet, oldest first; shared with who saves them
  std::shared_ptr<const Runs> runs_ = std::make_shared<const Runs>();  // shared with who searches it
};

}  // namespace headrace::log
