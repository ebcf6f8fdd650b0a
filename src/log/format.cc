#include "log/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/bytes.h"

namespace headrace::log {

namespace {

constexpr std::string_view segment_magic = "HRLOGSEG";
constexpr size_t page_sum_at = segment_header_bytes - 4;

enum class CommitField : uint8_t { events = 1, key, expected, offset };

ByteView bytes_at(const char* from, size_t size) { return std::as_bytes(std::span(from, size)); }
int64_t count_of(core::Time time) { return time.time_since_epoch().count(); }
core::Time time_of(int64_t count) { return core::Time(core::Duration(count)); }

}  // namespace

std::array<std::byte, segment_header_bytes> encode(const SegmentHeader& header) {
  std::array<std::byte, segment_header_bytes> page{};
  char* to = reinterpret_cast<char*>(page.data());
  std::ranges::copy(segment_magic, to);
  store(to + 8, format_version);
  store(to + 12, static_cast<uint32_t>(segment_header_bytes));
  store(to + 16, header.first_offset);
  store(to + 24, header.first_batch);
  store(to + 32, header.epoch);
  store(to + 40, count_of(header.created));
  store(to + page_sum_at, core::crc32c(std::span(page).first(page_sum_at)));
  return page;
}

std::optional<SegmentHeader> decode_segment_header(ByteView page) {
  if (page.size() < segment_header_bytes) return std::nullopt;
  const std::byte* from = page.data();
  if (text_of(page.first(segment_magic.size())) != segment_magic || load<uint32_t>(from + 8) != format_version ||
      load<uint32_t>(from + 12) != segment_header_bytes ||
      load<uint32_t>(from + page_sum_at) != core::crc32c(page.first(page_sum_at)))
    return std::nullopt;
  return SegmentHeader{.first_offset = load<uint64_t>(from + 16),
                       .first_batch = load<uint64_t>(from + 24),
                       .epoch = load<uint64_t>(from + 32),
                       .created = time_of(load<int64_t>(from + 40))};
}

uint32_t seed_of(const SegmentHeader& header) {
  char epoch[8];
  store(epoch, header.epoch);
  return core::crc32c(bytes_at(epoch, sizeof epoch));
}

void encode(const BatchHeader& header, uint32_t seed, char* to) {
  store(to, batch_magic);
  store(to + 8, header.number);
  store(to + 16, header.first_offset);
  store(to + 24, count_of(header.time));
  store(to + 32, header.length);
  store(to + 36, header.payload_sum);
  store(to + 40, header.events);
  store(to + 44, static_cast<uint16_t>(header.kind));
  store(to + 46, uint16_t{0});
  store(to + 4, core::crc32c(bytes_at(to + 8, batch_header_bytes - 8), seed));
}

std::string finish_batch(BatchHeader& header, uint32_t seed, std::string bytes) {
  header.length = static_cast<uint32_t>(bytes.size() - batch_header_bytes);
  header.payload_sum = core::crc32c(core::as_bytes(bytes).subspan(batch_header_bytes), seed);
  encode(header, seed, bytes.data());
  bytes.resize(header.size());
  return bytes;
}

std::optional<BatchHeader> decode_batch_header(ByteView bytes, uint32_t seed) {
  if (bytes.size() < batch_header_bytes) return std::nullopt;
  const std::byte* from = bytes.data();
  auto kind = load<uint16_t>(from + 44);
  if (load<uint32_t>(from) != batch_magic || kind > static_cast<uint16_t>(BatchKind::close) ||
      load<uint32_t>(from + 4) != core::crc32c(bytes.subspan(8, batch_header_bytes - 8), seed))
    return std::nullopt;
  return BatchHeader{.kind = static_cast<BatchKind>(kind),
                     .number = load<uint64_t>(from + 8),
                     .first_offset = load<uint64_t>(from + 16),
                     .time = time_of(load<int64_t>(from + 24)),
                     .length = load<uint32_t>(from + 32),
                     .payload_sum = load<uint32_t>(from + 36),
                     .events = load<uint32_t>(from + 40)};
}

std::string encode(const Trailer& trailer) {
  std::string bytes;
  append_number(bytes, trailer.events);
  append_number(bytes, trailer.batches);
  append_number(bytes, trailer.sum);
  return bytes;
}

std::optional<Trailer> decode_trailer(ByteView payload) {
  Taker from(payload);
  Trailer trailer;
  trailer.events = from.number<uint64_t>();
  trailer.batches = from.number<uint32_t>();
  trailer.sum = from.number<uint32_t>();
  if (!from.at_end()) return std::nullopt;
  return trailer;
}

void stamp_item(ItemHeader header, uint32_t seed, char* item) {
  store(item, header.length);
  store(item + 8, header.offset);
  store(item + 16, header.attributes);
  store(item + 20, static_cast<uint8_t>(header.kind));
  store(item + 21, header.flags);
  store(item + 22, uint16_t{0});
  store(item + 4, core::crc32c(bytes_at(item + 8, item_header_bytes - 8 + header.length), seed));
}

std::optional<ItemHeader> decode_item_header(ByteView bytes) {
  if (bytes.size() < item_header_bytes) return std::nullopt;
  const std::byte* from = bytes.data();
  auto kind = load<uint8_t>(from + 20);
  ItemHeader header{.length = load<uint32_t>(from),
                    .sum = load<uint32_t>(from + 4),
                    .offset = load<uint64_t>(from + 8),
                    .attributes = load<uint32_t>(from + 16),
                    .kind = static_cast<ItemKind>(kind),
                    .flags = load<uint8_t>(from + 21)};
  if (header.length == 0 || header.length > item_bytes_max || header.attributes > header.length) return std::nullopt;
  if (kind != static_cast<uint8_t>(ItemKind::event) && kind != static_cast<uint8_t>(ItemKind::commit))
    return std::nullopt;
  return header;
}

std::optional<Item> decode_item_unchecked(ByteView bytes) {
  auto header = decode_item_header(bytes);
  if (!header || bytes.size() - item_header_bytes < header->length) return std::nullopt;
  return Item{*header, bytes.subspan(item_header_bytes, header->length)};
}

std::optional<Item> decode_item(ByteView bytes, uint32_t seed) {
  auto item = decode_item_unchecked(bytes);
  if (!item) return std::nullopt;
  ByteView summed = bytes.subspan(8, item_header_bytes - 8 + item->header.length);
  return item->header.sum == core::crc32c(summed, seed) ? item : std::nullopt;
}

std::vector<Offset> Commit::all_offsets(Offset first) const {
  if (!offsets.empty()) return offsets;
  std::vector<Offset> all;
  for (uint32_t i = 0; i < events; ++i) all.push_back(first + i);
  return all;
}

std::string encode(const Commit& commit) {
  std::string bytes;
  auto tag = [&](CommitField field) { bytes.push_back(static_cast<char>(field)); };
  auto text = [&](CommitField field, std::string_view value) {
    tag(field);
    append_varint(bytes, value.size());
    bytes += value;
  };
  tag(CommitField::events);
  append_varint(bytes, commit.events);
  if (!commit.key.empty()) text(CommitField::key, commit.key);
  for (const auto& key : commit.expected) text(CommitField::expected, key);
  for (Offset offset : commit.offsets) {
    tag(CommitField::offset);
    append_varint(bytes, offset);
  }
  return bytes;
}

std::optional<Commit> decode_commit(ByteView content) {
  Taker from(content);
  Commit commit;
  while (from.ok() && from.left() > 0) {
    switch (static_cast<CommitField>(from.number<uint8_t>())) {
      case CommitField::events: {
        uint64_t events = from.varint();
        if (events > batch_events_max) return std::nullopt;
        commit.events = static_cast<uint32_t>(events);
        break;
      }
      case CommitField::key: commit.key = from.text(); break;
      case CommitField::expected: commit.expected.emplace_back(from.text()); break;
      case CommitField::offset: commit.offsets.push_back(from.varint()); break;
      default: return std::nullopt;
    }
  }
  if (!from.ok()) return std::nullopt;
  return commit;
}

std::string segment_name(Offset first) { return fmt::format("{:020}{}", first, segment_suffix); }

std::string index_name(Offset first) { return fmt::format("{:020}{}", first, index_suffix); }

std::optional<Offset> offset_in_name(std::string_view name, std::string_view suffix) {
  if (name.size() != offset_digits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  Offset offset = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + offset_digits, offset);
  if (error != std::errc{} || end != name.data() + offset_digits) return std::nullopt;
  return offset;
}

}  // namespace headrace::log
