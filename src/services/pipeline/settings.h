// What runs are given besides their files. The server gives it by way of identity and secrets.
#pragma once

#include <map>
#include <string>

#include "core/actor.h"
#include "core/result.h"
#include "core/task.h"
#include "log/event_log.h"
#include "workflow/expression_value.h"

namespace headrace::pipeline {

// The variables of a repository at one moment.
struct Variables {
  workflow::Object of_run;                                  // the `vars` context
  std::map<std::string, workflow::Object> of_environments;  // by name, folded: what they add to it, or replace
};

class RunSettings {
 public:
  virtual ~RunSettings() = default;
  // Whether jobs of what this actor starts may have secrets, and a token that writes: who may write may.
  virtual bool trusts(const core::Actor& author, const std::string& repository) = 0;
  virtual log::Offset newest() = 0;  // the moment whose variables a run sees that is planned now
  virtual core::Task<core::Result<Variables>> variables(std::string repository, log::Offset at) = 0;
};

}  // namespace headrace::pipeline
