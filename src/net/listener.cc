#include "net/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <string_view>
#include <utility>

#include "core/diagnostics.h"

namespace headrace::net {

namespace asio = boost::asio;

namespace {

constexpr std::string_view busy_answer =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 5\r\nConnection: "
    "close\r\n"
    "Content-Length: 31\r\n\r\nToo many connections are open.\n";

std::string file_of(const Address& address) { return to_string(address).substr(std::string_view("unix:").size()); }

}  // namespace

struct Listener::Ear {
  asio::posix::stream_descriptor descriptor;
};

Listener::Listener(ServerState& server, Socket socket, Address address, std::shared_ptr<TlsContext> tls, Serve serve)
    : server_(server),
      ear_(std::make_unique<Ear>(asio::posix::stream_descriptor(server.executor, socket.release()))),
      address_(address),
      tls_(std::move(tls)),
      serve_(std::move(serve)) {
  struct stat file{};
  if (address_.family() != AF_UNIX || ::stat(file_of(address_).c_str(), &file) != 0) return;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

Listener::~Listener() {
  struct stat file{};
  if (address_.family() != AF_UNIX || ::stat(file_of(address_).c_str(), &file) != 0) return;
  if (file.st_dev == device_ && file.st_ino == inode_) ::unlink(file_of(address_).c_str());
}

core::Task<> Listener::accept_on() {
  while (true) {
    Outcome outcome = Outcome::more;
    for (int i = 0; i < accepted_at_once && outcome == Outcome::more; ++i) outcome = accept_one();
    if (outcome == Outcome::rest) {
      co_await server_.clock.sleep_for(rest);
      continue;
    }
    auto [error] = co_await ear_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                                        asio::as_tuple(asio::use_awaitable));
    if (error) throw boost::system::system_error(error);
  }
}

Listener::Outcome Listener::accept_one() {
  Socket socket(::accept4(ear_->descriptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
    take(std::move(socket));
    return Outcome::more;
  }
  if (errno == EAGAIN) return Outcome::wait;
  if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
    return Outcome::more;  // that client went
  report_exhaustion(errno);
  return Outcome::rest;
}

void Listener::take(Socket socket) {
  reported_ = false;
  if (server_.traffic->open >= server_.limits.connections_max) {
    ++server_.counters.connections_refused;
    if (!tls_) [[maybe_unused]]
      auto sent = ::send(socket.get(), busy_answer.data(), busy_answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  ++server_.counters.connections_accepted;
  send_at_once(socket.get());
  Peer peer = peer_of(socket.get());
  std::unique_ptr<TlsSession> session = tls_ ? tls_->open(socket.get(), {}) : nullptr;
  serve_(Stream(server_.executor, socket.release(), server_.timers, server_.traffic, std::move(session)),
         std::move(peer));
}

void Listener::report_exhaustion(int number) {
  ++server_.counters.connections_refused;
  if (std::exchange(reported_, true)) return;
  core::diagnose(core::Level::error, "net",
                 "no connection can be accepted on " + to_string(address_) + ": " +
                     core::error_of_errno(number, "accept").message +
                     " Raise the limit of open files (ulimit -n) or close connections; trying again meanwhile.");
}

}  // namespace headrace::net
