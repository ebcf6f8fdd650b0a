// The executor `sandbox`: a process::Sandbox a job, bounded by a control group where there can be one, with a way out
// where slirp4netns gives one. Sandboxes are made ahead (keep_ready): one that waits has an empty folder of its own,
// and the job that takes it gets that folder by a rename, so nothing is mounted while the job waits.
#pragma once

#include <memory>

#include "services/runner/executor.h"

namespace headrace::runner {

std::unique_ptr<Executor> make_sandbox_executor(core::Executor loop, core::Clock& clock, ExecutorOptions options);

}  // namespace headrace::runner
