// What the runner lends a job of the server. A job has a network of its own, in which the server's loopback is not; so
// the runner listens on the job's (Surroundings::listen), and passes on what is asked there, over its own way to the
// server: a Unix socket, or its address, with TLS where that has it. The toolkit's services, git and the API are
// reached so; each of them asks for a token, as everywhere.
//
// Requests are streamed both ways, 64 KiB a connection at a time. Loop thread only.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "services/runner/executor.h"

namespace headrace::runner {

// The way to the server; all empty: there is none.
struct ServerWay {
  std::string url;          // "http://127.0.0.1:8080", without a slash at the end
  std::string unix_socket;  // if set, connections go there, whatever host `url` names
  std::string trusted_pem;  // of a private certificate authority; empty: the system's
  bool whole = true;        // a server with git and API; `exec` has artifacts and caches alone
  bool empty() const { return url.empty(); }
};

inline constexpr size_t door_connections_max = 256;  // of one job at once; beyond it 503
inline constexpr size_t door_piece_bytes = 64 * 1024;
inline constexpr std::chrono::minutes door_answer_max{15};  // putting 10 GiB of blocks together takes minutes

class JobDoor {
 public:
  // Opens. The clock outlives it.
  static core::Result<std::unique_ptr<JobDoor>> open(core::Executor loop, core::Clock& clock, InsideListener listener,
                                                     ServerWay way);
  ~JobDoor();  // after close(), or with what it does cut
  JobDoor(const JobDoor&) = delete;
  JobDoor& operator=(const JobDoor&) = delete;

  std::string url() const;        // "http://127.0.0.1:PORT", as steps see it
  std::string named_url() const;  // "http://headrace.localhost:PORT": see door_host
  core::Task<> close();

 private:
  struct Impl;
  explicit JobDoor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The toolkit takes every server but github.com, *.ghe.com and *.localhost for a GitHub Enterprise Server, and refuses
// artifacts of version 4 and caches of version 2 there (@actions/artifact, isGhes). Programs of actions therefore find
// this name in GITHUB_SERVER_URL (RFC 6761: names under localhost are this machine's); everything else, and the context
// github.server_url, has the server's own address.
inline constexpr std::string_view door_host = "headrace.localhost";

}  // namespace headrace::runner
