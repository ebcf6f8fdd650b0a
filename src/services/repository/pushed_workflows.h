// What is wrong with workflow files that a push brings, for whoever pushed: they are still looking.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "events/repository.h"
#include "git/repository.h"

namespace headrace::repository {

inline constexpr size_t pushed_workflows_max = 20;  // files that are read for one push
inline constexpr size_t pushed_findings_max = 10;   // lines about them; one more says how many there are beyond

// Lines "FILE:LINE:COLUMN: what is wrong", of the files that these moves of branches changed, each told once. A branch
// that is new is held against the default branch: what stands there as well was told when it came. Of files that did
// not change none is read. Blocks, for a fraction of a millisecond where none changed.
core::Result<std::vector<std::string>> findings_in_workflows(git::Repository& repository,
                                                             const std::vector<events::SettledUpdate>& updates);

}  // namespace headrace::repository
