// Connection is one accepted connection: it reads a request, lets the handler answer it, and goes on to the next.
// Exchange is its face to handlers. Internal to net.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/body.h"
#include "net/buffer.h"
#include "net/head.h"
#include "net/server_state.h"
#include "net/stream.h"

namespace headrace::net {

enum class Answer { none, started, finished };

// One request and its answer.
struct Round {
  RequestHead head;
  BodyDecoder body;
  Answer answer = Answer::none;
  bool continue_sent = false;
  bool keep_alive = true;
  bool bodiless = false;  // HEAD, 204, 304: what is written is dropped
  bool chunked = false;
  std::optional<uint64_t> left;  // still to be written of a declared length
  bool watching = false;
  bool gone = false;    // the client has closed its end
  bool broken = false;  // a read or write failed
  std::string id;
  std::unique_ptr<core::Signal> ending;
};

class Connection : public std::enable_shared_from_this<Connection>, public Link {
 public:
  static constexpr size_t input_kept = 2 * 1024;          // of the buffer, while a connection is idle
  static constexpr size_t watched_input_max = 64 * 1024;  // taken in while a stream runs, to see the client go
  static constexpr int blank_lines_max = 4;               // before a request line (RFC 9112, section 2.2)

  Connection(ServerState& server, Stream stream, Peer peer);

  static core::Task<> serve(std::shared_ptr<Connection> self);
  void stop();  // the server shuts down: close if idle, else tell the exchange

  // Exchange's.
  const Request& request() const { return round_->head.request; }
  const std::string& id();
  core::Task<core::Result<size_t>> read(std::span<std::byte> into);
  core::Task<core::Result<std::string>> body(size_t max);
  std::optional<uint64_t> body_length() const;
  core::Task<core::Result<>> respond(Response response);
  core::Task<core::Result<>> start(Status status, Headers headers, std::optional<uint64_t> length);
  core::Task<core::Result<>> write(std::string_view part);
  core::Task<core::Result<>> finish();
  bool started() const { return round_->answer != Answer::none; }
  bool finished() const { return round_->answer == Answer::finished; }
  bool ending() const;
  bool shutting_down() const { return server_.stopping; }
  core::Task<> until_ending();
  core::Task<core::Result<std::unique_ptr<WebSocket>>> upgrade(WebSocketOptions options);

 private:
  core::Task<bool> serve_one();
  core::Task<bool> read_head();
  core::Task<bool> take_head(size_t length);
  bool skip_blank_lines();
  core::Task<bool> refuse(Refusal refusal);
  core::Task<> call_handler();
  core::Task<> answer_failure(std::string why);
  core::Task<> answer_silence();
  core::Task<bool> conclude();
  core::Task<bool> skip_body();
  core::Task<> linger();

  core::Task<core::Result<>> send_continue();
  core::Task<core::Result<size_t>> fill(std::span<std::byte> into);
  core::Task<core::Result<>> send(Parts parts);
  void put_head(Status status, const Headers& headers);
  void put_framing(Status status, const Headers& headers, std::optional<uint64_t> length);
  bool body_will_be_skipped() const;
  void watch();
  void look();
  void note_ending();
  std::optional<core::Error> upgrade_problem() const;
  core::Task<core::Result<>> refuse_upgrade(core::Error problem);

  ServerState& server_;
  Stream stream_;
  Peer peer_;
  Buffer in_;
  std::string out_;  // the head of an answer
  HeadScanner scanner_;
  std::optional<Round> round_;
  uint64_t rounds_ = 0;
  int blank_lines_ = 0;
  bool lost_ = false;      // nobody there to linger for
  bool upgraded_ = false;  // the stream has moved to a WebSocket
};

}  // namespace headrace::net
