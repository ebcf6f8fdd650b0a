#include "cli/exec_called.h"

#include "core/disk.h"
#include "process/run.h"

namespace headrace::cli {

using core::Code;
using core::Result;
using core::Task;

CalledWorkflows::CalledWorkflows(core::Loop& loop, runner::Repositories& repositories, runner::ActionOptions actions,
                                 std::string root, std::string own)
    : loop_(loop),
      repositories_(repositories),
      actions_(std::move(actions)),
      root_(std::move(root)),
      own_(std::move(own)) {}

Result<workflow::Source> CalledWorkflows::read(const std::string& uses, const workflow::Source& from) {
  bool local = uses.starts_with("./") || uses.starts_with("$/");
  if (local && workflow::equal_in_any_case(from.repository, own_)) {
    core::SystemDisk disk;
    auto text = core::read_file(disk, root_ + "/" + uses.substr(2), workflow::file_bytes_max + 1);
    if (!text) return std::unexpected(text.error());
    return workflow::Source{uses.substr(2), std::move(*text), from.repository, from.commit};
  }
  if (local) {
    auto mirror = mirrors_.find(from.repository + "@" + from.commit);
    if (mirror == mirrors_.end()) return core::fail(Code::not_found, "Its repository is not here.");
    return loop_.run(show(mirror->second, uses.substr(2), from.repository, from.commit));
  }
  auto name = runner::parse_action_name(uses);
  if (!name) return std::unexpected(name.error());
  return loop_.run(fetch(std::move(*name)));
}

Task<Result<workflow::Source>> CalledWorkflows::fetch(runner::ActionName name) {
  runner::JobActions actions(repositories_, actions_);
  runner::JobOrder nobody;
  std::string tried;
  for (const auto& place : actions.places_of(nobody, name.repository(), true)) {
    auto found = co_await repositories_.fetch(place, name.ref, false);
    if (found) {
      mirrors_[name.repository() + "@" + found->commit] = found->mirror;
      co_return co_await show(found->mirror, name.path, name.repository(), found->commit);
    }
    tried += " " + found.error().message;
  }
  co_return core::fail(Code::not_found, "The repository '" + name.repository() + "' with '" + name.ref +
                                            "' cannot be had. Tried:" + (tried.empty() ? " nothing." : tried));
}

Task<Result<workflow::Source>> CalledWorkflows::show(std::string mirror, std::string path, std::string repository,
                                                     std::string commit) {
  process::Spec spec;
  spec.argv = {"git", "-C", mirror, "show", commit + ":" + path};
  spec.environment = runner::git_environment(nullptr);
  spec.directory = "/";
  process::RunLimits limits;
  limits.output_bytes_max = workflow::file_bytes_max + 1;
  std::string nothing;
  auto ran = co_await process::run(loop_.executor(), std::move(spec), std::move(nothing), limits);
  if (!ran) co_return std::unexpected(ran.error());
  if (!ran->exit.succeeded())
    co_return core::fail(Code::not_found, repository + " has no file " + path + " at " + commit + ".");
  workflow::Source source{path, std::move(ran->out), repository, commit};
  co_return source;
}

}  // namespace headrace::cli
