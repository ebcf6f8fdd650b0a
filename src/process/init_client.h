// The runner's side of an init (init_protocol.h): runs processes within a sandbox or container as if they were children
// of ours. Loop thread only. When the init is gone, so is all it ran: what was waited for ends as killed by signal 9.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "process/child.h"
#include "process/descriptor.h"

namespace headrace::process {

class InitClient {
 public:
  struct Run {
    std::vector<std::string> argv;         // as the init sees them
    std::vector<std::string> environment;  // exactly
    std::string directory;                 // absolute, as the init sees it
    bool input = false;                    // a pipe to write to; else it reads the end at once
    Spec::Leftovers leftovers = Spec::Leftovers::end;
  };
  struct Listener {
    Descriptor socket;
    uint16_t port = 0;
  };
  struct Usage {                     // of the processes that were run and have ended, with what they waited for
    uint64_t memory_peak_bytes = 0;  // of the largest single process
    std::chrono::microseconds processor{0};
  };

  // `control` is our end of the socket. What runs belongs to `owner` outside (pipes are given to it, so that a process
  // can open its own /dev/stdout); nothing: to us.
  InitClient(core::Executor loop, Descriptor control, std::optional<uid_t> owner);
  ~InitClient();  // closes the socket, upon which the init kills everything and ends
  InitClient(const InitClient&) = delete;
  InitClient& operator=(const InitClient&) = delete;

  // The init has begun; unavailable where it ended instead or said nothing for `limit`. Once, before anything else.
  core::Task<core::Result<>> ready(std::chrono::milliseconds limit);
  bool alive() const;
  bool ended() const;  // it said so, asked to end: nothing that it started runs any more

  // Stream::out of the child has both outputs. pid() and start_time() of every child are `outside`'s. Errors:
  // not_found (the directory, the program), denied, exhausted, invalid (too much of arguments), unavailable.
  core::Task<core::Result<std::unique_ptr<Child>>> run(Run wanted);
  void outside(pid_t pid, uint64_t start_time);  // the process whose group is all of the init's, as the host sees it

  // On the loopback of the init's network; port 0: any that is free. conflict: that port is taken there.
  core::Task<core::Result<Listener>> listen(uint16_t port = 0);
  // Kills all that runs and waits until the init says so or is gone, at most `limit`.
  core::Task<> end(std::chrono::milliseconds limit);

  Usage usage() const;
  uint64_t memory_exceeded() const;  // bytes in use when the init's watch killed everything; 0: it did not
  // The tap device that the sandbox was to have (uplink.h), once; unavailable, with the reason, where it has none.
  core::Result<Descriptor> take_uplink();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with its reader and the children
};

}  // namespace headrace::process
