// Pulling from a durable subscription: server-sent events out, acknowledgements by requests of their own; or both ways
// over one WebSocket.
#include <algorithm>
#include <map>

#include "core/bytes.h"
#include "net/sse.h"
#include "net/websocket.h"
#include "server/answers.h"
#include "server/event_json.h"
#include "server/request.h"
#include "server/streaming.h"
#include "server/subscriptions_api.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t credit_default = 256;
constexpr size_t batch = 256;
constexpr std::chrono::seconds heartbeat_every{15};
constexpr size_t body_max = 256 * 1024;

Result<std::unique_ptr<bus::Pull>> attach(Platform& platform, const Call& call) {
  auto credit = number_in(call, "credit", 1, bus::pull_credit_max, credit_default);
  if (!credit) return std::unexpected(credit.error());
  return platform.bus.attach(call.capture("name"), *credit);
}

// Streams that are open, by the id their client acknowledges with.
struct Open {
  std::map<std::string, std::pair<std::string, bus::Pull*>> pulls;  // id -> subscription, pull
};

std::string text_of(const bus::Handed& handed) {
  return "{\"offset\":" + std::to_string(handed.stored->offset) + ",\"attempt\":" + std::to_string(handed.attempt) +
         ",\"event\":" + event_text(*handed.stored) + "}";
}

Task<> pump(bus::Pull& pull, net::SseWriter& out, bool automatic) {
  while (true) {
    auto handed = co_await pull.next(batch, heartbeat_every);
    if (!handed) co_return;
    core::Result<> sent;
    if (handed->empty()) sent = co_await out.heartbeat();
    std::string bytes;
    for (const auto& one : *handed) {
      net::ServerSentEvent event{
          std::to_string(one.stored->offset), {}, automatic ? event_text(*one.stored) : text_of(one)};
      bytes += net::encode(event);
      if (bytes.size() < piece_bytes && &one != &handed->back()) continue;
      sent = co_await out.send_encoded(bytes);
      if (!sent) co_return;
      bytes.clear();
      if (automatic)
        if (auto settled = pull.acknowledge_to(one.stored->offset); !settled) co_return;
      co_await let_others();
    }
    if (!sent) co_return;
  }
}

Task<Result<>> stream(Platform& platform, Open& open, Call& call) {
  if (!call.query("ack").empty() && call.query("ack") != "auto")
    co_return core::fail(Code::invalid, "ack is auto, or left out.");
  auto pull = attach(platform, call);
  if (!pull) co_return std::unexpected(pull.error());
  bool automatic = call.query("ack") == "auto";
  net::SseWriter out(call.exchange);
  if (auto opened = co_await out.open(); !opened) co_return Result<>{};
  std::string id = platform.ids.next();
  open.pulls[id] = {call.capture("name"), pull->get()};
  struct Leave {
    Open& open;
    const std::string& id;
    ~Leave() { open.pulls.erase(id); }
  } leave{open, id};  // when it is cancelled, too
  net::ServerSentEvent hello{{}, "connection", core::to_text(core::json::object{{"connection", id}})};
  auto greeted = co_await out.send(std::move(hello));
  if (greeted) co_await stream_while_open(platform.loop, call.exchange, pump(**pull, out, automatic));
  co_return co_await out.close();
}

constexpr std::string_view settlements[] = {"ack", "ack_to", "nack", "dead", "extend", "credit"};

// {"ack":N} {"ack_to":N} {"nack":N,"reason"} {"dead":N,"reason"} {"extend":N} {"credit":N}: one of them, for a second
// would be passed over in silence.
Result<> settle(bus::Pull& pull, const core::json::value& said) {
  auto reason = core::string_at(said, "reason").value_or("refused by the client");
  auto offset = [&](std::string_view key) -> std::optional<log::Offset> {
    auto number = core::integer_at(said, key);
    return number && *number > 0 ? std::optional<log::Offset>(static_cast<log::Offset>(*number)) : std::nullopt;
  };
  if (std::ranges::count_if(settlements, [&](auto name) { return offset(name).has_value(); }) > 1)
    return core::fail(Code::invalid, "Say one of ack, ack_to, nack, dead, extend and credit at a time.");
  if (auto at = offset("ack")) return pull.acknowledge(*at);
  if (auto at = offset("ack_to")) return pull.acknowledge_to(*at);
  if (auto at = offset("nack")) return pull.refuse(*at, reason);
  if (auto at = offset("dead")) return pull.refuse_for_good(*at, reason);
  if (auto at = offset("extend")) return pull.extend(*at);
  if (auto credit = offset("credit"))
    return pull.set_credit(std::min<size_t>(*credit, bus::pull_credit_max)), Result<>{};
  return core::fail(Code::invalid,
                    "Say one of ack, ack_to, nack, dead, extend with an offset, or credit with a number.");
}

