// The executor `container`: the image that a job names, in podman or docker, kept for the job. Its first process is the
// init of process/init_protocol.h, reached by a socket in a folder that both see: so a step costs a fork there as well,
// and not a start of the engine. Services run beside it, in a network of the job's own, and are waited for until they
// are healthy. All of them and the network are removed at the end, whatever happened before.
#pragma once

#include <memory>

#include "services/runner/executor.h"

namespace headrace::runner {

std::unique_ptr<Executor> make_container_executor(core::Executor loop, core::Clock& clock, ExecutorOptions options);

}  // namespace headrace::runner
