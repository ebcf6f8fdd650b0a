// All routes there are.
#pragma once

#include "net/server.h"
#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_routes(Router& router, Platform& platform, const net::Server& http);

}  // namespace headrace::server
