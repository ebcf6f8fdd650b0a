// What the pipeline service says: runs of workflows and the jobs they are made of. A run and a job have a UUID, which
// is how events name them, and a 64-bit id, which is what GitHub's API shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::events {

// How a run, job or step ended, in the words of GitHub's API. In CDEvents it is an outcome: success, failure, cancel,
// or error (timed_out, startup_failure, stale, action_required); skipped and neutral count as success.
enum class Conclusion {
  success,
  failure,
  cancelled,
  skipped,
  timed_out,
  startup_failure,
  neutral,
  action_required,
  stale,
};
std::string_view name_of(Conclusion conclusion);  // "timed_out"
std::optional<Conclusion> parse_conclusion(std::string_view name);
std::string_view outcome_of(Conclusion conclusion);  // of CDEvents: "error"

// A job of a file before its matrix is known, or one that runs again.
struct PlannedJob {
  std::string key = {};                 // unique in the run: "build", "deploy (eu)/test"
  std::string name = {};                // for people
  std::vector<std::string> needs = {};  // keys, of the same level
  std::string planned = {};             // key of its template in the program, where that is another: "deploy/test"
  std::string caller = {};              // key of the job that calls its file; empty: of the run's own file
  std::string place = {};               // texts in order: where it stands among the jobs of the run
  bool again = false;                   // of a run again: it was expanded before, and stays what it was
  bool operator==(const PlannedJob&) const = default;
};

// A workflow of another repository that a run calls, at the commit that counts for all of the run.
struct CalledWorkflow {
  std::string uses = {};    // "team/shared/.github/workflows/build.yml@main"
  std::string commit = {};  // what its ref pointed to
  bool operator==(const CalledWorkflow&) const = default;
};

struct RunQueued {
  static constexpr std::string_view type = "dev.cdevents.pipelinerun.queued.0.3.0";
  std::string run = {};
  int64_t id = 0;
  int64_t number = 0;  // counts within the repository's workflow, from 1
  std::string repository = {};
  int64_t repository_id = 0;
  std::string workflow = {};       // its name
  std::string workflow_file = {};  // ".github/workflows/ci.yml"
  std::string event = {};          // what it runs on: "push"
  std::string event_id = {};       // of the event that started it
  std::string ref = {};            // "refs/heads/main"
  std::string branch = {};         // "main"; empty for a tag
  std::string commit = {};
  std::string actor = {};  // account on whose behalf it runs
  int64_t attempt = 1;
  std::string title = {};             // first line of the commit's message, mostly
  std::string url = {};               // of the page; may be empty
  std::vector<PlannedJob> jobs = {};  // of its own file; those of called ones come with JobExpanded
  std::vector<std::string> carried =
      {};                           // of a run again: keys of the jobs of the attempt before that stand as they are
  std::string payload = {};         // of what started it, JSON text in the shape of GitHub's webhooks
  std::string inputs = {};          // of one started by hand, JSON text
  int64_t depth = 0;                // runs before it that it follows from, by workflow_run or event
  bool waits = false;               // for its concurrency group: RunAdmitted follows
  std::string group = {};           // of concurrency; empty: none
  bool cancel_in_progress = false;  // it wants the group's runs before it cancelled
  bool queue_all = false;           // in its group more than one may wait
  std::vector<CalledWorkflow> called = {};  // those of other repositories
  int64_t variables_at = 0;                 // offset: its variables are those of the moment after this event
  bool untrusted = false;                   // its author may not write: no secrets, and tokens that read at most
  bool operator==(const RunQueued&) const = default;
};

// Its concurrency group has room for it: its jobs begin.
struct RunAdmitted {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-run.admitted.0.1.0";
  std::string run = {};
  std::string repository = {};
  int64_t attempt = 1;
  bool operator==(const RunAdmitted&) const = default;
};

// It shall end: jobs are cancelled, and what is `if: always()` still runs, unless it was forced.
struct RunCancelled {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-run.cancelled.0.1.0";
  std::string run = {};
  std::string repository = {};
  int64_t attempt = 1;
  std::string reason = {};        // for people: "cancelled by alice"
  std::string requested_by = {};  // actor; empty: the platform itself
  bool forced = false;
  bool operator==(const RunCancelled&) const = default;
};

