#include "process/egress_frames.h"

#include <algorithm>

namespace headrace::process {
namespace {

// Where things stand in a frame, and in the question that it holds.
constexpr size_t type_at = 12, operation_at = 20, sender_at = 22, sender_address_at = 28, asked_at = 38;
constexpr size_t hardware_bytes = 6, address_bytes = 4;

bool has(std::span<const std::byte> frame, size_t at, std::initializer_list<unsigned> bytes) {
  if (frame.size() < at + bytes.size()) return false;
  return std::ranges::equal(bytes, frame.subspan(at, bytes.size()), {}, {},
                            [](std::byte byte) { return std::to_integer<unsigned>(byte); });
}

}  // namespace

bool is_internet(std::span<const std::byte> frame) { return has(frame, type_at, {0x08, 0x00}); }

std::optional<std::array<std::byte, arp_frame_bytes>> answer_to(std::span<const std::byte> frame) {
  // Ethernet, version 4, lengths of both, a question.
  if (!has(frame, type_at, {0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01})) return std::nullopt;
  if (!has(frame, asked_at, {10, 0, 2, 2}) && !has(frame, asked_at, {10, 0, 2, 3})) return std::nullopt;
  std::array<std::byte, arp_frame_bytes> answer{};
  const auto copy = [&](size_t from, size_t bytes, size_t to) {
    std::ranges::copy(frame.subspan(from, bytes), answer.begin() + static_cast<ptrdiff_t>(to));
  };
  const auto machine = [&](size_t to) {
    answer[to] = std::byte{0x52};
    answer[to + 1] = std::byte{0x55};
    copy(asked_at, address_bytes, to + 2);
  };
  copy(sender_at, hardware_bytes, 0);
  machine(hardware_bytes);
  copy(type_at, operation_at - type_at, type_at);
  answer[operation_at + 1] = std::byte{2};
  machine(sender_at);
  copy(asked_at, address_bytes, sender_address_at);
  copy(sender_at, hardware_bytes + address_bytes, sender_address_at + address_bytes);
  return answer;
}

}  // namespace headrace::process
