// Concurrency groups, pure: one has the group, one waits, the newest takes the place of the one that waits; with
// `queue: max` many wait. GitHub, "Control the concurrency of workflows and jobs".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "services/pipeline/projection.h"

namespace headrace::pipeline {

struct Verdict {
  std::vector<Member> end;      // cancelled: a newer one took the place, or wants them gone
  std::optional<Member> admit;  // has the group from now on
};

// Of all that are in one group now, in the order in which they came.
Verdict judge(const std::vector<Member>& members);

std::string reason_to_end(const Member& member);

}  // namespace headrace::pipeline
