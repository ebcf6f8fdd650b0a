#include "log/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"

namespace headrace::log {

namespace {

constexpr std::string_view magic = "HRLOGCKP";
constexpr std::string_view fresh_checkpoint = "checkpoint.new";
constexpr size_t sum_at = 12;
constexpr size_t summed_from = 16;
constexpr size_t id_bytes = 12;

void append_ids(std::string& bytes, const OpenIds& ids) {
  append_number(bytes, ids.table.earliest());
  append_number(bytes, ids.table.latest());
  append_number(bytes, static_cast<uint32_t>(ids.table.size()));
  bytes.reserve(bytes.size() + ids.table.size() * id_bytes);
  ids.table.each([&](const IdTable::Entry& entry) {
    append_number(bytes, entry.hash);
    append_number(bytes, entry.relative);
  });
  for (const auto& [key, named] : ids.expected) {
    append_varint(bytes, key.size());
    bytes += key;
    append_varint(bytes, named.commit);
    append_varint(bytes, named.ended - named.commit);
  }
}

bool take_ids(Taker& from, OpenIds& ids) {
  auto earliest = from.number<uint64_t>();
  auto latest = from.number<uint64_t>();
  auto count = from.number<uint32_t>();
  if (count > from.left() / id_bytes) return false;
  std::vector<IdTable::Entry> entries(count);
  for (auto& entry : entries) {
    entry.hash = from.number<uint64_t>();
    entry.relative = from.number<uint32_t>();
  }
  ids.table.restore(entries, earliest, latest);
  while (from.ok() && from.left() > 0) {
    std::string key(from.text());
    Named named{.commit = from.varint()};
    named.ended = named.commit + from.varint();
    ids.expected.emplace(std::move(key), named);
  }
  return from.ok();
}

// The last batch that it covers stands where it says, whole.
core::Result<bool> fits(const Checkpoint& checkpoint, const SegmentHeader& header, Window& segment) {
  if (checkpoint.segment != header.first_offset || checkpoint.epoch != header.epoch) return false;
  if (checkpoint.end > segment.end() || checkpoint.tail.last_batch >= checkpoint.end) return false;
  uint64_t size = checkpoint.end - checkpoint.tail.last_batch;
  if (size > item_bytes_max) return false;
  auto bytes = segment.view(checkpoint.tail.last_batch, static_cast<size_t>(size));
  if (!bytes) return std::unexpected(bytes.error());
  uint32_t seed = seed_of(header);
  auto batch = decode_batch_header(*bytes, seed);
  return batch && batch->size() == size && batch->number + 1 == checkpoint.tail.next_batch &&
         core::crc32c(bytes->subspan(batch_header_bytes, batch->length), seed) == batch->payload_sum;
}

}  // namespace

std::string encode(const Checkpoint& checkpoint) {
  const Tail& tail = checkpoint.tail;
  std::string index = checkpoint.index.encode();
  std::string bytes(magic);
  append_number(bytes, format_version);
  append_number(bytes, uint32_t{0});
  append_number(bytes, checkpoint.segment);
  append_number(bytes, checkpoint.epoch);
  append_number(bytes, checkpoint.end);
  append_number(bytes, tail.last_batch);
  append_number(bytes, tail.next_batch);
  append_number(bytes, tail.next_offset);
  append_number(bytes, tail.last_time.time_since_epoch().count());
  append_number(bytes, tail.events);
  append_number(bytes, tail.batches);
  append_number(bytes, tail.sum);
  append_number(bytes, static_cast<uint32_t>(tail.sealed));
  append_number(bytes, static_cast<uint32_t>(index.size()));
  bytes += index;
  append_ids(bytes, checkpoint.ids);
  store(bytes.data() + sum_at, core::crc32c(core::as_bytes(bytes).subspan(summed_from)));
  return bytes;
}

std::optional<Checkpoint> decode_checkpoint(ByteView bytes) {
  Taker from(bytes);
  if (text_of(from.take(magic.size())) != magic || from.number<uint32_t>() != format_version ||
      from.number<uint32_t>() != core::crc32c(bytes.subspan(std::min(summed_from, bytes.size()))))
    return std::nullopt;
  auto segment = from.number<uint64_t>();
  Checkpoint checkpoint{.segment = segment, .tail = {}, .index = SegmentIndex(segment), .ids = OpenIds(segment)};
  checkpoint.epoch = from.number<uint64_t>();
  checkpoint.end = from.number<uint64_t>();
  Tail& tail = checkpoint.tail;
  tail.last_batch = from.number<uint64_t>();
  tail.next_batch = from.number<uint64_t>();
  tail.next_offset = from.number<uint64_t>();
  tail.last_time = core::Time(core::Duration(from.number<int64_t>()));
  tail.events = from.number<uint64_t>();
  tail.batches = from.number<uint32_t>();
  tail.sum = from.number<uint32_t>();
  tail.sealed = from.number<uint32_t>() != 0;
  auto index = SegmentIndex::decode(from.take(from.number<uint32_t>()));
  if (!index || index->segment_first() != segment || !take_ids(from, checkpoint.ids)) return std::nullopt;
  checkpoint.index = std::move(*index);
  return checkpoint;
}

core::Result<> write_checkpoint(core::Disk& disk, const std::string& directory, const Checkpoint& checkpoint) {
  std::string beside = fmt::format("{}/{}", directory, fresh_checkpoint);
  auto file = disk.open(beside, core::Disk::Open::ensure);
  if (!file) return std::unexpected(file.error());
  if (auto emptied = (*file)->truncate(0); !emptied) return emptied;
  if (auto written = (*file)->write_at(0, core::as_bytes(encode(checkpoint))); !written) return written;
  return disk.rename(beside, fmt::format("{}/{}", directory, checkpoint_name));
}

core::Result<std::optional<Checkpoint>> read_checkpoint(core::Disk& disk, const std::string& directory,
                                                        const SegmentHeader& header, Window& segment) {
  auto bytes = core::read_file(disk, fmt::format("{}/{}", directory, checkpoint_name), checkpoint_bytes_max);
  if (!bytes) return std::optional<Checkpoint>();  // whatever the reason: the segment itself is read
  auto checkpoint = decode_checkpoint(core::as_bytes(*bytes));
  if (!checkpoint) return std::optional<Checkpoint>();
  auto fit = fits(*checkpoint, header, segment);
  if (!fit) return std::unexpected(fit.error());
  if (!*fit) return std::optional<Checkpoint>();
  return checkpoint;
}

}  // namespace headrace::log
