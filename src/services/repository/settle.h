// What a crash swallowed, worked out from three things: the pushes whose outcome nobody said, the refs as the log knows
// them, and the refs as they are. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "events/repository.h"
#include "services/repository/projection.h"

namespace headrace::repository {

using Refs = std::map<std::string, std::string>;  // name -> commit; what is not in it is not there

struct Settlement {
  struct Push {
    PushRow push;
    std::vector<events::SettledUpdate> updates;  // `applied` is known, `forced` is not yet
  };
  std::vector<events::RefUpdate> unexplained;  // moves nobody announced, to be said first
  std::vector<Push> pushes;                    // every open one, in order of acceptance
  bool empty() const { return unexplained.empty() && pushes.empty(); }
};

// Where a ref is not where the log has it, the way between is looked for backwards among the open pushes: each of their
// updates leads one step. What they do not explain happened before them, by nobody we know.
Settlement settle(std::vector<PushRow> open, const Refs& known, const Refs& actual);

}  // namespace headrace::repository
