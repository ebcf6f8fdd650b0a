#include "services/runner/executor.h"

#include "services/runner/container_executor.h"
#include "services/runner/sandbox_executor.h"

namespace headrace::runner {

std::unique_ptr<Executor> make_executor(std::string_view name, core::Executor loop, core::Clock& clock, core::Disk&,
                                        ExecutorOptions options) {
  if (name == "host") return make_host_executor(std::move(loop), std::move(options));
  if (name == "sandbox") return make_sandbox_executor(std::move(loop), clock, std::move(options));
  if (name == "container") return make_container_executor(std::move(loop), clock, std::move(options));
  return nullptr;
}

bool is_executor(std::string_view name) { return name == "host" || name == "sandbox" || name == "container"; }

std::string_view executor_names() { return "host, sandbox, container"; }

}  // namespace headrace::runner
