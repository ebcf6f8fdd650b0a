// Artifacts and caches over HTTP: the interfaces of GitHub's toolkit, for jobs, and GitHub's REST API, for people.
#pragma once

#include "server/platform.h"
#include "server/router.h"

namespace headrace::server {

void add_artifact_routes(Router& router, Platform& platform);

}  // namespace headrace::server
