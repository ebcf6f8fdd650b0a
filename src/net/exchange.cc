// Bodies in and answers out: what Exchange offers, done by its connection.
#include <algorithm>
#include <utility>

#include "net/body_reader.h"
#include "net/connection.h"
#include "net/grammar.h"

namespace headrace::net {

namespace {

constexpr std::string_view line_end = "\r\n";

bool has_no_body(Status status) {
  return static_cast<int>(status) < 200 || status == Status::no_content || status == Status::not_modified;
}

// Framing is the connection's business, whatever a handler put there.
bool is_framing(std::string_view name) {
  return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Transfer-Encoding") ||
         equal_ignoring_case(name, "Connection") || equal_ignoring_case(name, "Date");
}

std::string chunk_size_line(size_t size) {
  std::string line;
  for (; size > 0; size >>= 4) line.push_back("0123456789abcdef"[size & 15]);
  std::ranges::reverse(line);
  return line.append(line_end);
}

}  // namespace

core::Task<core::Result<>> Connection::send(Parts parts) {
  auto sent = co_await stream_.write(parts, server_.limits.write_stall);
  if (!sent) {
    round_->broken = true;
    stream_.cut();
    note_ending();
  }
  co_return sent;
}

core::Task<core::Result<>> Connection::send_continue() {
  if (!round_->head.expects_continue || std::exchange(round_->continue_sent, true) || started())
    co_return core::Result<>();
  Parts parts{.head = "HTTP/1.1 100 Continue\r\n\r\n"};
  co_return co_await send(parts);
}

core::Task<core::Result<size_t>> Connection::read(std::span<std::byte> into) {
  if (round_->body.done() || into.empty()) co_return size_t{0};
  auto asked = co_await send_continue();
  if (!asked) co_return std::unexpected(std::move(asked.error()));
  auto got = co_await fill(into);
  if (!got) {
    round_->broken = got.error().code != core::Code::invalid && got.error().code != core::Code::exhausted;
    round_->keep_alive = false;
  }
  co_return got;
}

core::Task<core::Result<size_t>> Connection::fill(std::span<std::byte> into) {
  auto got = co_await read_body(stream_, in_, round_->body, server_.limits.body_idle, into);
  if (!got && got.error().code == core::Code::exhausted)
    co_return core::fail(core::Code::exhausted, "The body of the request stopped arriving.");
  if (!got && got.error().code == core::Code::unavailable)
    co_return core::fail(core::Code::unavailable, "The client went before its request was whole.", got.error().detail);
  co_return got;
}

core::Task<core::Result<std::string>> Connection::body(size_t max) {
  const auto too_large = [&] {
    round_->keep_alive = false;
    return core::fail(core::Code::exhausted,
                      "The body of the request is larger than " + std::to_string(max) + " bytes.");
  };
  const uint64_t declared = body_length().value_or(0);
  if (declared > max) co_return too_large();
  std::string text;
  size_t size = 0;
  while (!round_->body.done()) {
    if (size == text.size()) text.resize(next_size(size, declared, max));
    auto got = co_await read(std::as_writable_bytes(std::span(text).subspan(size)));
    if (!got) co_return std::unexpected(std::move(got.error()));
    size += *got;
    if (size > max) co_return too_large();
  }
  text.resize(size);
  co_return text;
}

std::optional<uint64_t> Connection::body_length() const {
  if (round_->head.framing.kind == Framing::Kind::chunked) return std::nullopt;
  return round_->head.framing.length;
}

void Connection::put_head(Status status, const Headers& headers) {
  const int code = static_cast<int>(status);
  core::require(!started() && code >= 100 && code <= 599, "a request is answered once, by a status of three digits");
  ++server_.counters.answers[static_cast<size_t>(code / 100)];
  round_->answer = Answer::started;
  out_.assign("HTTP/1.1 ").append(std::to_string(code)).append(" ").append(reason_of(status)).append(line_end);
  for (const Field& field : headers)
    if (!is_framing(field.name)) out_.append(field.name).append(": ").append(field.value).append(line_end);
  out_.append("Date: ").append(server_.date()).append(line_end);
}

void Connection::put_framing(Status status, const Headers& headers, std::optional<uint64_t> length) {
  Round& round = *round_;
  const bool head = round.head.request.method == Method::head;
  const bool modern = round.head.request.version_minor >= 1;
  round.bodiless = head || has_no_body(status);
  if (head && headers.contains("Content-Length")) {
    out_.append("Content-Length: ").append(headers.get("Content-Length")).append(line_end);
  } else if (length && !has_no_body(status)) {
    out_.append("Content-Length: ").append(std::to_string(*length)).append(line_end);
  } else if (!length && !has_no_body(status)) {
    round.chunked = modern;
    if (modern)
      out_.append("Transfer-Encoding: chunked\r\n");
    else if (!head)
      round.keep_alive = false;  // the end of the connection is the end of the body
  }
  round.left = length;
  if (server_.stopping || headers.has_token("Connection", "close") || !body_will_be_skipped()) round.keep_alive = false;
  if (!round.keep_alive)
    out_.append("Connection: close\r\n");
  else if (!modern)
    out_.append("Connection: keep-alive\r\n");
  out_.append(line_end);
}

core::Task<core::Result<>> Connection::respond(Response response) {
  put_head(response.status, response.headers);
  put_framing(response.status, response.headers, response.body.size());
  Parts parts{.head = out_, .body = round_->bodiless ? std::string_view() : std::string_view(response.body)};
  auto sent = co_await send(parts);
  if (sent) round_->answer = Answer::finished;
  co_return sent;
}

core::Task<core::Result<>> Connection::start(Status status, Headers headers, std::optional<uint64_t> length) {
  put_head(status, headers);
  put_framing(status, headers, length);
  Parts parts{.head = out_};
  auto sent = co_await send(parts);
  if (sent) watch();
  co_return sent;
}

core::Task<core::Result<>> Connection::write(std::string_view part) {
  Round& round = *round_;
  core::require(round.answer == Answer::started, "parts of an answer are written between start and finish");
  if (part.empty() || round.bodiless) co_return core::Result<>();
  if (round.broken) co_return core::fail(core::Code::unavailable, "The connection was lost.");
  if (round.left) {
    core::require(part.size() <= *round.left, "an answer is not longer than it said");
    *round.left -= part.size();
  }
  const std::string size = round.chunked ? chunk_size_line(part.size()) : std::string();
  Parts parts{.head = size, .body = part, .tail = round.chunked ? line_end : std::string_view()};
  auto sent = co_await send(parts);
  if (sent) watch();
  co_return sent;
}

core::Task<core::Result<>> Connection::finish() {
  Round& round = *round_;
  core::require(round.answer == Answer::started, "an answer in parts is finished once, after its start");
  core::require(round.bodiless || round.left.value_or(0) == 0, "an answer is as long as it said");
  core::Result<> sent;
  if (round.broken) sent = core::fail(core::Code::unavailable, "The connection was lost.");
  Parts parts{.head = "0\r\n\r\n"};
  if (sent && round.chunked && !round.bodiless) sent = co_await send(parts);
  if (sent) round.answer = Answer::finished;
  co_return sent;
}

const Request& Exchange::request() const { return connection_.request(); }
const std::string& Exchange::id() const { return connection_.id(); }
core::Task<core::Result<size_t>> Exchange::read(std::span<std::byte> into) { return connection_.read(into); }
core::Task<core::Result<std::string>> Exchange::body(size_t max) { return connection_.body(max); }
std::optional<uint64_t> Exchange::body_length() const { return connection_.body_length(); }
core::Task<core::Result<>> Exchange::respond(Response response) {
  return shaping_ ? respond_shaped(std::move(response)) : connection_.respond(std::move(response));
}
core::Task<core::Result<>> Exchange::respond_shaped(Response response) {
  co_await shaping_(response);
  co_return co_await connection_.respond(std::move(response));
}
core::Task<core::Result<>> Exchange::start(Status status, Headers headers, std::optional<uint64_t> length) {
  return connection_.start(status, std::move(headers), length);
}
core::Task<core::Result<>> Exchange::write(std::string_view part) { return connection_.write(part); }
core::Task<core::Result<>> Exchange::finish() { return connection_.finish(); }
bool Exchange::started() const { return connection_.started(); }
bool Exchange::finished() const { return connection_.finished(); }
bool Exchange::ending() const { return connection_.ending(); }
core::Task<> Exchange::until_ending() { return connection_.until_ending(); }
bool Exchange::shutting_down() const { return connection_.shutting_down(); }
core::Task<core::Result<std::unique_ptr<WebSocket>>> Exchange::upgrade(WebSocketOptions options) {
  return connection_.upgrade(std::move(options));
}

}  // namespace headrace::net
