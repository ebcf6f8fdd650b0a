#include "net/connection.h"

#include <utility>

#include "core/diagnostics.h"

namespace headrace::net {

Connection::Connection(ServerState& server, Stream stream, Peer peer)
    : server_(server),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      scanner_({server.limits.header_bytes_max, server.limits.header_fields_max, server.limits.request_line_max}) {
  join(server.connections);
}

core::Task<> Connection::serve(std::shared_ptr<Connection> self) {
  Connection& here = *self;
  here.stream_.read_within(here.server_.limits.header_read);
  auto secure = co_await here.stream_.shake_hands();
  if (!secure) co_return;
  while (co_await here.serve_one()) {
  }
  if (!here.upgraded_ && !here.lost_) co_await here.linger();
}

void Connection::stop() {
  if (upgraded_) return;
  if (round_) return note_ending();
  lost_ = true;
  stream_.cut();
}

core::Task<bool> Connection::serve_one() {
  if (server_.stopping || !co_await read_head()) co_return false;
  ++server_.counters.requests;
  co_await call_handler();
  const bool more = !upgraded_ && co_await conclude();
  round_.reset();
  co_return more;
}

core::Task<bool> Connection::read_head() {
  scanner_.restart();
  blank_lines_ = 0;
  in_.release(input_kept);
  bool idle = in_.empty();
  if (rounds_++ > 0) stream_.read_within(idle ? server_.limits.keep_alive : server_.limits.header_read);
  while (true) {
    if (skip_blank_lines()) {
      auto length = scanner_.scan(in_.view());
      if (!length) co_return co_await refuse(std::move(length.error()));
      if (*length > 0) co_return co_await take_head(*length);
    }
    auto got = co_await stream_.read(in_.prepare(input_kept));
    if (!got || *got == 0) {
      Refusal late{Status::request_timeout, "The header of the request did not arrive in time."};
      if (!got && got.error().code == core::Code::exhausted && !in_.empty()) co_return co_await refuse(std::move(late));
      lost_ = true;
      co_return false;
    }
    in_.commit(*got);
    if (std::exchange(idle, false) && rounds_ > 1) stream_.read_within(server_.limits.header_read);
  }
}

// True when there is something to scan.
bool Connection::skip_blank_lines() {
  while (blank_lines_ < blank_lines_max && in_.view().starts_with("\r\n")) {
    in_.consume(2);
    ++blank_lines_;
  }
  return !in_.empty() && in_.view() != "\r";
}

core::Task<bool> Connection::take_head(size_t length) {
  auto head = parse_request_head(in_.view().substr(0, length));
  if (!head) co_return co_await refuse(std::move(head.error()));
  in_.consume(length);
  stream_.read_whenever();
  head->request.peer = peer_;
  head->request.over_tls = stream_.over_tls();
  Round& round = round_.emplace();
  round.keep_alive = head->keep_alive;
  round.body = BodyDecoder(head->framing);
  round.head = std::move(*head);
  co_return true;
}

core::Task<bool> Connection::refuse(Refusal refusal) {
  ++server_.counters.requests_refused;
  Round& round = round_.emplace();
  round.keep_alive = false;
  auto sent = co_await respond(make_response(refusal.status, refusal.reason + "\n"));
  if (!sent) lost_ = true;
  round_.reset();
  co_return false;
}

core::Task<> Connection::call_handler() {
  std::exception_ptr failure;
  try {
    Exchange exchange(*this);
    co_await server_.handler(exchange);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  if (core::is_cancellation(failure)) std::rethrow_exception(failure);
  std::string why = "an exception of an unknown type";
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    why = error.what();
  } catch (...) {
  }
  co_await answer_failure(std::move(why));
}

core::Task<> Connection::answer_failure(std::string why) {
  const Request& request = round_->head.request;
  core::diagnose(core::Level::error, "net",
                 "request " + id() + " (" + request.method_text + " " + request.path + ") failed: " + why);
  if (upgraded_) co_return;
  round_->keep_alive = false;
  if (started()) co_return;
  Response response = make_response(Status::internal_error,
                                    "The server failed to answer. Its diagnostics name the request " + id() + ".\n");
  response.headers.add("X-Request-Id", id());
  auto sent = co_await respond(std::move(response));
  if (!sent) lost_ = true;
}

core::Task<> Connection::answer_silence() {
  if (!server_.stopping) co_return co_await answer_failure("the handler gave no answer");
  auto sent = co_await respond(make_response(Status::unavailable, "The server shuts down.\n"));
}

// The end of a round: true when another may follow on this connection.
core::Task<bool> Connection::conclude() {
  if (!started() && !round_->broken && !round_->gone) co_await answer_silence();
  if (!finished() || round_->broken) {
    lost_ = true;
    stream_.cut();  // the client must see that the answer is not whole
    co_return false;
  }
  if (round_->gone) lost_ = true;
  if (round_->gone || !round_->keep_alive) co_return false;
  if (round_->body.done()) co_return true;
  co_return co_await skip_body();
}

core::Task<bool> Connection::skip_body() {
  if (!body_will_be_skipped()) co_return false;
  std::array<std::byte, 4096> dropped;
  size_t skipped = 0;
  while (skipped <= server_.limits.unread_body_max) {
    auto got = co_await fill(dropped);
    if (!got) co_return false;
    if (*got == 0) co_return true;
    skipped += *got;
  }
  co_return false;
}

bool Connection::body_will_be_skipped() const {
  const Round& round = *round_;
  if (round.body.done()) return true;
  if (round.head.expects_continue && !round.continue_sent) return false;  // the client may send it or not
  return round.head.framing.kind == Framing::Kind::chunked ||
         round.body.plain_bytes() <= server_.limits.unread_body_max;
}

// Closing with unread input makes the kernel reset the connection, and the client may lose our last answer with it: so
// let it close first (RFC 9112, section 9.6).
core::Task<> Connection::linger() {
  stream_.finish_writing();
  stream_.read_within(server_.limits.linger);
  in_.consume(in_.size());
  while (true) {
    auto got = co_await stream_.read(in_.prepare(input_kept));
    if (!got || *got == 0) co_return;
  }
}

bool Connection::ending() const {
  return upgraded_ || server_.stopping || round_->gone || round_->broken || stream_.is_cut();
}

core::Task<> Connection::until_ending() {
  watch();
  if (!round_->ending) round_->ending = std::make_unique<core::Signal>(server_.executor);
  while (!ending()) co_await round_->ending->wait();
}

void Connection::note_ending() {
  if (round_->ending) round_->ending->notify_all();
}

// While a handler streams nobody reads, so the end of the client's side would go unseen.
void Connection::watch() {
  if (upgraded_ || round_->watching || round_->gone || !round_->body.done() || in_.size() >= watched_input_max) return;
  round_->watching = true;
  stream_.when_readable([here = weak_from_this(), round = rounds_] {
    auto self = here.lock();
    if (self && !self->upgraded_ && self->round_ && self->rounds_ == round) self->look();
  });
}

void Connection::look() {
  round_->watching = false;
  while (in_.size() < watched_input_max) {
    Step step = stream_.try_read(in_.prepare(input_kept));
    if (step.kind == Step::Kind::wants_read || step.kind == Step::Kind::wants_write) return watch();
    if (step.kind != Step::Kind::moved) {
      round_->gone = true;
      return note_ending();
    }
    in_.commit(step.bytes);
  }
}

const std::string& Connection::id() {
  if (round_->id.empty()) round_->id = server_.next_request_id();
  return round_->id;
}

}  // namespace headrace::net
