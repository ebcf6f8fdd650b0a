#include "net/client.h"

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "core/random.h"
#include "net/client_state.h"
#include "net/websocket_impl.h"

namespace headrace::net {

namespace {

bool may_repeat(std::string_view method) {  // RFC 9110, section 9.2.2
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

std::string joined(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list.append(list.empty() ? "" : ", ").append(word);
  return list;
}

}  // namespace

Call::Call(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Call::~Call() = default;
core::Task<core::Result<>> Call::write(std::string_view part) { return impl_->write(part); }
core::Task<core::Result<>> Call::finish() { return impl_->finish(); }
core::Task<core::Result<Response>> Call::answer() { return impl_->answer(); }
core::Task<core::Result<size_t>> Call::read(std::span<std::byte> into) { return impl_->read(into); }
core::Task<core::Result<std::string>> Call::body(size_t max) { return impl_->body(max); }

SseReader::SseReader(std::unique_ptr<Call> call, size_t event_bytes_max)
    : call_(std::move(call)), parser_(event_bytes_max) {}

core::Task<core::Result<std::optional<ServerSentEvent>>> SseReader::next() {
  while (given_ == ready_.size()) {
    std::array<char, 8192> bytes;
    auto got = co_await call_->read(std::as_writable_bytes(std::span(bytes)));
    if (!got) co_return std::unexpected(std::move(got.error()));
    if (*got == 0) co_return std::nullopt;
    auto events = parser_.feed({bytes.data(), *got});
    if (!events) co_return std::unexpected(std::move(events.error()));
    ready_ = std::move(*events);
    given_ = 0;
  }
  co_return std::move(ready_[given_++]);
}

Client::Client(core::Executor executor, core::Clock& clock, ClientOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), clock, std::move(options))) {}
Client::~Client() = default;

core::Task<core::Result<std::unique_ptr<Call>>> Client::open(ClientRequest request, RequestBody how,
                                                             std::optional<uint64_t> length) {
  auto url = parse_url(request.url);
  if (!url) co_return std::unexpected(std::move(url.error()));
  auto impl = std::make_unique<Call::Impl>();
  impl->client = impl_;
  impl->body_idle = impl_->options.body_idle;
  auto begun = co_await impl->begin(std::move(request), std::move(*url), how, length, false);
  if (!begun) co_return std::unexpected(std::move(begun.error()));
  co_return std::make_unique<Call>(std::move(impl));
}

core::Task<core::Result<Response>> Client::send(ClientRequest request, size_t body_max) {
  auto url = parse_url(request.url);
  if (!url) co_return std::unexpected(std::move(url.error()));
  bool fresh = false;
  while (true) {
    Call::Impl call;
    call.client = impl_;
    call.body_idle = impl_->options.body_idle;
    auto begun = co_await call.begin(request, *url, RequestBody::whole, std::nullopt, fresh);
    if (!begun) co_return std::unexpected(std::move(begun.error()));
    auto answer = co_await call.answer();
    const bool stale =
        !answer && call.line->used_before && !call.heard && answer.error().code == core::Code::unavailable;
    if (stale && !std::exchange(fresh, true) && may_repeat(request.method)) continue;
    if (!answer) co_return answer;
    auto body = co_await call.body(body_max);
    if (!body) co_return std::unexpected(std::move(body.error()));
    answer->body = std::move(*body);
    co_return answer;
  }
}

core::Task<core::Result<std::unique_ptr<SseReader>>> Client::subscribe(ClientRequest request, size_t event_bytes_max) {
  request.headers.set("Accept", "text/event-stream");
  auto url = parse_url(request.url);
  if (!url) co_return std::unexpected(std::move(url.error()));
  auto call = std::make_unique<Call::Impl>();
  call->client = impl_;
  auto begun = co_await call->begin(std::move(request), std::move(*url), RequestBody::whole, std::nullopt, false);
  if (!begun) co_return std::unexpected(std::move(begun.error()));
  auto answer = co_await call->answer();
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  const std::string_view type = answer->headers.get("Content-Type");
  if (answer->status != Status::ok || !equal_ignoring_case(type.substr(0, 17), "text/event-stream"))
    co_return std::unexpected(co_await call->unexpected(std::move(*answer)));
  co_return std::make_unique<SseReader>(std::make_unique<Call>(std::move(call)), event_bytes_max);
}

core::Task<core::Result<std::unique_ptr<WebSocket>>> Client::websocket(ClientRequest request,
                                                                       WebSocketOptions options) {
  auto url = parse_url(request.url);
  if (!url) co_return std::unexpected(std::move(url.error()));
  core::SystemRandom random;
  std::array<std::byte, 16> nonce;
  random.fill(nonce);
  const std::string key = core::to_base64(nonce);
  request.method = "GET";
  request.headers.set("Upgrade", "websocket");
  request.headers.set("Connection", "Upgrade");
  request.headers.set("Sec-WebSocket-Version", "13");
  request.headers.set("Sec-WebSocket-Key", key);
  if (!options.subprotocols.empty()) request.headers.set("Sec-WebSocket-Protocol", joined(options.subprotocols));
  auto call = std::make_unique<Call::Impl>();
  call->client = impl_;
  auto begun = co_await call->begin(std::move(request), std::move(*url), RequestBody::whole, std::nullopt, false);
  if (!begun) co_return std::unexpected(std::move(begun.error()));
  co_return co_await call->upgrade(std::move(options), key);
}

}  // namespace headrace::net
