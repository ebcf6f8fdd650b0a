// Commits, trees and blobs.
#include <fmt/format.h>

#include <algorithm>

#include "git/libgit.h"

namespace headrace::git {
namespace {

using core::Code;
using core::Result;

constexpr size_t shown_max = 200;

Person to_person(const git_signature* signature) {
  if (signature == nullptr) return {};
  return {printable_utf8(signature->name), printable_utf8(signature->email),
          core::Time(std::chrono::seconds(signature->when.time)), std::chrono::minutes(signature->when.offset)};
}

Kind kind_of(git_filemode_t mode) {
  switch (mode) {
    case GIT_FILEMODE_TREE: return Kind::tree;
    case GIT_FILEMODE_COMMIT: return Kind::submodule;
    case GIT_FILEMODE_LINK: return Kind::link;
    case GIT_FILEMODE_BLOB_EXECUTABLE: return Kind::executable;
    default: return Kind::file;
  }
}

// From the object's header alone: its content is not unpacked.
std::optional<uint64_t> size_of(git_odb* odb, const git_oid& id) {
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (git_odb_read_header(&size, &type, odb, &id) != 0) return std::nullopt;
  return size;
}

Entry to_entry(git_odb* odb, const git_tree_entry* entry) {
  Entry result{
      git_tree_entry_name(entry), kind_of(git_tree_entry_filemode(entry)), to_hex(*git_tree_entry_id(entry)), {}};
  if (result.kind != Kind::tree && result.kind != Kind::submodule)
    result.size = size_of(odb, *git_tree_entry_id(entry));
  return result;
}

Blob to_blob(const git_blob* blob, size_t bytes_max) {
  const auto size = static_cast<uint64_t>(git_blob_rawsize(blob));
  const auto* bytes = static_cast<const char*>(git_blob_rawcontent(blob));
  return {to_hex(*git_blob_id(blob)), size, std::string(bytes, std::min<uint64_t>(size, bytes_max)),
          git_blob_is_binary(blob) != 0};
}

Result<Blob> read_blob(git_repository* repository, const git_oid& id, size_t bytes_max) {
  git_blob* found = nullptr;
  if (const int code = git_blob_lookup(&found, repository, &id); code != 0)
    return std::unexpected(libgit_error(code, "reading a blob"));
  const BlobHandle blob(found);
  return to_blob(blob.get(), bytes_max);
}

std::unexpected<core::Error> no_path(std::string_view path, std::string_view what) {
  return core::fail(Code::not_found, fmt::format("There is no {} '{}' at this commit.", what,
                                                 printable_utf8(path.substr(0, shown_max))));
}

}  // namespace

std::string_view without_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::file: return "file";
    case Kind::executable: return "executable";
    case Kind::link: return "link";
    case Kind::tree: return "tree";
    case Kind::submodule: return "submodule";
  }
  return "file";
}

Commit to_commit(const git_commit* commit) {
  Commit result;
  result.id = to_hex(*git_commit_id(commit));
  result.tree = to_hex(*git_commit_tree_id(commit));
  for (unsigned parent = 0; parent < git_commit_parentcount(commit); ++parent)
    result.parents.push_back(to_hex(*git_commit_parent_id(commit, parent)));
  result.author = to_person(git_commit_author(commit));
  result.committer = to_person(git_commit_committer(commit));
  const char* message = git_commit_message(commit);
  result.message = printable_utf8(message != nullptr ? message : "");
  return result;
}

Result<CommitHandle> LibgitRepository::find_commit(std::string_view revision) {
  const auto name = resolve(revision);
  if (!name) return std::unexpected(name.error());
  const auto id = parse_id(*name);
  if (!id) return std::unexpected(id.error());
  git_commit* found = nullptr;
  if (const int code = git_commit_lookup(&found, handle_.get(), &*id); code != 0)
    return std::unexpected(libgit_error(code, "reading a commit"));
  return CommitHandle(found);
}

Result<Commit> LibgitRepository::commit(std::string_view revision) {
  const auto found = find_commit(revision);
  if (!found) return std::unexpected(found.error());
  return to_commit(found->get());
}

Result<TreeEntryHandle> LibgitRepository::find_entry(std::string_view revision, std::string_view path) {
  const auto commit = find_commit(revision);
  if (!commit) return std::unexpected(commit.error());
  git_tree* root = nullptr;
  if (const int code = git_commit_tree(&root, commit->get()); code != 0)
    return std::unexpected(libgit_error(code, "reading a tree"));
  const TreeHandle tree(root);
  git_tree_entry* entry = nullptr;
  const int code = git_tree_entry_bypath(&entry, tree.get(), std::string(path).c_str());
  if (code == GIT_ENOTFOUND) return no_path(path, "file or folder");
  if (code != 0) return std::unexpected(libgit_error(code, "finding a path"));
  return TreeEntryHandle(entry);
}

Result<TreeHandle> LibgitRepository::find_tree(std::string_view revision, std::string_view path) {
  git_tree* found = nullptr;
  int code = 0;
  if (path.empty()) {
    const auto commit = find_commit(revision);
    if (!commit) return std::unexpected(commit.error());
    code = git_commit_tree(&found, commit->get());
  } else {
    const auto entry = find_entry(revision, path);
    if (!entry) return std::unexpected(entry.error());
    if (git_tree_entry_type(entry->get()) != GIT_OBJECT_TREE) return no_path(path, "folder");
    code = git_tree_lookup(&found, handle_.get(), git_tree_entry_id(entry->get()));
  }
  if (code != 0) return std::unexpected(libgit_error(code, "reading a tree"));
  return TreeHandle(found);
}

Result<TreeHandle> LibgitRepository::find_listed(std::string_view revision, std::string_view path) {
  auto found = find_tree(revision, without_slashes(path));
  if (!found) return found;
  const size_t count = git_tree_entrycount(found->get());
  if (count > tree_entries_max)
    return core::fail(
        Code::exhausted,
        fmt::format("This folder has {} entries; more than {} are not listed. Clone the repository to see them.", count,
                    tree_entries_max));
  return found;
}

Result<std::vector<Entry>> LibgitRepository::tree(std::string_view revision, std::string_view path) {
  const auto found = find_listed(revision, path);
  if (!found) return std::unexpected(found.error());
  git_odb* opened = nullptr;
  if (const int code = git_repository_odb(&opened, handle_.get()); code != 0)
    return std::unexpected(libgit_error(code, "opening the objects"));
  const OdbHandle odb(opened);
  std::vector<Entry> entries;
  for (size_t index = 0; index < git_tree_entrycount(found->get()); ++index)
    entries.push_back(to_entry(odb.get(), git_tree_entry_byindex(found->get(), index)));
  return entries;
}

Result<Blob> LibgitRepository::blob(std::string_view revision, std::string_view path, size_t bytes_max) {
  const auto entry = find_entry(revision, without_slashes(path));
  if (!entry) return std::unexpected(entry.error());
  if (git_tree_entry_type(entry->get()) != GIT_OBJECT_BLOB) return no_path(path, "file");
  return read_blob(handle_.get(), *git_tree_entry_id(entry->get()), bytes_max);
}

Result<Blob> LibgitRepository::blob_by_id(std::string_view id, size_t bytes_max) {
  const auto wanted = parse_id(id);
  if (!wanted) return std::unexpected(wanted.error());
  return read_blob(handle_.get(), *wanted, bytes_max);
}

}  // namespace headrace::git
