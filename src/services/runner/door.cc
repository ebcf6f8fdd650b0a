#include "services/runner/door.h"

#include <array>
#include <charconv>

#include "net/client.h"
#include "net/server.h"

namespace headrace::runner {

using core::Result;
using core::Task;

namespace {

constexpr std::chrono::milliseconds close_max{500};

// Of one connection alone (RFC 9110, section 7.6.1), or said anew by who writes it.
bool is_of_the_hop(std::string_view name) {
  for (std::string_view one :
       {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding",
        "Upgrade", "Content-Length", "Host", "Expect", "Date", "X-Headrace-Door"})
    if (net::equal_ignoring_case(name, one)) return true;
  return false;
}

net::Headers passed_on(const net::Headers& from) {
  net::Headers to;
  for (const auto& field : from)
    if (!is_of_the_hop(field.name)) to.add(field.name, field.value);
  return to;
}

std::optional<uint64_t> length_of(const net::Response& answer) {
  auto text = answer.headers.get("Content-Length");
  uint64_t length = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

net::Response refusal(net::Status status, const std::string& sentence) {
  auto answer = net::make_response(status, sentence + "\n");
  answer.headers.set("Connection", "close");
  return answer;
}

// The body of the request, on its way. A server that has had enough of it answers early: what is left stays where it
// is.
Task<Result<bool>> send_body(net::Exchange& exchange, net::Call& call) {
  std::vector<std::byte> piece(door_piece_bytes);
  while (true) {
    auto got = co_await exchange.read(piece);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    std::string_view part(reinterpret_cast<const char*>(piece.data()), *got);
    auto sent = co_await call.write(part);
    if (!sent) co_return false;
  }
  auto finished = co_await call.finish();
  co_return finished.has_value();
}

Task<Result<>> send_answer(net::Exchange& exchange, net::Call& call, net::Response answer) {
  auto length = length_of(answer);
  auto headers = passed_on(answer.headers);
  if (exchange.request().method == net::Method::head && length) headers.set("Content-Length", std::to_string(*length));
  if (auto started = co_await exchange.start(answer.status, std::move(headers), length); !started) co_return started;
  std::vector<std::byte> piece(door_piece_bytes);
  while (exchange.request().method != net::Method::head) {
    auto got = co_await call.read(piece);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) break;
    std::string_view part(reinterpret_cast<const char*>(piece.data()), *got);
    auto sent = co_await exchange.write(part);
    if (!sent) co_return sent;
  }
  co_return co_await exchange.finish();
}

}  // namespace

struct JobDoor::Impl {
  Impl(core::Executor loop, core::Clock& clock, ServerWay to, uint16_t at)
      : way(std::move(to)),
        port(at),
        client(loop, clock, client_options(way)),
        http(loop, clock, [this](net::Exchange& exchange) { return pass(exchange); }, limits()) {}

  static net::ClientOptions client_options(const ServerWay& way) {
    net::ClientOptions options;
    options.unix_socket = way.unix_socket;
    options.trusted_pem = way.trusted_pem;
    options.answer = door_answer_max;
    options.idle_connections_max = 0;  // one that the server closed meanwhile would fail what cannot be repeated
    return options;
  }
  static net::Limits limits() {
    net::Limits bounds;
    bounds.connections_max = door_connections_max;
    bounds.body_idle = std::chrono::minutes(5);  // programs of jobs may be slow
    bounds.write_stall = std::chrono::minutes(5);
    return bounds;
  }

  Task<> pass(net::Exchange& exchange) {
    auto passed = co_await forward(exchange);
    if (passed || exchange.started()) co_return;
    auto answer = refusal(net::Status::bad_gateway, "The runner cannot reach the server: " + passed.error().message);
    if (auto answered = co_await exchange.respond(std::move(answer)); !answered) co_return;
  }

  Task<Result<>> forward(net::Exchange& exchange) {
    const auto& request = exchange.request();
    if (!request.target.starts_with('/')) {
      auto answer = refusal(net::Status::bad_request, "This is no proxy; ask for a path.");
      co_return co_await exchange.respond(std::move(answer));
    }
    net::ClientRequest onward;
    onward.url = way.url + request.target;
    onward.method = request.method_text;
    onward.headers = passed_on(request.headers);
    onward.headers.set("X-Headrace-Door", "http://127.0.0.1:" + std::to_string(port));
    auto length = exchange.body_length();
    bool has_body = !length || *length > 0;
    auto how = has_body ? net::Client::RequestBody::streamed : net::Client::RequestBody::whole;
    if (!has_body) length.reset();
    auto call = co_await client.open(std::move(onward), how, length);
    if (!call) co_return std::unexpected(call.error());
    if (has_body) {
      auto sent = co_await send_body(exchange, **call);
      if (!sent) co_return std::unexpected(sent.error());
    }
    auto answer = co_await (*call)->answer();
    if (!answer) co_return std::unexpected(answer.error());
    co_return co_await send_answer(exchange, **call, std::move(*answer));
  }

  ServerWay way;
  uint16_t port;
  net::Client client;
  net::Server http;
};

JobDoor::JobDoor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JobDoor::~JobDoor() = default;

Result<std::unique_ptr<JobDoor>> JobDoor::open(core::Executor loop, core::Clock& clock, InsideListener listener,
                                               ServerWay way) {
  auto impl = std::make_unique<Impl>(std::move(loop), clock, std::move(way), listener.port);
  if (auto listening = impl->http.take_over(listener.socket.release()); !listening)
    return std::unexpected(listening.error());
  return std::unique_ptr<JobDoor>(new JobDoor(std::move(impl)));
}

std::string JobDoor::url() const { return "http://127.0.0.1:" + std::to_string(impl_->port); }
std::string JobDoor::named_url() const {
  return "http://" + std::string(door_host) + ":" + std::to_string(impl_->port);
}

Task<> JobDoor::close() { co_await impl_->http.shutdown(close_max); }

}  // namespace headrace::runner
