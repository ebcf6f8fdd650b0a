// Making sockets: addresses as text, listening, accepting, connecting. All are non-blocking and closed on exec.
// Internal to net.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "net/http.h"

namespace headrace::net {

// A descriptor that is closed when it goes.
class Socket {
 public:
  explicit Socket(int descriptor = -1) : descriptor_(descriptor) {}
  ~Socket();
  Socket(Socket&& other) noexcept : descriptor_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;
  int get() const { return descriptor_; }
  int release();
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// "127.0.0.1:8080", "[::1]:0", "localhost:1", "unix:/path". Names are not looked up.
core::Result<Address> parse_address(const std::string& text);
std::string to_string(const Address& address);  // as parse_address reads it

// Listening, with what is wrong in words. `address` gets the port the kernel chose.
core::Result<Socket> listen_on(Address& address);

Peer peer_of(int descriptor);
void send_at_once(int descriptor);  // TCP_NODELAY, where it is TCP

// Begins to connect; wait until it is writable, then connected() says how it went.
core::Result<Socket> begin_connect(const Address& address);
core::Result<> connected(int descriptor, const std::string& to);

}  // namespace headrace::net
