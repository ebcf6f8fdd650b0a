// The command line: `headrace NOUN VERB`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"

namespace headrace::cli {

using Labels = std::vector<std::pair<std::string, std::string>>;  // label, executor

struct Serve {
  std::string data = "./headrace-data";
  std::string listen = "127.0.0.1:8080";
  std::string public_url;  // empty: http(s)://LISTEN
  std::string bootstrap_token_file;
  std::string vault_key_file;  // empty: DATA/vault.key
  std::string tls_certificate, tls_key;
  Labels labels;
  std::string sandbox_network = "own";                  // own, host or none
  std::string actions_upstream = "https://github.com";  // "none": nowhere
  std::string container_engine;                         // podman, docker or a path; empty: the first that answers
  std::vector<std::string> container_volumes;           // folders that containers of jobs may mount
  int64_t slots = 0;                                    // of the local runner; 0: one a core
  bool no_runner = false;
  bool demo = false;
};

// What main() returns: 0 done; 1 the thing asked about failed, does not exist or conflicts; 2 wrong usage; 3 no
// connection, no right, or the server's fault. `serve` is called for the command of that name, its folder made
// absolute; it ends when the server has.
int run(int argc, char** argv, std::function<core::Result<>(const Serve&)> serve);

}  // namespace headrace::cli
