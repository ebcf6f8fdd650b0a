// What the server grants a job that is given to a runner: a token for its repository, as far as `permissions` of the
// workflow let it, and those secrets that it may have and names.
#pragma once

#include <string>
#include <utility>

#include "core/clock.h"
#include "services/artifact/artifact.h"
#include "services/identity/job_tokens.h"
#include "services/runner/runner.h"
#include "services/secrets/secrets.h"
#include "store/store.h"

namespace headrace::server {

// What the tokens of the toolkit's services are made from; all of it outlives the grants.
struct RuntimeTokens {
  core::Clock& clock;
  store::Store& store;  // of the runner's and the repositories' projections
  const artifact::Artifacts& artifacts;
  // Empty: `lease` is of no job.
  std::string mint(runner::Token lease, const std::string& repository, const runner::JobSpec& spec) const;
};

class TokenGrants final : public runner::JobGrants {
 public:
  TokenGrants(const identity::JobTokens& tokens, secrets::Secrets& secrets, std::string public_url,
              RuntimeTokens runtime)  // all outlive this
      : tokens_(tokens), secrets_(secrets), public_url_(std::move(public_url)), runtime_(runtime) {}

  core::Task<core::Result<runner::JobGrant>> grant(runner::Token lease, std::string repository,
                                                   std::string spec) override;

 private:
  const identity::JobTokens& tokens_;
  secrets::Secrets& secrets_;
  std::string public_url_;
  RuntimeTokens runtime_;
};

}  // namespace headrace::server
