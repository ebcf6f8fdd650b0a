// Runs a program to its end and keeps what it printed: for short commands with a bound on output and time.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "core/result.h"
#include "core/task.h"
#include "process/child.h"

namespace headrace::process {

struct RunLimits {
  size_t output_bytes_max = size_t{1} << 20;   // of out and err each; beyond it the program is ended: exhausted
  std::chrono::milliseconds deadline{30'000};  // beyond it the program is ended: unavailable
  std::chrono::milliseconds grace{1'000};      // between SIGTERM and SIGKILL
};

struct Ran {
  Exit exit;
  std::string out;
  std::string err;
};

// in, out and err of `spec` are replaced by pipes; `input` is written while the output is read. A program that fails is
// an ordinary Ran; an Error means that it could not be started, said too much or took too long.
core::Task<core::Result<Ran>> run(core::Executor executor, Spec spec, std::string input, RunLimits limits);

}  // namespace headrace::process
