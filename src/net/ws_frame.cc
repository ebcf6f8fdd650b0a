#include "net/ws_frame.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/bytes.h"

namespace headrace::net {

namespace {

constexpr uint64_t control_bytes_max = 125;  // section 5.5
constexpr size_t reason_bytes_max = control_bytes_max - 2;
constexpr uint64_t reserved_bytes_max = 256 * 1024;  // for what a frame says of itself and has not sent yet

std::unexpected<FrameProblem> broken(std::string reason) {
  return std::unexpected(FrameProblem{CloseCode::protocol_error, std::move(reason)});
}

uint64_t big_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

bool is_control(Opcode opcode) { return static_cast<uint8_t>(opcode) >= 8; }

bool is_known(uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

// Sections 7.4.1 and 7.4.2, and the registry of IANA: what may come over the wire.
bool may_be_sent(uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

std::optional<FrameProblem> problem_of(const FrameHead& head, Role reader) {
  if (is_control(head.opcode) && (!head.final || head.length > control_bytes_max))
    return FrameProblem{CloseCode::protocol_error, "a control frame is whole and short"};
  if (head.mask.has_value() != (reader == Role::server))
    return FrameProblem{CloseCode::protocol_error, "clients mask their frames, servers do not"};
  return std::nullopt;
}

}  // namespace

std::expected<std::optional<FrameHead>, FrameProblem> parse_frame_head(std::string_view bytes, Role reader) {
  if (bytes.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  if ((first & 0x70) != 0) return broken("no extension was agreed upon");
  if (!is_known(first & 15)) return broken("the opcode is not known");
  FrameHead head{.final = (first & 0x80) != 0, .opcode = static_cast<Opcode>(first & 15), .mask = {}};
  const size_t wide = (second & 127) == 127 ? 8 : (second & 127) == 126 ? 2 : 0;
  const bool masked = (second & 0x80) != 0;
  head.size = 2 + wide + (masked ? 4 : 0);
  if (bytes.size() < head.size) return std::nullopt;
  head.length = wide == 0 ? second & 127 : big_endian(bytes.substr(2, wide));
  if ((wide == 2 && head.length < 126) || (wide == 8 && (head.length < 65'536 || head.length >> 63 != 0)))
    return broken("the length of a frame is written in its shortest form");
  if (masked) std::memcpy(head.mask.emplace().data(), bytes.data() + 2 + wide, 4);
  if (auto problem = problem_of(head, reader)) return std::unexpected(std::move(*problem));
  return head;
}

void apply_mask(std::span<char> bytes, const MaskKey& key, uint64_t offset) {
  std::array<unsigned char, 8> turned;
  for (size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % 4];
  uint64_t wide;
  std::memcpy(&wide, turned.data(), sizeof wide);
  size_t i = 0;
  for (; i + sizeof wide <= bytes.size(); i += sizeof wide) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    word ^= wide;
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  for (; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ turned[i % 8]);
}

void append_frame(Buffer& into, Opcode opcode, std::string_view payload, const std::optional<MaskKey>& mask) {
  std::array<unsigned char, 14> head{static_cast<unsigned char>(0x80 | static_cast<uint8_t>(opcode))};
  const uint64_t length = payload.size();
  const size_t wide = length > 0xffff ? 8 : length > 125 ? 2 : 0;
  const unsigned char mask_bit = mask ? 0x80 : 0;
  head[1] = static_cast<unsigned char>(mask_bit | (wide == 8 ? 127 : wide == 2 ? 126 : length));
  for (size_t i = 0; i < wide; ++i) head[2 + i] = static_cast<unsigned char>(length >> (8 * (wide - 1 - i)));
  size_t size = 2 + wide;
  if (mask) std::ranges::copy(*mask, head.begin() + static_cast<ptrdiff_t>(size)), size += mask->size();
  auto room = into.prepare(size + payload.size());
  std::memcpy(room.data(), head.data(), size);
  if (!payload.empty()) std::memcpy(room.data() + size, payload.data(), payload.size());
  if (mask) apply_mask({reinterpret_cast<char*>(room.data()) + size, payload.size()}, *mask, 0);
  into.commit(size + payload.size());
}

std::string close_payload(CloseCode code, std::string_view reason) {
  if (code == CloseCode::no_code) return {};
  size_t length = std::min(reason.size(), reason_bytes_max);
  while (length > 0 && !core::is_utf8(reason.substr(0, length))) --length;
  const auto number = static_cast<uint16_t>(code);
  std::string payload{static_cast<char>(number >> 8), static_cast<char>(number & 255)};
  return payload.append(reason.substr(0, length));
}

std::expected<CloseNotice, FrameProblem> parse_close(std::string_view payload) {
  if (payload.empty()) return CloseNotice{};
  if (payload.size() == 1) return broken("a close code has two bytes");
  const auto code = static_cast<uint16_t>(big_endian(payload.substr(0, 2)));
  if (!may_be_sent(code)) return broken("the close code may not be sent");
  if (!core::is_utf8(payload.substr(2)))
    return std::unexpected(FrameProblem{CloseCode::bad_data, "the reason is no UTF-8"});
  return CloseNotice{static_cast<CloseCode>(code), std::string(payload.substr(2))};
}

std::expected<std::optional<MessageReader::Item>, FrameProblem> MessageReader::next(Buffer& in) {
  while (true) {
    if (frame_) {
      take_payload(in);
      if (taken_ < frame_->length) return std::nullopt;
      auto item = finish_frame();
      if (!item || item->has_value()) return item;
    }
    auto head = parse_frame_head(in.view(), role_);
    if (!head) return std::unexpected(std::move(head.error()));
    if (!head->has_value()) return std::nullopt;
    if (is_control((*head)->opcode)) return control(**head, in);
    if (auto problem = begin(**head)) return std::unexpected(std::move(*problem));
    in.consume((*head)->size);
  }
}

std::optional<MessageReader::Item> MessageReader::control(const FrameHead& head, Buffer& in) {
  if (in.size() < head.size + head.length) return std::nullopt;
  Item item{head.opcode, std::string(in.view().substr(head.size, static_cast<size_t>(head.length)))};
  if (head.mask) apply_mask(item.data, *head.mask, 0);
  in.consume(head.size + item.data.size());
  return item;
}

std::optional<FrameProblem> MessageReader::begin(const FrameHead& head) {
  if ((head.opcode == Opcode::continuation) != in_message_)
    return FrameProblem{CloseCode::protocol_error, "fragments of a message follow each other"};
  if (head.length > message_bytes_max_ - message_.size())
    return FrameProblem{CloseCode::too_big, "a message has at most " + std::to_string(message_bytes_max_) + " bytes"};
  if (!in_message_) kind_ = head.opcode;
  in_message_ = true;
  frame_ = head;
  taken_ = 0;
  message_.reserve(message_.size() + static_cast<size_t>(std::min(head.length, reserved_bytes_max)));
  return std::nullopt;
}

void MessageReader::take_payload(Buffer& in) {
  const size_t take = static_cast<size_t>(std::min<uint64_t>(in.size(), frame_->length - taken_));
  const size_t start = message_.size();
  message_.append(in.view().substr(0, take));
  if (frame_->mask) apply_mask(std::span(message_).subspan(start), *frame_->mask, taken_);
  in.consume(take);
  taken_ += take;
}

std::expected<std::optional<MessageReader::Item>, FrameProblem> MessageReader::finish_frame() {
  const bool final = frame_->final;
  frame_.reset();
  if (!final) return std::nullopt;
  in_message_ = false;
  if (kind_ == Opcode::text && !core::is_utf8(message_))
    return std::unexpected(FrameProblem{CloseCode::bad_data, "text is UTF-8"});
  return Item{kind_, std::exchange(message_, {})};
}

}  // namespace headrace::net
