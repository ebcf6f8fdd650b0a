// Events as they happen: server-sent events out, a WebSocket in.
#include <deque>

#include "bus/publisher.h"
#include "core/bytes.h"
#include "core/json_text.h"
#include "events/cloudevents.h"
#include "net/sse.h"
#include "net/websocket.h"
#include "server/answers.h"
#include "server/event_json.h"
#include "server/events_api.h"
#include "server/publishing.h"
#include "server/streaming.h"
#include "server/subscription_json.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t feed_batch = 100;
constexpr std::chrono::seconds heartbeat_every{15};
constexpr size_t publish_window = 1'024;  // events of one WebSocket on their way to the disk

// A client that comes again goes on after the last event it has (HTML Living Standard, 9.2.4, Last-Event-ID).
Result<bus::Start> start_of(const Call& call) {
  std::string last(call.request().headers.get("Last-Event-ID"));
  if (last.empty()) return read_start(call.query("from"));
  auto start = read_start(last);
  if (start && start->from == bus::Start::From::offset) ++start->offset;
  return start;
}

Task<> pump(bus::Feed& feed, net::SseWriter& out) {
  while (true) {
    auto heard = co_await feed.next(feed_batch, heartbeat_every);
    if (!heard) co_return;  // the client comes again, and goes on after the last event it has
    core::Result<> sent;
    if (heard->empty()) sent = co_await out.heartbeat();
    std::string bytes;
    for (const auto& stored : *heard) {
      net::ServerSentEvent event{std::to_string(stored->offset), {}, event_text(*stored)};
      bytes += net::encode(event);
      if (bytes.size() < piece_bytes && stored != heard->back()) continue;
      sent = co_await out.send_encoded(bytes);
      if (!sent) co_return;
      bytes.clear();
      co_await let_others();
    }
    if (!sent) co_return;
  }
}

Task<Result<>> stream(Platform& platform, Call& call) {
  auto start = start_of(call);
  if (!start) co_return std::unexpected(start.error());
  auto feed = platform.bus.tail(call.query("filter"), *start);
  if (!feed) co_return std::unexpected(feed.error());
  net::SseWriter out(call.exchange);
  if (auto opened = co_await out.open(); !opened) co_return Result<>{};
  co_await stream_while_open(platform.loop, call.exchange, pump(**feed, out));
  co_return co_await out.close();
}

std::string refusal(const core::Error& error) {
  core::JsonText text;
  text.begin_object().key("error").begin_object().key("code").value(core::name_of(error.code));
  // A message may cite what the client sent, which need not be text.
  text.key("message").value(core::to_valid_utf8(error.message)).end_object().end_object();
  return text.take();
}

events::Read<std::vector<events::Event>> alone(events::Read<events::Event> event) {
  if (!event) return std::unexpected(std::move(event.error()));
  std::vector<events::Event> one;
  one.push_back(std::move(*event));
  return one;
}

// One WebSocket that publishes: each message is an event or a batch, answered when it is durable. Up to a window are at
// work at once, answers that the client has not taken included.
class PublishStream {
 public:
  PublishStream(Platform& platform, net::WebSocket& socket, Caller caller)
      : platform_(platform),
        socket_(socket),
        caller_(std::move(caller)),
        publisher_(platform.bus, platform.loop),
        room_(platform.loop.executor()),
        said_(platform.loop.executor()) {}

  Task<> receive_all();
  Task<> answer_late();  // what the socket had no room for

 private:
  struct Sent {
    Foreign events;
    bool batch = false;
  };

  void take(const std::string& message);
  Result<Sent> read(const std::string& message) const;
  void publish(std::vector<events::Event> events, std::shared_ptr<Sent> sent);
  void published(const bus::Published& published, const Sent& sent);
  void refuse(const core::Error& error);
  void answer(std::string text);
  void leave();

  Platform& platform_;
  net::WebSocket& socket_;
  Caller caller_;
  bus::Publisher publisher_;
  size_t at_work_ = 0;  // from receipt until the answer is handed to the socket
  core::Signal room_;
  std::deque<std::string> late_;
  core::Signal said_;
};

