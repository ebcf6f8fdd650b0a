#include "net/testing/world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

namespace headrace::net::testing {

namespace {

constexpr std::chrono::seconds patience{10};

int connect_to(const std::string& address, int receive_buffer) {
  const bool local = address.starts_with("unix:");
  const int descriptor = ::socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  int result = -1;
  if (local) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    address.copy(un.sun_path, sizeof un.sun_path - 1, 5);
    result = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&un), sizeof un);
  } else {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    result = ::connect(descriptor, reinterpret_cast<const sockaddr*>(&four), sizeof four);
  }
  core::require(result == 0, "a test reaches its own server");
  return descriptor;
}

core::Task<> shut_down(Server& server, bool& over) {
  co_await server.shutdown(std::chrono::milliseconds(0));
  over = true;
}

}  // namespace

Wire::Wire(World& world, const std::string& address, int receive_buffer)
    : world_(world), descriptor_(connect_to(address, receive_buffer)) {
  world_.settle();
}

Wire::~Wire() { close(); }

Wire::Wire(Wire&& other) noexcept
    : world_(other.world_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      received_(std::move(other.received_)),
      ended_(other.ended_) {}

Wire& Wire::send(std::string_view bytes) {
  world_.until([&] {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    return bytes.empty() || (sent < 0 && errno != EAGAIN);
  });
  world_.settle();
  return *this;
}

// True when something has changed.
bool Wire::take_more() {
  std::array<char, 65536> bytes;
  const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) received_.append(bytes.data(), static_cast<size_t>(got));
  if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
  return got > 0;
}

std::string Wire::take(size_t count) {
  std::string taken = received_.substr(0, count);
  received_.erase(0, count);
  return taken;
}

std::string Wire::until(std::string_view mark) {
  size_t searched = 0;
  size_t at = std::string::npos;
  world_.until([&] {
    at = received_.find(mark, searched);
    searched = received_.size() - std::min(received_.size(), mark.size());
    return at != std::string::npos || (!take_more() && ended_);
  });
  return take(at == std::string::npos ? received_.size() : at + mark.size());
}

std::string Wire::bytes(size_t count) {
  world_.until([&] { return received_.size() >= count || (!take_more() && ended_); });
  return take(count);
}

std::string Wire::rest() {
  world_.until([&] { return !take_more() && ended_; });
  return take(received_.size());
}

std::string Wire::ready() {
  world_.settle();
  while (take_more()) world_.settle();
  return take(received_.size());
}

bool Wire::closed() {
  world_.settle();
  while (take_more()) world_.settle();
  return ended_;
}

void Wire::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void Wire::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

World::World(Handler handler, Limits limits, const std::optional<TlsCertificate>& tls, const std::string& listen_on)
    : secure(tls.has_value()) {
  server.emplace(loop.executor(), clock, std::move(handler), limits);
  auto bound = server->listen(listen_on, tls);
  core::require(bound.has_value(), "a test's server listens");
  address = *bound;
}

World::~World() {
  if (!server) return;
  bool over = false;
  loop.spawn(shut_down(*server, over));
  until([&] {
    clock.advance(std::chrono::milliseconds(1));
    return over;
  });
}

std::string World::url(std::string_view path) const {
  return (secure ? "https://" : "http://") + address + std::string(path);
}

std::string World::ask(std::string_view bytes) { return connect().send(bytes).rest(); }

bool World::until(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (loop.poll() == 0) std::this_thread::yield();
    if (std::chrono::steady_clock::now() > end) return false;
  }
  return true;
}

void World::settle() {
  while (loop.poll() > 0) {
  }
}

}  // namespace headrace::net::testing
