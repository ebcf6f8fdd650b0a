// Of each entry of a folder the commit that changed it last. One walk for all of them: a commit is asked about the
// entries that have come down to it, and hands each to the first parent that has it as it is; what no parent has so, it
// changed.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

#include "git/libgit.h"

namespace headrace::git {
namespace {

using core::Result;

constexpr size_t commit_costs = 100;  // as much as comparing so many entries

class LastChanges {
 public:
  LastChanges(git_repository* repository, std::string path) : repository_(repository), path_(std::move(path)) {}

  Result<std::vector<LastChange>> find(const git_commit* tip) {
    auto folder = folder_of(tip);
    if (!folder) return std::unexpected(folder.error());
    if (!*folder) return found_;
    Indexes all;
    for (size_t index = 0; index < git_tree_entrycount(folder->get()); ++index) {
      found_.push_back({git_tree_entry_name(git_tree_entry_byindex(folder->get(), index)), {}});
      all.push_back(index);
    }
    hand_to(tip, all);
    for (size_t spent = 0; !waiting_.empty() && spent < last_changes_work_max;) {
      spent += commit_costs + std::prev(waiting_.end())->second.size();
      if (auto asked = ask_newest(); !asked) return std::unexpected(asked.error());
    }
    return std::move(found_);
  }

 private:
  using Indexes = std::vector<size_t>;  // of entries, in order

  struct ById {
    bool operator()(const git_oid& a, const git_oid& b) const { return git_oid_cmp(&a, &b) < 0; }
  };
  // The newest last, so that a commit is asked once, when all that comes down to it has come: but for clocks that went
  // wrong, after which it is asked again for the rest.
  using Place = std::pair<git_time_t, git_oid>;
  struct ByTime {
    bool operator()(const Place& a, const Place& b) const {
      return a.first != b.first ? a.first < b.first : ById()(a.second, b.second);
    }
  };

  void hand_to(const git_commit* commit, const Indexes& entries) {
    if (entries.empty()) return;
    auto& there = waiting_[{git_commit_time(commit), *git_commit_id(commit)}];
    Indexes both;
    std::ranges::set_union(there, entries, std::back_inserter(both));
    there = std::move(both);
  }

  Result<> ask_newest() {
    auto newest = std::prev(waiting_.end());
    const git_oid id = newest->first.second;
    Indexes entries = std::move(newest->second);
    waiting_.erase(newest);
    git_commit* read = nullptr;
    if (const int code = git_commit_lookup(&read, repository_, &id); code != 0)
      return std::unexpected(libgit_error(code, "reading a commit"));
    const CommitHandle commit(read);
    auto here = folder_of(commit.get());
    if (!here) return std::unexpected(here.error());
    const unsigned parents = git_commit_parentcount(commit.get());
    for (unsigned parent = 0; parent < parents && !entries.empty(); ++parent)
      if (auto handed = hand_on(commit.get(), here->get(), parent, entries); !handed) return handed;
    if (entries.empty()) return {};
    const auto changed = std::make_shared<const Commit>(to_commit(commit.get()));
    for (size_t index : entries) found_[index].commit = changed;
    return {};
  }

  // Takes from `entries` those that the parent has as they are here.
  Result<> hand_on(const git_commit* commit, const git_tree* here, unsigned which, Indexes& entries) {
    git_commit* read = nullptr;
    if (const int code = git_commit_parent(&read, commit, which); code != 0)
      return std::unexpected(libgit_error(code, "reading a parent"));
    const CommitHandle parent(read);
    auto there = folder_of(parent.get());
    if (!there) return std::unexpected(there.error());
    if (!*there) return {};
    if (git_oid_equal(git_tree_id(here), git_tree_id(there->get()))) {
      hand_to(parent.get(), entries);
      entries.clear();
      return {};
    }
    Indexes same, other;
    for (size_t index : entries) {
      const char* name = found_[index].name.c_str();
      const auto* mine = git_tree_entry_byname(here, name);
      const auto* its = git_tree_entry_byname(there->get(), name);
      const bool equal = mine != nullptr && its != nullptr &&
                         git_oid_equal(git_tree_entry_id(mine), git_tree_entry_id(its)) &&
                         git_tree_entry_filemode_raw(mine) == git_tree_entry_filemode_raw(its);
      (equal ? same : other).push_back(index);
    }
    hand_to(parent.get(), same);
    entries = std::move(other);
    return {};
  }

  // Null where the commit has no such folder.
  Result<TreeHandle> folder_of(const git_commit* commit) const {
    git_tree* read = nullptr;
    if (const int code = git_commit_tree(&read, commit); code != 0)
      return std::unexpected(libgit_error(code, "reading a tree"));
    TreeHandle root(read);
    if (path_.empty()) return root;
    git_tree_entry* entry = nullptr;
    const int code = git_tree_entry_bypath(&entry, root.get(), path_.c_str());
    if (code == GIT_ENOTFOUND) return TreeHandle();
    if (code != 0) return std::unexpected(libgit_error(code, "finding a path"));
    const TreeEntryHandle found(entry);
    if (git_tree_entry_type(found.get()) != GIT_OBJECT_TREE) return TreeHandle();
    git_tree* folder = nullptr;
    if (const int read_code = git_tree_lookup(&folder, repository_, git_tree_entry_id(found.get())); read_code != 0)
      return std::unexpected(libgit_error(read_code, "reading a tree"));
    return TreeHandle(folder);
  }

  git_repository* repository_;
  std::string path_;
  std::vector<LastChange> found_;
  std::map<Place, Indexes, ByTime> waiting_;  // commits to ask, and about which entries
};

}  // namespace

Result<std::vector<LastChange>> LibgitRepository::last_changes(std::string_view revision, std::string_view path) {
  const auto tip = find_commit(revision);
  if (!tip) return std::unexpected(tip.error());
  if (auto there = find_listed(revision, path); !there) return std::unexpected(there.error());
  return LastChanges(handle_.get(), std::string(without_slashes(path))).find(tip->get());
}

}  // namespace headrace::git
