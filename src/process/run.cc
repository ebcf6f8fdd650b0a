#include "process/run.h"

#include <fmt/format.h>
#include <signal.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/bytes.h"

namespace headrace::process {
namespace {

namespace asio = boost::asio;
using core::Code;
using core::Result;
using core::Task;

constexpr size_t chunk_bytes = 16 * 1024;

// The program may close its input early: its exit says whether that was right.
Task<> feed(Child& child, std::string input) {
  if (!input.empty()) static_cast<void>(co_await child.write(core::as_bytes(input)));
  child.close_in();
}

Task<Result<std::string>> collect(Child& child, Stream stream, size_t bytes_max) {
  std::string text;
  std::array<std::byte, chunk_bytes> chunk;
  for (;;) {
    auto count = co_await child.read(stream, chunk);
    if (!count) co_return std::unexpected(count.error());
    if (*count == 0) co_return text;
    if (text.size() + *count > bytes_max) {
      child.signal_group(SIGKILL);
      co_return core::fail(Code::exhausted,
                           fmt::format("A program printed more than {} bytes and was ended.", bytes_max));
    }
    text.append(reinterpret_cast<const char*>(chunk.data()), *count);
  }
}

// A program has ended when it exited and closed what it prints to; what it left behind is killed as it exits, so the
// second follows the first.
Task<Result<Ran>> to_its_end(Child& child, std::string input, size_t bytes_max) {
  using namespace asio::experimental::awaitable_operators;
  auto all = co_await (feed(child, std::move(input)) && collect(child, Stream::out, bytes_max) &&
                       collect(child, Stream::err, bytes_max) && child.wait());
  auto& [out, err, exit] = all;
  if (!out) co_return std::unexpected(out.error());
  if (!err) co_return std::unexpected(err.error());
  if (!exit) co_return std::unexpected(exit.error());
  co_return Ran{*exit, std::move(*out), std::move(*err)};
}

}  // namespace

Task<Result<Ran>> run(core::Executor executor, Spec spec, std::string input, RunLimits limits) {
  using namespace asio::experimental::awaitable_operators;
  spec.in = Redirect::pipe();
  spec.out = Redirect::pipe();
  spec.err = Redirect::pipe();
  const std::string program = spec.argv.empty() ? std::string() : spec.argv.front();
  auto child = spawn(executor, std::move(spec));
  if (!child) co_return std::unexpected(child.error());
  asio::steady_timer deadline(executor, limits.deadline);
  auto first = co_await (to_its_end(**child, std::move(input), limits.output_bytes_max) ||
                         deadline.async_wait(asio::as_tuple(asio::use_awaitable)));
  if (first.index() == 0) co_return std::move(std::get<0>(first));
  auto ended = co_await (*child)->end(limits.grace);
  co_return core::fail(Code::unavailable,
                       fmt::format("'{}' did not finish within {} ms and was ended.", program, limits.deadline.count()),
                       ended ? to_string(*ended) : ended.error().detail);
}

}  // namespace headrace::process
