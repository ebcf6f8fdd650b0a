// The parts of read(): each takes what the walk has found good and makes the model of it, with the rules that one value
// alone cannot tell.
#pragma once

#include "workflow/walk.h"

namespace headrace::workflow {

void read_on(Walk& walk, const Node& node, Workflow& into);
void read_jobs(Walk& walk, Node node, const Node& env, Workflow& into);

// The graph of jobs: every need is a job of the file, and following needs ends. Needs are put into the spelling of the
// jobs they name.
void check_needs(Walk& walk, const Node& jobs, std::vector<Job>& into);

}  // namespace headrace::workflow
