// Something that happened and may start the workflow files of one commit: an event of the log in the words of `on`. One
// event may be several (a push of three refs; a push that makes a branch is a push and a create). Pure; what git knows
// besides is asked for where the files of the commit want it (planning.cc).
//
// To start runs from another event of the log, tell it as an Occurrence in occurrences_of().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "events/event.h"
#include "events/pipeline.h"
#include "events/triggers.h"
#include "log/event_log.h"
#include "services/pipeline/payload.h"
#include "services/pipeline/projection.h"
#include "services/pipeline/source.h"
#include "workflow/workflow.h"

namespace headrace::pipeline {

struct Occurrence {
  std::string key;             // tells it from the others of its event: "refs/heads/main", "create refs/heads/topic"
  events::RunQueued run = {};  // what all its runs have in common. No commit: what its ref points to now
  workflow::Occasion occasion = {};
  std::string refusal = {};                   // why nothing starts, whatever files say; empty: they decide
  std::optional<Comparison> comparison = {};  // what filters on paths want to know
  std::function<std::string(const Changes&)> payload = {};  // of what wants to know the changes for it
  std::vector<std::string> earlier = {};    // commits that a push brought besides its newest, oldest first: each-commit
  bool skippable = false;                   // a word in the commit's message keeps it from running
  std::vector<std::string> not_again = {};  // files that a run behind this is of: they do not start
  bool aside = false;                       // told by why-not only where a file waits for it
  std::shared_ptr<const events::Event> cloud_event = {};  // of on: event; occasion points to it
};

// What an event says about who did it.
std::string account_of(const events::Event& event);  // empty: no account
bool is_of_a_job(const events::Event& event);

// GitHub Docs, "Events that trigger workflows", workflow_run: no more than three levels behind the first run.
inline constexpr int64_t depth_max = 3;
inline constexpr size_t each_commits_max = 20;  // of a push that run because of each-commit, besides its newest one
inline constexpr size_t tags_a_push_max = 3;    // GitHub Docs, "Events that trigger workflows", push, create and delete

std::vector<Occurrence> occurrences_of_push(const log::Stored& stored, const events::PushReceived& push,
                                            const std::string& server_url);

// What runs the files of the default branch.
Occurrence occurrence_of(const log::Stored& stored, const events::ScheduleDue& due, const Home& home);
Occurrence occurrence_of(const log::Stored& stored, const events::DispatchRequested& asked, const Home& home);
Occurrence occurrence_of_run(const log::Stored& stored, const RunRow& run, const std::string& action, const Home& home);
// `depth`: of the run that the event follows from, and one more.
Occurrence occurrence_of_any(const log::Stored& stored, const Home& home, int64_t depth);

// A change is a pull_request and a pull_request_target. `action`: in the words of pull_request.
std::vector<Occurrence> occurrences_of_change(const log::Stored& stored, const events::ChangeState& change,
                                              const std::string& action, ChangeEnd end, const Home& home);
Occurrence occurrence_of(const log::Stored& stored, const events::QueueEntered& queue, const Home& home);
// `action`: in the words of issues.
struct Ticket {
  std::string summary, creator, url;
  events::TicketState state;
};
Occurrence occurrence_of_ticket(const log::Stored& stored, const Ticket& ticket, const std::string& action,
                                const Home& home);

}  // namespace headrace::pipeline
