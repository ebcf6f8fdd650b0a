// A way out for a network name space that has none: slirp4netns beside it, which speaks TCP, UDP and DNS for it as an
// ordinary program of this host. The host's loopback is not reachable through it (--disable-host-loopback). It ends
// with this object, and with this process.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "core/task.h"
#include "process/child.h"
#include "process/descriptor.h"

namespace headrace::process {

class Egress {
 public:
  static constexpr const char* resolver = "10.0.2.3";  // its name server, seen from within

  // `network` is the name space; returns when the interface is up. not_found: no such program; unavailable, with its
  // last words: it could not (no /dev/net/tun for this user, above all).
  static core::Task<core::Result<std::unique_ptr<Egress>>> start(core::Executor loop, std::string program,
                                                                 Descriptor network);
  Egress(std::unique_ptr<Child> child, Descriptor lifeline)
      : lifeline_(std::move(lifeline)), child_(std::move(child)) {}

  // Ends it and returns when it has gone, its interface with it: some milliseconds, for which the destructor would hold
  // up the loop.
  core::Task<> end();

 private:
  Descriptor lifeline_;  // --exit-fd: closed, it ends
  std::unique_ptr<Child> child_;
};

}  // namespace headrace::process
