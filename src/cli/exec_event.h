// What `exec` says has happened: an event of GitHub's, made up from the folder at hand, or read from --event-file.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/exec_folder.h"
#include "core/json.h"
#include "events/pipeline.h"
#include "workflow/plan.h"

namespace headrace::cli {

struct Occurrence {
  std::string event;               // "push"; empty: what the file shows
  std::string file;                // text of --event-file; empty: none
  std::string actor;               // --actor; empty: the file's, else git's user
  core::json::object inputs;       // --input
  std::vector<Change> of_request;  // files that a pull request would change
};

// One workflow file and what happened: whether it starts, and all that its run is told of it.
struct Beginning {
  workflow::Decision decision;
  events::RunQueued run;                         // event, ref, branch, commit, actor, title, payload, inputs
  workflow::Object github = workflow::Object();  // more of the github context: head_ref, base_ref, ...
};

// Errors: invalid: the event file cannot be read, an input is not as the workflow declares.
core::Result<Beginning> begin(const workflow::Workflow& workflow, const Occurrence& occurrence, const Folder& folder,
                              const Snapshot& snapshot);

// The payload that GitHub would send. `action`: of events that have activity types.
core::json::object made_up(std::string_view event, std::string_view action, const Occurrence& occurrence,
                           const Folder& folder, const Snapshot& snapshot);

bool is_event(std::string_view name);
std::string event_names();  // "push, pull_request, ...": for messages

}  // namespace headrace::cli
