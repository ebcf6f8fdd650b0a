// What a push or change brought, read from one repository: commits with their files, and the files that differ.
#pragma once

#include <string>
#include <vector>

#include "git/repository.h"
#include "services/pipeline/source.h"

namespace headrace::server {

struct Branch {
  std::string ref;     // full
  std::string commit;  // it was at
};

// `branches`: those of the repository before the push. Blocks.
core::Result<pipeline::Changes> changes_of(git::Repository& repository, const pipeline::Comparison& what,
                                           const std::vector<Branch>& branches, const std::string& default_branch);

std::string message_of(const git::Commit& commit);  // its first bytes, as UTF-8

}  // namespace headrace::server
