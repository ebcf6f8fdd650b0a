// Routes of accounts, tokens, roles and signing in.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_identity_routes(Router& router, Platform& platform);

}  // namespace headrace::server
