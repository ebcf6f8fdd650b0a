// The door of rights as the pipeline asks it.
#pragma once

#include "services/identity/identity.h"
#include "services/pipeline/rights.h"

namespace headrace::server {

class RunRights final : public pipeline::Rights {
 public:
  explicit RunRights(identity::Identity& identity) : identity_(identity) {}  // outlives this

  core::Result<> may_read(const core::Actor& actor, const std::string& repository) const override {
    return identity_.door().may(actor, identity::Action::read_repository, identity::Resource::repository(repository));
  }
  core::Result<> may_start(const core::Actor& actor, const std::string& repository) const override {
    return identity_.door().may(actor, identity::Action::write_runs, identity::Resource::repository(repository));
  }

 private:
  identity::Identity& identity_;
};

}  // namespace headrace::server
