// Routes about the platform itself: health, readiness, metrics, OpenAPI, status, and the runners' way in.
#pragma once

#include <functional>

#include "net/server.h"
#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_status_routes(Router& router, Platform& platform, const net::Server& http);

}  // namespace headrace::server
