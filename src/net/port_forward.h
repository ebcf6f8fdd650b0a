// PortForward carries what connects to a listening socket to a port of this machine's loopback and back, byte for byte:
// how a job in a network of its own reaches a port that the runner has. Loop thread only.
//
// It is a door for the job, so it is bounded: connections_max at a time (one more waits in the queue of the socket), 64
// KiB a direction. A connection ends when both ends have said so, or one of them is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/task.h"

namespace headrace::net {

class PortForward {
 public:
  static constexpr size_t connections_max = 256;

  // Owns the descriptor of a TCP socket that listens. `to` is a port of 127.0.0.1.
  PortForward(core::Executor loop, int listening, uint16_t to);
  ~PortForward();  // listens no longer, and ends what it carries
  PortForward(const PortForward&) = delete;
  PortForward& operator=(const PortForward&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with its tasks
};

}  // namespace headrace::net