Task<> PublishStream::receive_all() {
  size_t taken = 0;
  while (true) {
    auto message = co_await socket_.receive();
    if (!message || !*message) break;
    while (at_work_ >= publish_window) co_await room_.wait();
    ++at_work_;
    take((*message)->data);
    taken += (*message)->data.size();
    if (taken < piece_bytes) continue;
    taken = 0;
    co_await let_others();
  }
  while (at_work_ > 0) co_await room_.wait();  // what was sent is published, though its answer may find nobody
}

void PublishStream::take(const std::string& message) {
  auto read = this->read(message);
  if (!read) return refuse(read.error());
  auto sent = std::make_shared<Sent>(std::move(*read));
  publish(sent->events.take(), sent);
}

Result<PublishStream::Sent> PublishStream::read(const std::string& message) const {
  auto first = message.find_first_not_of(" \t\r\n");
  bool batch = first != std::string::npos && message[first] == '[';
  auto events = batch ? events::read_batch(message) : alone(events::read_structured(message));
  if (!events) return std::unexpected(events::to_error(events.error()));
  auto admitted = Foreign::admit(std::move(*events), caller_, platform_.clock.now());
  if (!admitted) return std::unexpected(admitted.error());
  return Sent{std::move(*admitted), batch};
}

void PublishStream::publish(std::vector<events::Event> events, std::shared_ptr<Sent> sent) {
  publisher_.publish(std::move(events), {}, [this, sent](const Result<bus::Published>& done) {
    if (done) return published(*done, *sent);
    if (done.error().code != Code::conflict) return refuse(done.error());
    auto again = sent->events.again(platform_.log);
    if (!again) return refuse(done.error());
    publish(std::move(*again), sent);
  });
}

void PublishStream::published(const bus::Published& published, const Sent& sent) {
  auto text = sent.events.acknowledged(published, {}).json;
  answer(sent.batch ? "[" + text + "]" : std::move(text));
}

void PublishStream::refuse(const core::Error& error) { answer(refusal(error)); }

void PublishStream::answer(std::string text) {
  if (late_.empty() && socket_.send_now(net::Message::Kind::text, text)) return leave();
  late_.push_back(std::move(text));
  said_.notify_all();
}

void PublishStream::leave() {
  --at_work_;
  room_.notify_all();
}

Task<> PublishStream::answer_late() {
  while (true) {
    while (late_.empty()) co_await said_.wait();
    net::Message message{net::Message::Kind::text, std::move(late_.front())};
    [[maybe_unused]] auto sent = co_await socket_.send(std::move(message));  // who has gone hears nothing
    late_.pop_front();
    leave();
  }
}

Task<Result<>> publish_stream(Platform& platform, Call& call) {
  net::WebSocketOptions options;
  options.subprotocols = {"headrace-publish.1"};
  options.message_bytes_max = events::batch_bytes_max;
  auto socket = co_await call.exchange.upgrade(std::move(options));
  if (!socket) co_return Result<>{};
  PublishStream stream(platform, **socket, call.caller);
  core::Scope answering(platform.loop.executor());
  answering.spawn("answers of a stream", stream.answer_late());
  co_await then_close(stream.receive_all(), answering);
  co_return Result<>{};
}

}  // namespace

void add_event_streams(Router& router, Platform& platform) {
  router.add({net::Method::get,
              "/api/v1/events/stream",
              Right::read_events,
              {"Events as they happen (server-sent events); id is the offset, Last-Event-ID goes on after it",
               "events",
               {{"filter", "CloudEvents SQL; all events where absent"},
                {"from", "now (default), beginning, an offset or a time"}},
               {},
               "text/event-stream"},
              [&platform](Call& call) { return stream(platform, call); }});
  router.add({net::Method::get,
              "/api/v1/events/publish",
              Right::write_events,
              {"WebSocket: every message an event or a batch, answered when it is durable",
               "events",
               {},
               {},
               "application/json",
               101},
              [&platform](Call& call) { return publish_stream(platform, call); }});
}

}  // namespace headrace::server
