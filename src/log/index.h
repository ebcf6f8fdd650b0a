// What is known of one segment without reading it: where events and times stand, every 4 KiB, and which types it has.
//
// Kept in memory for the open segment, saved beside a closed one (<segment>.idx) and built again from the segment where
// the file is missing or damaged. Not thread-safe. Bytes: docs/log-format.md, "Index".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "log/format.h"

namespace headrace::log {

inline constexpr size_t index_stride = 4096;                // bytes of segment between two entries, at least
inline constexpr size_t index_type_bytes_max = 256 * 1024;  // text of types kept; a segment with more has "any type"

struct TypeRange {
  Offset first = 0, last = 0;
  uint64_t events = 0;
};

class SegmentIndex {
 public:
  struct Entry {
    Offset offset = 0;      // of the first event at or behind the position
    uint64_t position = 0;  // of an item in the segment
    core::Time time;        // log time there
  };

  explicit SegmentIndex(Offset segment_first) : segment_first_(segment_first) {}

  // Every item of the segment, in order.
  void note(const Item& item, uint64_t position, core::Time time);
  void gap() { gap_ = true; }  // damage lies before the next item: an entry stands behind it

  Offset segment_first() const { return segment_first_; }
  Offset first() const { return first_; }  // of the first event; 0: none
  Offset last() const { return last_; }
  core::Time last_time() const { return last_time_; }
  uint64_t events() const { return events_; }
  size_t memory() const { return entries_.size() * sizeof(Entry) + type_bytes_; }

  // The last entry at or before what is asked for: reading from there meets it. Nothing where there are no events.
  std::optional<Entry> before(Offset offset) const;
  std::optional<Entry> before(core::Time time) const;  // an entry that every event with time >= this is behind
  std::optional<Entry> after(Offset offset) const;     // the first entry whose offset is greater
  // Whether any event from `from` on may have one of the types, given as encode_type gives them.
  bool may_have(const std::vector<std::string>& types, Offset from) const;

  std::string encode() const;
  static std::optional<SegmentIndex> decode(ByteView bytes);  // nothing if damaged

 private:
  void note_type(ByteView type, Offset offset);

  Offset segment_first_;
  Offset first_ = 0, last_ = 0;
  bool gap_ = false;
  Offset commit_ = 0;  // of the commit noted last
  core::Time last_time_{};
  uint64_t events_ = 0;
  std::vector<Entry> entries_;
  std::map<std::string, TypeRange, std::less<>> types_;
  size_t type_bytes_ = 0;
  bool any_type_ = false;  // too many to tell
};

}  // namespace headrace::log
