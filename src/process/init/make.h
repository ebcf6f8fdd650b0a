// The launcher of sandboxes: the trade "make" of headrace-init (main.cc).
#pragma once

namespace headrace::process::init {

// make UID [--cgroup FILE]... -- OPTION...: joins the cgroups, makes name spaces with one user in them, UID outside
// ("-": whoever runs this) and 1001 within, takes the steps of descriptor 4 in order (sandbox_steps.h) and gives up all
// rights. Returns in the first process of the new name spaces alone, for it to serve; the process that was started
// waits for its end, and each of the two dies with the other.
struct Made {
  char** options;
  int uplink = -1;  // the tap device
  int reason = 0;   // why there is none though one was asked for: an errno
};
Made make_sandbox(char** words);

}  // namespace headrace::process::init
