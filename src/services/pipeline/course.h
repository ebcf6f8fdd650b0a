// The course of a run, pure: given how each of its jobs is, what is said next. Called workflows, matrices, conditions,
// outputs, fail-fast and max-parallel are decided here. GitHub, "Workflow syntax": jobs.<job_id>.needs, .if,
// .strategy, .continue-on-error, .uses; "Contexts": needs, jobs.
//
// A job of the file is a row of its own until all it needs is done; then its condition is asked, and it becomes its
// legs (one, where there is no matrix). A leg waits while max-parallel or its concurrency group lets it; a leg that
// calls a workflow has the jobs of that file below it, and is settled when they are done. What fails while it is
// evaluated fails the job, with file, line and column.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "services/pipeline/numbers.h"
#include "services/pipeline/plan.h"

namespace headrace::pipeline {

using Word =
    std::variant<events::JobExpanded, events::JobQueued, events::JobSkipped, events::JobSettled, events::JobCancelled>;
std::string semantic_key(const Word& word);  // "queued/<job>"

struct Course {
  std::vector<Word> words;  // in order
  std::optional<events::Conclusion> finished;
  bool more = false;  // run_bytes_max was reached: say these, and ask again
};

struct Around {
  workflow::Object contexts;       // github, inputs, vars
  std::set<std::string> admitted;  // UUIDs of jobs that their concurrency group has room for
};

// The row that a planned job begins as.
JobRow row_of(const std::string& run, int64_t attempt, const events::PlannedJob& job);

Course go_on(RunRow run, const Planned& planned, const Around& around, Ids& ids);

// How a run of these jobs ended, all completed: failure before timed_out before cancelled; skipped if all were.
events::Conclusion conclusion_of(const std::vector<JobRow>& jobs);

// Whether the condition of a waiting job may hold although the run is cancelled: it asks for more than success().
bool may_run_when_cancelled(const Planned& planned, const JobRow& job);

}  // namespace headrace::pipeline
