// What a job of `exec` is granted: the secrets it may have, its token, and the addresses of the services that a server
// lends its jobs. The one place where that is made; on the server it is server/token_grants.h.
#pragma once

#include <string>

#include "core/result.h"
#include "services/runner/job_spec.h"

namespace headrace::cli {

class LocalGrants {
 public:
  // `secrets`: those of --secret-file; one named GITHUB_TOKEN is the token of every job.
  LocalGrants(runner::Variables secrets, std::string server_url);

  // `spec` is the job's text (docs/job-spec.md); its `secrets` says which it may have.
  core::Result<runner::JobGrant> grant(const std::string& spec) const;

 private:
  runner::Variables secrets_;
  std::string token_, server_url_;
};

}  // namespace headrace::cli
