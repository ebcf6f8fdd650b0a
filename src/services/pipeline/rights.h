// What the pipeline asks of the platform's one door of rights where no request did: on whose behalf something runs. The
// server gives it.
#pragma once

#include <string>

#include "core/actor.h"
#include "core/result.h"

namespace headrace::pipeline {

class Rights {
 public:
  virtual ~Rights() = default;
  // denied, or unauthenticated: with what is missing, for people.
  virtual core::Result<> may_read(const core::Actor& actor, const std::string& repository) const = 0;
  virtual core::Result<> may_start(const core::Actor& actor, const std::string& repository) const = 0;
};

}  // namespace headrace::pipeline
