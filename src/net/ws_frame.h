// Frames of RFC 6455, section 5, and messages made of them. Bytes in, messages out. Internal to net.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/buffer.h"
#include "net/websocket.h"

namespace headrace::net {

enum class Role { server, client };

enum class Opcode : uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

using MaskKey = std::array<unsigned char, 4>;

struct FrameHead {
  bool final = true;
  Opcode opcode = Opcode::text;
  std::optional<MaskKey> mask;
  uint64_t length = 0;
  size_t size = 0;  // of the head itself
};

// The peer broke the protocol: the code for our close, and why.
struct FrameProblem {
  CloseCode code;
  std::string reason;
};

// What `reader` may receive: clients mask, servers do not (section 5.1). Nothing while more bytes are wanted.
std::expected<std::optional<FrameHead>, FrameProblem> parse_frame_head(std::string_view bytes, Role reader);

// XOR with the key, from its byte `offset` on (section 5.3).
void apply_mask(std::span<char> bytes, const MaskKey& key, uint64_t offset);

// One whole frame at the end of `into`; masked where there is a key.
void append_frame(Buffer& into, Opcode opcode, std::string_view payload, const std::optional<MaskKey>& mask);

// The payload of a close: nothing for no_code. The reason is cut to 123 bytes of whole characters.
std::string close_payload(CloseCode code, std::string_view reason);
struct CloseNotice {
  CloseCode code = CloseCode::no_code;
  std::string reason;
};
std::expected<CloseNotice, FrameProblem> parse_close(std::string_view payload);

class MessageReader {
 public:
  // A whole message, or a control frame, which may come between the fragments of a message.
  struct Item {
    Opcode kind;  // text, binary, close, ping, pong
    std::string data;
  };

  MessageReader(Role reader, size_t message_bytes_max) : role_(reader), message_bytes_max_(message_bytes_max) {}

  // Takes from `in` as far as it goes; nothing while more bytes are wanted. After a problem it is not called again.
  std::expected<std::optional<Item>, FrameProblem> next(Buffer& in);
  // Bytes of the data frame under way that have not come yet, as its head says.
  uint64_t missing() const { return frame_ ? frame_->length - taken_ : 0; }

 private:
  std::optional<FrameProblem> begin(const FrameHead& head);
  std::optional<Item> control(const FrameHead& head, Buffer& in);
  void take_payload(Buffer& in);
  std::expected<std::optional<Item>, FrameProblem> finish_frame();

  Role role_;
  size_t message_bytes_max_;
  std::optional<FrameHead> frame_;  // a data frame whose payload is arriving
  uint64_t taken_ = 0;              // of its payload
  bool in_message_ = false;         // fragments have come, not yet the last
  Opcode kind_ = Opcode::text;
  std::string message_;
};

}  // namespace headrace::net
