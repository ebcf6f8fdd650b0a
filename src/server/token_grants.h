// What the server grants a job that is given to a runner: a token for its repository, as far as `permissions` of the
// workflow let it, and those secrets that it may have and names.
#pragma once

#include <string>
#include <utility>

#include "services/identity/job_tokens.h"
#include "services/runner/runner.h"
#include "services/secrets/secrets.h"

namespace headrace::server {

class TokenGrants final : public runner::JobGrants {
 public:
  TokenGrants(const identity::JobTokens& tokens, secrets::Secrets& secrets,
              std::string public_url)  // both outlive this
      : tokens_(tokens), secrets_(secrets), public_url_(std::move(public_url)) {}

  core::Task<core::Result<runner::JobGrant>> grant(runner::Token lease, std::string repository,
                                                   std::string spec) override;

 private:
  const identity::JobTokens& tokens_;
  secrets::Secrets& secrets_;
  std::string public_url_;
};

}  // namespace headrace::server
