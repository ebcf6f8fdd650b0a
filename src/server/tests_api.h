// Routes of tests: what those of a run came to, and of a repository which are flaky, which are slow, and the history of
// one.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_test_routes(Router& router, Platform& platform);

}  // namespace headrace::server
