// GitHub's ways to start workflows: /api/v3/repos/{owner}/{repo}/dispatches and .../actions/workflows/ID/dispatches.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_dispatch_routes(Router& router, Platform& platform);

// Starts a workflow of the repository that the path names. `file`: its path, or its name in .github/workflows or
// .headrace/workflows; `ref`: a branch or tag, short or full; `inputs`: a JSON object, or empty. Returns the run's id.
core::Task<core::Result<int64_t>> dispatch_named(Platform& platform, Call& call, std::string file, std::string ref,
                                                 std::string inputs);

}  // namespace headrace::server
