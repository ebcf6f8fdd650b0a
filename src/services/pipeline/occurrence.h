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
#include "log/event_log.h"
#include "services/pipeline/payload.h"
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
  bool skippable = false;                                   // a word in the commit's message keeps it from running
  bool aside = false;                                       // told by why-not only where a file waits for it
};

// What an event says about who did it.
std::string account_of(const events::Event& event);  // empty: no account
bool is_of_a_job(const events::Event& event);

inline constexpr size_t tags_a_push_max = 3;  // GitHub Docs, "Events that trigger workflows", push, create and delete

std::vector<Occurrence> occurrences_of_push(const log::Stored& stored, const events::PushReceived& push,
                                            const std::string& server_url);

}  // namespace headrace::pipeline
