// One request of a client, from its first byte to the last of its answer.
#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "net/body_reader.h"
#include "net/client_state.h"
#include "net/grammar.h"
#include "net/websocket_impl.h"

namespace headrace::net {

namespace {

constexpr size_t answer_fields_max = 256;
constexpr int interim_answers_max = 16;
constexpr size_t input_part = 4 * 1024;
constexpr size_t told_bytes_max = 512;  // of an unexpected answer's body, in an error
constexpr std::string_view line_end = "\r\n";

core::Code code_of(Status status) {
  switch (status) {
    case Status::unauthorized: return core::Code::unauthenticated;
    case Status::forbidden: return core::Code::denied;
    case Status::not_found: return core::Code::not_found;
    case Status::bad_request: return core::Code::invalid;
    default: return core::Code::unavailable;
  }
}

std::string chunk_size_line(size_t size) {
  std::string line;
  for (; size > 0; size >>= 4) line.push_back("0123456789abcdef"[size & 15]);
  std::ranges::reverse(line);
  return line.append(line_end);
}

const char* upgrade_problem(const Response& answer, std::string_view key, const WebSocketOptions& options) {
  if (!answer.headers.has_token("Upgrade", "websocket") || !answer.headers.has_token("Connection", "upgrade"))
    return "its answer does not say 'Upgrade: websocket'";
  if (answer.headers.get("Sec-WebSocket-Accept") != accept_of(key)) return "its Sec-WebSocket-Accept is wrong";
  if (answer.headers.contains("Sec-WebSocket-Extensions")) return "it names extensions that were not offered";
  const std::string_view chosen = answer.headers.get("Sec-WebSocket-Protocol");
  if (!chosen.empty() && std::ranges::find(options.subprotocols, chosen) == options.subprotocols.end())
    return "it chose a subprotocol that was not offered";
  return nullptr;
}

}  // namespace

core::Error Call::Impl::named(core::Error error) const {
  const bool late = error.code == core::Code::exhausted;
  error.message = url_.scheme + "://" + url_.authority() + ": " + (late ? "no answer in time" : error.message);
  if (late) error.code = core::Code::unavailable;
  return error;
}

std::string Call::Impl::request_head(const ClientRequest& asked, Client::RequestBody how) {
  std::string head = asked.method + " " + url_.target + " HTTP/1.1\r\n";
  if (!asked.headers.contains("Host")) head.append("Host: ").append(url_.authority()).append(line_end);
  if (!url_.user.empty() && !asked.headers.contains("Authorization"))
    head.append("Authorization: Basic ")
        .append(core::to_base64(core::as_bytes(url_.user + ":" + url_.password)))
        .append(line_end);
  for (const Field& field : asked.headers)
    if (!equal_ignoring_case(field.name, "Content-Length") && !equal_ignoring_case(field.name, "Transfer-Encoding"))
      head.append(field.name).append(": ").append(field.value).append(line_end);
  const bool may_have_body = method_ == Method::post || method_ == Method::put || method_ == Method::patch;
  chunked_ = how == Client::RequestBody::streamed && !left_;
  if (chunked_)
    head.append("Transfer-Encoding: chunked\r\n");
  else if (*left_ > 0 || may_have_body)
    head.append("Content-Length: ").append(std::to_string(*left_)).append(line_end);
  return head.append(line_end);
}

core::Task<core::Result<>> Call::Impl::begin(ClientRequest asked, Url to, Client::RequestBody how,
                                             std::optional<uint64_t> length, bool fresh) {
  core::require(is_token(asked.method), "the method of a request is a token");
  url_ = std::move(to);
  method_ = method_of(asked.method);
  left_ = how == Client::RequestBody::whole ? asked.body.size() : length;
  auto got = co_await client->line_to(url_, fresh);
  if (!got) co_return std::unexpected(std::move(got.error()));
  line = std::move(*got);
  const std::string head = request_head(asked, how);
  Parts parts{.head = head, .body = asked.body};
  auto sent = co_await send(parts);
  sent_ = how == Client::RequestBody::whole;
  co_return core::Result<>();  // a failure is told by answer(): the server may have answered early, and closed
}

core::Task<core::Result<>> Call::Impl::send(Parts parts) {
  if (!send_failure_) {
    auto sent = co_await line->stream.write(parts, client->options.write_stall);
    if (!sent) send_failure_ = named(std::move(sent.error()));
  }
  if (send_failure_) co_return std::unexpected(*send_failure_);
  co_return core::Result<>();
}

core::Task<core::Result<>> Call::Impl::write(std::string_view part) {
  core::require(!sent_, "the body of a request is written before it is finished");
  if (part.empty()) co_return core::Result<>();
  if (!line) co_return core::fail(core::Code::unavailable, "The answer is over.");
  if (left_) {
    core::require(part.size() <= *left_, "the body of a request is not longer than it said");
    *left_ -= part.size();
  }
  const std::string size = chunked_ ? chunk_size_line(part.size()) : std::string();
  Parts parts{.head = size, .body = part, .tail = chunked_ ? line_end : std::string_view()};
  co_return co_await send(parts);
}

core::Task<core::Result<>> Call::Impl::finish() {
  core::require(!sent_ && left_.value_or(0) == 0, "the body of a request is as long as it said");
  sent_ = true;
  if (!chunked_ || !line) co_return core::Result<>();
  Parts parts{.head = "0\r\n\r\n"};
  co_return co_await send(parts);
}

core::Task<core::Result<Response>> Call::Impl::answer() {
  core::require(!std::exchange(answered_, true), "a request has one answer");
  for (int interim = 0; interim < interim_answers_max; ++interim) {
    auto head = co_await read_head();
    if (!head) co_return std::unexpected(send_failure_ ? *send_failure_ : std::move(head.error()));
    if (head->status < Status::ok && head->status != Status::switching_protocols) continue;
    keep_alive_ = head->keep_alive && head->status != Status::switching_protocols;
    decoder_ = BodyDecoder(head->framing);
    if (head->framing.kind == Framing::Kind::length) length_ = head->framing.length;
    if (decoder_.done() && head->status != Status::switching_protocols) done();
    co_return Response{.status = head->status, .headers = std::move(head->headers), .body = {}};
  }
  co_return std::unexpected(named("too many interim answers."));
}

core::Task<core::Result<ResponseHead>> Call::Impl::read_head() {
  const size_t bytes_max = client->options.header_bytes_max;
  HeadScanner scanner({bytes_max, answer_fields_max, bytes_max});
  Stream& stream = line->stream;
  stream.read_within(client->options.answer);
  while (true) {
    auto length = scanner.scan(line->in.view());
    if (!length) co_return std::unexpected(named("its answer is no HTTP, or its header is too large."));
    if (*length > 0) {
      auto head = parse_response_head(line->in.view().substr(0, *length), method_);
      line->in.consume(*length);
      stream.read_whenever();
      if (!head) co_return std::unexpected(named(std::move(head.error())));
      co_return std::move(*head);
    }
    auto got = co_await stream.read(line->in.prepare(input_part));
    if (got && *got == 0) got = core::fail(core::Code::unavailable, "The connection ended before the answer.");
    if (!got) co_return std::unexpected(named(std::move(got.error())));
    heard = true;
    line->in.commit(*got);
  }
}

core::Task<core::Result<size_t>> Call::Impl::read(std::span<std::byte> into) {
  core::require(answered_, "the head of an answer is read before its body");
  if (!line || into.empty()) co_return size_t{0};
  auto got = co_await read_body(line->stream, line->in, decoder_, body_idle, into);
  if (!got) {
    line->stream.cut();
    co_return std::unexpected(named(std::move(got.error())));
  }
  if (decoder_.done()) done();
  co_return got;
}

core::Task<core::Result<std::string>> Call::Impl::body(size_t max) {
  std::string text;
  size_t size = 0;
  while (true) {
    if (size == text.size()) text.resize(next_size(size, length_.value_or(0), max));
    auto got = co_await read(std::as_writable_bytes(std::span(text).subspan(size)));
    if (!got) co_return std::unexpected(std::move(got.error()));
    if (*got == 0) break;
    size += *got;
    if (size > max)
      co_return core::fail(core::Code::exhausted,
                           "The answer of " + url_.authority() + " is larger than " + std::to_string(max) + " bytes.");
  }
  text.resize(size);
  co_return text;
}

// The answer is whole: the connection may serve another request.
void Call::Impl::done() {
  if (keep_alive_ && sent_ && !send_failure_ && line->in.empty())
    client->give_back(std::move(line));
  else
    line->stream.cut();  // not destroyed: another task may be writing
}

core::Task<core::Error> Call::Impl::unexpected(Response response) {
  std::string start(told_bytes_max, '\0');
  body_idle = client->options.body_idle;
  auto got = co_await read(std::as_writable_bytes(std::span(start)));
  start.resize(got ? *got : 0);
  while (!start.empty() && static_cast<unsigned char>(start.back()) <= ' ') start.pop_back();
  std::string text = "it answered " + std::to_string(static_cast<int>(response.status)) + " " +
                     std::string(reason_of(response.status));
  core::Error error = named(start.empty() ? text + "." : text + ": " + start);
  error.code = code_of(response.status);
  co_return error;
}

core::Task<core::Result<std::unique_ptr<WebSocket>>> Call::Impl::upgrade(WebSocketOptions options, std::string key) {
  auto response = co_await answer();
  if (!response) co_return std::unexpected(std::move(response.error()));
  if (response->status != Status::switching_protocols)
    co_return std::unexpected(co_await unexpected(std::move(*response)));
  if (const char* problem = upgrade_problem(*response, key, options))
    co_return std::unexpected(named(std::string(problem) + "."));
  std::string chosen(response->headers.get("Sec-WebSocket-Protocol"));
  auto socket = std::make_shared<WebSocket::Impl>(client->executor, std::move(line->stream), std::move(line->in),
                                                  client->timers, Role::client, std::move(options), std::move(chosen));
  line.reset();
  co_return std::make_unique<WebSocket>(std::move(socket));
}

}  // namespace headrace::net
