#include "cli/api.h"

#include <algorithm>
#include <array>

#include "core/diagnostics.h"

namespace headrace::cli {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr size_t answer_max = 64 * 1024 * 1024;
constexpr size_t event_bytes_max = 16 * 1024 * 1024;  // a run with all its jobs is one
constexpr std::chrono::milliseconds again_after{500};

Code code_of(int status) {
  if (status == 401) return Code::unauthenticated;
  if (status == 403) return Code::denied;
  if (status == 404) return Code::not_found;
  if (status == 409) return Code::conflict;
  if (status == 422 || status == 400 || status == 413) return Code::invalid;
  return Code::unavailable;
}

// What the server said, or the status where it said nothing we can read.
core::Error error_of(const net::Response& answer, const Access& access) {
  int status = static_cast<int>(answer.status);
  auto body = core::parse_json(answer.body);
  const auto* error = body ? core::find(*body, "error") : nullptr;
  if (body && error == nullptr) error = &*body;  // as GitHub's API says it, under /api/v3
  auto message = error ? core::string_at(*error, "message") : std::nullopt;
  if (!message && body) message = core::string_at(*body, "message");  // as GitHub's API says it
  if (!message)
    message =
        access.url + " answered " + std::to_string(status) + " " + std::string(net::reason_of(answer.status)) + ".";
  if (status == 401 && access.token.empty())
    message = *message + " Sign in with: headrace login LINK (serve prints the link), or set HEADRACE_TOKEN.";
  return core::Error{code_of(status), std::move(*message), {}};
}

}  // namespace

struct Api::Impl {
  core::Loop loop;
  core::SystemClock clock;
  net::Client client{loop.executor(), clock, net::ClientOptions()};
};

Api::Api(Access access) : access_(std::move(access)), impl_(std::make_unique<Impl>()) {}
Api::~Api() = default;

namespace {

// What a server gives as an id is not ours to trust: a control character would break the header.
bool is_header_text(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= ' ' && c != 0x7f; });
}

net::ClientRequest request_to(const Access& access, std::string method, const std::string& path, std::string body,
                              std::string type) {
  net::ClientRequest request;
  request.url = access.url + path;
  request.method = std::move(method);
  if (!access.token.empty()) request.headers.set("Authorization", "Bearer " + access.token);
  if (!body.empty()) request.headers.set("Content-Type", std::move(type));
  request.body = std::move(body);
  return request;
}

// The error that an answer other than 200 is; the body of `call` is read for it.
Task<core::Error> refused(net::Call& call, net::Response answer, const Access& access) {
  auto body = co_await call.body(answer_max);
  if (body) answer.body = std::move(*body);
  co_return error_of(answer, access);
}

// What is known of a stream over its connections.
struct Following {
  std::string last;  // id of the event heard last
  bool done = false;
  bool connected = false;  // this time
};

Task<Result<>> follow_once(net::Client& client, net::ClientRequest request, const Access& access,
                           std::function<bool(const net::ServerSentEvent&)> hear, Following& state) {
  auto call = co_await client.open(std::move(request));
  if (!call) co_return std::unexpected(call.error());
  auto answer = co_await (*call)->answer();
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != net::Status::ok)
    co_return std::unexpected(co_await refused(**call, std::move(*answer), access));
  state.connected = true;
  net::SseReader reader(std::move(*call), event_bytes_max);
  while (!state.done) {
    auto event = co_await reader.next();
    if (!event) co_return std::unexpected(event.error());
    if (!*event) co_return core::fail(Code::unavailable, "The server ended the stream.");
    state.last = reader.last_event_id();
    state.done = !hear(**event);
  }
  co_return Result<>{};
}

Task<Result<>> stream_once(net::Client& client, net::ClientRequest request, const Access& access,
                           std::function<bool(std::string_view)> hear) {
  auto call = co_await client.open(std::move(request));
  if (!call) co_return std::unexpected(call.error());
  auto answer = co_await (*call)->answer();
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != net::Status::ok)
    co_return std::unexpected(co_await refused(**call, std::move(*answer), access));
  std::array<std::byte, 64 * 1024> buffer;
  while (true) {
    auto got = co_await (*call)->read(buffer);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0 || !hear(std::string_view(reinterpret_cast<const char*>(buffer.data()), *got))) co_return Result<>{};
  }
}

// The address needs no token, and is not given ours.
Task<Result<>> download_once(net::Client& client, net::ClientRequest request, const Access& access,
                             std::function<bool(std::string_view)> hear) {
  auto answer = co_await client.send(std::move(request), answer_max);
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != net::Status::found) co_return std::unexpected(error_of(*answer, access));
  net::ClientRequest onward;
  onward.url = answer->headers.get("Location");
  co_return co_await stream_once(client, std::move(onward), access, std::move(hear));
}

}  // namespace

Result<core::json::value> Api::send(std::string method, const std::string& path, std::string body, std::string type) {
  auto answer = impl_->loop.run(
      impl_->client.send(request_to(access_, std::move(method), path, std::move(body), std::move(type)), answer_max));
  if (!answer) return std::unexpected(answer.error());
  if (static_cast<int>(answer->status) >= 300) return std::unexpected(error_of(*answer, access_));
  if (answer->body.empty()) return core::json::value();
  return core::parse_json(answer->body);
}

Result<core::json::value> Api::get(const std::string& path) { return send("GET", path, {}, {}); }
Result<core::json::value> Api::post(const std::string& path, std::string body, std::string type) {
  return send("POST", path, std::move(body), std::move(type));
}
Result<core::json::value> Api::put(const std::string& path, std::string body) {
  return send("PUT", path, std::move(body), "application/json");
}
Result<core::json::value> Api::patch(const std::string& path, std::string body) {
  return send("PATCH", path, std::move(body), "application/json");
}
Result<core::json::value> Api::remove(const std::string& path) { return send("DELETE", path, {}, {}); }

Result<> Api::follow(const std::string& path, std::function<bool(const net::ServerSentEvent&)> hear,
                     std::chrono::seconds patience) {
  Following state;
  auto connected_at = impl_->clock.steady();
  while (true) {
    auto request = request_to(access_, "GET", path, {}, {});
    request.headers.set("Accept", "text/event-stream");
    if (is_header_text(state.last)) request.headers.set("Last-Event-ID", state.last);
    state.connected = false;
    auto ended = impl_->loop.run(follow_once(impl_->client, std::move(request), access_, hear, state));
    if (ended || state.done) return {};
    if (state.connected) connected_at = impl_->clock.steady();
    bool lost = ended.error().code == Code::unavailable || ended.error().code == Code::exhausted;
    if (!lost || impl_->clock.steady() - connected_at > patience) return std::unexpected(ended.error());
    impl_->loop.run(impl_->clock.sleep_for(again_after));
  }
}

Result<> Api::download(const std::string& path, std::function<bool(std::string_view)> hear) {
  return impl_->loop.run(
      download_once(impl_->client, request_to(access_, "GET", path, {}, {}), access_, std::move(hear)));
}

Result<> Api::stream(const std::string& path, std::function<bool(std::string_view)> hear) {
  return impl_->loop.run(
      stream_once(impl_->client, request_to(access_, "GET", path, {}, {}), access_, std::move(hear)));
}

}  // namespace headrace::cli
