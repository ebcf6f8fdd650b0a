// A way out for a network name space that has none: slirp4netns beside it, which speaks TCP, UDP and DNS for it as an
// ordinary program of this host. The host's loopback is not reachable through it (--disable-host-loopback).
//
// Most jobs send nothing, and slirp4netns takes as long to start and end as the rest of a sandbox. So an interface of
// ours stands there first; with the first packet slirp4netns is started beside it and gets what was sent meanwhile
// (docs/adr/0021). Loop thread only.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "core/task.h"
#include "process/descriptor.h"

namespace headrace::process {

class Egress {
 public:
  static constexpr const char* resolver = "10.0.2.3";  // its name server, seen from within

  // `network` is the name space; returns when its interface is up. `pool` closes what the kernel takes its time for,
  // and outlives this. unavailable, with the last words of who failed: there is no /dev/net/tun for this user, above
  // all.
  static core::Task<core::Result<std::unique_ptr<Egress>>> prepare(core::Executor loop, core::Pool& pool,
                                                                   std::string program, Descriptor network);
  ~Egress();  // it ends, and holds up the loop; end() does not
  Egress(const Egress&) = delete;
  Egress& operator=(const Egress&) = delete;

  // Starts slirp4netns now, if it has not been; the errors of spawn, or unavailable with its last words. What is
  // wrong when a packet starts it is a line of diagnostics, and the network has no way out any more.
  core::Task<core::Result<>> open();
  bool is_open() const;

  // Ends it and returns when it has gone, its interface with it.
  core::Task<> end();

 private:
  struct Impl;
  explicit Egress(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;  // shared with its tasks
};

}  // namespace headrace::process
