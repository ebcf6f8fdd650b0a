// What this program runs with, for people who look for a fault: versions by name, in the order in which they are shown.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/task.h"

namespace headrace::server {

using Versions = std::vector<std::pair<std::string, std::string>>;

// Asks git, once; what cannot be found out is left out.
core::Task<Versions> find_versions(core::Executor executor);

}  // namespace headrace::server
