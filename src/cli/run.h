// Which run is meant.
#pragma once

#include <string>

#include "cli/api.h"
#include "cli/commands.h"

namespace headrace::cli {

// --repo, else what the remote origin of this folder names.
core::Result<std::string> repository_here(const RunSelection& options);
// The run named, else the newest of the repository; fit for a path.
core::Result<std::string> find_run(Api& api, const RunSelection& options);

}  // namespace headrace::cli
