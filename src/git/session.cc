#include "git/session.h"

#include <fmt/format.h>
#include <signal.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace headrace::git {
namespace {

namespace asio = boost::asio;
using core::Code;
using core::Result;
using core::Task;
using namespace std::chrono_literals;

constexpr size_t errors_bytes_max = 4096;
constexpr auto grace = 2s;
constexpr auto exit_max = 30s;
// A client that still sends when git has answered already (its pack was refused) reads the answer only when it is done.
constexpr uint64_t skipped_bytes_max = uint64_t{256} << 20;
constexpr auto skipping_max = 10s;

}  // namespace

Session::Session(core::Executor executor, process::Child& child, Body* body, WriteChunk write,
                 std::chrono::milliseconds idle_max, ClientGone when_gone)
    : executor_(std::move(executor)),
      child_(child),
      body_(body),
      write_(std::move(write)),
      idle_max_(idle_max),
      when_gone_(when_gone) {
  touched();
}

Task<Result<>> Session::run() {
  using namespace asio::experimental::awaitable_operators;
  co_await (carry() || until_idle());
  if (idle_ && !out_ended_) {
    auto ended = co_await child_.end(grace);
    co_return core::fail(Code::unavailable, "Nothing was sent for too long, so git was ended. Try again.", errors_);
  }
  co_return co_await last_words();
}

// It has closed all it speaks through, so it is about to exit.
Task<Result<>> Session::last_words() {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer patience(executor_, exit_max);
  auto first = co_await (child_.wait() || patience.async_wait(asio::as_tuple(asio::use_awaitable)));
  Result<process::Exit> exit = process::Exit{};
  if (first.index() == 0) {
    exit = std::get<0>(first);
  } else {
    exit = co_await child_.end(grace);
  }
  if (!exit) co_return std::unexpected(exit.error());
  co_return outcome(*exit);
}

Result<> Session::outcome(const process::Exit& exit) const {
  const auto detail = fmt::format("git: {}: {}", process::to_string(exit), errors_);
  if (!body_failure_ && !answered_) return body_failure_;
  if (gone_) return core::fail(Code::unavailable, "The client has gone.", detail);
  if (exit.signal != 0 || (exit.code != 0 && !answered_))
    return core::fail(Code::unavailable,
                      "git failed on the server. Try again; an operator finds why in the diagnostics.", detail);
  return {};
}

Task<> Session::carry() {
  using namespace asio::experimental::awaitable_operators;
  co_await (carry_in() && carry_out() && collect_errors());
}

Task<> Session::carry_in() {
  if (body_ == nullptr) {
    child_.close_in();
    co_return;
  }
  std::vector<std::byte> buffer(chunk_bytes);
  for (;;) {
    auto count = co_await body_->read(buffer);
    touched();
    if (!count) body_failure_ = std::unexpected(count.error());
    if (!count || *count == 0) break;
    auto written = co_await child_.write(std::span(buffer).first(*count));
    if (!written) {
      child_.close_in();
      co_return co_await skip_rest(buffer);
    }
  }
  child_.close_in();
}

Task<> Session::skip_rest(std::span<std::byte> buffer) {
  for (uint64_t skipped = 0; skipped < skipped_bytes_max;) {
    auto count = co_await body_->read(buffer);
    if (!count || *count == 0) co_return;
    skipped += *count;
  }
}

Task<> Session::carry_out() {
  std::vector<std::byte> buffer(chunk_bytes);
  for (;;) {
    auto count = co_await child_.read(process::Stream::out, buffer);
    touched();
    if (!count || *count == 0) break;
    if (gone_) continue;
    answered_ = true;
    auto written = co_await write_(std::span<const std::byte>(buffer).first(*count));
    touched();
    gone_ = !written;
    if (gone_ && when_gone_ == ClientGone::end) child_.signal_group(SIGTERM);
  }
  if (!idle_) out_ended_ = true;  // else the read was given up
}

Task<> Session::collect_errors() {
  std::array<std::byte, 1024> buffer;
  for (;;) {
    auto count = co_await child_.read(process::Stream::err, buffer);
    if (!count || *count == 0) co_return;
    const size_t room = errors_bytes_max - errors_.size();
    errors_.append(reinterpret_cast<const char*>(buffer.data()), std::min(*count, room));
  }
}

// Returns when nothing moves any more, and so ends the carrying.
Task<> Session::until_idle() {
  asio::steady_timer timer(executor_);
  for (;;) {
    const auto limit = out_ended_ ? std::min<std::chrono::milliseconds>(idle_max_, skipping_max) : idle_max_;
    const auto left = last_ + limit - std::chrono::steady_clock::now();
    if (left.count() <= 0) break;
    timer.expires_after(std::min<std::chrono::steady_clock::duration>(left, 1s));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  idle_ = true;
}

}  // namespace headrace::git
