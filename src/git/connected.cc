#include "git/connected.h"

#include <unordered_set>
#include <vector>

#include "git/libgit.h"

namespace headrace::git {
namespace {

using core::Result;

constexpr size_t folders_deep_max = 256;

struct Hash {
  size_t operator()(const git_oid& id) const {
    size_t value = 0;
    std::copy_n(id.id, sizeof value, reinterpret_cast<unsigned char*>(&value));
    return value;
  }
};
struct Equal {
  bool operator()(const git_oid& a, const git_oid& b) const { return git_oid_equal(&a, &b) == 1; }
};
using Ids = std::unordered_set<git_oid, Hash, Equal>;

class Walk {
 public:
  Walk(git_repository* repository, git_odb* all, git_odb* fresh) : repository_(repository), all_(all), fresh_(fresh) {}

  void know(const git_oid& id) { whole_.insert(id); }
  Connected follow(const git_oid& tip) {
    pending_.push_back(tip);
    while (!pending_.empty()) {
      const git_oid next = pending_.back();
      pending_.pop_back();
      if (!look_at(next)) return verdict_;
    }
    return Connected::yes;
  }

 private:
  using Trees = std::vector<TreeHandle>;

  // All below say whether to go on; where they do not, verdict_ says why.
  bool stop(Connected verdict) {
    verdict_ = verdict;
    return false;
  }
  bool count() { return ++looked_at_ <= looked_at_max || stop(Connected::unknown); }
  bool is_fresh(const git_oid& id) const {
    return fresh_ != nullptr && git_odb_exists_ext(fresh_, &id, GIT_ODB_LOOKUP_NO_REFRESH) == 1;
  }

  // A commit or tag: new ones are followed, of others the refs vouch.
  bool look_at(const git_oid& id) {
    if (whole_.contains(id)) return true;
    if (!count()) return false;
    if (!is_fresh(id)) return stop(git_odb_exists(all_, &id) == 1 ? Connected::unknown : Connected::no);
    git_object* found = nullptr;
    if (git_object_lookup(&found, repository_, &id, GIT_OBJECT_ANY) != 0) return stop(Connected::no);
    const ObjectHandle object(found);
    if (git_object_type(object.get()) == GIT_OBJECT_TREE) return look_at_tree(id, {}, 0);
    whole_.insert(id);
    if (git_object_type(object.get()) == GIT_OBJECT_COMMIT)
      return look_at_commit(reinterpret_cast<const git_commit*>(object.get()));
    if (git_object_type(object.get()) == GIT_OBJECT_TAG)
      pending_.push_back(*git_tag_target_id(reinterpret_cast<const git_tag*>(object.get())));
    return true;
  }

  bool look_at_commit(const git_commit* commit) {
    Trees before;
    for (unsigned int index = 0; index < git_commit_parentcount(commit); ++index) {
      const git_oid parent = *git_commit_parent_id(commit, index);
      pending_.push_back(parent);
      git_commit* found = nullptr;
      if (git_commit_lookup(&found, repository_, &parent) != 0) return stop(Connected::no);
      const CommitHandle held(found);
      git_tree* tree = nullptr;
      if (git_commit_tree(&tree, held.get()) != 0) return stop(Connected::no);
      before.emplace_back(tree);
    }
    const git_oid tree = *git_commit_tree_id(commit);
    for (const auto& one : before)
      if (git_oid_equal(git_tree_id(one.get()), &tree) == 1) return true;
    return look_at_tree(tree, before, 0);
  }

  // `before` are the trees of the parents at this place: what is the same in one of them needs no look.
  bool look_at_tree(const git_oid& id, const Trees& before, size_t depth) {
    if (whole_.contains(id)) return true;
    if (depth > folders_deep_max) return stop(Connected::unknown);
    git_tree* found = nullptr;
    if (git_tree_lookup(&found, repository_, &id) != 0) return stop(Connected::no);
    const TreeHandle tree(found);
    for (size_t index = 0; index < git_tree_entrycount(tree.get()); ++index)
      if (!look_at_entry(git_tree_entry_byindex(tree.get(), index), before, depth)) return false;
    whole_.insert(id);
    return true;
  }

  bool look_at_entry(const git_tree_entry* entry, const Trees& before, size_t depth) {
    if (!count()) return false;
    const git_oid id = *git_tree_entry_id(entry);
    const auto type = git_tree_entry_type(entry);
    if (type == GIT_OBJECT_COMMIT || whole_.contains(id)) return true;  // a submodule lives elsewhere
    Trees below;
    for (const auto& one : before) {
      const auto* old = git_tree_entry_byname(one.get(), git_tree_entry_name(entry));
      if (old == nullptr || git_tree_entry_type(old) != type) continue;
      if (git_oid_equal(git_tree_entry_id(old), &id) == 1) return true;
      git_tree* held = nullptr;
      if (type == GIT_OBJECT_TREE && git_tree_lookup(&held, repository_, git_tree_entry_id(old)) == 0)
        below.emplace_back(held);
    }
    if (type == GIT_OBJECT_TREE) return look_at_tree(id, below, depth + 1);
    if (git_odb_exists(all_, &id) != 1) return stop(Connected::no);
    whole_.insert(id);
    return true;
  }

  git_repository* repository_;
  git_odb* all_;
  git_odb* fresh_;  // null: nothing came
  Ids whole_;
  std::vector<git_oid> pending_;
  size_t looked_at_ = 0;
  Connected verdict_ = Connected::yes;
};

Result<> know_refs(git_repository* repository, Walk& walk) {
  git_reference_iterator* started = nullptr;
  if (const int code = git_reference_iterator_new(&started, repository); code != 0)
    return std::unexpected(libgit_error(code, "listing refs"));
  const ReferenceIteratorHandle iterator(started);
  git_reference* next = nullptr;
  while (git_reference_next(&next, iterator.get()) == 0) {
    const ReferenceHandle reference(next);
    if (const auto* target = git_reference_target(reference.get()); target != nullptr) walk.know(*target);
  }
  return {};
}

Result<OdbHandle> open_objects(const std::string& folder) {
  git_odb* opened = nullptr;
  if (const int code = git_odb_open(&opened, folder.c_str()); code != 0)
    return std::unexpected(libgit_error(code, "opening " + folder));
  return OdbHandle(opened);
}

}  // namespace

Result<Connected> is_connected(const std::string& path, const std::string& quarantine,
                               std::span<const std::string> tips) {
  const auto repository = open_handle(path);
  if (!repository) return std::unexpected(repository.error());
  git_odb* opened = nullptr;
  if (const int code = git_repository_odb(&opened, repository->get()); code != 0)
    return std::unexpected(libgit_error(code, "opening the objects"));
  const OdbHandle all(opened);
  OdbHandle fresh;
  if (!quarantine.empty()) {
    if (const int code = git_odb_add_disk_alternate(all.get(), quarantine.c_str()); code != 0)
      return std::unexpected(libgit_error(code, "opening " + quarantine));
    auto held = open_objects(quarantine);
    if (!held) return std::unexpected(held.error());
    fresh = std::move(*held);
  }
  Walk walk(repository->get(), all.get(), fresh.get());
  if (auto known = know_refs(repository->get(), walk); !known) return std::unexpected(known.error());
  for (const auto& tip : tips) {
    const auto id = parse_id(tip);
    if (!id) return std::unexpected(id.error());
    if (const auto verdict = walk.follow(*id); verdict != Connected::yes) return verdict;
  }
  return Connected::yes;
}

}  // namespace headrace::git
