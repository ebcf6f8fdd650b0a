// What the service does with a repository's folder. All of it blocks: on the pool for git reads.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/clock.h"
#include "events/repository.h"
#include "git/folder.h"
#include "git/repository.h"
#include "services/repository/settle.h"

namespace headrace::repository {

// Fills in `forced` of what was applied, keeps the commits that left their ref (refs/headrace/keep/<day>/<commit>), and
// makes the refs durable where they are not: to be called before anybody is told.
core::Result<std::vector<events::SettledUpdate>> finish_updates(git::Repository& repository, const std::string& path,
                                                                std::vector<events::SettledUpdate> updates,
                                                                core::Time now, bool durable);

// The refs that pushes may move, as they are.
core::Result<Refs> actual_refs(const std::string& path);

// Lets go of commits that were kept for longer than `keep`.
core::Result<> forget_kept(const std::string& path, core::Time now, std::chrono::hours keep);

}  // namespace headrace::repository
