#include "net/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "net/grammar.h"

namespace headrace::net {

namespace {

constexpr int backlog = 1024;  // the kernel cuts it to net.core.somaxconn

core::Result<Address> parse_unix(std::string_view path) {
  Address address;
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof un.sun_path || path.contains('\0'))
    return core::fail(core::Code::invalid, "The path of a Unix socket has 1 to " +
                                               std::to_string(sizeof un.sun_path - 1) + " bytes; '" +
                                               std::string(path) + "' has " + std::to_string(path.size()) + ".");
  path.copy(un.sun_path, path.size());
  std::memcpy(&address.storage, &un, sizeof un);
  address.size = sizeof un;
  return address;
}

bool set_host(const std::string& host, uint16_t port, Address& address) {
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&address.storage, &four, sizeof four);
    address.size = sizeof four;
    return true;
  }
  if (inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) != 1) return false;
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  std::memcpy(&address.storage, &six, sizeof six);
  address.size = sizeof six;
  return true;
}

std::string host_of(const Address& address, uint16_t& port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.family() == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, &address.storage, sizeof four);
    port = ntohs(four.sin_port);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
  } else if (address.family() == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, &address.storage, sizeof six);
    port = ntohs(six.sin6_port);
    inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::string path_of(const Address& address) {
  sockaddr_un un;
  std::memcpy(&un, &address.storage, sizeof un);
  return un.sun_path;
}

std::unexpected<core::Error> listen_error(const Address& address, int number) {
  const std::string name = to_string(address);
  if (number == EADDRINUSE)
    return core::fail(core::Code::conflict,
                      "Another program listens on " + name +
                          " already: stop it ('ss -ltnp' shows it), or choose another address with --listen.");
  if (number == EACCES)
    return core::fail(core::Code::denied, "This user may not listen on " + name +
                                              ": choose a port from 1024, or a path that may be written.");
  if (number == EADDRNOTAVAIL)
    return core::fail(core::Code::invalid,
                      "This machine has no address " + name + ": choose one of its own, 127.0.0.1 or 0.0.0.0.");
  return std::unexpected(core::error_of_errno(number, "listening", name));
}

// True when a program answers on the socket file; a file without one is what a killed process left.
bool answers(const Address& address) {
  Socket probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return ::connect(probe.get(), address.get(), address.size) == 0 || errno != ECONNREFUSED;
}

int bind_to(int descriptor, const Address& address) {
  if (address.family() == AF_UNIX) ::fchmod(descriptor, 0600);  // bind makes the file with the mode of the socket
  if (::bind(descriptor, address.get(), address.size) == 0) return 0;
  if (errno != EADDRINUSE || address.family() != AF_UNIX || answers(address)) return errno == 0 ? EADDRINUSE : errno;
  ::unlink(path_of(address).c_str());
  return ::bind(descriptor, address.get(), address.size) == 0 ? 0 : errno;
}

}  // namespace

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

int Socket::release() { return std::exchange(descriptor_, -1); }

core::Result<Address> parse_address(const std::string& text) {
  if (text.starts_with("unix:")) return parse_unix(std::string_view(text).substr(5));
  const size_t colon = text.rfind(':');
  auto port = parse_length(colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1));
  std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  Address address;
  const bool known = port && *port <= 65'535 && set_host(host, static_cast<uint16_t>(*port), address);
  if (!known || bracketed != (address.family() == AF_INET6))
    return core::fail(core::Code::invalid,
                      "'" + text + "' is no address to listen on: write 127.0.0.1:8080, [::1]:8080 or unix:/path.");
  return address;
}

std::string to_string(const Address& address) {
  if (address.family() == AF_UNIX) return "unix:" + path_of(address);
  uint16_t port = 0;
  const std::string host = host_of(address, port);
  return (address.family() == AF_INET6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

core::Result<Socket> listen_on(Address& address) {
  Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return listen_error(address, errno);
  const int on = 1;
  if (address.family() != AF_UNIX) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (const int error = bind_to(socket.get(), address); error != 0) return listen_error(address, error);
  if (::listen(socket.get(), backlog) != 0) return listen_error(address, errno);
  if (address.family() != AF_UNIX)
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  return socket;
}

Peer peer_of(int descriptor) {
  Peer peer;
  Address address;
  address.size = sizeof address.storage;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0) return peer;
  peer.local = address.family() == AF_UNIX;
  if (!peer.local) {
    peer.address = host_of(address, peer.port);
    return peer;
  }
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return peer;
  peer.process = credentials.pid;
  peer.user = credentials.uid;
  return peer;
}

void send_at_once(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // fails, rightly, for Unix sockets
}

core::Result<Socket> begin_connect(const Address& address) {
  Socket socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return std::unexpected(core::error_of_errno(errno, "opening a socket"));
  send_at_once(socket.get());
  if (::connect(socket.get(), address.get(), address.size) == 0 || errno == EINPROGRESS) return socket;
  core::Error error = core::error_of_errno(errno, "connecting", to_string(address));
  error.code = core::Code::unavailable;
  return std::unexpected(std::move(error));
}

core::Result<> connected(int descriptor, const std::string& to) {
  int number = 0;
  socklen_t size = sizeof number;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size);
  if (number == 0) return {};
  core::Error error = core::error_of_errno(number, "connecting", to);
  error.code = core::Code::unavailable;
  return std::unexpected(std::move(error));
}

}  // namespace headrace::net
