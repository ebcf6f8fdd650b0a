// The workflows that jobs of `exec` call: those of the folder at hand as they lie there; those of other repositories,
// as `uses: OWNER/NAME/.github/workflows/x.yml@REF` names them, from where actions come from.
#pragma once

#include <string>

#include "core/task.h"
#include "services/runner/action_source.h"
#include "workflow/plan.h"

namespace headrace::cli {

class CalledWorkflows {
 public:
  // `root` of the folder at hand, which is the repository `own`. All outlive it. Not on the loop: it runs the loop.
  CalledWorkflows(core::Loop& loop, runner::Repositories& repositories, runner::ActionOptions actions, std::string root,
                  std::string own);

  // As workflow::Resolver. The error is told at the `uses`.
  core::Result<workflow::Source> read(const std::string& uses, const workflow::Source& from);

 private:
  core::Task<core::Result<workflow::Source>> fetch(runner::ActionName name);
  core::Task<core::Result<workflow::Source>> show(std::string mirror, std::string path, std::string repository,
                                                  std::string commit);

  core::Loop& loop_;
  runner::Repositories& repositories_;
  runner::ActionOptions actions_;
  std::string root_, own_;
  std::map<std::string, std::string> mirrors_;  // of what was fetched: "owner/name@commit" -> folder
};

}  // namespace headrace::cli
