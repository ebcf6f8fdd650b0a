// Routes of tests: what those of a run came to, and of a repository which are flaky, which are slow, and the history of
// one.
#pragma once

#include "core/json.h"
#include "server/platform.h"
#include "server/router.h"
#include "services/tests/tests.h"

namespace headrace::server {

void add_test_routes(Router& router, Platform& platform);
// One that failed, as the live stream of its run tells it.
core::json::object red_json(const tests::Red& red);

}  // namespace headrace::server
