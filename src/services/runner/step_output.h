// StepOutput is the way of a step's output into the log: bytes, cut anywhere, become lines; commands are taken out,
// problem matchers look at what is left, secrets are hidden.
//
// A block of lines without command, matcher or secret passes at memory speed. A line longer than log_line_max is cut;
// cut lines are no commands. Memory is bounded: by the bytes given at once, one line and the longest secret.
#pragma once

#include <string>
#include <string_view>

#include "services/runner/log_lines.h"
#include "services/runner/masks.h"
#include "services/runner/problem_matcher.h"
#include "services/runner/step_commands.h"

namespace headrace::runner {

// Hears what matchers found; `line` is to be logged by it.
class ProblemEffects {
 public:
  virtual ~ProblemEffects() = default;
  virtual void problem(const Problem& problem, std::string_view line) = 0;
  virtual void matcher_removed(const std::string& message) = 0;
};

class StepOutput {
 public:
  // All outlive it.
  StepOutput(LogLines& lines, const Masks& masks, ProblemMatchers& matchers, StepCommands& commands,
             ProblemEffects& problems)
      : lines_(lines), masks_(masks), matchers_(matchers), commands_(commands), problems_(problems) {}

  void add(std::string_view bytes);
  void end();  // an unfinished line is one

 private:
  void whole_lines(std::string_view block);  // each with its LF
  void one_line(std::string_view line);      // without it
  void plain(std::string_view block);
  void long_line(std::string_view bytes, bool last);

  LogLines& lines_;
  const Masks& masks_;
  ProblemMatchers& matchers_;
  StepCommands& commands_;
  ProblemEffects& problems_;
  std::string rest_;   // an unfinished line, or of a long one what may be a secret's beginning
  bool long_ = false;  // of a line that was too long, the beginning is out
  Masks::Between between_;
  std::string masked_;  // kept for its memory
};

}  // namespace headrace::runner
