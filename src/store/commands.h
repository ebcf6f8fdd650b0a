// CommandStrand runs a service's commands one after the other: each sees everything that happened before it, and is
// seen by the one after it. Take the strand, catch up with the log, check, append, wait until the projection shows it.
//
//   auto said = co_await strand_.run([=](sqlite::Connection& tables) -> core::Result<log::Batch> {
//     ... look up by key, refuse with an Error, or return what is to be said ...
//   });
//
// Errors: what the check refused with; exhausted (waiters_max wait already, or wait_max passed), conflict (the batch's
// Expected still did not hold after attempts_max checks), unavailable (the projection stopped or is behind, the log
// refuses appends). After an error nothing was appended by this command, unless the log says otherwise.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "log/event_log.h"
#include "sqlite/connection.h"
#include "store/store.h"

namespace headrace::store {

// What a command said.
struct Outcome {
  std::vector<Offset> offsets;  // one an event; empty where there was nothing to say
  bool duplicate = false;       // it had been said before, under the same key: nothing was written
  bool applied = true;          // false: durable, but the projection did not show it within applied_max
};

class CommandStrand {
 public:
  struct Limits {
    size_t waiters_max = 256;
    std::chrono::milliseconds wait_max{10'000};    // for its turn
    std::chrono::milliseconds behind_max{10'000};  // for the projection to reach the tail before the check
    std::chrono::milliseconds applied_max{5'000};  // for the projection to show what was said
    int attempts_max = 5;                          // checks of one command, when its Expected does not hold
  };
  // Looks up by key and decides; may run several times, so it changes nothing outside. A batch of no events: nothing to
  // say. On the loop: a check that reads much is a WaitingCheck.
  using Check = std::function<core::Result<log::Batch>(sqlite::Connection& tables)>;
  // The same as a task on the loop; the function object lives until the command has ended.
  using WaitingCheck = std::function<core::Task<core::Result<log::Batch>>()>;

  // `store` and `log` outlive it. `projection` is the service's own. All on the loop of `executor`.
  CommandStrand(core::Executor executor, Store& store, log::EventLog& log, std::string projection)
      : CommandStrand(std::move(executor), store, log, std::move(projection), Limits()) {}
  CommandStrand(core::Executor executor, Store& store, log::EventLog& log, std::string projection, Limits limits);
  ~CommandStrand();  // no command may be running
  CommandStrand(const CommandStrand&) = delete;
  CommandStrand& operator=(const CommandStrand&) = delete;

  core::Task<core::Result<Outcome>> run(Check check);
  core::Task<core::Result<Outcome>> run_waiting(WaitingCheck check);
  size_t waiting() const;
  struct Impl;  // of commands.cc

 private:
  std::shared_ptr<Impl> impl_;  // shared with the commands still running
};

}  // namespace headrace::store
