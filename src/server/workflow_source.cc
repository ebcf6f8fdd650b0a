#include "server/workflow_source.h"

#include <algorithm>

#include "core/bytes.h"
#include "server/pushed_changes.h"
#include "workflow/workflow.h"

namespace headrace::server {

using core::Code;
using core::Result;
using core::Task;

namespace {

constexpr std::string_view folders[] = {".github/workflows", ".headrace/workflows"};
constexpr size_t files_max = 200;  // workflow files of one commit

Result<> add_files(git::Repository& repository, const std::string& commit, std::string_view folder,
                   pipeline::Snapshot& into) {
  auto entries = repository.tree(commit, folder);
  if (!entries && entries.error().code == Code::not_found) return {};
  if (!entries) return std::unexpected(entries.error());
  for (const auto& entry : *entries) {
    std::string path = std::string(folder) + "/" + entry.name;
    if (!workflow::is_workflow_path(path) || (entry.kind != git::Kind::file && entry.kind != git::Kind::executable))
      continue;
    if (into.files.size() == files_max)
      return core::fail(Code::exhausted, "A commit has more than 200 workflow files.");
    auto blob = repository.blob_by_id(entry.id, workflow::file_bytes_max + 1);
    if (!blob) return std::unexpected(blob.error());
    into.files.push_back({std::move(path), std::move(blob->content)});
  }
  return {};
}

Result<pipeline::Snapshot> snapshot_of(git::Repository& repository, const std::string& commit) {
  auto found = repository.commit(commit);
  if (!found) return std::unexpected(found.error());
  pipeline::Snapshot snapshot;
  snapshot.commit = found->id;
  snapshot.message = message_of(*found);
  snapshot.title = core::to_valid_utf8(found->message.substr(0, found->message.find('\n')));  // it goes into events
  for (auto folder : folders)
    if (auto added = add_files(repository, found->id, folder, snapshot); !added) return std::unexpected(added.error());
  std::sort(snapshot.files.begin(), snapshot.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return snapshot;
}

}  // namespace

Task<Result<repository::Repo>> RepositoryWorkflows::find(std::string repository) {
  std::optional<log::Offset> now;
  auto found = co_await repositories_.find(repository, now);
  if (!found) co_return std::unexpected(found.error());
  if (!*found) co_return core::fail(Code::not_found, "There is no repository " + repository + ".");
  co_return std::move(**found);
}

Task<Result<pipeline::Snapshot>> RepositoryWorkflows::files(std::string repository, std::string commit) {
  auto found = co_await find(repository);
  if (!found) co_return std::unexpected(found.error());
  auto reading = [commit](git::Repository& opened) { return snapshot_of(opened, commit); };
  co_return co_await repositories_.read(found->id, std::move(reading));
}

Task<Result<std::string>> RepositoryWorkflows::commit_of(std::string repository, std::string ref) {
  auto found = co_await find(repository);
  if (!found) co_return std::unexpected(found.error());
  auto reading = [ref](git::Repository& opened) { return opened.resolve(ref); };
  co_return co_await repositories_.read(found->id, std::move(reading));
}

Task<Result<pipeline::Changes>> RepositoryWorkflows::changes(std::string repository, pipeline::Comparison what) {
  auto found = co_await find(repository);
  if (!found) co_return std::unexpected(found.error());
  std::vector<Branch> branches;
  if (what.kind == pipeline::Comparison::Kind::push) {
    // Where a new ref begins depends on what was there then; of others only whether a commit is distinct does, and a
    // look at today is quicker.
    std::optional<log::Offset> at;
    if (what.before == events::no_commit) at = what.at;
    auto refs = co_await repositories_.refs(found->id, at);
    if (!refs) co_return std::unexpected(refs.error());
    for (repository::RefRow& row : *refs) {
      bool other = row.ref.starts_with("refs/heads/") && row.ref != what.ref;
      if (other) branches.push_back({std::move(row.ref), std::move(row.commit)});
    }
    if (!at) branches.push_back({what.ref, what.before});
  }
  auto reading = [what, branches, name = found->default_branch](git::Repository& opened) {
    return changes_of(opened, what, branches, name);
  };
  co_return co_await repositories_.read(found->id, std::move(reading));
}

}  // namespace headrace::server
