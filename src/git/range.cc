// What a push brought: the commits between two states of a ref, and the files that differ.
#include "git/libgit.h"

namespace headrace::git {
namespace {

using core::Result;

Result<WalkHandle> walk_between(git_repository* repository, const git_oid& after,
                                const std::vector<std::string>& without) {
  git_revwalk* started = nullptr;
  if (const int code = git_revwalk_new(&started, repository); code != 0)
    return std::unexpected(libgit_error(code, "walking what is new"));
  WalkHandle walk(started);
  git_revwalk_sorting(walk.get(), GIT_SORT_TOPOLOGICAL);
  if (const int code = git_revwalk_push(walk.get(), &after); code != 0)
    return std::unexpected(libgit_error(code, "walking what is new"));
  for (const std::string& known : without) {
    const auto id = parse_id(known);
    if (id) git_revwalk_hide(walk.get(), &*id);  // what is no commit here hides nothing
  }
  return walk;
}

Result<DiffHandle> compare_names(git_repository* repository, git_tree* before, git_tree* after) {
  git_diff_options options;
  git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
  options.flags = GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_SKIP_BINARY_CHECK;
  git_diff* made = nullptr;
  if (const int code = git_diff_tree_to_tree(&made, repository, before, after, &options); code != 0)
    return std::unexpected(libgit_error(code, "comparing two trees"));
  return DiffHandle(made);
}

ChangedPath changed_path(const git_diff_delta* delta) {
  switch (delta->status) {
    case GIT_DELTA_ADDED: return {FileDiff::Status::added, printable_utf8(delta->new_file.path)};
    case GIT_DELTA_DELETED: return {FileDiff::Status::deleted, printable_utf8(delta->old_file.path)};
    default: return {FileDiff::Status::modified, printable_utf8(delta->new_file.path)};
  }
}

}  // namespace

Result<CommitRange> LibgitRepository::commits_between(std::string_view after, const std::vector<std::string>& without,
                                                      size_t max) {
  const auto from = find_commit(after);
  if (!from) return std::unexpected(from.error());
  const auto walk = walk_between(handle_.get(), *git_commit_id(from->get()), without);
  if (!walk) return std::unexpected(walk.error());
  CommitRange range;
  git_oid id;
  while (git_revwalk_next(&id, walk->get()) == 0) {
    if (range.commits.size() == max) {
      range.more = true;
      break;
    }
    range.commits.push_back(to_hex(id));
  }
  return range;
}

Result<ChangedPaths> LibgitRepository::changed_paths(std::string_view before, std::string_view after, size_t max) {
  TreeHandle old_tree;
  if (!before.empty()) {
    auto found = find_tree(before, {});
    if (!found) return std::unexpected(found.error());
    old_tree = std::move(*found);
  }
  const auto new_tree = find_tree(after, {});
  if (!new_tree) return std::unexpected(new_tree.error());
  const auto diff = compare_names(handle_.get(), old_tree.get(), new_tree->get());
  if (!diff) return std::unexpected(diff.error());
  ChangedPaths changed;
  const size_t count = git_diff_num_deltas(diff->get());
  for (size_t index = 0; index < count && index < max; ++index)
    changed.paths.push_back(changed_path(git_diff_get_delta(diff->get(), index)));
  changed.more = count > max;
  return changed;
}

}  // namespace headrace::git
