// Reading a segment: a window over its bytes, its items one after the other, and its batches with everything checked.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/disk.h"
#include "core/result.h"
#include "log/format.h"

namespace headrace::log {

// A piece of a file at a time, larger the longer it is used; or bytes in memory that begin at `base` of the file.
class Window {
 public:
  Window(const core::File& file, uint64_t end);  // nothing is read at or beyond `end`
  Window(ByteView memory, uint64_t base);

  // Fewer than `size` bytes only at the end. Valid until the next call.
  core::Result<ByteView> view(uint64_t position, size_t size);
  uint64_t end() const { return end_; }

 private:
  const core::File* file_ = nullptr;
  uint64_t end_ = 0;
  uint64_t start_ = 0;  // of what is in sight
  ByteView sight_;
  std::vector<std::byte> buffer_;
  size_t chunk_;
};

// The items of one segment from a place on where an item or a batch stands.
class ItemWalk {
 public:
  enum class Sums { check, known };  // known: the batch as a whole was checked

  ItemWalk(Window& window, uint32_t seed, uint64_t position, core::Time time, Sums sums = Sums::check)
      : window_(window), seed_(seed), sums_(sums), next_(position), time_(time) {}

  // Nothing at the end. Corrupt where something else stands: position() says where. Valid until the next call.
  core::Result<std::optional<Item>> next();
  uint64_t position() const { return position_; }  // of the item given last
  core::Time time() const { return time_; }        // its log time

 private:
  core::Result<std::optional<Item>> item();
  core::Result<bool> enter_batch();  // false: the segment is closed here

  Window& window_;
  uint32_t seed_;
  Sums sums_;
  uint64_t position_ = 0;
  uint64_t next_;
  core::Time time_;
};

// The batches of one segment, in order, each checked as a whole.
class BatchScan {
 public:
  BatchScan(Window& window, const SegmentHeader& header);

  struct Batch {
    BatchHeader header;
    uint64_t position = 0;
    ByteView bytes;  // header, payload and padding; valid until the next call

    ByteView payload() const { return bytes.subspan(batch_header_bytes, header.length); }
  };
  // Nothing at the end, where the segment is closed, and where no whole batch with the next number stands.
  core::Result<std::optional<Batch>> next();
  uint64_t position() const { return position_; }  // behind the last batch given
  uint64_t next_number() const { return number_; }
  bool closed() const { return closed_; }
  uint32_t seed() const { return seed_; }

  // The first place from position() on with the header of a batch that comes later than the next one: proof that what
  // stands at position() was whole once.
  core::Result<std::optional<uint64_t>> later_batch();
  void resume(uint64_t position, uint64_t number);   // what is before is known
  core::Result<bool> goes_on_at(uint64_t position);  // goes on there; false if no header of a batch is there
  // One behind the last byte at or behind position() that is not zero; position() itself where all are.
  core::Result<uint64_t> end_of_writing();

 private:
  Window& window_;
  uint32_t seed_;
  uint64_t position_ = segment_header_bytes;
  uint64_t number_;
  bool closed_ = false;
};

// Every item of a batch that was checked as a whole; corrupt if it holds something else.
template <class Visit>
core::Result<> each_item(const BatchScan::Batch& batch, Visit visit) {
  Window window(batch.payload(), batch.position + batch_header_bytes);
  ItemWalk walk(window, 0, batch.position + batch_header_bytes, batch.header.time, ItemWalk::Sums::known);
  for (;;) {
    auto item = walk.next();
    if (!item) return std::unexpected(item.error());
    if (!*item) return {};
    visit(**item, walk.position());
  }
}

core::Result<SegmentHeader> read_segment_header(const core::File& file, const std::string& name);

}  // namespace headrace::log
