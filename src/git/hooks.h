// The hooks of a push: two small shell scripts that ask this process, over a socket git inherits, and do as they are
// told. No credential and no name is involved: who holds the socket is a child of this very push.
//
// The talk, lines ended by LF, on descriptor 3 of git and all it starts. Hook: "hook pre-receive" or "hook
// post-receive", "quarantine FOLDER" (pre-receive), one "OLD NEW REF" for each ref, "end". Answer: any number of "say
// TEXT", then "exit N". Where nobody answers any more, pre-receive refuses and post-receive says that the push will be
// recorded.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "git/serve.h"

namespace headrace::git {

inline constexpr int hook_descriptor = 3;  // in git's process; the folder's lock is the next one

core::Result<> write_hooks(const std::string& folder);  // made if it is not there; replaced where they differ

struct HookPair {
  int ours = -1;    // to be given to serve_hooks
  int theirs = -1;  // for git; ours to close once it was started
};
core::Result<HookPair> make_hook_pair();

// Answers the hooks of one push until git and all it started are gone. Takes `ours`. `known` are the changes the client
// asked for: a hook that speaks of others is refused.
core::Task<> serve_hooks(core::Executor executor, int ours, std::vector<RefChange> known,
                         std::vector<std::string> options, Gatekeeper& gatekeeper);

}  // namespace headrace::git
