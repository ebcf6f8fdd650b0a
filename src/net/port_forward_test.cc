#include "net/port_forward.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <string>

namespace headrace::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using core::Task;

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

tcp::acceptor listener(core::Loop& loop) {
  return {loop.executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
}

// Says back what it hears until the end, then says so.
Task<> echo(tcp::socket socket) {
  std::array<char, 4096> piece;
  while (true) {
    auto [error, count] = co_await socket.async_read_some(asio::buffer(piece), as_value);
    if (error) co_return;
    auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(piece.data(), count), as_value);
    if (unsent) co_return;
  }
}

Task<> serve(tcp::acceptor& door, core::Scope& tasks) {
  while (true) {
    auto [error, socket] = co_await door.async_accept(as_value);
    if (error) co_return;
    tasks.spawn("echo", echo(std::move(socket)));
  }
}

// What comes back of `text` when the sender has said its end.
Task<std::string> through(core::Executor loop, uint16_t port, std::string text) {
  tcp::socket socket(loop);
  auto [refused] = co_await socket.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), port), as_value);
  if (refused) co_return "refused";
  core::Scope sending(loop);
  struct Send {
    static Task<> all(tcp::socket& to, const std::string& what) {
      auto [error, count] = co_await asio::async_write(to, asio::buffer(what), as_value);
      EXPECT_TRUE(!error || count < what.size());
      boost::system::error_code ignored;
      to.shutdown(tcp::socket::shutdown_send, ignored);
    }
  };
  sending.spawn("send", Send::all(socket, text));
  std::string back;
  std::array<char, 4096> piece;
  while (true) {
    auto [error, count] = co_await socket.async_read_some(asio::buffer(piece), as_value);
    if (error) break;
    back.append(piece.data(), count);
  }
  co_await sending.close();
  co_return back;
}

class PortForwardTest : public ::testing::Test {
 protected:
  PortForwardTest() {
    tasks.spawn("serve", serve(there, tasks));
    auto here = listener(loop);
    port = here.local_endpoint().port();
    forward.emplace(loop.executor(), here.release(), there.local_endpoint().port());
  }
  ~PortForwardTest() override {
    there.close();
    loop.run(tasks.close());
  }
  core::Loop loop;
  core::Scope tasks{loop.executor()};
  tcp::acceptor there = listener(loop);
  uint16_t port = 0;
  std::optional<PortForward> forward;
};

TEST_F(PortForwardTest, BytesPassBothWaysAndTheEndOfOneDirectionIsToldToTheOther) {
  EXPECT_EQ(loop.run(through(loop.executor(), port, "hello")), "hello");
  std::string large(size_t{3} << 20, 'x');
  EXPECT_EQ(loop.run(through(loop.executor(), port, large)), large);
}

TEST_F(PortForwardTest, WhereNobodyListensTheConnectionEnds) {
  there.close();
  EXPECT_EQ(loop.run(through(loop.executor(), port, "hello")), "");
}

TEST_F(PortForwardTest, OnceItIsGoneNothingListens) {
  forward.reset();
  EXPECT_EQ(loop.run(through(loop.executor(), port, "hello")), "refused");
}

Task<> hold(core::Executor loop, uint16_t port, std::vector<std::unique_ptr<tcp::socket>>& held) {
  held.push_back(std::make_unique<tcp::socket>(loop));
  auto [error] = co_await held.back()->async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), port), as_value);
  EXPECT_FALSE(error);
}

TEST_F(PortForwardTest, OneMoreThanItCarriesWaitsForItsTurn) {
  std::vector<std::unique_ptr<tcp::socket>> held;
  for (size_t i = 0; i < PortForward::connections_max; ++i) loop.run(hold(loop.executor(), port, held));
  std::string back;
  core::Scope waiting(loop.executor());
  struct Wait {
    static Task<> one(core::Executor on, uint16_t at, std::string& into) { into = co_await through(on, at, "late"); }
  };
  waiting.spawn("one more", Wait::one(loop.executor(), port, back));
  core::Signal never(loop.executor());
  EXPECT_FALSE(loop.run(never.wait_for(std::chrono::milliseconds(50))));
  EXPECT_EQ(back, "");
  held.clear();
  loop.run(waiting.until_idle());
  EXPECT_EQ(back, "late");
}

}  // namespace
}  // namespace headrace::net
