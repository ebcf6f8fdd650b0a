// What a runner leaves behind when it is killed, and how that ends.
//
// Every process of a job is marked in its environment from its first moment on, before anybody could write it down:
//
//   RUNNER_TRACKING_ID=headrace:PID-START:FOLDER/TOKEN     PID-START of the runner's process, FOLDER of its jobs
//
// (GitHub's runner marks what it starts by the same variable.) A runner posts a warden that ends what is marked with
// its PID-START once it has gone; whoever takes its folder over, the next runner or `headrace down`, ends what is
// marked with the folder. Without the first a job would run on beside its retry on another machine.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "process/family.h"

namespace headrace::runner {

// This process and no other of the machine, ever: "PID-START". Loop thread, or before there are others.
std::string this_runner();

// The entry "NAME=value" that processes of a job of this process are started with; `folder` is the job's.
std::string tracking_of(const std::string& folder);
// Puts it into an environment, whatever stood there under its name. Whoever starts a process for a job calls it.
void mark(std::vector<std::string>& environment, const std::string& folder);

// Ends the processes of all jobs of this worker's folder, whichever process ran them. How many there were.
size_t end_leftovers(const std::string& folder);

// Ends the processes of one job of this process; `folder` is the job's. How many there were. Blocks: it reads /proc,
// and waits until those it found have gone. One that is being replaced by another program at just that moment is not
// seen; the next end_leftovers() finds it.
size_t end_leftovers_of_job(const std::string& folder);

// Ends the processes of jobs of this process once it has gone. Before there are threads; arm it when the folder is
// ours.
core::Result<process::Warden> post_warden();

// A runner that a server starts is told by this variable where to keep its record (process/adopt.h), and it is found by
// it before it has done so.
inline constexpr std::string_view record_variable = "HEADRACE_RUNNER_RECORD";
std::vector<pid_t> end_unrecorded(const std::string& record_path);

}  // namespace headrace::runner
