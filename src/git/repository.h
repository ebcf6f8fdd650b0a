// Repository reads one bare repository through libgit2: trees, files, history, differences, refs.
//
// Every call blocks: callers go through core::blocking on the pool for git reads. Opening costs about 0.1 ms; a
// Repository is used by one thread at a time, any number of them may be open on the same folder. Objects are named by
// 40 hexadecimal digits. Nothing here writes.
//
// Errors: not_found (no such repository, revision, path or object), invalid (an ill-formed name), exhausted (a bound),
// corrupt (git's files are damaged).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace headrace::git {

struct Person {
  std::string name;
  std::string email;
  core::Time time;
  std::chrono::minutes utc_offset{0};
};

struct Commit {
  std::string id;
  std::string tree;
  std::vector<std::string> parents;
  Person author;
  Person committer;
  std::string message;  // whole, as UTF-8 (what was not is replaced byte by byte)
};

enum class Kind { file, executable, link, tree, submodule };
std::string_view name_of(Kind kind);

struct Entry {
  std::string name;
  Kind kind = Kind::file;
  std::string id;
  std::optional<uint64_t> size;  // of files and links
};

struct Blob {
  std::string id;
  uint64_t size = 0;    // of the whole
  std::string content;  // its first bytes, at most what was asked for
  bool binary = false;  // a NUL among the first 8,000 bytes, as git has it
  bool truncated() const { return content.size() < size; }
};

struct Ref {
  std::string name;    // full
  std::string target;  // object it points to; for a symbolic one the object in the end
  std::string commit;  // what that object comes down to (an annotated tag is peeled); empty where it is no commit
};

struct LogQuery {
  std::string from = {};  // revision
  std::string path = {};  // only commits that changed it; empty: all
  size_t skip = 0;        // commits of the walk, as `next` said
  size_t count = 30;      // at most log_count_max
};
struct LogPage {
  std::vector<Commit> commits;
  std::optional<size_t> next;  // `skip` of the next page; nothing at the end
};

struct FileDiff {
  enum class Status { added, deleted, modified, renamed, copied, type_changed };
  Status status = Status::modified;
  std::string old_path, new_path;
  std::string old_id, new_id;  // 40 zeros where there is none
  size_t additions = 0, deletions = 0;
  bool binary = false;
  bool cut = false;   // the patch is longer than file_patch_bytes_max and left out
  std::string patch;  // unified, 3 lines of context
};
std::string_view name_of(FileDiff::Status status);

struct Diff {
  std::vector<FileDiff> files;
  size_t files_total = 0;               // that differ; more than `files` beyond diff_files_max
  size_t additions = 0, deletions = 0;  // of the files whose lines were counted
  bool truncated = false;               // there are more files, or patches were left out beyond diff_bytes_max
};

// Of an entry of a folder the commit that made it what it is: as `git log -1 -- path` has it, history is followed
// through the first parent that has the entry as it is.
struct LastChange {
  std::string name;
  std::shared_ptr<const Commit> commit;  // one for all it changed; null where it lies too far back
};

// Ids of commits, each before its parents.
struct CommitRange {
  std::vector<std::string> commits;
  bool more = false;  // than were asked for
};

struct ChangedPath {
  FileDiff::Status status = FileDiff::Status::modified;  // added, deleted or modified; what was renamed is two
  std::string path;
  bool operator==(const ChangedPath&) const = default;
};
struct ChangedPaths {
  std::vector<ChangedPath> paths;  // by name
  bool more = false;               // than were asked for
};

inline constexpr size_t log_count_max = 100;
inline constexpr size_t log_walk_max = 50'000;  // commits looked at for one page of a path's history
// What the walk for one folder may cost: a commit costs 100 and one for each entry it is asked about. So 10,000 commits
// for a small folder, and 100 for one of 10,000 entries.
inline constexpr size_t last_changes_work_max = 1'000'000;
inline constexpr size_t tree_entries_max = 10'000;
inline constexpr size_t blob_bytes_default = size_t{1} << 20;
inline constexpr size_t file_patch_bytes_max = 256 * 1024;
inline constexpr size_t diff_bytes_max = size_t{4} << 20;
inline constexpr size_t diff_files_max = 10'000;
inline constexpr size_t refs_max = 100'000;

class Repository {
 public:
  static core::Result<std::unique_ptr<Repository>> open(const std::string& path);
  virtual ~Repository() = default;
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;

  // A commit from "HEAD", a full ref, a branch, a tag (in this order), a commit id of 40 digits, or at least 7 of them.
  // Hidden refs have no name here.
  virtual core::Result<std::string> resolve(std::string_view revision) = 0;
  virtual core::Result<Commit> commit(std::string_view revision) = 0;
  virtual core::Result<std::vector<Entry>> tree(std::string_view revision, std::string_view path) = 0;  // git's order
  virtual core::Result<std::vector<LastChange>> last_changes(std::string_view revision, std::string_view path) = 0;
  virtual core::Result<Blob> blob(std::string_view revision, std::string_view path, size_t bytes_max) = 0;
  virtual core::Result<Blob> blob_by_id(std::string_view id, size_t bytes_max) = 0;
  virtual core::Result<LogPage> log(const LogQuery& query) = 0;  // newest first

  virtual core::Result<Diff> diff(std::string_view old_revision, std::string_view new_revision) = 0;
  // With its first parent, or with nothing. With a `path`: of that file alone (its old name or its new one), and the
  // bytes before it do not count.
  virtual core::Result<Diff> diff_of(std::string_view revision, std::string_view path = {}) = 0;

  // What `after` has that none of `without` (commit ids; those that are not there hide nothing) has.
  virtual core::Result<CommitRange> commits_between(std::string_view after, const std::vector<std::string>& without,
                                                    size_t max) = 0;
  // Names alone, no patches; `before` empty: against nothing.
  virtual core::Result<ChangedPaths> changed_paths(std::string_view before, std::string_view after, size_t max) = 0;

  virtual core::Result<std::vector<Ref>> refs(std::string_view prefix) = 0;  // by name, hidden ones left out
  // Hidden ones too, and refs to no commit: name and target only, by name. For who owns the refs.
  virtual core::Result<std::vector<Ref>> all_refs() = 0;
  virtual core::Result<std::string> default_branch() = 0;  // short name HEAD points to, born or not
  // Nothing where they have none in common.
  virtual core::Result<std::optional<std::string>> merge_base(std::string_view a, std::string_view b) = 0;
  // A commit is its own ancestor. False also where one of them is no commit that is there.
  virtual core::Result<bool> is_ancestor(std::string_view ancestor, std::string_view descendant) = 0;
  virtual core::Result<bool> has_object(std::string_view id) = 0;

 protected:
  Repository() = default;
};

}  // namespace headrace::git
