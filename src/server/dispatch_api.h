// GitHub's ways to start workflows: /api/v3/repos/{owner}/{repo}/dispatches and .../actions/workflows/ID/dispatches.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_dispatch_routes(Router& router, Platform& platform);

}  // namespace headrace::server
