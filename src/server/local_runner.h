// LocalRunner keeps the runner process of this machine: started in a session of its own, adopted when the server starts
// again, started anew when it dies. It outlives the server; `headrace down` ends it. Its record is its own to write,
// once it has the lock of its folder (services/runner/leftovers.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/task.h"

namespace headrace::server {

struct LocalRunnerOptions {
  std::string program;  // this binary
  std::string data;     // DATA: run/runner.json, runner/, run/server.sock
  std::string token_file;
  std::string name = "local";
  std::vector<std::pair<std::string, std::string>> labels;  // label, executor
  std::string sandbox_network = "own";
  std::string actions_upstream = "https://github.com";
  std::string container_engine;
  std::vector<std::string> container_volumes;
  int64_t slots = 1;
};

class LocalRunner {
 public:
  LocalRunner(core::Loop& loop, core::Clock& clock, core::Disk& disk, LocalRunnerOptions options);  // all outlive it
  ~LocalRunner();

  // Adopts the one of before, or starts one. `replace` is called when the one of before was started with other labels:
  // it is to be told to end when its jobs are done, and then one with the labels of today is started.
  core::Result<> start(std::function<void()> replace);
  core::Task<> stop();  // looks after it no longer; the process goes on

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::server
