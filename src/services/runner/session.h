// One connected runner, as the service sees it.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "net/websocket.h"
#include "services/runner/protocol.h"

namespace headrace::runner {

inline constexpr size_t outgoing_max = 10'000;  // messages waiting for one runner; beyond it the connection is given up

class Session {
 public:
  Session(core::Executor executor, Hello said, core::Time at)
      : hello(std::move(said)), since(at), outgoing_changed_(std::move(executor)) {}

  // Queues a message; never waits. A newer LogHave of a job takes the place of one that waits.
  void post(Message message);
  // Sends what is posted, until close(); then closes the connection, if that is still open. Keeps the session
  // meanwhile.
  static core::Task<> send_all(std::shared_ptr<Session> self, net::WebSocket& socket);
  void close();  // nothing is sent any more

  bool closed() const { return closed_; }
  size_t room() const {
    return closed_ || draining || jobs.size() >= static_cast<size_t>(hello.slots)
               ? 0
               : static_cast<size_t>(hello.slots) - jobs.size();
  }
  // The executor by which it would run a job of these labels; empty: it cannot. GitHub: a runner must have them all.
  std::string executor_for(const std::vector<std::string>& labels) const;

  const Hello hello;
  const core::Time since;
  std::set<Token> jobs;  // given to it and not settled
  bool draining = false;
  net::WebSocket* socket = nullptr;  // while its conversation lasts

 private:
  std::deque<Message> outgoing_;
  core::Signal outgoing_changed_;
  bool closed_ = false;
};

}  // namespace headrace::runner
