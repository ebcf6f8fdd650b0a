// The frames of a segment file: its header page, the batches, and the items within them. docs/log-format.md has every
// byte and a worked example.
//
// A batch is what one write and one sync made durable: a header with its own sum, then items. Batches stand at
// multiples of 8, items at multiples of 4, zeros between. So the first four bytes tell what stands at a place: the
// magic of a batch, the length of an item (below 2^24), or zero: padding, or at a multiple of 8 the end of what was
// written.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "log/bytes.h"
#include "log/event_log.h"

namespace headrace::log {

inline constexpr std::string_view segment_suffix = ".seg";
inline constexpr std::string_view index_suffix = ".idx";
inline constexpr std::string_view run_suffix = ".ids";
inline constexpr size_t offset_digits = 20;

inline constexpr size_t segment_header_bytes = 4096;
inline constexpr size_t batch_header_bytes = 48;
inline constexpr size_t item_header_bytes = 24;
inline constexpr size_t batch_alignment = 8;
inline constexpr size_t item_alignment = 4;
inline constexpr uint32_t format_version = 1;
inline constexpr uint32_t batch_magic = 0x42524848;  // "HHRB" as bytes
inline constexpr size_t batch_events_max = 1000;     // of one client batch
inline constexpr uint32_t item_bytes_max = (1U << 24) - 1;

constexpr uint64_t aligned(uint64_t size, size_t to) { return (size + to - 1) / to * to; }

struct SegmentHeader {
  uint64_t first_offset = 0;  // of the first event that may be in it; the file is named by it
  uint64_t first_batch = 0;   // number of its first batch
  uint64_t epoch = 0;         // chance: seeds every sum in the file, so that stale bytes of another never pass
  core::Time created;         // no event in it has an earlier log time
};
std::array<std::byte, segment_header_bytes> encode(const SegmentHeader& header);
std::optional<SegmentHeader> decode_segment_header(ByteView page);  // nothing if damaged or of another version
uint32_t seed_of(const SegmentHeader& header);                      // for every crc32c in the segment

enum class BatchKind : uint16_t {
  events = 0,
  seal = 1,   // empty: says that the batch before it is whole
  close = 2,  // the last of its segment; its payload is the Trailer
};

struct BatchHeader {
  BatchKind kind = BatchKind::events;
  uint64_t number = 0;      // one more than the batch before, through all segments
  Offset first_offset = 0;  // of its first event; of the next event to come, where it has none
  core::Time time;          // the log time of all its events
  uint32_t length = 0;      // of the payload, without padding
  uint32_t payload_sum = 0;
  uint32_t events = 0;

  uint64_t size() const { return aligned(batch_header_bytes + length, batch_alignment); }  // header, payload, padding
};
// Into the first batch_header_bytes of a batch.
void encode(const BatchHeader& header, uint32_t seed, char* to);
// The whole batch from its payload, which stands behind room for the header: pads, sums, writes the header.
std::string finish_batch(BatchHeader& header, uint32_t seed, std::string bytes);
std::optional<BatchHeader> decode_batch_header(ByteView bytes, uint32_t seed);

struct Trailer {
  uint64_t events = 0;
  uint32_t batches = 0;  // before the closing one
  uint32_t sum = 0;      // crc32c, not seeded, of the whole file before the closing batch
};
std::string encode(const Trailer& trailer);
std::optional<Trailer> decode_trailer(ByteView payload);

enum class ItemKind : uint8_t { event = 1, commit = 2 };
inline constexpr uint8_t item_has_data = 1;

struct ItemHeader {
  uint32_t length = 0;      // of the content
  uint32_t sum = 0;         // of everything behind it in the item
  Offset offset = 0;        // of the event; of the first event of the commit
  uint32_t attributes = 0;  // the first bytes of the content; the rest is the data
  ItemKind kind = ItemKind::event;
  uint8_t flags = 0;
};
// Writes the header of an item that starts at `item` and whose content is in place behind it; makes the sum.
void stamp_item(ItemHeader header, uint32_t seed, char* item);

struct Item {
  ItemHeader header;
  ByteView content;

  ByteView attributes() const { return content.first(header.attributes); }
  ByteView data() const { return content.subspan(header.attributes); }
  bool has_data() const { return (header.flags & item_has_data) != 0; }
  size_t size() const { return aligned(item_header_bytes + content.size(), item_alignment); }  // with padding
};
std::optional<ItemHeader> decode_item_header(ByteView bytes);    // its sizes are plausible; the sum is not checked
std::optional<Item> decode_item(ByteView bytes, uint32_t seed);  // whole and its sum right
std::optional<Item> decode_item_unchecked(ByteView bytes);       // whole

// Stands before the events of a client batch that has a key or names expected keys.
struct Commit {
  uint32_t events = 0;                // that follow, with offsets without holes
  std::string key;                    // empty: none
  std::vector<std::string> expected;  // keys
  std::vector<Offset> offsets;        // only where some of the batch's events were stored before: those of all of them

  std::vector<Offset> all_offsets(Offset first) const;
};
std::string encode(const Commit& commit);
std::optional<Commit> decode_commit(ByteView content);

std::string segment_name(Offset first);
std::string index_name(Offset first);
// The offset in a name of the form <20 digits><suffix>; nothing for other names.
std::optional<Offset> offset_in_name(std::string_view name, std::string_view suffix);

}  // namespace headrace::log
