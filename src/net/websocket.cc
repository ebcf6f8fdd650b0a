#include "net/websocket.h"

#include <openssl/sha.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <utility>

#include "core/bytes.h"
#include "net/websocket_impl.h"

namespace headrace::net {

namespace {

std::unexpected<core::Error> closed() { return core::fail(core::Code::unavailable, "The WebSocket is closed."); }

}  // namespace

std::string accept_of(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return core::to_base64(std::as_bytes(std::span(digest)));
}

bool is_key(std::string_view key) {
  auto bytes = core::from_base64(key);
  return key.size() == 24 && bytes && bytes->size() == 16;
}

WebSocket::Impl::Impl(core::Executor loop, Stream connection, Buffer arrived, Timers& wheel, Role as,
                      WebSocketOptions wishes, std::string agreed)
    : stream(std::move(connection)),
      in(std::move(arrived)),
      timers(wheel),
      role(as),
      options(std::move(wishes)),
      subprotocol(std::move(agreed)),
      reader(as, options.message_bytes_max),
      executor(loop),
      changed(std::move(loop)) {
  stream.read_whenever();
  timers.arm(silence, options.ping_after);
}

core::Task<core::Result<std::optional<Message>>> WebSocket::Impl::receive() {
  core::require(!receiving, "one task at a time receives from a WebSocket");
  struct Receiving {  // also when the task is cancelled
    bool& flag;
    explicit Receiving(bool& on) : flag(on) { flag = true; }
    ~Receiving() { flag = false; }
  } now(receiving);
  co_return co_await receive_one();
}

core::Task<core::Result<std::optional<Message>>> WebSocket::Impl::receive_one() {
  while (!ended) {
    auto item = reader.next(in);
    if (!item) co_return co_await tell_problem(std::move(item.error()));
    if (item->has_value()) {
      if ((*item)->kind == Opcode::close) co_return co_await answer_close(std::move((*item)->data));
      if (auto result = take(std::move(**item))) co_return std::move(*result);
      continue;
    }
    in.release(buffer_kept);
    const auto missing = static_cast<size_t>(std::min<uint64_t>(reader.missing(), frame_part));
    const auto room = in.prepare(std::max(missing, in.empty() ? buffer_kept : input_part));
    auto got = co_await stream.read(room);
    if (!got)
      end(std::move(got.error()));
    else if (*got == 0)
      end({core::Code::unavailable, "The other end of the WebSocket went without a goodbye.", {}});
    else
      take_in(*got, room.size());
  }
  if (failure) co_return std::unexpected(*failure);
  co_return std::nullopt;
}

// One who waits has little room; where that was filled there is more, and it is fetched in one go.
void WebSocket::Impl::take_in(size_t got, size_t room) {
  in.commit(got);
  heard();
  if (got < room) return;
  Step more = stream.try_read(in.prepare(input_burst));
  if (more.kind == Step::Kind::moved) in.commit(more.bytes);
}

void WebSocket::Impl::heard() {
  pinged = false;
  timers.arm(silence, options.ping_after);
}

// A message for the caller; pings and pongs are dealt with here.
std::optional<core::Result<std::optional<Message>>> WebSocket::Impl::take(MessageReader::Item item) {
  if (item.kind == Opcode::ping) {
    // Section 5.5.3 lets us answer only the latest: a peer that pings and reads nothing does not fill our queue.
    if (open() && out.size() < options.queue_bytes_max) queue(Opcode::pong, item.data);
    return std::nullopt;
  }
  if (item.kind == Opcode::pong) {
    uint64_t number = 0;
    std::from_chars(item.data.data(), item.data.data() + item.data.size(), number);
    answered = std::max(answered, std::min(number, asked));
    changed.notify_all();
    return std::nullopt;
  }
  if (close_sent) return std::nullopt;
  return Message{item.kind == Opcode::text ? Message::Kind::text : Message::Kind::binary, std::move(item.data)};
}

core::Task<core::Result<std::optional<Message>>> WebSocket::Impl::tell_problem(FrameProblem problem) {
  const core::Code code = problem.code == CloseCode::too_big ? core::Code::exhausted : core::Code::invalid;
  core::Error error{code, "The other end of the WebSocket broke the protocol: " + problem.reason + ".", {}};
  begin_close(problem.code, problem.reason);
  failure = error;
  co_await drop_the_rest();
  end(error);
  co_return std::unexpected(std::move(error));
}

core::Task<core::Result<std::optional<Message>>> WebSocket::Impl::answer_close(std::string payload) {
  auto notice = parse_close(payload);
  if (!notice) co_return co_await tell_problem(std::move(notice.error()));
  if (!close_sent) {
    begin_close(notice->code, {});
    close_code = notice->code;
    close_reason = std::move(notice->reason);
  }
  co_await drain();
  stream.finish_writing();
  ended = true;
  if (role == Role::client) co_await drop_the_rest();  // section 7.1.1: the server closes first
  cut();
  co_return std::nullopt;
}

// So that our last frame is not lost to a reset; within close_wait, that is until `closing` is due.
core::Task<> WebSocket::Impl::drop_the_rest() {
  co_await drain();
  if (role == Role::server) stream.finish_writing();
  in = Buffer();
  while (true) {
    auto got = co_await stream.read(in.prepare(input_part));
    if (!got || *got == 0) co_return;
  }
}

core::Task<> WebSocket::Impl::drain() {
  while (!out.empty() && !stream.is_cut()) co_await changed.wait();
}

core::Task<core::Result<>> WebSocket::Impl::send(Opcode opcode, std::string data) {
  core::require(opcode != Opcode::text || core::is_utf8(data), "a text message is UTF-8");
  while (open() && !has_room(data.size())) co_await changed.wait();
  if (failure) co_return std::unexpected(*failure);
  if (!open()) co_return closed();
  queue(opcode, data);
  co_return core::Result<>();
}

bool WebSocket::Impl::send_now(Opcode opcode, std::string_view data) {
  core::require(opcode != Opcode::text || core::is_utf8(data), "a text message is UTF-8");
  if (failure || !open() || !has_room(data.size())) return false;
  queue(opcode, data);
  return true;
}

core::Task<core::Result<>> WebSocket::Impl::flush() {
  co_await drain();
  if (failure) co_return std::unexpected(*failure);
  if (!out.empty()) co_return closed();
  co_return core::Result<>();
}

core::Task<core::Result<>> WebSocket::Impl::ping(std::shared_ptr<Impl> self) {
  const uint64_t mine = ++self->asked;
  if (self->open()) self->queue(Opcode::ping, std::to_string(mine));
  while (self->open() && self->answered < mine) co_await self->changed.wait();
  if (self->failure) co_return std::unexpected(*self->failure);
  if (!self->open()) co_return closed();
  co_return core::Result<>();
}

core::Task<core::Result<>> WebSocket::Impl::close(CloseCode code, std::string reason) {
  begin_close(code, reason);
  while (!ended && receiving) co_await changed.wait();
  while (!ended) {
    auto got = co_await receive();
    if (!got) break;
  }
  if (failure) co_return std::unexpected(*failure);
  co_return core::Result<>();
}

void WebSocket::Impl::begin_close(CloseCode code, const std::string& reason) {
  if (close_sent || ended) return;
  close_code = code;
  close_reason = reason;
  timers.arm(closing, options.close_wait);
  close_sent = true;
  queue(Opcode::close, close_payload(code, reason));
  changed.notify_all();
}

void WebSocket::Impl::queue(Opcode opcode, std::string_view payload) {
  std::optional<MaskKey> mask;
  if (role == Role::client) random.fill(std::as_writable_bytes(std::span(mask.emplace())));
  append_frame(out, opcode, payload, mask);
  if (pumping || std::exchange(pump_posted, true)) return;
  // Whatever else is said in this turn of the loop goes with it in one write.
  boost::asio::post(executor, [here = weak_from_this()] {
    if (auto self = here.lock()) self->pump_now();
  });
}

void WebSocket::Impl::pump_now() {
  if (std::exchange(pump_posted, false) && !pumping) pump();
}

void WebSocket::Impl::pump() {
  while (!out.empty()) {
    Step step = stream.try_write({.head = out.view()});
    if (step.kind == Step::Kind::moved) {
      out.consume(step.bytes);
      timers.disarm(stall);
      continue;
    }
    if (step.kind == Step::Kind::failed || step.kind == Step::Kind::ended)
      return end({core::Code::unavailable, "The other end of the WebSocket has gone.", step.reason});
    if (!std::exchange(pumping, true)) timers.arm(stall, options.write_stall);
    auto again = [here = weak_from_this()] {
      auto self = here.lock();
      if (!self) return;
      self->pumping = false;
      self->pump();
    };
    step.kind == Step::Kind::wants_read ? stream.when_readable(std::move(again))
                                        : stream.when_writable(std::move(again));
    break;
  }
  out.release(buffer_kept);
  changed.notify_all();
}

void WebSocket::Impl::end(core::Error why) {
  if (!ended && !failure) {
    failure = std::move(why);
    close_code = close_sent ? close_code : CloseCode::abnormal;
  }
  cut();
}

void WebSocket::Impl::cut() {
  if (!ended) pump_now();  // what was said before goes out as far as the socket takes it
  ended = true;
  for (Alarm* alarm : {&silence, &stall, &closing}) timers.disarm(*alarm);
  stream.cut();
  changed.notify_all();
}

void WebSocket::Impl::silent() {
  // Bytes that nobody has fetched yet are a sign of life.
  char byte;
  if (!receiving && ::recv(stream.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1) return heard();
  if (pinged) return end({core::Code::unavailable, "The other end of the WebSocket does not answer.", {}});
  pinged = true;
  timers.arm(silence, options.dead_after);
  if (open()) queue(Opcode::ping, {});
}

void WebSocket::Impl::stalled() { end({core::Code::unavailable, "The other end of the WebSocket takes nothing.", {}}); }

void WebSocket::Impl::unanswered() {
  end({core::Code::unavailable, "The other end of the WebSocket did not answer our close.", {}});
}

WebSocket::WebSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocket::~WebSocket() { impl_->cut(); }

core::Task<core::Result<std::optional<Message>>> WebSocket::receive() { return impl_->receive(); }
core::Task<core::Result<>> WebSocket::send(Message message) {
  return impl_->send(message.kind == Message::Kind::text ? Opcode::text : Opcode::binary, std::move(message.data));
}
bool WebSocket::send_now(Message::Kind kind, std::string_view data) {
  return impl_->send_now(kind == Message::Kind::text ? Opcode::text : Opcode::binary, data);
}
core::Task<core::Result<>> WebSocket::flush() { return impl_->flush(); }
core::Task<core::Result<>> WebSocket::ping() { return Impl::ping(impl_); }
size_t WebSocket::queued() const { return impl_->out.size(); }
core::Task<core::Result<>> WebSocket::close(CloseCode code, std::string reason) {
  return impl_->close(code, std::move(reason));
}
bool WebSocket::open() const { return impl_->open(); }
CloseCode WebSocket::close_code() const { return impl_->close_code; }
const std::string& WebSocket::close_reason() const { return impl_->close_reason; }
const std::string& WebSocket::subprotocol() const { return impl_->subprotocol; }

}  // namespace headrace::net
