// The walk through commits: pages of history, of a path's history, and who descends from whom.
#include <fmt/format.h>

#include <algorithm>

#include "git/libgit.h"

namespace headrace::git {
namespace {

using core::Result;

// The object at `path` in a commit's tree; all zeros where there is none.
Result<git_oid> object_at(const git_commit* commit, const std::string& path) {
  git_oid none{};
  git_tree* root = nullptr;
  if (const int code = git_commit_tree(&root, commit); code != 0)
    return std::unexpected(libgit_error(code, "reading a tree"));
  const TreeHandle tree(root);
  git_tree_entry* found = nullptr;
  const int code = git_tree_entry_bypath(&found, tree.get(), path.c_str());
  if (code == GIT_ENOTFOUND) return none;
  if (code != 0) return std::unexpected(libgit_error(code, "finding a path"));
  const TreeEntryHandle entry(found);
  return *git_tree_entry_id(entry.get());
}

// As `git log -- path` has it: a commit counts where the path differs from what it is in each of its parents.
Result<bool> changes_path(const git_commit* commit, const std::string& path) {
  const auto here = object_at(commit, path);
  if (!here) return std::unexpected(here.error());
  const unsigned parents = git_commit_parentcount(commit);
  if (parents == 0) return !git_oid_is_zero(&*here);
  for (unsigned index = 0; index < parents; ++index) {
    git_commit* found = nullptr;
    if (const int code = git_commit_parent(&found, commit, index); code != 0)
      return std::unexpected(libgit_error(code, "reading a parent"));
    const CommitHandle parent(found);
    const auto there = object_at(parent.get(), path);
    if (!there) return std::unexpected(there.error());
    if (git_oid_equal(&*here, &*there)) return false;
  }
  return true;
}

Result<WalkHandle> start_walk(git_repository* repository, const git_oid& from) {
  git_revwalk* started = nullptr;
  if (const int code = git_revwalk_new(&started, repository); code != 0)
    return std::unexpected(libgit_error(code, "walking the history"));
  WalkHandle walk(started);
  git_revwalk_sorting(walk.get(), GIT_SORT_NONE);  // newest first as it goes; any other order loads all of it
  if (const int code = git_revwalk_push(walk.get(), &from); code != 0)
    return std::unexpected(libgit_error(code, "walking the history"));
  return walk;
}

}  // namespace

Result<LogPage> LibgitRepository::log(const LogQuery& query) {
  const auto from = find_commit(query.from);
  if (!from) return std::unexpected(from.error());
  auto walk = start_walk(handle_.get(), *git_commit_id(from->get()));
  if (!walk) return std::unexpected(walk.error());
  const size_t wanted = std::clamp<size_t>(query.count, 1, log_count_max);
  LogPage page;
  git_oid id;
  for (size_t walked = 0; git_revwalk_next(&id, walk->get()) == 0; ++walked) {
    if (walked < query.skip) continue;
    if (page.commits.size() == wanted || walked - query.skip >= log_walk_max) {
      page.next = walked;
      break;
    }
    git_commit* found = nullptr;
    if (const int code = git_commit_lookup(&found, handle_.get(), &id); code != 0)
      return std::unexpected(libgit_error(code, "reading a commit"));
    const CommitHandle commit(found);
    const auto counts = query.path.empty() ? Result<bool>(true) : changes_path(commit.get(), query.path);
    if (!counts) return std::unexpected(counts.error());
    if (*counts) page.commits.push_back(to_commit(commit.get()));
  }
  return page;
}

Result<std::optional<std::string>> LibgitRepository::merge_base(std::string_view a, std::string_view b) {
  const auto one = find_commit(a);
  if (!one) return std::unexpected(one.error());
  const auto two = find_commit(b);
  if (!two) return std::unexpected(two.error());
  git_oid base;
  const int code = git_merge_base(&base, handle_.get(), git_commit_id(one->get()), git_commit_id(two->get()));
  if (code == GIT_ENOTFOUND) return std::optional<std::string>();
  if (code != 0) return std::unexpected(libgit_error(code, "finding what two commits have in common"));
  return std::optional(to_hex(base));
}

Result<bool> LibgitRepository::is_ancestor(std::string_view ancestor, std::string_view descendant) {
  const auto one = find_commit(ancestor);
  const auto two = find_commit(descendant);
  if (!one || !two) return false;
  const git_oid* upper = git_commit_id(one->get());
  const git_oid* lower = git_commit_id(two->get());
  if (git_oid_equal(upper, lower)) return true;
  const int code = git_graph_descendant_of(handle_.get(), lower, upper);
  if (code < 0) return std::unexpected(libgit_error(code, "comparing two commits"));
  return code == 1;
}

}  // namespace headrace::git
