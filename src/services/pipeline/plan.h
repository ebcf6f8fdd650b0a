// What a run is made from: its file and all that it calls, linked; and the contexts that its jobs are evaluated in.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "services/pipeline/pipeline.h"
#include "services/pipeline/projection.h"
#include "workflow/expression.h"
#include "workflow/plan.h"

namespace headrace::pipeline {

// The program of a run, or why it cannot run.
struct Planned {
  workflow::Program program;
  std::string refusal;  // "file:line:column: message" a line; empty: it can run
  Variables variables;  // as they were when it was planned
};

// Texts of called workflows, by repository, commit and path as `uses` names them; an error is told at `uses`.
using Called = std::map<std::string, core::Result<workflow::Source>>;
// How a `uses` in a file of `from` is named in Called.
std::string called_name(const std::string& uses, const workflow::Source& from);

// Links the file with what of the called ones is in `called`. What is missing there is added to `missing` (uses, from):
// fetch it and link again.
struct Missing {
  std::string uses;
  workflow::Source from;
};
// A file is read once: what decided whether it starts is what the plan is made from.
const workflow::Reading& reading_of(const SourceFile& file);

// Of a file that has been read.
Planned link_run(const SourceFile& file, const events::RunQueued& run, const Called& called,
                 std::vector<Missing>& missing);

// Sets what the file says of the run: name, title, concurrency group. An error is a refusal.
void name_run(Planned& planned, events::RunQueued& run, const workflow::Object& contexts);

// github, inputs and vars: what every expression of a run's own file sees.
workflow::Object contexts_of(const RunRow& run, const Variables& variables, const std::string& server_url);

// The templates of the run's own file, or of the one that `caller` (a template) calls for the leg `key` at `place`.
std::vector<events::PlannedJob> planned_jobs(const workflow::Program& program, const std::string& caller,
                                             const std::string& key, const std::string& place);

std::string place_of(const std::string& above, size_t index);  // "0003.0012"

}  // namespace headrace::pipeline
