// Screen is what a person sees of `exec`: the lines of all jobs as they come, each with the name of its job in front,
// steps with how they ended and how long they took, and a summary at the end.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exec_job.h"
#include "core/clock.h"
#include "services/pipeline/projection.h"

namespace headrace::cli {

enum class Colours { no, yes };
// On a terminal, unless NO_COLOR is set (no-color.org).
Colours colours_of(int descriptor);

class Screen {
 public:
  Screen(int descriptor, Colours colours) : descriptor_(descriptor), colours_(colours == Colours::yes) {}

  void say(std::string_view line);
  void warn(std::string_view line);
  // Of a job, by the name it shows.
  void log(const std::string& job, std::string_view text);  // one line of it, as the job printed it
  void step_began(const std::string& job, std::string_view step);
  void step_ended(const std::string& job, std::string_view step, events::Conclusion conclusion, core::Duration took);
  void job_ended(const std::string& job, events::Conclusion conclusion, std::string_view reason, core::Duration took);
  void flush();  // what was said since goes out

  // `stories` by the UUID of the job.
  void summary(const std::vector<const pipeline::RunRow*>& runs, const std::map<std::string, JobStory>& stories);

 private:
  std::string paint(std::string_view text, const char* code) const;
  std::string word_of(events::Conclusion conclusion) const;
  std::string prefix(const std::string& job);
  void job_line(const pipeline::JobRow& job, const JobStory* story);
  void failures(const pipeline::RunRow& run, const std::map<std::string, JobStory>& stories);

  int descriptor_;
  bool colours_;
  std::string out_;
  std::map<std::string, size_t> numbers_;    // of jobs, in the order they first spoke: their colours
  std::map<std::string, bool> in_a_group_;   // of the log
  std::map<std::string, std::string> told_;  // steps whose first group is still to come: it may bear their name
};

std::string shown(core::Duration took);  // "0.4 s", "2 min 03 s"

}  // namespace headrace::cli
