// Which secrets a job is given, from what its spec says of them (docs/job-spec.md): what it may have (`secrets`), and
// what its expressions name (`secrets_used`). Values come from whoever keeps them; a called workflow sees those of the
// repository only as its caller passes them on, and those of its own environment before them. GitHub Docs, "Reuse
// workflows", "Passing inputs and secrets to a reusable workflow".
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/result.h"

namespace headrace::workflow {

class JobSecrets {
 public:
  using Names = std::optional<std::set<std::string>>;  // in upper case; nothing: all there are
  using Values = std::vector<std::pair<std::string, std::string>>;

  explicit JobSecrets(const core::json::value& spec);

  // What is to be looked up of owner and repository, and of the job's environment; sets of nothing where the job gets
  // none of them.
  const Names& of_repository() const { return of_repository_; }
  const Names& of_environment() const { return of_environment_; }
  const std::string& environment() const { return environment_; }  // empty: none

  // The `secrets` context of the job, but for GITHUB_TOKEN, which a caller may pass on under another name. invalid: a
  // secret that is passed on cannot be evaluated.
  core::Result<Values> given(const Values& of_repository, const Values& of_environment, const std::string& token) const;

 private:
  Names of_repository_, of_environment_;
  Names used_;
  std::string environment_;
  core::json::array
      layers_;  // mappings, each over the names that the one before gives; none: as the repository has them
};

}  // namespace headrace::workflow
