#include "services/runner/executor.h"

namespace headrace::runner {

std::unique_ptr<Executor> make_executor(std::string_view name, core::Executor loop, core::Clock&, core::Disk&,
                                        ExecutorOptions) {
  if (name == "host") return make_host_executor(std::move(loop));
  return nullptr;
}

bool is_executor(std::string_view name) { return name == "host"; }

std::string_view executor_names() { return "host"; }

}  // namespace headrace::runner
