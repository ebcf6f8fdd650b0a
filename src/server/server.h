// Server is the platform in one process: it makes the parts, wires the services to each other's events, and answers
// HTTP.
//
// What is in the data folder:
//   log/ the event log · projections/ what is derived from it · bus.db cursors · vault.db, vault.key secrets ·
//   repositories/ git · logs/ of jobs · hooks/ · runner/ jobs at work · run/ sockets, records of processes, this lock
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/task.h"

namespace headrace::server {

struct Options {
  std::string data;
  std::string listen = "127.0.0.1:8080";
  std::string public_url;  // empty: by `listen`
  std::string bootstrap_token_file;
  std::string vault_key_file;
  std::string tls_certificate, tls_key;                     // files
  std::vector<std::pair<std::string, std::string>> labels;  // of the local runner
  std::string sandbox_network = "own";                      // of its sandboxed jobs: own, host or none
  std::string actions_upstream = "https://github.com";      // of actions that this server has not; "none": nowhere
  std::string container_engine;                             // of its jobs; empty: the first that answers
  std::vector<std::string> container_volumes;               // folders of this machine that they may mount
  int64_t slots = 0;                                        // 0: one a core
  bool local_runner = true;
  bool demo = false;    // make the demo on a folder that is new (demo.h)
  std::string program;  // this binary, to start a runner with
};

// Serves until SIGTERM or SIGINT; a second one ends it at once. Prints the address, and the one-time link where there
// is no administrator yet, on standard output. Blocks.
core::Result<> serve(Options options);

}  // namespace headrace::server
