#include "server/token_grants.h"

#include <algorithm>

namespace headrace::server {

using core::Result;

namespace {

// GitHub Docs, "Workflow syntax", permissions: what a job may do with the contents of its repository.
std::string contents_of(const runner::JobSpec& spec) {
  auto found = std::ranges::find(spec.permissions, "contents", &runner::Variables::value_type::first);
  return found == spec.permissions.end() ? "none" : found->second;
}

}  // namespace

Result<runner::JobGrant> TokenGrants::grant(runner::Token lease, const std::string& repository,
                                            const std::string& spec) {
  runner::JobGrant grant;
  grant.server_url = public_url_;
  auto read = runner::parse_job_spec(spec);
  if (!read) return grant;  // the runner refuses the job with the reason
  std::string contents = contents_of(*read);
  if (contents == "none") return grant;
  grant.token = tokens_.mint({.lease = lease, .repository = repository, .writes = contents == "write"});
  return grant;
}

}  // namespace headrace::server
