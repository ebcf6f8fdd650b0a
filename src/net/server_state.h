// What the connections of one server share. Internal to net.
#pragma once

#include <memory>
#include <string>

#include "net/server.h"
#include "net/stream.h"
#include "net/timers.h"

namespace headrace::net {

struct ServerState {
  ServerState(core::Executor on, core::Clock& time, Handler answers, Limits bounds);

  const std::string& date();  // of now, as a Date field wants it (RFC 9110, section 5.6.7)
  std::string next_request_id();

  core::Executor executor;
  core::Clock& clock;
  Handler handler;
  Limits limits;
  Timers timers;
  std::shared_ptr<Traffic> traffic;  // shared with the streams
  ServerCounters counters;
  bool stopping = false;
  Link connections;  // ring of Connection
  Link websockets;   // ring of WebSocket::Impl

 private:
  std::string id_prefix_;
  uint64_t ids_ = 0;
  int64_t date_second_ = -1;
  std::string date_;
};

}  // namespace headrace::net
