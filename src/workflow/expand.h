// The parts of expand(): what of a leg each file makes.
#pragma once

#include "workflow/evaluate.h"
#include "workflow/permissions.h"
#include "workflow/plan.h"

namespace headrace::workflow {

// What all legs of one expansion share.
struct Expanding {
  const Program& program;
  const JobTemplate& wanted;
  const Job& job;
  const Workflow& workflow;
  const Object& contexts;  // github, vars, inputs, needs
  const Instance& instance;
  Permissions permissions;  // of the job's token
  std::string shared = {};  // of its specs: members that are the same for all legs
  std::string shared_contexts = {};
  bool uses_secrets = false;
};

// spec.cc: version 2 of the spec. share() first, once; too large a spec is a failure at the job's place.
void share(Expanding& expanding);
Evaluated<std::string> make_spec(const Expanding& expanding, const Leg& leg, const Object& contexts);
bool uses_secrets(const Workflow& workflow, const Job& job);

// call.cc: what a caller's leg passes on.
Evaluated<Object> call_inputs(const Expanding& expanding, const Evaluation& evaluation);
Evaluated<std::string> call_secrets(const Expanding& expanding, const Evaluation& evaluation, const Object& contexts);

Evaluated<Concurrency> read_concurrency(const Evaluation& evaluation, const Node& node);

}  // namespace headrace::workflow
