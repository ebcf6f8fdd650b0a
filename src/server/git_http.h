// Git's smart HTTP at /{owner}/{repo}.git/...: the wire of git/serve.h.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_git_routes(Router& router, Platform& platform);

}  // namespace headrace::server