Task<Result<>> acknowledge(Open& open, Call& call) {
  std::vector<Member> members{{"connection", Kind::text}, {"reason", Kind::text}};
  for (auto name : settlements) members.push_back({name, Kind::integer});
  auto said = co_await read_object(call, body_max, std::move(members));
  if (!said) co_return std::unexpected(said.error());
  auto found = open.pulls.find(core::string_at(*said, "connection").value_or(""));
  if (found == open.pulls.end() || found->second.first != call.capture("name"))
    co_return core::fail(
        Code::not_found,
        "No stream of this subscription is open under that connection; what it held is handed out again.");
  auto settled = settle(*found->second.second, *said);
  if (!settled) co_return settled;
  co_return co_await call.exchange.respond(no_content());
}

Task<> hand_out(bus::Pull& pull, net::WebSocket& socket) {
  while (true) {
    auto handed = co_await pull.next(batch, heartbeat_every);
    if (!handed) co_return;
    size_t bytes = 0;
    for (const auto& one : *handed) {
      net::Message message{net::Message::Kind::text, text_of(one)};
      bytes += message.data.size();
      if (auto sent = co_await socket.send(std::move(message)); !sent) co_return;
      if (bytes >= piece_bytes) {
        bytes = 0;
        co_await let_others();
      }
    }
  }
}

// What a client says is settled; what cannot be is answered.
Task<> hear(bus::Pull& pull, net::WebSocket& socket) {
  while (true) {
    auto message = co_await socket.receive();
    if (!message || !*message) co_return;
    auto said = core::parse_json((*message)->data);
    auto settled = said ? settle(pull, *said) : std::unexpected(said.error());
    if (settled) continue;
    core::json::object error{
        {"error", {{"code", core::name_of(settled.error().code)}, {"message", settled.error().message}}}};
    net::Message told{net::Message::Kind::text, core::to_valid_utf8(core::to_text(error))};
    if (auto sent = co_await socket.send(std::move(told)); !sent) co_return;
  }
}

Task<Result<>> converse(Platform& platform, Call& call) {
  auto pull = attach(platform, call);
  if (!pull) co_return std::unexpected(pull.error());
  net::WebSocketOptions options;
  auto socket = co_await call.exchange.upgrade(std::move(options));
  if (!socket) co_return Result<>{};
  co_await until_one_ends(platform.loop, hand_out(**pull, **socket), hear(**pull, **socket));
  co_return Result<>{};
}

}  // namespace

void add_subscription_streams(Router& router, Platform& platform) {
  auto open = std::make_shared<Open>();  // shared by the two routes
  const std::vector<QueryParameter> credit{
      {"credit", "events handed out and not yet acknowledged, 1 to 10000, 256 where absent", "integer"}};
  auto with_ack = credit;
  with_ack.push_back({"ack", "auto: what was written to the stream counts as acknowledged"});
  router.add({net::Method::get,
              "/api/v1/subscriptions/{name}/stream",
              Right::operate,
              {"Events of the subscription as they come (server-sent events); its first event names the connection to "
               "acknowledge with",
               "subscriptions",
               with_ack,
               {},
               "text/event-stream"},
              [&platform, open](Call& call) { return stream(platform, *open, call); }});
  router.add({net::Method::post,
              "/api/v1/subscriptions/{name}/ack",
              Right::operate,
              {"Acknowledge or refuse what a stream handed out", "subscriptions", {}, json_body("Settlement"), {}, 204},
              [open](Call& call) { return acknowledge(*open, call); }});
  router.add({net::Method::get,
              "/api/v1/subscriptions/{name}/connect",
              Right::operate,
              {"WebSocket: events out, acknowledgements in", "subscriptions", credit, {}, "application/json", 101},
              [&platform](Call& call) { return converse(platform, call); }});
}

}  // namespace headrace::server
