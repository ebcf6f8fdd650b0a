// Which refs a push may move, whoever pushes.
#pragma once

#include <vector>

#include "core/result.h"
#include "git/serve.h"

namespace headrace::repository {

// denied: names the ref and what to do instead. Branches, tags and notes move; hidden refs and those we may give a
// meaning to (refs/for/, refs/changes/) do not. exhausted: more than refs_a_push_max.
core::Result<> check_changes(const std::vector<git::RefChange>& changes);

}  // namespace headrace::repository
