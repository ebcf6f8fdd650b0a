// Client asks HTTP/1.1 servers: http, https and Unix sockets, connections kept for reuse, bodies streamed both ways,
// server-sent events and WebSockets. Redirects are the caller's to follow.
//
// Errors: invalid (a bad URL or an answer that is no HTTP), unavailable (no connection, lost, no trust in the server's
// certificate, no answer in time; the message names the server), exhausted (an answer larger than asked for).
// Belongs to the thread of its loop. Calls, readers and WebSockets must be gone before the Client.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "net/http.h"
#include "net/sse.h"
#include "net/websocket.h"

namespace headrace::net {

struct ClientOptions {
  std::string unix_socket;                    // if set, every connection goes to this path, whatever host the URL names
  std::string trusted_pem;                    // certificates trusted instead of the system's; empty: the system's
  size_t idle_connections_max = 8;            // kept for reuse, in all
  std::chrono::milliseconds connect{10'000};  // name, connection and TLS handshake together
  std::chrono::milliseconds answer{60'000};   // from the end of the request to the head of the answer
  std::chrono::milliseconds body_idle{
      60'000};  // without a byte of the answer's body; 0: none (server-sent events: none)
  std::chrono::milliseconds write_stall{30'000};
  std::chrono::milliseconds keep_alive{30'000};  // an idle connection is not used again after this
  size_t header_bytes_max = 64 * 1024;           // of an answer
  std::chrono::milliseconds tick{100};           // how coarse these are
};

struct ClientRequest {
  std::string url;  // "https://example.org/api?x=1"; user and password become basic authentication
  std::string method = "GET";
  Headers headers;  // Host, Content-Length and the like are added
  std::string body;
};

// A request whose bodies are streamed. Destroyed before its answer is read to the end, its connection is closed.
class Call {
 public:
  struct Impl;  // internal
  explicit Call(std::unique_ptr<Impl> impl);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // The request's body, if Client::open was asked to stream it.
  core::Task<core::Result<>> write(std::string_view part);
  core::Task<core::Result<>> finish();

  // The head of the answer: its body is empty here. Interim answers (1xx) are passed over. May be awaited while another
  // task writes: a server may answer early.
  core::Task<core::Result<Response>> answer();
  core::Task<core::Result<size_t>> read(std::span<std::byte> into);  // 0 at the end
  core::Task<core::Result<std::string>> body(size_t max);            // what is left; exhausted beyond max

 private:
  std::unique_ptr<Impl> impl_;
};

// Events of a text/event-stream answer. After an error, ask again with Last-Event-ID: last_event_id().
class SseReader {
 public:
  SseReader(std::unique_ptr<Call> call, size_t event_bytes_max);
  core::Task<core::Result<std::optional<ServerSentEvent>>> next();  // nothing at the end of the stream
  const std::string& last_event_id() const { return parser_.last_event_id(); }

 private:
  std::unique_ptr<Call> call_;
  SseParser parser_;
  std::vector<ServerSentEvent> ready_;
  size_t given_ = 0;
};

class Client {
 public:
  struct Impl;  // internal
  // The clock outlives this.
  Client(core::Executor executor, core::Clock& clock, ClientOptions options = ClientOptions());
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One request, one answer of at most `body_max` bytes. Any status is an answer, not an error. A request that may be
  // repeated (GET, HEAD, PUT, DELETE, OPTIONS) is sent once more on a new connection when the kept one that it went out
  // on turns out closed before any byte came back.
  core::Task<core::Result<Response>> send(ClientRequest request, size_t body_max = 64 * 1024 * 1024);

  enum class RequestBody {
    whole,
    streamed
  };  // of ClientRequest::body, or by Call::write (in chunks, or with `length`)
  core::Task<core::Result<std::unique_ptr<Call>>> open(ClientRequest request, RequestBody how = RequestBody::whole,
                                                       std::optional<uint64_t> length = std::nullopt);

  // Asks for text/event-stream. Any answer but 200 with that type is an error (message: status and the start of the
  // body).
  core::Task<core::Result<std::unique_ptr<SseReader>>> subscribe(ClientRequest request,
                                                                 size_t event_bytes_max = 4 * 1024 * 1024);

  // http(s):// and ws(s):// alike. An answer other than 101 is an error: unauthenticated for 401, denied for 403,
  // not_found for 404, else unavailable.
  core::Task<core::Result<std::unique_ptr<WebSocket>>> websocket(ClientRequest request,
                                                                 WebSocketOptions options = WebSocketOptions());

 private:
  std::shared_ptr<Impl> impl_;  // shared with calls that give their connection back
};

}  // namespace headrace::net
