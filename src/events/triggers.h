// What starts runs besides pushes. The first three are the pipeline's own: a time has come, somebody asked, the default
// branch has other workflows. The rest the services of review and tasks say: the pipeline hears them whoever says them.
//
// Activity types are in the words of GitHub's workflow language: "opened", "synchronize", "labeled".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace headrace::events {

// A time that workflow files of the default branch name has come; said once for each.
struct ScheduleDue {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-schedule.due.0.1.0";
  std::string schedule = {};  // UUID of this time of this schedule
  std::string repository = {};
  int64_t repository_id = 0;
  std::string cron = {};  // as the files write it, UTC
  core::Time due{};
  std::string actor = {};  // account whose push brought the schedule
  bool operator==(const ScheduleDue&) const = default;
};

// Somebody asked for the runs of on: repository_dispatch.
struct DispatchRequested {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-dispatch.requested.0.1.0";
  std::string dispatch = {};  // UUID
  std::string repository = {};
  int64_t repository_id = 0;
  std::string event_type = {};
  std::string client_payload = {};  // JSON text of an object
  bool operator==(const DispatchRequested&) const = default;
};

// The default branch has moved, and its workflow files wait for other times or events than before. What they wait for
// besides (push, ...) is looked up when it happens.
struct WorkflowsRead {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-workflows.read.0.1.0";
  std::string repository = {};
  int64_t repository_id = 0;
  std::string commit = {};
  std::string actor = {};                // account that moved the branch
  std::vector<std::string> crons = {};   // of schedule, each once
  std::vector<std::string> events = {};  // of those that any event of the log may be: "event", "workflow_run"
  bool operator==(const WorkflowsRead&) const = default;
};

// A change that is asked to be merged, as it is at that moment.
struct ChangeState {
  int64_t number = 0;
  std::string title = {};
  std::string body = {};
  std::string author = {};       // account
  std::string head_branch = {};  // short
  std::string head_commit = {};
  std::string base_branch = {};  // short: where it goes to
  std::string base_commit = {};
  std::string merge_commit = {};  // of the tree that would land; empty: it cannot be merged
  bool draft = false;
  std::vector<std::string> labels = {};
  bool operator==(const ChangeState&) const = default;
};

struct ChangeCreated {
  static constexpr std::string_view type = "dev.cdevents.change.created.0.4.0";
  std::string change = {};  // "team/hello#12"
  std::string repository = {};
  int64_t repository_id = 0;
  ChangeState state = {};
  bool operator==(const ChangeCreated&) const = default;
};

struct ChangeUpdated {
  static constexpr std::string_view type = "dev.cdevents.change.updated.0.3.0";
  std::string change = {};
  std::string repository = {};
  int64_t repository_id = 0;
  std::string action = {};  // "synchronize", "edited", "reopened", "labeled", ...
  ChangeState state = {};
  bool operator==(const ChangeUpdated&) const = default;
};

struct ChangeMerged {
  static constexpr std::string_view type = "dev.cdevents.change.merged.0.3.0";
  std::string change = {};
  std::string repository = {};
  int64_t repository_id = 0;
  ChangeState state = {};
  bool operator==(const ChangeMerged&) const = default;
};

struct ChangeAbandoned {
  static constexpr std::string_view type = "dev.cdevents.change.abandoned.0.3.0";
  std::string change = {};
  std::string repository = {};
  int64_t repository_id = 0;
  ChangeState state = {};
  bool operator==(const ChangeAbandoned&) const = default;
};

// A change stands in the merge queue, and the tree it would land as waits for its checks.
struct QueueEntered {
  static constexpr std::string_view type = "dev.cdeventsx.headrace-queue.entered.0.1.0";
  std::string entry = {};  // UUID
  std::string repository = {};
  int64_t repository_id = 0;
  std::vector<int64_t> changes = {};  // numbers, in the order in which they would land
  std::string base_branch = {};       // short
  std::string base_commit = {};
  std::string head_ref = {};  // full: where the tested commit is
  std::string head_commit = {};
  bool operator==(const QueueEntered&) const = default;
};

// A task, as it is at that moment.
struct TicketState {
  int64_t number = 0;
  std::string body = {};
  std::vector<std::string> labels = {};
  bool operator==(const TicketState&) const = default;
};

struct TicketCreated {
  static constexpr std::string_view type = "dev.cdevents.ticket.created.0.2.0";
  std::string ticket = {};  // "team/hello#3"
  std::string summary = {};
  std::string creator = {};
  std::string url = {};
  std::string repository = {};
  int64_t repository_id = 0;
  TicketState state = {};
  bool operator==(const TicketCreated&) const = default;
};

struct TicketUpdated {
  static constexpr std::string_view type = "dev.cdevents.ticket.updated.0.2.0";
  std::string ticket = {};
  std::string summary = {};
  std::string creator = {};
  std::string url = {};
  std::string repository = {};
  int64_t repository_id = 0;
  std::string action = {};  // "edited", "reopened", "labeled", "assigned", ...
  TicketState state = {};
  bool operator==(const TicketUpdated&) const = default;
};

struct TicketClosed {
  static constexpr std::string_view type = "dev.cdevents.ticket.closed.0.2.0";
  std::string ticket = {};
  std::string summary = {};
  std::string creator = {};
  std::string resolution = {};  // "completed", "not_planned"
  std::string url = {};
  std::string repository = {};
  int64_t repository_id = 0;
  TicketState state = {};
  bool operator==(const TicketClosed&) const = default;
};

}  // namespace headrace::events
