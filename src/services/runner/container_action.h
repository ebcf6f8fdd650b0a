// Container actions: `uses: docker://IMAGE`, and actions whose action.yml says `using: docker`. A step is one
// container, beside whatever surroundings the job has, with GitHub's mounts ("About custom actions", "Docker container
// actions"):
//
//   /github/workspace       the job's workspace, where the program begins
//   /github/home            HOME, of the job's container actions alone
//   /github/workflow        event.json
//   /github/file_commands   GITHUB_ENV, GITHUB_OUTPUT, ...
//   /github/runner_temp     RUNNER_TEMP
//
// What it finds is its image's environment, the step's variables with their paths as above, and INPUT_*. The engine's
// own socket is not there: it would be the host.
#pragma once

#include <memory>

#include "services/runner/action_source.h"

namespace headrace::runner {

// `folder`: of the action, on the host; empty for docker://.
std::unique_ptr<Action> make_container_action(JobActions& actions, ActionManifest manifest, std::string folder,
                                              std::string inside, ActionName name);
// "docker://IMAGE", without an action.yml.
core::Result<std::unique_ptr<Action>> make_image_action(JobActions& actions, std::string_view uses);

}  // namespace headrace::runner
