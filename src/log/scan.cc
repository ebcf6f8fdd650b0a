#include "log/scan.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"

namespace headrace::log {

namespace {

constexpr size_t chunk_min = 16 * 1024;
constexpr size_t chunk_max = 256 * 1024;

auto damaged(uint64_t position) {
  return core::fail(core::Code::corrupt, "Stored bytes are damaged.", fmt::format("byte {}", position));
}

bool all_zero(ByteView bytes) {
  uint64_t any = 0;
  size_t at = 0;
  for (; at + sizeof any <= bytes.size(); at += sizeof any) any |= load<uint64_t>(bytes.data() + at);
  for (; at < bytes.size(); ++at) any |= std::to_integer<uint64_t>(bytes[at]);
  return any == 0;
}

}  // namespace

Window::Window(const core::File& file, uint64_t end) : file_(&file), end_(end), chunk_(chunk_min) {}

Window::Window(ByteView memory, uint64_t base)
    : end_(base + memory.size()), start_(base), sight_(memory), chunk_(chunk_min) {}

core::Result<ByteView> Window::view(uint64_t position, size_t size) {
  if (position >= end_) return ByteView{};
  size = static_cast<size_t>(std::min<uint64_t>(size, end_ - position));
  if (position >= start_ && position + size <= start_ + sight_.size())
    return sight_.subspan(static_cast<size_t>(position - start_), size);
  if (file_ == nullptr) return ByteView{};
  size_t wanted = static_cast<size_t>(std::min<uint64_t>(std::max(size, chunk_), end_ - position));
  chunk_ = std::min(chunk_ * 2, chunk_max);
  if (buffer_.size() < wanted) buffer_.resize(wanted);
  auto read = file_->read_at(position, std::span(buffer_).first(wanted));
  if (!read) return core::pass_on(read.error(), "reading a segment");
  start_ = position;
  sight_ = ByteView(buffer_).first(*read);
  return sight_.first(std::min(size, sight_.size()));
}

core::Result<std::optional<Item>> ItemWalk::next() {
  for (;;) {
    auto start = window_.view(next_, 4);
    if (!start) return std::unexpected(start.error());
    if (start->size() < 4) return std::optional<Item>();
    auto word = load<uint32_t>(start->data());
    if (word == 0) {
      if (next_ % batch_alignment == 0) return std::optional<Item>();
      next_ = aligned(next_, batch_alignment);
      continue;
    }
    if (word != batch_magic) return item();
    auto entered = enter_batch();
    if (!entered) return std::unexpected(entered.error());
    if (!*entered) return std::optional<Item>();
  }
}

core::Result<std::optional<Item>> ItemWalk::item() {
  position_ = next_;
  auto head = window_.view(next_, item_header_bytes);
  if (!head) return std::unexpected(head.error());
  auto header = decode_item_header(*head);
  if (!header) return damaged(position_);
  auto whole = window_.view(next_, item_header_bytes + header->length);
  if (!whole) return std::unexpected(whole.error());
  auto item = sums_ == Sums::check ? decode_item(*whole, seed_) : decode_item_unchecked(*whole);
  if (!item) return damaged(position_);
  next_ += item->size();
  return item;
}

core::Result<bool> ItemWalk::enter_batch() {
  auto bytes = window_.view(next_, batch_header_bytes);
  if (!bytes) return std::unexpected(bytes.error());
  auto header = decode_batch_header(*bytes, seed_);
  if (!header) {
    position_ = next_;
    return damaged(next_);
  }
  time_ = header->time;
  next_ += batch_header_bytes;
  return header->kind != BatchKind::close;
}

BatchScan::BatchScan(Window& window, const SegmentHeader& header)
    : window_(window), seed_(seed_of(header)), number_(header.first_batch) {}

core::Result<std::optional<BatchScan::Batch>> BatchScan::next() {
  if (closed_) return std::optional<Batch>();
  auto head = window_.view(position_, batch_header_bytes);
  if (!head) return std::unexpected(head.error());
  auto header = decode_batch_header(*head, seed_);
  if (!header || header->number != number_) return std::optional<Batch>();
  if (header->size() > window_.end() - position_) return std::optional<Batch>();
  auto bytes = window_.view(position_, static_cast<size_t>(header->size()));
  if (!bytes) return std::unexpected(bytes.error());
  Batch batch{*header, position_, *bytes};
  if (bytes->size() != header->size() || core::crc32c(batch.payload(), seed_) != header->payload_sum)
    return std::optional<Batch>();
  position_ += header->size();
  ++number_;
  closed_ = header->kind == BatchKind::close;
  return batch;
}

core::Result<std::optional<uint64_t>> BatchScan::later_batch() {
  constexpr size_t stride = 64 * 1024;
  for (uint64_t at = aligned(position_, batch_alignment); at < window_.end(); at += stride) {
    auto bytes = window_.view(at, stride + batch_header_bytes);
    if (!bytes) return std::unexpected(bytes.error());
    if (all_zero(*bytes)) continue;
    for (size_t i = 0; i < stride && i + batch_header_bytes <= bytes->size(); i += batch_alignment) {
      if (load<uint32_t>(bytes->data() + i) != batch_magic) continue;
      auto header = decode_batch_header(bytes->subspan(i), seed_);
      if (header && header->number > number_) return at + i;
    }
  }
  return std::optional<uint64_t>();
}

void BatchScan::resume(uint64_t position, uint64_t number) {
  position_ = position;
  number_ = number;
}

core::Result<bool> BatchScan::goes_on_at(uint64_t position) {
  auto head = window_.view(position, batch_header_bytes);
  if (!head) return std::unexpected(head.error());
  auto header = decode_batch_header(*head, seed_);
  if (!header) return false;
  position_ = position;
  number_ = header->number;
  return true;
}

core::Result<uint64_t> BatchScan::end_of_writing() {
  constexpr size_t stride = 64 * 1024;
  uint64_t end = position_;
  for (uint64_t at = position_; at < window_.end(); at += stride) {
    auto bytes = window_.view(at, stride);
    if (!bytes) return std::unexpected(bytes.error());
    if (all_zero(*bytes)) continue;
    auto last =
        std::ranges::find_if(bytes->rbegin(), bytes->rend(), [](std::byte byte) { return byte != std::byte{0}; });
    if (last != bytes->rend()) end = at + static_cast<uint64_t>(bytes->rend() - last);
  }
  return end;
}

core::Result<SegmentHeader> read_segment_header(const core::File& file, const std::string& name) {
  std::vector<std::byte> page(segment_header_bytes);
  auto read = file.read_at(0, page);
  if (!read) return core::pass_on(read.error(), "reading the header of " + name);
  auto header = decode_segment_header(std::span(page).first(*read));
  if (!header)
    return core::fail(core::Code::corrupt,
                      fmt::format("The header of segment {} is damaged, or of a version of the log "
                                  "that this Headrace does not know.",
                                  name));
  return *header;
}

}  // namespace headrace::log
