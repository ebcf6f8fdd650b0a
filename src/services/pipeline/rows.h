// What is said of a run changes its rows: in memory, and pure. The projection does the same to its tables; a test holds
// one to the other, for all that the language tests say. Each is right when heard twice, and for a job that is unknown.
#pragma once

#include <optional>

#include "services/pipeline/course.h"

namespace headrace::pipeline {

// The legs that a row becomes, each with the jobs of the file it calls behind it.
std::vector<JobRow> legs_of(const events::JobExpanded& said, const JobRow& before);

// `at`: when it was said; nothing while it is still being decided.
using Said = std::optional<core::Time>;
void hear(RunRow& run, const Word& word, Said at);
void hear(RunRow& run, const events::JobStarted& started, Said at);  // its runner has it, and it has begun
void hear(RunRow& run, const events::JobFinished& finished, Said at);
void hear(RunRow& run, const events::RunStarted& started, Said at);
void hear(RunRow& run, const events::RunCancelled& cancelled, Said at);
void hear(RunRow& run, const events::RunAdmitted& admitted, Said at);
void hear(RunRow& run, const events::RunFinished& finished, Said at);

// The jobs as people see them: one that calls a workflow is at work as soon as one of those below it is.
std::vector<Job> shown(std::vector<JobRow> rows);

}  // namespace headrace::pipeline
