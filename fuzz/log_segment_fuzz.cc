// rooms: log core
//
// A segment that holds any bytes behind a good header, read in every way there is: what is read must be bounded, within
// the file, and checked. Every sum is made right where a frame's sizes allow it, or fuzzing would never get past them.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/bytes.h"
#include "log/format.h"
#include "log/index.h"
#include "log/record.h"
#include "log/scan.h"

namespace {

using namespace headrace;
using namespace headrace::log;

constexpr size_t input_bytes_max = 1 << 16;

void check(bool holds) {
  if (!holds) std::abort();
}

void mend_item(std::string& bytes, size_t at, uint32_t seed) {
  auto header = decode_item_header(core::as_bytes(bytes).subspan(at));
  if (!header || bytes.size() - at - item_header_bytes < header->length) return;
  stamp_item(*header, seed, bytes.data() + at);
}

void mend_batch(std::string& bytes, size_t at, uint64_t number, uint32_t seed) {
  auto length = load<uint32_t>(bytes.data() + at + 32);
  if (length > bytes.size() - at - batch_header_bytes) return;
  BatchHeader header;
  header.kind = static_cast<BatchKind>(load<uint16_t>(bytes.data() + at + 44) % 3);
  header.number = number;
  header.first_offset = load<uint64_t>(bytes.data() + at + 16);
  header.length = length;
  header.payload_sum = core::crc32c(core::as_bytes(bytes).subspan(at + batch_header_bytes, length), seed);
  header.events = load<uint32_t>(bytes.data() + at + 40);
  encode(header, seed, bytes.data() + at);
}

// Frames that follow each other as their own lengths say.
void mend(std::string& bytes, uint32_t seed) {
  uint64_t number = 1;
  for (size_t at = 0; at + batch_header_bytes <= bytes.size(); at += batch_alignment) {
    if (load<uint32_t>(bytes.data() + at) != batch_magic) continue;
    for (size_t item = at + batch_header_bytes; item + item_header_bytes <= bytes.size();) {
      auto header = decode_item_header(core::as_bytes(bytes).subspan(item));
      if (!header) break;
      mend_item(bytes, item, seed);
      item += aligned(item_header_bytes + header->length, item_alignment);
    }
    mend_batch(bytes, at, number++, seed);
  }
}

void read_item(const Item& item) {
  check(item.attributes().size() + item.data().size() == item.content.size());
  if (item.header.kind == ItemKind::commit) {
    static_cast<void>(decode_commit(item.content));
    return;
  }
  static_cast<void>(fields_of(item.attributes()));
  auto event = decode_event(item.attributes(), item.data(), item.has_data());
  if (!event) return;
  std::string again;
  auto size = encode_event(*event, again);
  auto twice = decode_event(core::as_bytes(again).first(size.attributes),
                            core::as_bytes(again).subspan(size.attributes), item.has_data());
  check(twice && *twice == *event);
}

void read_items(ByteView bytes, uint32_t seed) {
  Window window(bytes, segment_header_bytes);
  ItemWalk walk(window, seed, segment_header_bytes, {});
  SegmentIndex index(1);
  for (auto item = walk.next(); item && *item; item = walk.next()) {
    check(walk.position() + (*item)->content.size() <= window.end());
    read_item(**item);
  }
}

void read_batches(ByteView bytes, const SegmentHeader& header) {
  Window window(bytes, segment_header_bytes);
  BatchScan scan(window, header);
  for (;;) {
    auto batch = scan.next();
    check(batch.has_value());
    if (*batch) {
      static_cast<void>(each_item(**batch, [](const Item& item, uint64_t) { read_item(item); }));
      if ((*batch)->header.kind == BatchKind::close) static_cast<void>(decode_trailer((*batch)->payload()));
      continue;
    }
    uint64_t before = scan.position();
    auto later = scan.later_batch();
    check(later.has_value() && scan.end_of_writing().has_value());
    if (scan.closed() || !*later) return;
    check(**later >= before && *scan.goes_on_at(**later));
    if (auto next = scan.next(); next && !*next) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > input_bytes_max) return 0;
  SegmentHeader header;
  header.first_offset = 1;
  header.first_batch = 1;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(decode_segment_header(core::as_bytes(bytes)));
  static_cast<void>(SegmentIndex::decode(core::as_bytes(bytes)));
  read_items(core::as_bytes(bytes), seed_of(header));
  read_batches(core::as_bytes(bytes), header);
  mend(bytes, seed_of(header));
  read_items(core::as_bytes(bytes), seed_of(header));
  read_batches(core::as_bytes(bytes), header);
  return 0;
}
