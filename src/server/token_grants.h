// What the server grants a job that is given to a runner: a token for its repository, as far as `permissions` of the
// workflow let it.
#pragma once

#include <string>
#include <utility>

#include "services/identity/job_tokens.h"
#include "services/runner/runner.h"

namespace headrace::server {

class TokenGrants final : public runner::JobGrants {
 public:
  TokenGrants(const identity::JobTokens& tokens, std::string public_url)  // `tokens` outlives this
      : tokens_(tokens), public_url_(std::move(public_url)) {}

  core::Result<runner::JobGrant> grant(runner::Token lease, const std::string& repository,
                                       const std::string& spec) override;

 private:
  const identity::JobTokens& tokens_;
  std::string public_url_;
};

}  // namespace headrace::server
