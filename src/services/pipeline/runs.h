// Runs and their jobs as people see them, and the questions about them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "events/pipeline.h"
#include "events/runner.h"

namespace headrace::pipeline {

// waiting: for jobs that it needs.
enum class Status { waiting, queued, in_progress, completed };
std::string_view name_of(Status status);  // "in_progress"

struct Job {
  std::string job;  // UUID
  int64_t id = 0;   // 0 while it waits
  std::string run;
  std::string repository;
  std::string key;
  std::string name;
  std::vector<std::string> needs;  // keys, of the same level
  std::string matrix;              // JSON text; empty: none
  std::string caller;              // key of the job that calls its file; empty: of the run's own
  bool calls = false;              // it calls a workflow: no runner has it
  Status status = Status::waiting;
  std::optional<events::Conclusion> conclusion;  // where it is completed
  std::string reason;                            // why it failed, was skipped or cancelled; for people
  int64_t attempt = 1;                           // of this job, counting losses of its runner
  std::string runner;                            // who has it, or had
  std::vector<events::StepResult> steps;         // once it is over
  events::LogSize log;
  std::vector<events::JobOutput> outputs;
  std::vector<events::JobAnnotation> annotations;
  std::string environment_url;
  int64_t summary_bytes = 0;  // of the file beside its log
  std::optional<core::Time> queued_at, started_at, completed_at;
};

struct Run {
  std::string run;  // UUID
  int64_t id = 0;
  int64_t number = 0;
  int64_t attempt = 1;
  std::string repository;
  int64_t repository_id = 0;
  std::string workflow;
  std::string workflow_file;
  std::string event;
  std::string event_id;
  std::string ref;
  std::string branch;
  std::string commit;
  std::string actor;        // who started this attempt
  std::string first_actor;  // who started the first one
  std::string title;
  std::string url;
  Status status = Status::queued;
  std::optional<events::Conclusion> conclusion;
  std::string
      errors;  // of a run that ended without success; "file:line:column: message" a line where it could not start
  bool cancelled = false;                                         // it was asked to end
  bool waits = false;                                             // for its concurrency group
  std::string group;                                              // of concurrency; empty: none
  std::optional<core::Time> created_at;                           // with its first attempt
  std::optional<core::Time> queued_at, started_at, completed_at;  // of this attempt
  uint64_t began = 0;     // offset of the event that began this attempt; 0: of no log
  std::vector<Job> jobs;  // of the newest attempt, in the order of the file
};

// What a list of runs is asked for; what is empty matters not.
struct RunQuery {
  std::string repository = {};
  size_t limit = 30;        // 1 to list_max
  std::string cursor = {};  // RunPage::next of the page before; empty: the newest
  std::string branch = {}, actor = {}, event = {};
  std::string workflow = {};  // its name or file; the path may be left out
  std::string commit = {};    // how it begins, at least commit_digits_min digits
  std::string result = {};    // one of the names of results()
  std::string words = {};     // each is looked for: RunWords says where
  std::optional<Status> status = {};
  int64_t number = 0;  // each workflow counts for itself, so several runs may have it; 0: any
  std::optional<std::vector<std::string>> within = {};  // these repositories alone; absent: all
};

inline constexpr size_t commit_digits_min = 7;
inline constexpr size_t looked_max = 15'000;  // runs looked at for one page

// "failed" is failure, timed_out and startup_failure; "waiting" is what waits for a person.
std::vector<std::string_view> results();

struct RunPage {
  std::vector<Run> runs;                   // newest first
  std::string next;                        // empty: no more
  std::optional<core::Time> looked_until;  // the page ends for all was not looked at: what began before this is left
};

// {"runs":[...]} and one of them, as `headrace run list --json` and `run view --json` print them (DESIGN section 12):
// "id","number","workflow","event","branch","commit","status","conclusion","url","jobs":[{"id","name","status",
// "conclusion","steps":[{"number","name","status","conclusion"}]}], and besides: "run","attempt","repository",
// "workflow_file","ref","actor","title","errors","queued_at","started_at","completed_at"; of a job "job","key","needs",
// "matrix","caller","calls","attempt","runner","reason","outputs","annotations","environment_url","summary_bytes" and
// the times; of a run "waits","group".
std::string to_json(const RunPage& page);
std::string to_json(const Run& run);

}  // namespace headrace::pipeline
