// What starts a workflow: the triggers of `on`, the decision whether something that happened is one of them, and when
// a schedule comes next. Pure; any thread. Rules: GitHub, "Events that trigger workflows", "Workflow syntax", "on".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "workflow/node.h"

namespace headrace::events {
struct Event;
}

namespace headrace::workflow {

struct Workflow;

// Patterns of one filter, in order; "!" in front takes back what an earlier one matched.
using Patterns = std::vector<std::string>;

struct Schedule {
  Position at;
  std::string cron;  // five fields, UTC
};

struct Trigger {
  Position at;
  std::string event;  // "push"
  std::optional<Patterns> branches = {}, branches_ignore = {}, tags = {}, tags_ignore = {}, paths = {},
                          paths_ignore = {};
  std::optional<std::vector<std::string>> types = {};  // absent: the event's default ones
  Patterns workflows = {};                             // of workflow_run: names or files
  Patterns names = {}, versions = {};                  // of image_version
  bool each_commit = false;  // of push, ours: not the newest commit alone runs, but each that the push brought
  std::vector<Schedule> schedules = {};
  std::string filter = {};  // of `event:`, JSON of a CloudEvents filter as filter::compile_json reads it
};

// Something that happened and may start workflows.
struct Occasion {
  std::string event;          // "push", "workflow_dispatch", "event"
  std::string ref = {};       // full: "refs/heads/main", "refs/tags/v1"
  std::string action = {};    // activity type: "opened"; of repository_dispatch its event_type
  std::string base_ref = {};  // the branch merged into, short or full; of workflow_run: its head branch
  std::optional<std::vector<std::string>> changed_paths = {};  // absent: not known, then a filter on paths lets it pass
  std::string paths_note = {};                                 // a sentence: why not all of them are known
  std::string workflow = {};                                   // of workflow_run: name of the workflow that ran
  std::string workflow_file = {};                              // and its path
  std::string cron = {};                                       // of schedule: the entry that is due
  std::string name = {}, version = {};                         // of image_version
  const events::Event* cloud_event = nullptr;                  // of `event`; lives as long as the call
};

struct Decision {
  bool starts = false;
  std::string reason = {};   // a sentence, in both cases: which line of `on` decided
  bool waits = true;         // `on` names the event at all
  bool each_commit = false;  // on.push.each-commit
  explicit operator bool() const { return starts; }
};
Decision triggers(const Workflow& workflow, const Occasion& occasion);

// GitHub's filter patterns ("Filter pattern cheat sheet"): * (not /), **, ?, + of the character before, [], ! and \.
// True if the last pattern that matches is not negated. Time is bounded by pattern times text.
bool matches(const Patterns& patterns, std::string_view text);

// GitHub, "Skipping workflow runs": the word in a commit's message that keeps workflows from running on push and
// pull_request: "[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]", or a last paragraph
// "skip-checks: true" behind two empty lines. Empty: it has none.
std::string skip_word(std::string_view message);

// What is wrong with a cron expression of `schedule`, as a sentence with the remedy; empty: nothing. POSIX cron, five
// fields, names of months and days, no @yearly and the like.
std::string cron_problem(std::string_view cron);
// The first minute after `after` that the expression names; nothing where none comes within eight years (30 February).
std::optional<std::chrono::sys_seconds> next_time(std::string_view cron, std::chrono::sys_seconds after);

}  // namespace headrace::workflow
