// What jobs have of a container engine outlives a runner that is killed: the engine's containers are no children of
// ours. So everything made there bears two labels,
//
//   dev.headrace.runner=FOLDER       the runner's folder
//   dev.headrace.process=PID-START   the process that made it
//
// and FOLDER/containers names the engine, from before the first of them is made. Whoever has the folder next, the
// runner that starts again or `headrace down`, removes what bears the folder and not its own process.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"

namespace headrace::runner {

// "--label", "...", ...: words of create, run and network create. `folder` may be empty.
std::vector<std::string> label_words(const std::string& folder);
// Before anything is made of the engine; nothing where `folder` is empty.
core::Result<> note_engine(const std::string& folder, const std::string& engine);

// How many containers and networks there were. Asks no engine where none was noted. An engine that does not answer is
// an error, and what it has waits for the next time.
core::Task<core::Result<size_t>> remove_left_containers(core::Executor loop, std::string folder);

}  // namespace headrace::runner
