// The posix_spawn part of spawn: a Spec becomes a running process and our ends of its pipes.
#pragma once

#include <sys/types.h>

#include "core/result.h"
#include "process/child.h"
#include "process/descriptor.h"

namespace headrace::process {

struct Launched {
  pid_t pid = -1;
  Descriptor pidfd;
  Descriptor in, out, err;  // our ends, where the Spec asked for pipes
};

core::Result<Launched> launch(const Spec& spec);

// The program that argv[0] means, as a path.
core::Result<std::string> find_program(const Spec& spec);

}  // namespace headrace::process
