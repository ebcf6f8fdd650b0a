// Executor makes the surroundings a job runs in. There is more than one maker: `host` runs steps as plain child
// processes of the runner, without isolation, and only where the operator gave a label to it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/disk.h"
#include "core/result.h"
#include "process/child.h"
#include "services/runner/job_spec.h"

namespace headrace::runner {

// Where one job works. Folders are there while it runs and are removed with it.
struct Workplace {
  std::string folder;     // of the job
  std::string workspace;  // where steps begin: GITHUB_WORKSPACE
  std::string temporary;  // RUNNER_TEMP, scripts of steps
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual std::string_view name() const = 0;
  // What a line in the job's log says about the surroundings.
  virtual std::string description() const = 0;
  // Starts one step, its script being at `script`; both its outputs come by one pipe, in their order.
  virtual core::Result<std::unique_ptr<process::Child>> start(const Workplace& place, const StepSpec& step,
                                                              const std::string& script,
                                                              const Variables& environment) = 0;
};

std::unique_ptr<Executor> make_host_executor(core::Executor loop);
bool is_executor(std::string_view name);  // one that this version has

// argv of a step's shell. GitHub Docs, "jobs.<job_id>.steps[*].shell": bash as default `bash -e FILE`, bash by name
// `bash --noprofile --norc -eo pipefail FILE`, `sh -e FILE`, `python FILE`. invalid: no such shell.
core::Result<std::vector<std::string>> shell_command(const StepSpec& step, const std::string& script);
std::string_view script_extension(const StepSpec& step);  // ".sh", ".py"

}  // namespace headrace::runner
