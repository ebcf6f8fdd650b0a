// The way to the network of jobs whose own network has none: a process of the egress program (egress/main.cc) for each,
// which speaks TCP, UDP and DNS for the job by libslirp, as an ordinary program of this host and as the job's user. The
// host's loopback is not reachable through it.
//
// EgressServer is the program, one for all jobs: it begins with the first that wants a way out, and again where it has
// ended. All end with this process. Loop thread only.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>

#include "core/result.h"
#include "core/task.h"
#include "process/descriptor.h"

namespace headrace::process {

class EgressServer {
 public:
  explicit EgressServer(core::Executor loop);
  ~EgressServer();  // ways out that are still there keep what they need
  EgressServer(const EgressServer&) = delete;
  EgressServer& operator=(const EgressServer&) = delete;

  pid_t pid() const;  // 0: none runs yet, or none that takes another job

 private:
  friend class Egress;
  struct Program;
  core::Result<std::shared_ptr<Program>> ask(int tap, int lifeline, std::optional<uid_t> user);
  void forget(const std::shared_ptr<Program>& program);

  core::Executor loop_;
  std::shared_ptr<Program>
      program_;  // shared with the ways out that it serves: one that is replaced ends with the last
};

class Egress {
 public:
  static constexpr const char* resolver = "10.0.2.3";  // its name server, seen from within

  // `tap` is the job's interface, up, with the address 10.0.2.100/24, MTU 65520 and the gateway 10.0.2.2; no other
  // copy of it may be left (the interface ends with it). `user` is whom the process becomes: given where we are root.
  // not_found: no libslirp. unavailable, with the reason.
  static core::Task<core::Result<std::unique_ptr<Egress>>> start(core::Executor loop, EgressServer& server,
                                                                 Descriptor tap, std::optional<uid_t> user);
  ~Egress();  // ends it without waiting
  pid_t pid() const { return pid_; }

  // Ends it and returns when it has gone, its interface with it.
  core::Task<> end();

 private:
  struct Lifeline;
  Egress(std::shared_ptr<EgressServer::Program> program, std::unique_ptr<Lifeline> lifeline, pid_t pid);

  std::shared_ptr<EgressServer::Program> program_;
  std::unique_ptr<Lifeline> lifeline_;  // none once it has ended
  pid_t pid_;
};

}  // namespace headrace::process
