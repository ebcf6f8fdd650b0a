// libgit2 behind the room's door: handles that free themselves, errors as values. Included by .cc files only.
#pragma once

#include <git2.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "git/repository.h"

namespace headrace::git {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};
template <class T, auto Free>
using Handle = std::unique_ptr<T, Freed<Free>>;

using RepositoryHandle = Handle<git_repository, git_repository_free>;
using CommitHandle = Handle<git_commit, git_commit_free>;
using TreeHandle = Handle<git_tree, git_tree_free>;
using TreeEntryHandle = Handle<git_tree_entry, git_tree_entry_free>;
using BlobHandle = Handle<git_blob, git_blob_free>;
using ObjectHandle = Handle<git_object, git_object_free>;
using ReferenceHandle = Handle<git_reference, git_reference_free>;
using ReferenceIteratorHandle = Handle<git_reference_iterator, git_reference_iterator_free>;
using WalkHandle = Handle<git_revwalk, git_revwalk_free>;
using DiffHandle = Handle<git_diff, git_diff_free>;
using PatchHandle = Handle<git_patch, git_patch_free>;
using OdbHandle = Handle<git_odb, git_odb_free>;
using TransactionHandle = Handle<git_transaction, git_transaction_free>;

// Starts libgit2 once, cut off from any configuration of the user or the machine.
void start_libgit();

// The failure libgit2 just reported on this thread.
core::Error libgit_error(int code, std::string_view doing);

std::string to_hex(const git_oid& id);
core::Result<git_oid> parse_id(std::string_view hex);
std::string printable_utf8(std::string_view text);  // what is no UTF-8 becomes U+FFFD, byte by byte

std::string_view without_slashes(std::string_view path);  // before and behind

core::Result<RepositoryHandle> open_handle(const std::string& path);

// Repository over one libgit2 handle; its parts are in objects.cc, history.cc, last_changes.cc, range.cc, diff.cc and
// refs.cc.
class LibgitRepository final : public Repository {
 public:
  explicit LibgitRepository(RepositoryHandle handle) : handle_(std::move(handle)) {}

  core::Result<std::string> resolve(std::string_view revision) override;
  core::Result<Commit> commit(std::string_view revision) override;
  core::Result<std::vector<Entry>> tree(std::string_view revision, std::string_view path) override;
  core::Result<std::vector<LastChange>> last_changes(std::string_view revision, std::string_view path) override;
  core::Result<Blob> blob(std::string_view revision, std::string_view path, size_t bytes_max) override;
  core::Result<Blob> blob_by_id(std::string_view id, size_t bytes_max) override;
  core::Result<LogPage> log(const LogQuery& query) override;
  core::Result<Diff> diff(std::string_view old_revision, std::string_view new_revision) override;
  core::Result<Diff> diff_of(std::string_view revision, std::string_view path) override;
  core::Result<CommitRange> commits_between(std::string_view after, const std::vector<std::string>& without,
                                            size_t max) override;
  core::Result<ChangedPaths> changed_paths(std::string_view before, std::string_view after, size_t max) override;
  core::Result<std::vector<Ref>> refs(std::string_view prefix) override;
  core::Result<std::vector<Ref>> all_refs() override;
  core::Result<std::string> default_branch() override;
  core::Result<std::optional<std::string>> merge_base(std::string_view a, std::string_view b) override;
  core::Result<bool> is_ancestor(std::string_view ancestor, std::string_view descendant) override;
  core::Result<bool> has_object(std::string_view id) override;

 private:
  core::Result<CommitHandle> find_commit(std::string_view revision);
  core::Result<TreeHandle> find_tree(std::string_view revision, std::string_view path);
  core::Result<TreeHandle> find_listed(std::string_view revision,
                                       std::string_view path);  // exhausted: too many entries
  core::Result<TreeEntryHandle> find_entry(std::string_view revision, std::string_view path);
  core::Result<Diff> diff_trees(git_tree* before, git_tree* after, std::string_view path = {});

  RepositoryHandle handle_;
};

Commit to_commit(const git_commit* commit);

}  // namespace headrace::git
