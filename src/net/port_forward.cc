#include "net/port_forward.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace headrace::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using core::Task;

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
constexpr size_t piece_bytes = size_t{64} << 10;
constexpr std::chrono::milliseconds rest{100};  // when no descriptor is left

// One connection: its two ends live as long as both directions.
struct Carried {
  tcp::socket near, far;
};

Task<> pump(std::shared_ptr<Carried> kept, tcp::socket& from, tcp::socket& to) {
  std::array<std::byte, piece_bytes> piece;
  boost::system::error_code failed;
  while (!failed) {
    auto [error, count] = co_await from.async_read_some(asio::buffer(piece), as_value);
    failed = error;
    if (failed) break;
    auto [unsent, sent] = co_await asio::async_write(to, asio::buffer(piece.data(), count), as_value);
    failed = unsent;
  }
  boost::system::error_code ignored;  // an end that has gone
  if (failed == asio::error::eof) {
    to.shutdown(tcp::socket::shutdown_send, ignored);
  } else {
    kept->near.close(ignored);
    kept->far.close(ignored);
  }
}

}  // namespace

struct PortForward::Impl {
  Impl(core::Executor on, int listening, uint16_t port) : loop(on), door(on), to(port), changed(on), tasks(on) {
    door.assign(tcp::v4(), listening);
  }

  static Task<> accept_on(std::shared_ptr<Impl> self) {
    while (self->door.is_open()) {
      if (self->carried >= connections_max) {
        co_await self->changed.wait();
        continue;
      }
      auto [error, socket] = co_await self->door.async_accept(as_value);
      if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) break;
      if (error) {
        bool woken = co_await self->changed.wait_for(rest);
        static_cast<void>(woken);  // either way it is tried again
        continue;
      }
      self->tasks.spawn("a forwarded connection", carry(self, std::move(socket)));
    }
  }

  static Task<> carry(std::shared_ptr<Impl> self, tcp::socket socket) {
    struct Counted {
      Impl& all;
      explicit Counted(Impl& of) : all(of) { ++all.carried; }
      ~Counted() {
        --all.carried;
        all.changed.notify_all();
      }
    } counted(*self);
    auto both = std::make_shared<Carried>(std::move(socket), tcp::socket(self->loop));
    auto [error] =
        co_await both->far.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), self->to), as_value);
    if (error) co_return;  // whoever connected sees the end of it
    core::Scope directions(self->loop);
    directions.spawn("there", pump(both, both->near, both->far));
    directions.spawn("back", pump(both, both->far, both->near));
    co_await directions.until_idle();
  }

  core::Executor loop;
  tcp::acceptor door;
  uint16_t to;
  size_t carried = 0;
  core::Signal changed;
  core::Scope tasks;
};

PortForward::PortForward(core::Executor loop, int listening, uint16_t to)
    : impl_(std::make_shared<Impl>(std::move(loop), listening, to)) {
  impl_->tasks.spawn("accept for a forwarded port", Impl::accept_on(impl_));
}

PortForward::~PortForward() {
  boost::system::error_code ignored;  // it is closed whatever close(2) says
  impl_->door.close(ignored);
  impl_->tasks.cancel();
}

}  // namespace headrace::net
