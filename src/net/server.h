// Server answers HTTP/1.1 (and 1.0) on TCP, TLS and Unix sockets; a handler is called for each request.
//
//   core::Task<> hello(net::Exchange& exchange) {
//     auto sent = co_await exchange.respond(net::make_response(net::Status::ok, "hello\n"));
//   }
//   net::Server server(loop.executor(), clock, hello, {});
//   auto address = server.listen("127.0.0.1:0");          // "127.0.0.1:43121"
//   ...
//   co_await server.shutdown(5s);
//
// What can be read two ways is refused before a handler sees it (RFC 9112, sections 2.2, 3, 5.1, 5.2, 6.1, 6.3, 11.2):
// Content-Length with Transfer-Encoding, repeated Content-Length, codings other than chunked, folded lines, bare CR or
// LF, space before the colon, a missing or repeated Host. Requests of one connection are answered one after the other,
// in order.
//
// All of it belongs to the thread of the loop. No exchange, stream or socket of it outlives the Server.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "net/http.h"
#include "net/websocket.h"

namespace headrace::net {

class Connection;  // net/connection.h, internal

// One request and its answer. Valid until the handler returns. One task at a time reads, one at a time writes.
//
// Errors of reading: invalid (the framing of the body is broken), exhausted (more than `max`; nothing came for
// Limits::body_idle), unavailable (the client has gone). Errors of writing: exhausted (the client took nothing for
// Limits::write_stall), unavailable (it has gone). After an error the connection is closed when the handler returns; a
// handler may simply return.
class Exchange {
 public:
  explicit Exchange(Connection& connection) : connection_(connection) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const Request& request() const;
  const std::string& id() const;  // names this request in diagnostics and in the answer 500 (X-Request-Id)

  // The next part of the body; 0 at its end. "100 Continue" is sent by the first call where the client waits for it.
  core::Task<core::Result<size_t>> read(std::span<std::byte> into);
  // All of it, at most `max` bytes; exhausted beyond, and the natural answer is 413 (content_too_large).
  core::Task<core::Result<std::string>> body(size_t max);
  std::optional<uint64_t> body_length() const;  // as declared; nothing where it is chunked. 0 where there is none.

  // A whole answer, once. Content-Length, Date and Connection are added; HEAD, 204 and 304 send no body.
  core::Task<core::Result<>> respond(Response response);
  // What is done to a whole answer before it goes; to one in parts nothing is.
  using Shaping = std::function<core::Task<>(Response&)>;
  void shape_answer(Shaping shaping) { shaping_ = std::move(shaping); }

  // An answer in parts: start, write..., finish. With a `length` exactly so many bytes must be written, else it is sent
  // in chunks (to an HTTP/1.0 client until the connection closes). Without finish() the client sees a broken answer.
  // write() returns when the kernel has taken all of it, so nothing piles up for a client that reads slowly.
  core::Task<core::Result<>> start(Status status, Headers headers, std::optional<uint64_t> length = std::nullopt);
  core::Task<core::Result<>> write(std::string_view part);
  core::Task<core::Result<>> finish();
  bool started() const;   // the head of an answer is on its way
  bool finished() const;  // and all of it

  // True once the client has closed its end or the server is shutting down: time to finish a stream. Noticed by
  // itself once the request's body has been read and the answer is started in parts, or while somebody waits here.
  bool ending() const;
  core::Task<> until_ending();
  bool shutting_down() const;

  // Answers 101 and hands over the connection as a WebSocket; `invalid` where it was not asked for properly (answered
  // with 400 or 426 already). Origin is the caller's to check. It must be gone before the Server.
  core::Task<core::Result<std::unique_ptr<WebSocket>>> upgrade(WebSocketOptions options);

 private:
  core::Task<core::Result<>> respond_shaped(Response response);
  Connection& connection_;
  Shaping shaping_;
};

// Called once for each request, as a task of its own. If it throws, or returns without an answer to a client that is
// still there, the answer is 500 with the exchange's id, diagnosed, and the connection is closed.
using Handler = std::function<core::Task<>(Exchange&)>;

struct Limits {
  size_t connections_max = 16'384;      // beyond: 503 and closed, counted as refused
  size_t header_bytes_max = 32 * 1024;  // request line and fields; beyond: 431
  size_t header_fields_max = 100;       // beyond: 431
  size_t request_line_max = 8 * 1024;   // beyond: 414
  // From a head's first byte to its last; for the first head from accept, TLS handshake included. Then 408.
  std::chrono::milliseconds header_read{10'000};
  std::chrono::milliseconds keep_alive{60'000};   // an idle connection between requests; then closed
  std::chrono::milliseconds body_idle{30'000};    // without a byte of a body somebody reads; then closed
  std::chrono::milliseconds write_stall{30'000};  // without a byte taken by the client; then closed
  size_t unread_body_max = 64 * 1024;  // what a handler left of a body is skipped, beyond: the connection is closed
  std::chrono::milliseconds linger{2'000};  // for the client to read a last answer before the connection is closed
  std::chrono::milliseconds tick{250};      // how coarse all of these are
};

// In PEM: the chain with the server's own certificate first, and its key. TLS 1.2 and 1.3.
struct TlsCertificate {
  std::string chain;
  std::string key;
};

// What TLS is by, "OpenSSL 3.0.17 1 Jul 2025".
std::string_view tls_library();

struct ServerCounters {
  uint64_t connections_open = 0;
  uint64_t connections_accepted = 0;
  uint64_t connections_refused = 0;   // beyond connections_max, or no descriptor was left
  uint64_t requests = 0;              // that reached the handler
  uint64_t requests_refused = 0;      // answered 4xx or 5xx before that
  std::array<uint64_t, 6> answers{};  // by first digit of the status: answers[2] is 2xx
  uint64_t bytes_received = 0;        // of HTTP, without what TLS adds
  uint64_t bytes_sent = 0;
  uint64_t timeouts = 0;  // connections closed by any of the limits on time
  uint64_t websockets_open = 0;
};

class Server {
 public:
  Server(core::Executor executor, core::Clock& clock, Handler handler, Limits limits = {});  // the clock outlives this
  ~Server();  // call shutdown() before, unless the loop does not run any more
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // "127.0.0.1:8080", "[::1]:0", "unix:/path". Returns the same with the real port. May be called several times.
  // Errors: invalid (no such address; a bad certificate), conflict (somebody listens there; says what to do), denied
  // (port below 1024). A Unix socket is made 0600; one that is left over from a dead process is replaced.
  core::Result<std::string> listen(const std::string& address, const std::optional<TlsCertificate>& tls = {});

  // The same with a TCP socket that listens already, such as one of another network name space; taken over, closed when
  // it fails.
  core::Result<> take_over(int descriptor);

  // Stops listening, closes idle connections, lets exchanges finish until `deadline` has passed (their until_ending()
  // wakes; WebSockets are closed with 1001), then cuts what is left. Returns when no connection is left. Twice is safe.
  core::Task<> shutdown(std::chrono::milliseconds deadline);

  const ServerCounters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::net
