// Launch is what is said when a run begins, or begins again: queued, its first jobs, and its end where nothing can run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/pipeline/graph.h"
#include "services/pipeline/numbers.h"
#include "services/pipeline/pipeline.h"

namespace headrace::pipeline {

// The jobs of a run as its file plans them, or why it cannot run.
struct Planned {
  std::vector<workflow::PlannedJob> jobs;
  std::string refusal;  // "file:line:column: message" a line; empty: it can run

  const workflow::PlannedJob* find(std::string_view key) const;
};

// Reads the file at `run.workflow_file` and plans it for the run, whose workflow name and title are set from it.
Planned plan_run(const SourceFile& file, events::RunQueued& run, const std::string& server_url);

struct Launch {
  events::RunQueued run;
  std::vector<events::JobQueued> queued;
  std::vector<events::JobSkipped> skipped;
  std::optional<events::RunFinished> finished;
};

// `carried`: jobs of the attempt before that are not run again, as they ended.
Launch launch(events::RunQueued run, const Planned& planned, const std::vector<Vertex>& carried, Ids& ids);

// What is said of one job of a run; `run` gives what they have in common.
events::JobQueued job_queued(const events::RunQueued& run, const workflow::PlannedJob& job, Ids& ids);
events::JobSkipped job_skipped(const events::RunQueued& run, const std::string& key, const std::string& name,
                               std::string reason, Ids& ids);
events::RunFinished run_finished(const events::RunQueued& run, events::Conclusion conclusion, std::string errors);

// A run that is there, in the words in which it was queued.
events::RunQueued queued_again(const Run& run);

std::string branch_of(std::string_view ref);  // "main"; empty for a tag
std::string run_url(const std::string& server_url, const std::string& repository, int64_t id);

}  // namespace headrace::pipeline
