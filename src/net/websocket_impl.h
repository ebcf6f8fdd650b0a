// What a WebSocket is made of. Internal to net.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/random.h"
#include "net/buffer.h"
#include "net/stream.h"
#include "net/timers.h"
#include "net/websocket.h"
#include "net/ws_frame.h"

namespace headrace::net {

struct WebSocket::Impl : std::enable_shared_from_this<WebSocket::Impl>, Link {
  static constexpr size_t input_part = 4 * 1024;
  static constexpr size_t input_burst = 64 * 1024;  // where much comes
  static constexpr size_t frame_part = 128 * 1024;  // of a large frame, while more of it is to come
  static constexpr size_t buffer_kept = 512;        // while it is idle

  Impl(core::Executor loop, Stream connection, Buffer arrived, Timers& wheel, Role as, WebSocketOptions wishes,
       std::string agreed);

  core::Task<core::Result<std::optional<Message>>> receive();
  core::Task<core::Result<>> send(Opcode opcode, std::string data);
  bool send_now(Opcode opcode, std::string_view data);
  bool has_room(size_t bytes) const { return out.empty() || out.size() + bytes <= options.queue_bytes_max; }
  core::Task<core::Result<>> flush();
  static core::Task<core::Result<>> ping(std::shared_ptr<Impl> self);  // which may end before its owner's question does
  core::Task<core::Result<>> close(CloseCode code, std::string reason);
  void begin_close(CloseCode code, const std::string& reason);  // does not wait
  void cut();
  bool open() const { return !close_sent && !ended; }

  // What a deadline does when it is due.
  struct Alarm final : Deadline {
    Alarm(Impl& of, void (Impl::*then)()) : socket(of), call(then) {}
    void due() override { (socket.*call)(); }
    Impl& socket;
    void (Impl::*call)();
  };

  core::Task<core::Result<std::optional<Message>>> receive_one();
  std::optional<core::Result<std::optional<Message>>> take(MessageReader::Item item);
  core::Task<core::Result<std::optional<Message>>> tell_problem(FrameProblem problem);
  core::Task<core::Result<std::optional<Message>>> answer_close(std::string payload);
  core::Task<> drop_the_rest();
  core::Task<> drain();
  void take_in(size_t got, size_t room);
  void heard();
  void queue(Opcode opcode, std::string_view payload);
  void pump();
  void pump_now();  // what is posted
  void end(core::Error why);
  void silent();      // nothing came for a while
  void stalled();     // the peer takes nothing
  void unanswered();  // our close

  Stream stream;
  Buffer in;
  Buffer out;
  Timers& timers;
  Role role;
  WebSocketOptions options;
  std::string subprotocol;
  MessageReader reader;
  core::SystemRandom random;  // masks must be unpredictable (RFC 6455, section 5.3)
  core::Executor executor;
  core::Signal changed;  // something was sent, or it ended
  Alarm silence{*this, &Impl::silent};
  Alarm stall{*this, &Impl::stalled};
  Alarm closing{*this, &Impl::unanswered};
  bool pinged = false;
  uint64_t asked = 0;     // number of the last ping of ping()
  uint64_t answered = 0;  // of those, the highest that came back; 5.5.3 lets a peer answer only the latest
  bool receiving = false;
  bool pumping = false;      // waits until the socket takes more
  bool pump_posted = false;  // for the end of this turn of the loop
  bool close_sent = false;
  bool ended = false;
  std::optional<core::Error> failure;
  CloseCode close_code = CloseCode::abnormal;
  std::string close_reason;
};

// RFC 6455, section 4.2.2: what proves that a server understood.
std::string accept_of(std::string_view key);
bool is_key(std::string_view key);

}  // namespace headrace::net
