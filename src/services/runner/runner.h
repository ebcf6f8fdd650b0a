// Runner gives queued jobs to runner processes, keeps their leases and logs, and says what became of them.
//
//   hears  job.queued                 give it to a runner that has its labels and a free slot
//          job.requeued               again
//          job.cancelled              tell the runner that has it
//   says   job.leased                 a runner has it; the offset of this event is the fencing token
//          job.lost, job.requeued     its runner has gone; tried again where that is safe (below)
//          testsuiterun.finished,     a step wrote a test report: its totals, and what each case came to
//          testresults.recorded
//          taskrun.started, .finished the first step begins; the job has ended, and its log is on disk
//
// A lease is (job, attempt, token), renewed every 10 s, lost after 30 s, with one full lease of grace after a server
// start; whoever speaks with a token that is not the newest is told `stale`. A lost job is retried by itself only if no
// step had begun, or it is not restricted, and at most attempts_max times (DESIGN section 6).
//
// Delivery is at least once; commands run on one strand and look at the job's state first, so hearing twice acts once.
// Loop only.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "core/actor.h"
#include "core/clock.h"
#include "core/disk.h"
#include "core/id.h"
#include "core/result.h"
#include "core/task.h"
#include "net/websocket.h"
#include "services/runner/log_store.h"
#include "services/runner/projection.h"
#include "services/runner/protocol.h"
#include "services/runner/summary_store.h"
#include "store/store.h"

namespace headrace::runner {

struct Policy {
  std::chrono::seconds lease{30};
  std::chrono::seconds renew{10};
  int64_t attempts_max = 3;          // of one job, lost ones included
  std::chrono::seconds takeover{5};  // within it a runner answers, or another process may take its name
  size_t runners_max = 10'000;       // connected at once; beyond it a runner is refused
  size_t leases_a_batch = 64;        // jobs given away in one append
};

// What a job may have that no event may hold: its token, its secrets. The server gives it by way of identity and
// secrets.
class JobGrants {
 public:
  virtual ~JobGrants() = default;
  // `spec` is the job's (docs/job-spec.md). Called each time the job is given away, with the lease it has then. An
  // error is told as the reason why the job was lost.
  virtual core::Task<core::Result<JobGrant>> grant(Token lease, std::string repository, std::string spec) = 0;
};

// What the service is built on; all of it outlives the service.
struct Parts {
  core::Loop& loop;
  core::Clock& clock;
  core::Disk& disk;
  core::IdSource& ids;
  core::Pool& files;  // where syncing a log blocks
  log::EventLog& log;
  store::Store& store;
  bus::Bus& bus;
  JobGrants& grants;
  std::string logs;  // folder of the jobs' logs
};

struct LiveStep {
  int64_t number = 0;
  std::string name;
  std::optional<events::Conclusion> conclusion;  // nothing: it runs
  std::vector<events::JobAnnotation> annotations = {};
};

struct ConnectedRunner {
  std::string name;
  int64_t slots = 0;
  size_t busy = 0;
  std::vector<std::pair<std::string, std::string>> labels;  // label, executor
  core::Time since;
  bool draining = false;
};

// Topic of bus::Channels on which a run's jobs tell that a step began, was annotated or ended, as JSON
// {"job","number","name", "conclusion"}: for pages and watchers, never for decisions.
std::string steps_topic(std::string_view run);

class Runner {
 public:
  Runner(Parts parts, Policy policy);  // adds its projection to the store: before Store::start
  ~Runner();                           // after stop()
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  core::Result<> start();  // after Store::start; subscribes
  core::Task<> stop();

  // A runner's connection, until it ends. `actor` is who opened it: Actor::runner, checked at the door of rights.
  core::Task<> serve(net::WebSocket& socket, core::Actor actor);
  // Tells all runners to take nothing new, and waits, at most `limit`, until none has a job.
  core::Task<> drain(std::chrono::milliseconds limit);

  // The runner of this name, now or when it connects, is to end when its jobs are done: another takes its place.
  void replace(std::string name);

  std::vector<ConnectedRunner> connected() const;
  std::vector<LiveStep> live_steps(std::string_view job) const;  // of a job at work; empty otherwise
  // Why a queued job with these labels is not running: nothing where a runner that is connected could take it.
  std::optional<std::string> unserved(const std::vector<std::string>& labels) const;
  size_t leases() const;
  bool has_lease(Token lease) const;  // of a job at work
  LogStore& logs();
  const SummaryStore& summaries() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::runner
