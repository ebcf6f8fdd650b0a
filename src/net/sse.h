// Server-sent events (HTML Living Standard, section 9.2): writing them to an exchange, reading them from bytes.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "net/server.h"

namespace headrace::net {

struct ServerSentEvent {
  std::string id;    // what the client sends as Last-Event-ID when it comes again; empty: none
  std::string name;  // empty: "message"
  std::string data;  // any text; lines are kept
  bool operator==(const ServerSentEvent&) const = default;
};

// As bytes for the wire. Line breaks and NUL within id and name are left out: they would break the frame.
std::string encode(const ServerSentEvent& event);

// Writes a stream to one client. As with any answer in parts, a client that reads nothing for Limits::write_stall is
// cut, and the caller's queue is its own to bound.
class SseWriter {
 public:
  explicit SseWriter(Exchange& exchange) : exchange_(exchange) {}  // outlives this

  // 200, text/event-stream, no caching, and a first comment.
  core::Task<core::Result<>> open(Headers extra = Headers());
  core::Task<core::Result<>> send(ServerSentEvent event);
  core::Task<core::Result<>> send_encoded(std::string_view bytes);  // of encode(): made once for many clients
  core::Task<core::Result<>> heartbeat();                           // a comment; finds clients that have gone
  core::Task<core::Result<>> retry_after(std::chrono::milliseconds wait);
  core::Task<core::Result<>> close();

 private:
  Exchange& exchange_;
};

// Bytes in, events out; keeps what is incomplete. Bounded: an event beyond `event_bytes_max` fails with exhausted.
class SseParser {
 public:
  explicit SseParser(size_t event_bytes_max = 4 * 1024 * 1024) : event_bytes_max_(event_bytes_max) {}
  core::Result<std::vector<ServerSentEvent>> feed(std::string_view bytes);
  const std::string& last_event_id() const { return last_id_; }
  std::optional<std::chrono::milliseconds> retry() const { return retry_; }  // as the server asked

 private:
  void line(std::string_view text, std::vector<ServerSentEvent>& into);
  void field(std::string_view name, std::string_view value);

  size_t event_bytes_max_;
  std::string rest_;
  std::string name_;
  std::string data_;
  bool has_data_ = false;
  bool first_ = true;            // a byte order mark may still come
  bool skip_line_feed_ = false;  // the last line ended in CR
  std::string last_id_;
  std::optional<std::chrono::milliseconds> retry_;
};

}  // namespace headrace::net
