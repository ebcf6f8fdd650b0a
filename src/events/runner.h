// What the runner service says about jobs: who has one, what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "events/pipeline.h"

namespace headrace::events {

// The log offset of this event is the fencing token of the lease.
struct JobLeased {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-job.leased.0.1.0";
  std::string job = {};
  std::string run = {};
  std::string repository = {};
  int64_t attempt = 1;
  std::string runner = {};    // name
  std::string executor = {};  // "host", "sandbox", "container"
  int64_t lease_seconds = 30;
  bool operator==(const JobLeased&) const = default;
};

// The lease ran out, or the runner said that it lost the job.
struct JobLost {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-job.lost.0.1.0";
  std::string job = {};
  std::string run = {};
  std::string repository = {};
  int64_t attempt = 1;
  std::string runner = {};
  std::string reason = {};
  bool steps_begun = false;
  bool operator==(const JobLost&) const = default;
};

// A lost job is to run again, as `attempt`.
struct JobRequeued {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-job.requeued.0.1.0";
  std::string job = {};
  std::string run = {};
  std::string repository = {};
  int64_t attempt = 2;
  std::string reason = {};
  bool operator==(const JobRequeued&) const = default;
};

// Said when the first step begins.
struct JobStarted {
  static constexpr std::string_view type = "dev.cdevents.taskrun.started.0.3.0";
  std::string job = {};
  std::string run = {};
  std::string repository = {};
  std::string name = {};
  std::string runner = {};
  int64_t attempt = 1;
  std::string url = {};
  bool operator==(const JobStarted&) const = default;
};

struct StepResult {
  int64_t number = 0;  // from 1
  std::string name = {};
  Conclusion conclusion = Conclusion::success;
  std::optional<core::Time> started_at = {};
  std::optional<core::Time> completed_at = {};
  std::optional<int64_t> exit_code = {};  // absent: it was skipped, or a signal ended it
  bool operator==(const StepResult&) const = default;
};

struct LogSize {
  int64_t bytes = 0;
  int64_t lines = 0;
  bool operator==(const LogSize&) const = default;
};

struct JobOutput {
  std::string name = {};
  std::string value = {};
  bool operator==(const JobOutput&) const = default;
};

// A remark of a step about the run or a file, as GitHub's check annotations.
struct JobAnnotation {
  std::string level = {};  // "notice", "warning", "error"
  std::string message = {};
  std::string title = {};
  std::string file = {};  // relative to the workspace; empty: about no file
  int64_t line = 0;       // these from 1; 0: not given
  int64_t end_line = 0;
  int64_t column = 0;
  int64_t end_column = 0;
  int64_t step = 0;  // its number
  bool operator==(const JobAnnotation&) const = default;
};

struct JobFinished {
  static constexpr std::string_view type = "dev.cdevents.taskrun.finished.0.3.0";
  std::string job = {};
  std::string run = {};
  std::string repository = {};
  std::string name = {};
  std::string runner = {};
  int64_t attempt = 1;
  Conclusion conclusion = Conclusion::success;
  std::string errors = {};
  std::vector<StepResult> steps = {};
  LogSize log = {};
  std::string url = {};
  std::vector<JobOutput> outputs = {};
  std::vector<JobAnnotation> annotations = {};
  std::string environment_url = {};
  std::optional<int64_t> summary_bytes = {};  // of what its steps wrote to GITHUB_STEP_SUMMARY, a file beside the log
  bool operator==(const JobFinished&) const = default;
};

}  // namespace headrace::events
