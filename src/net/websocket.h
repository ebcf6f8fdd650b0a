// WebSocket (RFC 6455), either end: text and binary messages, fragments put together, no extensions.
//
// Somebody must be in receive() for pings of the peer to be answered and its close to be noticed. One task at a time
// receives; any number send. Our own pings find a dead peer: without any byte for ping_after a ping is sent, without
// any for another dead_after the connection is cut and receive() says unavailable.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/task.h"

namespace headrace::net {

// RFC 6455, section 7.4.1.
enum class CloseCode : uint16_t {
  normal = 1000,
  going_away = 1001,  // the server shuts down
  protocol_error = 1002,
  unsupported = 1003,
  no_code = 1005,   // the peer gave none; never sent
  abnormal = 1006,  // the connection ended without a close; never sent
  bad_data = 1007,  // text that is no UTF-8
  policy = 1008,
  too_big = 1009,
  internal_error = 1011,
  try_again = 1013,
};

struct WebSocketOptions {
  std::vector<std::string> subprotocols;   // client: offered; server: spoken, the first that the client offers is taken
  size_t message_bytes_max = 1024 * 1024;  // received, all fragments together; beyond: closed with too_big
  size_t queue_bytes_max = 1024 * 1024;    // waiting to be sent; send() waits beyond
  std::chrono::milliseconds ping_after{30'000};
  std::chrono::milliseconds dead_after{20'000};
  std::chrono::milliseconds write_stall{30'000};  // queued bytes, and the peer takes none; then cut
  std::chrono::milliseconds close_wait{5'000};    // for the peer's close; then cut
};

struct Message {
  enum class Kind { text, binary };
  Kind kind = Kind::text;
  std::string data;
  bool operator==(const Message&) const = default;
};

class WebSocket {
 public:
  struct Impl;  // internal
  explicit WebSocket(std::shared_ptr<Impl> impl);
  ~WebSocket();  // cuts the connection if it is open; close() before, to be polite
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // The next message; nothing once the connection has been closed in good order by either end (see close_code). Errors:
  // invalid (the peer broke the protocol and has been told by a close code), exhausted (it sent too much, likewise),
  // unavailable (the connection is lost, or the peer is dead).
  core::Task<core::Result<std::optional<Message>>> receive();

  // Returns when the message is in the queue; waits while the queue is full. A message is taken whatever its size if
  // the queue is empty. Errors: unavailable (closed, lost, or closing). Text must be UTF-8 (require).
  core::Task<core::Result<>> send(Message message);
  // The same for who cannot wait: false, and nothing done, where send() would wait or fail.
  bool send_now(Message::Kind kind, std::string_view data);
  core::Task<core::Result<>> flush();  // until the kernel has taken everything queued
  // Asks whether the other end is there, and returns when it has answered; however long that takes, so the caller
  // bounds it. Unavailable: the connection has ended, or is ending. Somebody must be in receive().
  core::Task<core::Result<>> ping();
  size_t queued() const;  // bytes that the kernel has not taken yet

  // Sends a close (after what is queued), waits for the peer's within close_wait. Twice is safe. The reason is cut to
  // 123 bytes.
  core::Task<core::Result<>> close(CloseCode code = CloseCode::normal, std::string reason = {});

  bool open() const;             // neither end has closed, and nothing has failed
  CloseCode close_code() const;  // of the peer's close, or ours where we closed first; abnormal where there was none
  const std::string& close_reason() const;
  const std::string& subprotocol() const;  // agreed upon; may be empty

 private:
  std::shared_ptr<Impl> impl_;  // shared with a write that the kernel has not finished
};

}  // namespace headrace::net
