// Route of the summary of a run: what its steps wrote to GITHUB_STEP_SUMMARY.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_summary_route(Router& router, Platform& platform);

}  // namespace headrace::server
