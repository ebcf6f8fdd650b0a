// Routes of job logs.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_log_routes(Router& router, Platform& platform);

}  // namespace headrace::server
