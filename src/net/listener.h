// Listener accepts connections on one address. Internal to net.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "net/server_state.h"
#include "net/socket.h"
#include "net/tls.h"

namespace headrace::net {

class Listener {
 public:
  static constexpr int accepted_at_once = 64;            // then others have their turn
  static constexpr std::chrono::milliseconds rest{100};  // when no descriptor is left

  using Serve = std::function<void(Stream stream, Peer peer)>;
  Listener(ServerState& server, Socket socket, Address address, std::shared_ptr<TlsContext> tls, Serve serve);
  ~Listener();  // stops listening; a Unix socket's file goes, if it is still ours

  core::Task<> accept_on();  // until cancelled

 private:
  enum class Outcome { more, wait, rest };
  Outcome accept_one();
  void take(Socket socket);
  void report_exhaustion(int number);

  ServerState& server_;
  struct Ear;
  std::unique_ptr<Ear> ear_;
  Address address_;
  std::shared_ptr<TlsContext> tls_;  // shared with nobody; null: none
  Serve serve_;
  dev_t device_ = 0;  // of the Unix socket's file
  ino_t inode_ = 0;
  bool reported_ = false;
};

}  // namespace headrace::net
