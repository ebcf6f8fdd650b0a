// The one JSON object of `exec --json`, what `exec --list` shows, and why nothing started.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/exec_event.h"
#include "cli/exec_job.h"
#include "core/json.h"
#include "services/pipeline/projection.h"

namespace headrace::cli {

// A workflow file that was looked at and did not start, or could not be read.
struct NotStarted {
  std::string file, reason;
  std::vector<workflow::Finding> errors;  // of a file that cannot be read
};

struct Account {
  std::string event;
  Folder folder;
  Snapshot snapshot;
  std::vector<const pipeline::RunRow*> runs;
  std::map<std::string, JobStory> stories;
  std::vector<NotStarted> not_started;
  int exit = 0;
};

// {"event","ref","commit","changed","repository","exit","runs":[...],"not_started":[{"file","reason","errors":[...]}]};
// docs/exec.md.
core::json::object to_json(const Account& account);

// The jobs of these files, a row each; a file with errors has them instead.
std::string list_of(const std::vector<pipeline::SourceFile>& files);
core::json::object list_json(const std::vector<pipeline::SourceFile>& files);

std::string in_words(const workflow::Finding& finding, const std::string& file);  // "file:line:column: message"

}  // namespace headrace::cli
