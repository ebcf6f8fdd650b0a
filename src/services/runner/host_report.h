// What this host can do for jobs: looked at by trying, not by guessing. For `headrace doctor`.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/disk.h"
#include "core/task.h"
#include "services/runner/executor.h"

namespace headrace::runner {

struct HostAbility {
  std::string what;  // "sandbox", "limits of jobs", "network of jobs", "containers"
  bool good = false;
  std::string words;  // what was found, or the reason and the remedy
};

core::Task<std::vector<HostAbility>> report_host(core::Executor loop, core::Clock& clock, core::Disk& disk,
                                                 ExecutorOptions options);

}  // namespace headrace::runner
