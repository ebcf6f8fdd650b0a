#include "server/pushed_changes.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/bytes.h"
#include "events/repository.h"

namespace headrace::server {

using core::Result;
using pipeline::Changes;
using pipeline::Comparison;
using pipeline::PushedCommit;

namespace {

constexpr size_t branches_hidden_max = 1'000;  // the newest ones: what they have is not new

bool is_none(const std::string& commit) { return commit.empty() || commit == events::no_commit; }

std::string time_of(const git::Person& person) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(person.time + person.utc_offset);
  std::string text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", seconds);
  auto minutes = person.utc_offset.count();
  if (minutes == 0) return text + "Z";
  auto ahead = std::abs(minutes);
  return text + fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', ahead / 60, ahead % 60);
}

// What a text takes in a JSON text that stands in an event: escaped twice.
size_t stored_size(std::string_view text) {
  constexpr size_t quotes = 6, escaped = 4, control = 7;
  size_t bytes = quotes + text.size();
  for (char c : text) {
    if (c == '"' || c == '\\') bytes += escaped - 1;
    if (static_cast<unsigned char>(c) < 0x20) bytes += control - 1;
  }
  return bytes;
}

pipeline::CommitPerson person_of(const git::Person& person) {
  auto cut = [](const std::string& text) { return core::to_valid_utf8(text.substr(0, pipeline::person_bytes_max)); };
  return {cut(person.name), cut(person.email)};
}

Result<> add_files(git::Repository& repository, const git::Commit& commit, PushedCommit& into) {
  std::string before = commit.parents.empty() ? std::string() : commit.parents.front();
  auto changed = repository.changed_paths(before, commit.id, pipeline::changed_paths_max);
  if (!changed) return std::unexpected(changed.error());
  size_t bytes = 0;
  for (git::ChangedPath& one : changed->paths) {
    bytes += stored_size(one.path);
    if (bytes > pipeline::commit_files_bytes_max) break;
    auto& list = one.status == git::FileDiff::Status::added     ? into.added
                 : one.status == git::FileDiff::Status::deleted ? into.removed
                                                                : into.modified;
    list.push_back(std::move(one.path));
  }
  return {};
}

Result<PushedCommit> pushed_commit(git::Repository& repository, const std::string& id, bool distinct) {
  auto commit = repository.commit(id);
  if (!commit) return std::unexpected(commit.error());
  PushedCommit pushed{.id = commit->id,
                      .tree = commit->tree,
                      .message = message_of(*commit),
                      .author = person_of(commit->author),
                      .committer = person_of(commit->committer),
                      .time = time_of(commit->committer),
                      .distinct = distinct,
                      .added = {},
                      .removed = {},
                      .modified = {}};
  if (auto added = add_files(repository, *commit, pushed); !added) return std::unexpected(added.error());
  return pushed;
}

size_t size_of(const PushedCommit& commit) {
  constexpr size_t names_and_ids = 640;
  size_t bytes = names_and_ids + stored_size(commit.message);
  for (const auto* person : {&commit.author, &commit.committer})
    bytes += 2 * stored_size(person->name) + stored_size(person->email);
  for (const auto* list : {&commit.added, &commit.removed, &commit.modified})
    for (const std::string& path : *list) bytes += stored_size(path);
  return bytes;
}

std::vector<std::string> hidden_by(const std::vector<Branch>& branches) {
  std::vector<std::string> commits;
  for (const Branch& branch : branches) {
    if (commits.size() == branches_hidden_max) break;
    if (!is_none(branch.commit)) commits.push_back(branch.commit);
  }
  return commits;
}

// Newest first: those that are new to the ref, as far as an event holds them.
Result<> add_commits(git::Repository& repository, const git::CommitRange& of_ref, const git::CommitRange& new_ones,
                     Changes& changes) {
  const std::set<std::string> distinct(new_ones.commits.begin(), new_ones.commits.end());
  size_t bytes = 0;
  for (const std::string& id : of_ref.commits) {
    if (changes.commits.size() == pipeline::commits_told_max) break;
    auto commit = pushed_commit(repository, id, distinct.contains(id));
    if (!commit) return std::unexpected(commit.error());
    bytes += size_of(*commit);
    if (bytes > pipeline::commit_bytes_max && !changes.commits.empty()) break;
    changes.commits.push_back(std::move(*commit));
  }
  std::ranges::reverse(changes.commits);
  return {};
}

Result<> add_paths(git::Repository& repository, const std::string& before, const std::string& after, Changes& changes) {
  auto changed = repository.changed_paths(before, after, pipeline::changed_paths_max);
  if (!changed) return std::unexpected(changed.error());
  changes.changed_paths.emplace();
  for (git::ChangedPath& one : changed->paths) changes.changed_paths->push_back(std::move(one.path));
  if (changed->more) {
    changes.paths_note = fmt::format("More than {0} files changed, and the filters on paths see the first {0}.",
                                     pipeline::changed_paths_max);
  }
  return {};
}

// The default branch before others, which stand by name.
std::string base_of(const std::string& after, const std::vector<Branch>& branches, const std::string& default_branch) {
  std::string found;
  for (const Branch& branch : branches) {
    if (branch.commit != after) continue;
    if (branch.ref == "refs/heads/" + default_branch) return branch.ref;
    if (found.empty()) found = branch.ref;
  }
  return found;
}

Result<std::string> parent_of(git::Repository& repository, const std::string& id) {
  auto commit = repository.commit(id);
  if (!commit) return std::unexpected(commit.error());
  return commit->parents.empty() ? std::string() : commit->parents.front();
}

// GitHub Docs, "Git diff comparisons": a push to a branch compares its two ends, one that makes a branch compares with
// the parent of the deepest commit that is new.
Result<> compare_push(git::Repository& repository, const Comparison& what, const git::CommitRange& of_ref,
                      Changes& changes) {
  if (of_ref.more) {
    changes.paths_note = fmt::format("The push has more than {} commits, so every filter on paths lets it pass.",
                                     pipeline::compared_commits_max);
    return {};
  }
  if (!is_none(what.before)) {
    auto there = repository.has_object(what.before);
    if (!there) return std::unexpected(there.error());
    if (*there) return add_paths(repository, what.before, what.after, changes);
    changes.paths_note = "The commit before the push is not there any more, so every filter on paths lets it pass.";
    return {};
  }
  changes.changed_paths.emplace();
  if (of_ref.commits.empty()) return {};
  auto before = parent_of(repository, of_ref.commits.back());
  if (!before) return std::unexpected(before.error());
  return add_paths(repository, *before, what.after, changes);
}

Result<Changes> pushed(git::Repository& repository, const Comparison& what, const std::vector<Branch>& branches,
                       const std::string& default_branch) {
  Changes changes;
  const auto known = hidden_by(branches);
  auto new_ones = repository.commits_between(what.after, known, pipeline::compared_commits_max);
  if (!new_ones) return std::unexpected(new_ones.error());
  git::CommitRange of_ref = *new_ones;
  if (!is_none(what.before)) {
    auto since = repository.commits_between(what.after, {what.before}, pipeline::compared_commits_max);
    if (!since) return std::unexpected(since.error());
    of_ref = std::move(*since);
  } else {
    changes.base_ref = base_of(what.after, branches, default_branch);
  }
  if (auto added = add_commits(repository, of_ref, *new_ones, changes); !added) return std::unexpected(added.error());
  if (!changes.commits.empty()) {
    changes.head = changes.commits.back();
  } else {
    bool is_new = !new_ones->commits.empty();
    auto head = pushed_commit(repository, what.after, is_new);
    if (!head) return std::unexpected(head.error());
    changes.head = std::move(*head);
  }
  if (auto compared = compare_push(repository, what, of_ref, changes); !compared)
    return std::unexpected(compared.error());
  return changes;
}

// A change compares what it holds with where it left the branch it goes to.
Result<Changes> changed(git::Repository& repository, const Comparison& what) {
  Changes changes;
  auto base = repository.merge_base(what.before, what.after);
  if (!base) return std::unexpected(base.error());
  auto head = pushed_commit(repository, what.after, true);
  if (!head) return std::unexpected(head.error());
  changes.head = std::move(*head);
  if (auto added = add_paths(repository, base->value_or(""), what.after, changes); !added)
    return std::unexpected(added.error());
  return changes;
}

}  // namespace

// As GitHub tells it, without the ends of lines that git puts behind it.
std::string message_of(const git::Commit& commit) {
  std::string text = core::to_valid_utf8(commit.message.substr(0, pipeline::message_bytes_max));
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

Result<Changes> changes_of(git::Repository& repository, const Comparison& what, const std::vector<Branch>& branches,
                           const std::string& default_branch) {
  if (what.kind == Comparison::Kind::change) return changed(repository, what);
  return pushed(repository, what, branches, default_branch);
}

}  // namespace headrace::server
