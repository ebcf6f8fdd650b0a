// What `headrace exec` was asked for: its options, and what stands in the files that they name.
#pragma once

#include <vector>

#include "cli/commands.h"
#include "cli/exec_event.h"
#include "cli/exec_folder.h"
#include "core/result.h"
#include "services/pipeline/source.h"
#include "services/runner/job_spec.h"
#include "services/runner/labels.h"

namespace headrace::cli {

struct AskedExec {
  Exec options;
  bool json = false;
  Occurrence occurrence;
  runner::Variables env, secrets, vars;
  runner::RunnerLabels labels;
};

core::Result<AskedExec> understand_exec(const Exec& options, bool json);

// Of the folder, or those that -W names: by their path in the folder where they are in it.
core::Result<std::vector<pipeline::SourceFile>> files_of(const AskedExec& asked, const Folder& folder);

}  // namespace headrace::cli
