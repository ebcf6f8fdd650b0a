// Launch is what is said when a run begins, or begins again: queued, its first jobs, and its end where nothing can run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/pipeline/course.h"

namespace headrace::pipeline {

struct Launch {
  events::RunQueued run;
  Course first;  // nothing where the run waits for its concurrency group
  std::optional<events::RunFinished> finished;
};

// `rows`: of a run again, its jobs as they will be. Otherwise those of the file begin.
Launch launch(events::RunQueued run, const Planned& planned, std::vector<JobRow> rows, const workflow::Object& contexts,
              Ids& ids);

events::RunFinished run_finished(const events::RunQueued& run, events::Conclusion conclusion, std::string errors);

// A run that is there, in the words in which it was queued; and one that is about to be, as it will be.
events::RunQueued queued_again(const RunRow& run);
RunRow run_of(const events::RunQueued& queued);

// Why a run ended without success, a line a job.
std::string errors_of(const std::vector<JobRow>& jobs, const Course& last, events::Conclusion conclusion);

std::string branch_of(std::string_view ref);  // "main"; empty for a tag
std::string run_url(const std::string& server_url, const std::string& repository, int64_t id);

}  // namespace headrace::pipeline
