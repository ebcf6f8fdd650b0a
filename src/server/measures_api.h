// GET /api/v1/status/measures: what the page of the platform's state shows beside GET /api/v1/status, which every page
// asks when it is opened and which therefore stays cheap.
#pragma once

#include "net/server.h"
#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_measures_route(Router& router, Platform& platform, const net::Server& http);

}  // namespace headrace::server
