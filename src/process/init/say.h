// How headrace-init gives up: a line on its standard error, which the runner reads, and no way back.
#pragma once

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

namespace headrace::process::init {

inline constexpr int exit_usage = 64;
inline constexpr int exit_protocol = 76;

[[noreturn]] inline void give_up(const char* what) {
  dprintf(STDERR_FILENO, "headrace-init: %s: %s\n", what, strerror(errno));
  _exit(exit_protocol);
}

}  // namespace headrace::process::init
