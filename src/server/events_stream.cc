// Events as they happen: server-sent events out, a WebSocket in.
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

struct Window {
  explicit Window(core::Executor executor) : room(std::move(executor)) {}
  size_t at_work = 0;  // from receipt until the answer is handed to the socket
  core::Signal room;
};

std::string refusal(const core::Error& error) {
  core::JsonText text;
  text.begin_object().key("error").begin_object().key("code").value(core::name_of(error.code));
  // A message may cite what the client sent, which need not be text.
  text.key("message").value(core::to_valid_utf8(error.message)).end_object().end_object();
  return text.take();
}

Task<> publish_one(Platform& platform, net::WebSocket& socket, Caller caller, std::string text, Window& window) {
  struct Leave {
    Window& window;
    ~Leave() {
      --window.at_work;
      window.room.notify_all();
    }
  } leave{window};
  bool batch = text.find_first_not_of(" \t\r\n") != std::string::npos && text[text.find_first_not_of(" \t\r\n")] == '[';
  events::Headers headers{
      {"content-type", std::string(batch ? events::batch_media_type : events::structured_media_type)}};
  auto read = events::read_http(headers, text);
  Result<Acknowledged> published = core::fail(Code::invalid, "");
  if (read) {
    bus::Publish how;
    published = co_await publish_foreign(platform, std::move(caller), std::move(*read), std::move(how));
  } else {
    published = std::unexpected(events::to_error(read.error()));
  }
  net::Message message;
  if (published)
    message.data = batch ? "[" + published->json + "]" : std::move(published->json);
  else
    message.data = refusal(published.error());
  if (auto sent = co_await socket.send(std::move(message)); !sent) co_return;
}

Task<> receive_all(Platform& platform, net::WebSocket& socket, Caller caller, Window& window, core::Scope& work) {
  while (true) {
    auto message = co_await socket.receive();
    if (!message || !*message) break;
    while (window.at_work >= publish_window) co_await window.room.wait();
    ++window.at_work;
    work.spawn("publish", publish_one(platform, socket, caller, std::move((*message)->data), window));
  }
  co_await work.until_idle();  // what was sent is published, though its answer may find nobody
}

// Each message is an event or a batch, answered when it is durable; up to a window at once, answers that the client has
// not taken included.
Task<Result<>> publish_stream(Platform& platform, Call& call) {
  net::WebSocketOptions options;
  options.subprotocols = {"headrace-publish.1"};
  options.message_bytes_max = events::batch_bytes_max;
  auto socket = co_await call.exchange.upgrade(std::move(options));
  if (!socket) co_return Result<>{};
  Window window(platform.loop.executor());
  core::Scope work(platform.loop.executor());
  co_await then_close(receive_all(platform, **socket, call.caller, window, work), work);
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
