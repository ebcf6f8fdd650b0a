// LogLines turns what a job prints into the lines of its log: "<time> <step> <text>\n" (docs/job-log.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace headrace::runner {

inline constexpr size_t log_line_max = 64 * 1024;  // longer ones are cut into several

class LogLines {
 public:
  explicit LogLines(const core::Clock& clock) : clock_(clock) {}

  void begin_step(int64_t number);  // what follows is of this step; an unfinished line of the one before is ended
  // What a program printed, cut anywhere: whole lines are put out with the time of now, the rest is kept.
  void add(std::string_view bytes);
  void line(std::string_view text);  // a line of the runner's own
  void end();                        // an unfinished line is ended

  // What is ready; its bytes are of whole lines. take() and clear() forget it; clear() keeps the memory for what comes.
  std::string take();
  std::string_view ready() const { return out_; }
  void clear() { out_.clear(); }

 private:
  void put(std::string_view text);
  void refresh_prefix();

  const core::Clock& clock_;
  int64_t step_ = 0;
  std::string prefix_;
  std::string rest_;
  std::string out_;
};

}  // namespace headrace::runner
