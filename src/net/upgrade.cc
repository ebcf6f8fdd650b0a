// From a request to a WebSocket (RFC 6455, section 4.2), on the server's side.
#include <algorithm>
#include <utility>

#include "net/connection.h"
#include "net/grammar.h"
#include "net/websocket_impl.h"

namespace headrace::net {

namespace {

// The first that the client offers and we speak.
std::string agree(const Headers& headers, const std::vector<std::string>& spoken) {
  for (const Field& field : headers) {
    if (!equal_ignoring_case(field.name, "Sec-WebSocket-Protocol")) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      const std::string_view offered = next_element(list);
      if (std::ranges::find(spoken, offered) != spoken.end()) return std::string(offered);
    }
  }
  return {};
}

}  // namespace

std::optional<core::Error> Connection::upgrade_problem() const {
  const Request& asked = request();
  const Headers& headers = asked.headers;
  const auto problem = [](std::string text) { return core::Error{core::Code::invalid, std::move(text), {}}; };
  if (asked.method != Method::get || asked.version_minor < 1 || !round_->body.done())
    return problem("A WebSocket is asked for with GET, HTTP/1.1 and no body.");
  if (!headers.has_token("Connection", "upgrade") || !headers.has_token("Upgrade", "websocket"))
    return problem("This address speaks WebSocket: ask with 'Connection: Upgrade' and 'Upgrade: websocket'.");
  if (headers.get("Sec-WebSocket-Version") != "13") return problem("The only version of WebSocket known here is 13.");
  if (headers.count("Sec-WebSocket-Key") != 1 || !is_key(headers.get("Sec-WebSocket-Key")))
    return problem("Sec-WebSocket-Key is 16 bytes in base64, once.");
  return std::nullopt;
}

core::Task<core::Result<>> Connection::refuse_upgrade(core::Error problem) {
  const bool asked = request().headers.has_token("Upgrade", "websocket");
  const bool version = asked && request().headers.get("Sec-WebSocket-Version") == "13";
  Response response = make_response(version ? Status::bad_request : Status::upgrade_required, problem.message + "\n");
  response.headers.add("Upgrade", "websocket");
  response.headers.add("Sec-WebSocket-Version", "13");
  auto sent = co_await respond(std::move(response));
  if (!sent) co_return sent;
  co_return std::unexpected(std::move(problem));
}

core::Task<core::Result<std::unique_ptr<WebSocket>>> Connection::upgrade(WebSocketOptions options) {
  if (auto problem = upgrade_problem()) {
    auto refused = co_await refuse_upgrade(std::move(*problem));
    co_return std::unexpected(std::move(refused.error()));
  }
  if (server_.stopping) co_return core::fail(core::Code::unavailable, "The server shuts down.");
  const Headers& headers = request().headers;
  std::string subprotocol = agree(headers, options.subprotocols);
  std::string answer =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  answer.append(accept_of(headers.get("Sec-WebSocket-Key"))).append("\r\n");
  if (!subprotocol.empty()) answer.append("Sec-WebSocket-Protocol: ").append(subprotocol).append("\r\n");
  answer.append("\r\n");
  round_->answer = Answer::finished;
  ++server_.counters.answers[1];
  Parts parts{.head = answer};
  auto sent = co_await send(parts);
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  upgraded_ = true;
  auto socket =
      std::make_shared<WebSocket::Impl>(server_.executor, std::move(stream_), std::exchange(in_, Buffer()),
                                        server_.timers, Role::server, std::move(options), std::move(subprotocol));
  socket->join(server_.websockets);
  co_return std::make_unique<WebSocket>(std::move(socket));
}

}  // namespace headrace::net