struct RunStarted {
  static constexpr std::string_view type = "dev.cdevents.pipelinerun.started.0.3.0";
  std::string run = {};
  std::string repository = {};
  int64_t number = 0;
  std::string workflow = {};
  int64_t attempt = 1;
  std::string url = {};
  bool operator==(const RunStarted&) const = default;
};

struct RunFinished {
  static constexpr std::string_view type = "dev.cdevents.pipelinerun.finished.0.3.0";
  std::string run = {};
  std::string repository = {};
  int64_t number = 0;
  std::string workflow = {};
  int64_t attempt = 1;
  Conclusion conclusion = Conclusion::success;
  std::string errors = {};  // why, for people; empty on success
  std::string url = {};
  bool operator==(const RunFinished&) const = default;
};

// One job that a template became.
struct ExpandedLeg {
  std::string key = {};     // unique in the run: "test (ubuntu, 12)"
  std::string name = {};    // for people
  std::string matrix = {};  // JSON text; empty: none
  bool continue_on_error = false;
  std::string group = {};  // of concurrency; empty: none
  bool cancel_in_progress = false;
  bool queue_all = false;
  std::vector<PlannedJob> jobs = {};  // of a caller: those of the file it calls
  bool operator==(const ExpandedLeg&) const = default;
};

// What a job needs is done, and its matrix is known: it is these jobs from now on.
struct JobExpanded {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-job.expanded.0.1.0";
  std::string job = {};
  std::string run = {};
  std::string repository = {};
  int64_t attempt = 1;   // of the run
  std::string key = {};  // of what was expanded
  std::vector<ExpandedLeg> legs = {};
  bool fail_fast = true;
  int64_t max_parallel = 0;  // 0: no limit
  bool calls = false;        // the legs call a workflow
  bool operator==(const JobExpanded&) const = default;
};

struct CallOutput {
  std::string name = {};
  std::string value = {};
  bool operator==(const CallOutput&) const = default;
};

// A job ended that no runner ever had: one that calls a workflow, or whose expressions failed.
struct JobSettled {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-job.settled.0.1.0";
  std::string job = {};
  int64_t id = 0;
  std::string run = {};
  std::string repository = {};
  std::string key = {};
  std::string name = {};
  Conclusion conclusion = Conclusion::success;
  std::string reason = {};  // why it failed, for people
  std::vector<CallOutput> outputs = {};
  bool operator==(const JobSettled&) const = default;
};

// A job that can run now: what it needs is done.
struct JobQueued {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-job.queued.0.1.0";
  std::string job = {};
  int64_t id = 0;
  std::string run = {};
  std::string repository = {};
  std::string key = {};
  std::string name = {};
  int64_t attempt = 1;                   // of this job; counts up when it is requeued or run again
  std::vector<std::string> labels = {};  // of runs-on
  std::string commit = {};
  std::string ref = {};
  std::string spec = {};  // JSON text of what to run: env, defaults, steps; read by the runner only
  int64_t timeout_minutes = 360;
  bool restricted = false;       // it has an environment or may use secrets: never retried by itself once begun
  std::string environment = {};  // of `environment:`; empty: none
  bool operator==(const JobQueued&) const = default;
};

// It shall not run, or run no longer. The runner stops it and says JobFinished with `cancelled` where it had begun.
struct JobCancelled {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-job.cancelled.0.1.0";
  std::string job = {};
  std::string run = {};
  std::string repository = {};
  std::string reason = {};        // for people: "cancelled by alice", "the run's time is over"
  std::string requested_by = {};  // actor; empty: the platform itself
  bool of_run = true;             // with its whole run; false: by fail-fast or concurrency
  bool forced = false;            // at once: what is `if: always()` does not run, nor go on
  bool operator==(const JobCancelled&) const = default;
};

// It will not run: its `if` was false, or something it needs did not succeed.
struct JobSkipped {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-job.skipped.0.1.0";
  std::string job = {};
  int64_t id = 0;
  std::string run = {};
  std::string repository = {};
  std::string key = {};
  std::string name = {};
  std::string reason = {};
  bool operator==(const JobSkipped&) const = default;
};

}  // namespace headrace::events
