// A program in a job's surroundings whose output is data, not lines of the log: what natively served actions read the
// files of a job by, and write them. The files are hostile, so they are touched by the job's own processes alone.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "process/child.h"
#include "services/runner/step_engine.h"

namespace headrace::runner {

enum class Input { none, pipe };

class InsideProgram {
 public:
  // Runs `script` by /bin/sh in the workspace, with `arguments` as $1 and so on. What it says on its error output is
  // kept for finish().
  static core::Task<core::Result<std::unique_ptr<InsideProgram>>> start(StepEngine& engine, std::string script,
                                                                        std::vector<std::string> arguments,
                                                                        Input input);
  ~InsideProgram();

  core::Task<core::Result<size_t>> read(std::span<std::byte> into);  // 0 at the end
  core::Task<core::Result<>> write(std::span<const std::byte> bytes);
  void close_in();
  // Its end. unavailable: it failed, with what it said last.
  core::Task<core::Result<>> finish();

 private:
  InsideProgram(StepEngine& engine, std::unique_ptr<process::Child> child, std::string said);
  StepEngine& engine_;
  std::unique_ptr<process::Child> child_;
  std::string said_;  // host path of the file with its error output
};

// All that it prints, at most bytes_max (exhausted), if it succeeds.
core::Task<core::Result<std::string>> output_inside(StepEngine& engine, std::string script,
                                                    std::vector<std::string> arguments, size_t bytes_max);

// "'" and what is in it, as a word of a shell.
std::string shell_word(std::string_view text);

}  // namespace headrace::runner
