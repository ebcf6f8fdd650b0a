// The parts of expand(): what of a leg each file makes.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "workflow/evaluate.h"
#include "workflow/permissions.h"
#include "workflow/plan.h"

namespace headrace::workflow {

// used_names.cc: the secrets and variables that expressions of a job name.
struct UsedNames {
  struct Names {
    bool all = false;  // some may be any: toJSON(secrets), vars[matrix.name]
    std::set<std::string> folded = {};
    void add(std::string_view name);
    bool include(std::string_view name) const;
  };
  Names secrets = {}, variables = {};
  bool uses_secrets = false;  // others than GITHUB_TOKEN, which dies with the job
};
UsedNames used_names(const Workflow& workflow, const Job& job);

// What all legs of one expansion share.
struct Expanding {
  const Program& program;
  const JobTemplate& wanted;
  const Job& job;
  const Workflow& workflow;
  const Object& contexts;  // github, vars, inputs, needs
  const Instance& instance;
  const Given& given;
  Permissions permissions;  // of the job's token
  std::string shared = {};  // of its specs: members that are the same for all legs
  std::string shared_contexts = {};
  UsedNames used = {};
};

// spec.cc: version 2 of the spec. share() first, once; too large a spec is a failure at the job's place.
void share(Expanding& expanding);
Evaluated<std::string> make_spec(const Expanding& expanding, const Leg& leg, const Object& contexts);

// call.cc: what a caller's leg passes on.
Evaluated<Object> call_inputs(const Expanding& expanding, const Evaluation& evaluation);
Evaluated<std::string> call_secrets(const Expanding& expanding, const Evaluation& evaluation, const Object& contexts);

Evaluated<Concurrency> read_concurrency(const Evaluation& evaluation, const Node& node);

}  // namespace headrace::workflow
