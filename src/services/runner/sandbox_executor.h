// The executor `sandbox`: a process::Sandbox a job, bounded by a control group where there can be one, with a way out
// where libslirp gives one. Sandboxes are made ahead (keep_ready): one that waits has an empty folder of its own,
// and the job that takes it gets that folder by a rename, so nothing is mounted while the job waits.
#pragma once

#include <memory>

#include "services/runner/executor.h"

namespace headrace::runner {

// What an operator may choose where no sandbox can be made; said with the reason.
inline constexpr const char* without_sandbox =
    "Jobs that you trust as yourself can run without a sandbox: --label ubuntu-latest=host.";

std::unique_ptr<Executor> make_sandbox_executor(core::Executor loop, core::Clock& clock, ExecutorOptions options);

}  // namespace headrace::runner
