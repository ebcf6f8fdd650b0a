#include <sys/utsname.h>

#include "services/runner/executor.h"

namespace headrace::runner {

using core::Code;
using core::Result;

namespace {

class HostExecutor final : public Executor {
 public:
  explicit HostExecutor(core::Executor loop) : loop_(std::move(loop)) {}

  std::string_view name() const override { return "host"; }

  std::string description() const override {
    utsname about{};
    std::string machine =
        ::uname(&about) == 0 ? std::string(about.sysname) + " " + about.release + " " + about.machine : "this machine";
    return "Runs on the host (" + machine + ") without isolation, as the operator allowed for this label.";
  }

  Result<std::unique_ptr<process::Child>> start(const Workplace& place, const StepSpec& step, const std::string& script,
                                                const Variables& environment) override {
    auto argv = shell_command(step, script);
    if (!argv) return std::unexpected(argv.error());
    process::Spec spec;
    spec.argv = std::move(*argv);
    // The exact environment of a job: a few words about the machine and its user, then what the workflow says. The
    // runner's own variables, its token above all, are not among them.
    spec.environment =
        process::inherited_environment({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ"});
    for (const auto& [name, value] : environment) spec.environment.push_back(name + "=" + value);
    bool absolute = step.working_directory.starts_with("/");
    spec.directory = step.working_directory.empty() ? place.workspace
                     : absolute                     ? step.working_directory
                                                    : place.workspace + "/" + step.working_directory;
    spec.out = process::Redirect::pipe();
    spec.err = process::Redirect::same_as_out();
    return process::spawn(loop_, std::move(spec));
  }

 private:
  core::Executor loop_;
};

}  // namespace

std::unique_ptr<Executor> make_host_executor(core::Executor loop) {
  return std::make_unique<HostExecutor>(std::move(loop));
}

bool is_executor(std::string_view name) { return name == "host"; }

Result<std::vector<std::string>> shell_command(const StepSpec& step, const std::string& script) {
  if (step.shell == "bash" && !step.shell_given) return std::vector<std::string>{"bash", "-e", script};
  if (step.shell == "bash") return std::vector<std::string>{"bash", "--noprofile", "--norc", "-eo", "pipefail", script};
  if (step.shell == "sh") return std::vector<std::string>{"sh", "-e", script};
  if (step.shell == "python") return std::vector<std::string>{"python3", script};
  return core::fail(Code::invalid, "The shell '" + step.shell + "' is not one of bash, sh, python.");
}

std::string_view script_extension(const StepSpec& step) { return step.shell == "python" ? ".py" : ".sh"; }

}  // namespace headrace::runner
