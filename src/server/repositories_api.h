// Routes of repositories: made, listed, read.
#pragma once

#include "core/json.h"
#include "server/platform.h"
#include "server/router.h"

namespace headrace::git {
struct Commit;
}

namespace headrace::server {

void add_repository_routes(Router& router, Platform& platform);
void add_source_routes(Router& router, Platform& platform);  // source_api.cc: commits, trees, files, differences
void add_raw_route(Router& router, Platform& platform);      // raw_file.cc: files of any size, pictures

// The repository the path names, now or at `?at=`.
core::Task<core::Result<int64_t>> repository_in(Platform& platform, Call& call);
core::Result<std::optional<log::Offset>> moment_in(Platform& platform, const Call& call);

// A commit in brief: the schema Tip.
core::json::object summary_of(const git::Commit& commit);

}  // namespace headrace::server
