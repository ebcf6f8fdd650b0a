// What runs are given besides their files: trust by the door of rights, variables by the secrets service.
#pragma once

#include "services/identity/identity.h"
#include "services/pipeline/pipeline.h"
#include "services/secrets/secrets.h"

namespace headrace::server {

class RunSettings final : public pipeline::RunSettings {
 public:
  RunSettings(const identity::Identity& identity, secrets::Secrets& secrets)  // both outlive this
      : identity_(identity), secrets_(secrets) {}

  bool trusts(const core::Actor& author, const std::string& repository) override;
  log::Offset newest() override { return secrets_.newest(); }
  core::Task<core::Result<pipeline::Variables>> variables(std::string repository, log::Offset at) override;

 private:
  const identity::Identity& identity_;
  secrets::Secrets& secrets_;
};

}  // namespace headrace::server
