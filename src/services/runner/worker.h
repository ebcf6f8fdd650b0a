// Worker is the runner process: it connects to the server, runs the jobs it is given, and streams their logs.
//
// Every line goes to a file of the job's first (DATA of the worker), and from there to the server, which says how much
// it has: so a server that restarts, or a connection that breaks, costs no line, and no log is ever in memory. A job
// goes on while the server is away; its end is kept on disk until the server has settled it. A worker that was killed
// finds the leftovers of its jobs when it starts again: it ends their processes, and reports ends that were not
// settled.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/id.h"
#include "core/result.h"
#include "core/task.h"
#include "services/runner/action_source.h"
#include "services/runner/job_execution.h"

namespace headrace::runner {

struct WorkerOptions {
  std::string server;       // "http://127.0.0.1:8080", "https://..."
  std::string unix_socket;  // if set, connections go there, whatever host `server` names
  std::string trusted_pem;  // of a private certificate authority; empty: the system's
  std::string token;        // of the runner
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  // label, executor
  int64_t slots = 1;
  std::string folder;                              // for jobs at work and their logs; this worker's alone
  std::chrono::milliseconds reconnect_first{100};  // after a lost connection, doubled up to
  std::chrono::milliseconds reconnect_most{10'000};
  uint64_t log_bytes_max = uint64_t{4} << 30;      // of one job; what it prints beyond that is dropped, and said
  uint64_t log_in_flight_max = uint64_t{4} << 20;  // sent and not yet with the server
  JobExecution::Times times = {};
  ExecutorOptions executors = {};
  // Where actions come from that the server has not: the front of their address; "": nowhere.
  std::string actions_upstream{actions_upstream_default};
};

class Worker {
 public:
  Worker(core::Loop& loop, core::Clock& clock, core::Disk& disk, core::IdSource& ids,
         WorkerOptions options);  // all outlive this
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Until the server drained it, stop() ended it, or the server refused it for good (its reason).
  core::Task<core::Result<>> run();
  // Cancels the jobs at hand with this reason and ends when they have ended; the second time at once.
  void stop(std::string reason);
  size_t jobs() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with its tasks, which end after it where it is destroyed while they run
};

}  // namespace headrace::runner
