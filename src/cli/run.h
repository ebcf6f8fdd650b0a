// Which run is meant.
#pragma once

#include <string>

#include "cli/api.h"
#include "cli/commands.h"

namespace headrace::cli {

// "http://127.0.0.1:8080/team/hello.git\n" -> "team/hello"; empty where the URL is not of that form.
std::string full_name_in(std::string url);
// --repo, else what the remote origin of this folder names.
core::Result<std::string> repository_here(const RunSelection& options);
// The run named, by id, number or UUID, else the newest of the repository; fit for a path.
core::Result<std::string> find_run(Api& api, const RunSelection& options);

}  // namespace headrace::cli
