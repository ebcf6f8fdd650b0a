// Outbox is what several tasks have to say to one client, sent in the order it was put. It holds at most about
// outbox_bytes_max: who puts more waits for until_room() first. Loop only.
#pragma once

#include <deque>
#include <string>

#include "core/task.h"
#include "net/sse.h"

namespace headrace::server {

inline constexpr size_t outbox_bytes_max = 512 * 1024;
inline constexpr std::chrono::seconds outbox_heartbeat_every{15};  // where nothing is said

class Outbox {
 public:
  explicit Outbox(core::Executor executor) : changed_(std::move(executor)) {}

  void put(std::string name, std::string data);
  core::Task<> until_room();
  void close();  // what waits is still sent
  size_t bytes() const { return bytes_; }

  // The next to send, encoded; empty when closed and all is taken. Nothing for a heartbeat's time: a comment.
  core::Task<std::string> next();
  core::Task<> send_all(net::SseWriter& out);  // until closed or the client has gone

 private:
  std::deque<std::string> waiting_;
  size_t bytes_ = 0;
  bool closed_ = false;
  core::Signal changed_;
};

}  // namespace headrace::server
