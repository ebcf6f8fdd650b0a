// Differences of two trees as unified patches, within bounds.
#include <fmt/format.h>

#include "git/libgit.h"

namespace headrace::git {
namespace {

using core::Result;

constexpr uint32_t context_lines = 3;
constexpr git_off_t compared_bytes_max = 2 << 20;  // a larger file is shown as binary
constexpr size_t rename_candidates_max = 400;      // files on each side that are compared for renames

FileDiff::Status status_of(git_delta_t status) {
  switch (status) {
    case GIT_DELTA_ADDED: return FileDiff::Status::added;
    case GIT_DELTA_DELETED: return FileDiff::Status::deleted;
    case GIT_DELTA_RENAMED: return FileDiff::Status::renamed;
    case GIT_DELTA_COPIED: return FileDiff::Status::copied;
    case GIT_DELTA_TYPECHANGE: return FileDiff::Status::type_changed;
    default: return FileDiff::Status::modified;
  }
}

Result<DiffHandle> compare(git_repository* repository, git_tree* before, git_tree* after) {
  git_diff_options options;
  git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
  options.context_lines = context_lines;
  options.max_size = compared_bytes_max;
  options.flags = GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_SKIP_BINARY_CHECK;
  git_diff* made = nullptr;
  if (const int code = git_diff_tree_to_tree(&made, repository, before, after, &options); code != 0)
    return std::unexpected(libgit_error(code, "comparing two trees"));
  DiffHandle diff(made);
  git_diff_find_options renames;
  git_diff_find_options_init(&renames, GIT_DIFF_FIND_OPTIONS_VERSION);
  renames.flags = GIT_DIFF_FIND_RENAMES;
  renames.rename_limit = rename_candidates_max;
  if (git_diff_num_deltas(diff.get()) <= rename_candidates_max)
    if (const int code = git_diff_find_similar(diff.get(), &renames); code != 0)
      return std::unexpected(libgit_error(code, "looking for renames"));
  return diff;
}

FileDiff describe(const git_diff_delta* delta) {
  FileDiff file;
  file.status = status_of(delta->status);
  if (delta->old_file.path != nullptr) file.old_path = printable_utf8(delta->old_file.path);
  if (delta->new_file.path != nullptr) file.new_path = printable_utf8(delta->new_file.path);
  file.old_id = to_hex(delta->old_file.id);
  file.new_id = to_hex(delta->new_file.id);
  return file;
}

// Within `bytes_left` of the whole diff.
Result<> add_patch(git_diff* diff, size_t index, FileDiff& file, size_t bytes_left) {
  git_patch* made = nullptr;
  if (const int code = git_patch_from_diff(&made, diff, index); code != 0)
    return std::unexpected(libgit_error(code, "making a patch"));
  const PatchHandle patch(made);
  if (!patch) return {};
  file.binary = (git_patch_get_delta(patch.get())->flags & GIT_DIFF_FLAG_BINARY) != 0;
  size_t context = 0;
  git_patch_line_stats(&context, &file.additions, &file.deletions, patch.get());
  const size_t bytes = git_patch_size(patch.get(), 1, 1, 1);
  file.cut = bytes > file_patch_bytes_max || bytes > bytes_left;
  if (file.cut || file.binary) return {};
  git_buf text{};
  if (const int code = git_patch_to_buf(&text, patch.get()); code != 0)
    return std::unexpected(libgit_error(code, "writing a patch"));
  file.patch = printable_utf8({text.ptr, text.size});
  git_buf_dispose(&text);
  return {};
}

}  // namespace

std::string_view name_of(FileDiff::Status status) {
  switch (status) {
    case FileDiff::Status::added: return "added";
    case FileDiff::Status::deleted: return "removed";
    case FileDiff::Status::modified: return "modified";
    case FileDiff::Status::renamed: return "renamed";
    case FileDiff::Status::copied: return "copied";
    case FileDiff::Status::type_changed: return "changed";
  }
  return "modified";
}

Result<Diff> LibgitRepository::diff_trees(git_tree* before, git_tree* after, std::string_view path) {
  const auto compared = compare(handle_.get(), before, after);
  if (!compared) return std::unexpected(compared.error());
  Diff diff;
  size_t bytes = 0;
  const size_t count = git_diff_num_deltas(compared->get());
  for (size_t index = 0; index < count && diff.files.size() < diff_files_max; ++index) {
    auto file = describe(git_diff_get_delta(compared->get(), index));
    if (!path.empty() && file.old_path != path && file.new_path != path) continue;
    if (bytes < diff_bytes_max) {
      if (auto added = add_patch(compared->get(), index, file, diff_bytes_max - bytes); !added)
        return std::unexpected(added.error());
    } else {
      file.cut = true;
    }
    bytes += file.patch.size();
    diff.additions += file.additions;
    diff.deletions += file.deletions;
    diff.truncated = diff.truncated || file.cut;
    diff.files.push_back(std::move(file));
  }
  diff.files_total = path.empty() ? count : diff.files.size();
  diff.truncated = diff.truncated || diff.files_total > diff.files.size();
  return diff;
}

Result<Diff> LibgitRepository::diff(std::string_view old_revision, std::string_view new_revision) {
  const auto before = find_tree(old_revision, {});
  if (!before) return std::unexpected(before.error());
  const auto after = find_tree(new_revision, {});
  if (!after) return std::unexpected(after.error());
  return diff_trees(before->get(), after->get());
}

Result<Diff> LibgitRepository::diff_of(std::string_view revision, std::string_view path) {
  const auto commit = find_commit(revision);
  if (!commit) return std::unexpected(commit.error());
  git_tree* found = nullptr;
  if (const int code = git_commit_tree(&found, commit->get()); code != 0)
    return std::unexpected(libgit_error(code, "reading a tree"));
  const TreeHandle after(found);
  if (git_commit_parentcount(commit->get()) == 0) return diff_trees(nullptr, after.get(), path);
  const auto before = find_tree(to_hex(*git_commit_parent_id(commit->get(), 0)), {});
  if (!before) return std::unexpected(before.error());
  return diff_trees(before->get(), after.get(), path);
}

}  // namespace headrace::git
