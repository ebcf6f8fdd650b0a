// Refs, and what names come down to.
#include <fmt/format.h>

#include <algorithm>

#include "git/libgit.h"
#include "git/names.h"

namespace headrace::git {
namespace {

using core::Code;
using core::Result;

constexpr size_t abbreviation_min = 7;
constexpr size_t shown_max = 100;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

// Nothing where there is no such ref, or none that leads to a commit.
std::optional<std::string> commit_of_ref(git_repository* repository, const std::string& name) {
  git_reference* found = nullptr;
  if (git_reference_lookup(&found, repository, name.c_str()) != 0) return std::nullopt;
  const ReferenceHandle reference(found);
  git_object* peeled = nullptr;
  if (git_reference_peel(&peeled, reference.get(), GIT_OBJECT_COMMIT) != 0) return std::nullopt;
  const ObjectHandle commit(peeled);
  return to_hex(*git_object_id(commit.get()));
}

std::optional<std::string> commit_of_digits(git_repository* repository, std::string_view digits) {
  git_oid prefix;
  if (git_oid_fromstrn(&prefix, digits.data(), digits.size()) != 0) return std::nullopt;
  git_object* found = nullptr;
  if (git_object_lookup_prefix(&found, repository, &prefix, digits.size(), GIT_OBJECT_ANY) != 0) return std::nullopt;
  const ObjectHandle object(found);
  git_object* peeled = nullptr;
  if (git_object_peel(&peeled, object.get(), GIT_OBJECT_COMMIT) != 0) return std::nullopt;
  const ObjectHandle commit(peeled);
  return to_hex(*git_object_id(commit.get()));
}

std::optional<std::string> commit_of_name(git_repository* repository, std::string_view name) {
  if (name == "HEAD") return commit_of_ref(repository, "HEAD");
  if (name.starts_with(hidden_refs)) return std::nullopt;
  for (const std::string_view prefix : {"", "refs/heads/", "refs/tags/"}) {
    const std::string full = fmt::format("{}{}", prefix, name);
    if (!check_ref(full)) continue;
    if (auto commit = commit_of_ref(repository, full)) return commit;
  }
  return std::nullopt;
}

// The object a ref stands for in the end, without looking at the object itself.
std::string target_of(git_repository* repository, const git_reference* reference) {
  if (git_reference_type(reference) == GIT_REFERENCE_DIRECT) return to_hex(*git_reference_target(reference));
  git_oid id;
  return git_reference_name_to_id(&id, repository, git_reference_name(reference)) == 0 ? to_hex(id) : std::string();
}

std::string peeled_commit_of(const git_reference* reference) {
  git_object* peeled = nullptr;
  if (git_reference_peel(&peeled, reference, GIT_OBJECT_COMMIT) != 0) return {};
  const ObjectHandle commit(peeled);
  return to_hex(*git_object_id(commit.get()));
}

template <class Take>
Result<std::vector<Ref>> collect(git_repository* repository, Take take) {
  git_reference_iterator* started = nullptr;
  if (const int code = git_reference_iterator_new(&started, repository); code != 0)
    return std::unexpected(libgit_error(code, "listing refs"));
  const ReferenceIteratorHandle iterator(started);
  std::vector<Ref> refs;
  git_reference* next = nullptr;
  int code = 0;
  while ((code = git_reference_next(&next, iterator.get())) == 0) {
    const ReferenceHandle reference(next);
    take(reference.get(), refs);
    if (refs.size() > refs_max)
      return core::fail(Code::exhausted,
                        fmt::format("This repository has more than {} refs. Ask for a narrower prefix.", refs_max));
  }
  if (code != GIT_ITEROVER) return std::unexpected(libgit_error(code, "listing refs"));
  std::ranges::sort(refs, {}, &Ref::name);
  return refs;
}

}  // namespace

Result<std::string> LibgitRepository::resolve(std::string_view revision) {
  // A whole id before any name: a branch called like a commit must not stand in for it.
  std::optional<std::string> commit;
  if (is_commit_id(revision)) commit = commit_of_digits(handle_.get(), revision);
  if (!commit) commit = commit_of_name(handle_.get(), revision);
  if (!commit && revision.size() >= abbreviation_min && revision.size() <= GIT_OID_HEXSZ && is_hex(revision))
    commit = commit_of_digits(handle_.get(), revision);
  if (commit) return *commit;
  return core::fail(Code::not_found, fmt::format("'{}' is no branch, tag or commit of this repository.",
                                                 printable_utf8(revision.substr(0, shown_max))));
}

Result<std::vector<Ref>> LibgitRepository::refs(std::string_view prefix) {
  const std::string wanted(prefix);
  git_repository* repository = handle_.get();
  return collect(repository, [&wanted, repository](const git_reference* reference, std::vector<Ref>& refs) {
    const std::string_view name = git_reference_name(reference);
    if (!name.starts_with(wanted) || name.starts_with(hidden_refs)) return;
    refs.push_back({std::string(name), target_of(repository, reference), peeled_commit_of(reference)});
  });
}

Result<std::vector<Ref>> LibgitRepository::all_refs() {
  git_repository* repository = handle_.get();
  return collect(repository, [repository](const git_reference* reference, std::vector<Ref>& refs) {
    refs.push_back({git_reference_name(reference), target_of(repository, reference), {}});
  });
}

Result<std::string> LibgitRepository::default_branch() {
  git_reference* found = nullptr;
  if (const int code = git_reference_lookup(&found, handle_.get(), "HEAD"); code != 0)
    return std::unexpected(libgit_error(code, "reading HEAD"));
  const ReferenceHandle head(found);
  const char* target = git_reference_symbolic_target(head.get());
  const auto branch = target != nullptr ? branch_of(target) : std::string_view();
  if (branch.empty()) return core::fail(Code::corrupt, "HEAD of this repository names no branch.");
  return std::string(branch);
}

Result<bool> LibgitRepository::has_object(std::string_view id) {
  const auto wanted = parse_id(id);
  if (!wanted) return std::unexpected(wanted.error());
  git_odb* opened = nullptr;
  if (const int code = git_repository_odb(&opened, handle_.get()); code != 0)
    return std::unexpected(libgit_error(code, "opening the objects"));
  const OdbHandle odb(opened);
  return git_odb_exists(odb.get(), &*wanted) == 1;
}

}  // namespace headrace::git
