// The rules of the graph of jobs, pure: given how each job is, which can run now, which will not, and how the run
// ended. GitHub, "Workflow syntax": jobs.<job_id>.needs, .if, .continue-on-error; "Expressions": status check
// functions.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "events/pipeline.h"
#include "services/pipeline/runs.h"
#include "workflow/workflow.h"

namespace headrace::pipeline {

struct Vertex {
  std::string key;
  std::vector<std::string> needs;  // keys of other vertices
  workflow::Condition condition = workflow::Condition::success;
  bool continue_on_error = false;  // its failure counts as success, for the run and for who needs it
  Status status = Status::waiting;
  std::optional<events::Conclusion> conclusion;  // where it is completed
};

struct Advance {
  std::vector<std::string> queue;                         // keys, in the order given
  std::vector<std::pair<std::string, std::string>> skip;  // key and reason
  std::optional<events::Conclusion> finished;             // every job is completed, or will be by `skip`
};

// A waiting job is decided once all it needs is completed. success() holds if all jobs before it succeeded, failure()
// if one of them failed, cancelled() if the run is cancelled, always() always. A run of no jobs is finished, as a
// success.
Advance advance(std::vector<Vertex> jobs, bool cancelled);

// How a run of these jobs ended, all completed: failure before timed_out before cancelled; skipped if all were.
events::Conclusion conclusion_of(const std::vector<Vertex>& jobs);

}  // namespace headrace::pipeline
