// Pipeline turns what happens into runs of workflows, and runs into jobs.
//
//   hears  push.received                  which workflow files of the pushed commit start, and their first jobs: on
//   push,
//                                         create and delete
//          schedule.due, dispatch.requested, pipelinerun.queued, .started, .finished, change.*, queue.entered, ticket.*
//                                         the same of the default branch, or of the change
//          ref.updated                    what the default branch waits for
//          anything                       where a file of a default branch waits for it: on event
//          taskrun.started                a run has begun
//          taskrun.finished, job.cancelled, run.cancelled, run.admitted
//                                         the run goes on: jobs that can run now, jobs that will not, its end
//          pipelinerun.queued, .finished, job.expanded, taskrun.finished
//                                         a concurrency group goes on: who may begin, who is cancelled
//          job.leased, .lost, .requeued   kept, for the state of jobs
//          repository.created, .deleted   kept, for ids
//   says   pipelinerun.queued, .started, .finished, run.admitted, .cancelled, job.expanded, .queued, .cancelled,
//          .skipped, .settled, workflows.read, schedule.due, dispatch.requested
//
// All that is said of a run names the log's key "run/<run>", so whoever decides has seen everything decided before:
// hearing twice acts once, and a cancellation is never overtaken by a job. Numbers count within a workflow file of a
// repository, under the key "numbers/<repository>"; 64-bit ids come from the key "ids" (numbers.h). A run is one atomic
// append with its first jobs; one of a concurrency group is queued alone, and begins when the group admits it.
//
// What an event may start is told in occurrence.h. A workflow file that cannot be read, or that needs what this version
// lacks, gives a run that ends at once as startup_failure, its errors naming file, line and column. Loop only. Rights
// are checked at the server's door, not here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/bus.h"
#include "core/actor.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/task.h"
#include "services/pipeline/rights.h"
#include "services/pipeline/runs.h"
#include "services/pipeline/search.h"
#include "services/pipeline/settings.h"
#include "services/pipeline/source.h"
#include "store/store.h"

namespace headrace::pipeline {

inline constexpr size_t run_bytes_max = size_t{4} << 20;  // of the events that queue one run; beyond: startup_failure
inline constexpr size_t list_max = 1'000;                 // runs in one answer
inline constexpr size_t schedules_max = 100;              // times that the files of one repository name
inline constexpr std::chrono::minutes schedule_interval_min{5};  // between two runs of one schedule, as GitHub has it
inline constexpr size_t plans_kept_max = 256;  // plans of runs at work, in memory; others are made again

// What the service is built on; all of it outlives the service.
struct Parts {
  core::Loop& loop;
  core::Clock& clock;
  log::EventLog& log;
  store::Store& store;
  bus::Bus& bus;
  WorkflowSource& source;
  const Rights& rights;
  RunSettings& settings;
};

struct Policy {
  std::string server_url;  // "http://127.0.0.1:8080", without a slash at its end; may be empty
};

enum class Jobs { all, failed, one };  // of a re-run: failed ones, or one, with those that need them
enum class Force { no, yes };          // yes: at once; what is `if: always()` does not run, nor go on

// Why a workflow file started, or did not, because of something that happened.
struct Reason {
  std::string event;  // in the words of `on`: "push"
  std::string ref;
  std::string file;  // empty: of what happened as a whole
  bool started = false;
  std::string text;
  std::string run;  // where it started
};

class Pipeline {
 public:
  Pipeline(Parts parts, Policy policy);  // adds its projection to the store: before Store::start
  ~Pipeline();                           // after Bus::close
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  core::Result<> start();  // after Store::start; subscribes, and keeps time from now on
  core::Task<> stop();     // keeps time no more; before Bus::close

  // Commands: durable, and shown by the queries, when they return. `run` is the 64-bit id.
  // cancel: jobs end; what is `if: always()` or `cancelled()` still runs. conflict: the run is over.
  core::Task<core::Result<>> cancel(core::Actor actor, int64_t run, Force force = Force::no);
  // rerun: the same run, its next attempt. conflict: it is not over, or no job of it failed. `job`: for Jobs::one its
  // UUID or key.
  core::Task<core::Result<>> rerun(core::Actor actor, int64_t run, Jobs jobs, std::string job = std::string());
  // dispatch: the file's workflow_dispatch on a full ref, with inputs as a JSON object; returns the id of the run.
  // invalid: the file does not have it, or an input is not as it declares.
  core::Task<core::Result<int64_t>> dispatch(core::Actor actor, std::string repository, std::string file,
                                             std::string ref, std::string inputs = std::string());
  // repository_dispatch: what waits for on.repository_dispatch with this type starts. `client_payload`: a JSON object.
  core::Task<core::Result<>> dispatch_event(core::Actor actor, std::string repository, std::string event_type,
                                            std::string client_payload = std::string());

  // Queries, now or at an offset.
  core::Task<core::Result<RunPage>> list(RunQuery query, std::optional<store::Offset> at = {});
  core::Task<core::Result<std::vector<std::string>>> repositories(std::optional<store::Offset> at = {});  // names
  core::Task<core::Result<RunsFound>> search(RunSearch search);
  core::Task<core::Result<Run>> view(int64_t run, std::optional<store::Offset> at = {});  // not_found
  // An attempt of it, from 1: those before the newest as they stood when the next one began. not_found, too: there was
  // no such attempt.
  core::Task<core::Result<Run>> view_attempt(int64_t run, int64_t attempt);
  core::Task<core::Result<Run>> view_by_uuid(std::string run, std::optional<store::Offset> at = {});
  core::Task<core::Result<Job>> job(int64_t job, std::optional<store::Offset> at = {});

  // Decided again from the event and the files of its commit, for `event why-not`: one reason a ref and file.
  // not_found: no such event; invalid: no workflow hears of its kind.
  core::Task<core::Result<std::vector<Reason>>> why_not(std::string event_id);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::pipeline
