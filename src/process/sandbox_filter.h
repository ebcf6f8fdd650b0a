// The system calls a sandboxed job may make: a classic BPF program for seccomp(2), in the kernel's bytes.
// A call that is not allowed fails with an errno; nothing is killed.
//
// Refused: what reaches beyond the job's name spaces (mounts, name spaces of its own, key rings, kernel modules, bpf,
// perf, userfaultfd, io_uring, clocks, swap, file handles), the two terminal ioctls that type for others (TIOCSTI,
// TIOCLINUX), and sockets of families other than unix, inet, inet6 and netlink. Programs of another architecture
// (32 bit, x32) are refused every call. ptrace is allowed: it reaches the job's own processes only, and sanitizers
// need it. docs/sandbox.md has the list.
#pragma once

#include <string>

#include "core/result.h"

namespace headrace::process {

core::Result<std::string> sandbox_filter();  // unavailable on a processor other than x86_64 and aarch64

}  // namespace headrace::process
