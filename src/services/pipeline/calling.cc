// Workflows that others call: of the same repository and commit, or of another one on this server. GitHub Docs, "Reuse
// workflows". What a ref of another repository points to is looked up once for a run: all its jobs, and all its
// attempts, call the same commit.
#include <algorithm>

#include "services/pipeline/service.h"

namespace headrace::pipeline {

using core::Code;
using core::Result;
using core::Task;

namespace {

struct Reference {
  std::string repository;
  std::string path;
  std::string ref;
};

// "team/shared/.github/workflows/build.yml@v1"; the reader has checked its form.
Result<Reference> reference_in(const std::string& uses) {
  auto at = uses.rfind('@');
  auto slash = uses.find('/');
  slash = slash == std::string::npos ? slash : uses.find('/', slash + 1);
  if (at == std::string::npos || slash == std::string::npos || at < slash) {
    return core::fail(Code::not_found,
                      "Write OWNER/NAME/.github/workflows/FILE.yml@REF, or ./.github/workflows/FILE.yml "
                      "for one of the same repository.");
  }
  return Reference{uses.substr(0, slash), uses.substr(slash + 1, at - slash - 1), uses.substr(at + 1)};
}

std::string owner_of(const std::string& repository) { return repository.substr(0, repository.find('/')); }

}  // namespace

// Repositories are private: whoever lets a run use a workflow shows it to all who see the run. So the account on whose
// behalf it runs must be allowed to read it; where nobody asked (the platform did), the owner must be the same.
Result<> Service::may_call(const std::string& account, const std::string& from, const std::string& repository) const {
  if (from == repository) return {};
  if (!account.empty()) return parts.rights.may_read(core::Actor::user(account), repository);
  if (owner_of(from) == owner_of(repository)) return {};
  return core::fail(Code::denied, "The run is on nobody's behalf, so it may only call workflows of " + owner_of(from) +
                                      "'s repositories.");
}

Task<Result<std::string>> Service::commit_called(std::string uses, std::string repository, std::string ref,
                                                 std::shared_ptr<events::RunQueued> run) {
  auto known = std::ranges::find(run->called, uses, &events::CalledWorkflow::uses);
  if (known != run->called.end()) co_return known->commit;
  // GitHub: a tag goes before a branch of its name.
  auto commit = co_await parts.source.commit_of(repository, "refs/tags/" + ref);
  if (!commit && commit.error().code == Code::not_found) commit = co_await parts.source.commit_of(repository, ref);
  if (!commit && commit.error().code == Code::not_found) {
    co_return core::fail(Code::not_found,
                         "The repository " + repository + " has no branch, tag or commit '" + ref + "'.");
  }
  if (commit) run->called.push_back({std::move(uses), *commit});
  co_return commit;
}

Task<Result<workflow::Source>> Service::called(std::string uses, workflow::Source from,
                                               std::shared_ptr<events::RunQueued> run) {
  std::string repository = from.repository, commit = from.commit, path = uses.starts_with("./") ? uses.substr(2) : "";
  if (uses.starts_with("$/")) path = uses.substr(2);
  if (path.empty()) {
    auto reference = reference_in(uses);
    if (!reference) co_return std::unexpected(reference.error());
    auto allowed = may_call(run->actor, run->repository, reference->repository);
    if (!allowed) co_return core::fail(Code::denied, allowed.error().message);
    auto pinned = co_await commit_called(uses, reference->repository, reference->ref, run);
    if (!pinned) co_return std::unexpected(pinned.error());
    repository = reference->repository;
    commit = std::move(*pinned);
    path = reference->path;
  }
  auto file = co_await file_of(repository, commit, path);
  if (!file) co_return std::unexpected(file.error());
  co_return workflow::Source{file->path, file->text, repository, commit};
}

}  // namespace headrace::pipeline
