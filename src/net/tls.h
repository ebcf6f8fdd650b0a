// TLS 1.2 and 1.3 by OpenSSL, which only tls.cc sees. Internal to net.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace headrace::net {

// What one attempt came to.
struct Step {
  enum class Kind { moved, wants_read, wants_write, ended, failed };
  Kind kind = Kind::failed;
  size_t bytes = 0;         // moved
  std::string reason = {};  // failed
};

// One connection's state; the socket is its caller's, and non-blocking.
class TlsSession {
 public:
  virtual ~TlsSession() = default;
  virtual Step shake_hands() = 0;
  virtual Step read(std::span<std::byte> into) = 0;
  // May be called again with more, never with less, after wants_read or wants_write.
  virtual Step write(std::string_view from) = 0;
  virtual void finish() = 0;  // says goodbye, if that can be done at once
};

// What the sessions of one server or client share.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
  // `host` is the name or address a client must find in the certificate; servers pass nothing.
  virtual std::unique_ptr<TlsSession> open(int descriptor, const std::string& host) = 0;
};

core::Result<std::shared_ptr<TlsContext>> make_server_tls(const std::string& chain_pem, const std::string& key_pem);
// Trusts the system's certificates where `trusted_pem` is empty.
core::Result<std::shared_ptr<TlsContext>> make_client_tls(const std::string& trusted_pem);

}  // namespace headrace::net
