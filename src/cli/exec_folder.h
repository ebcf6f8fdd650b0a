// The folder at hand, as `exec` sees it: a repository, with what is not committed yet. Nothing in it is changed: what
// has to be written down (the commit of what is not committed) goes into a repository of our own that borrows the
// objects of the one at hand.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "services/pipeline/pipeline.h"

namespace headrace::cli {

inline constexpr std::chrono::minutes snapshot_max{5};  // for git to look at all files of the folder

struct Folder {
  std::string root;  // absolute: of the working tree, or the folder that holds the workflows
  bool git = false;
  std::string head;                     // commit; empty: there is none yet
  std::string title;                    // first line of its message
  std::string ref = "refs/heads/main";  // full: the branch; a tag where HEAD is on none
  std::string default_branch = "main";
  std::string full_name;   // "owner/name": of the remote origin, else local/FOLDER
  std::string server_url;  // "https://github.com": of the remote origin; empty: there is none
  std::string actor;       // git's user.name
  std::string email;
  std::string upstream;                 // commit that the branch stands on at the remote; empty: not known
  std::string base;                     // commit of the default branch; empty: not known
  std::string head_time = "946684800";  // seconds since 1970
  std::string objects, index, shallow, config, exclude;   // files of git
  std::vector<std::pair<std::string, std::string>> refs;  // branches and tags: full name, object

  std::string branch() const;  // empty for a tag
};

// Of the repository that `start` is in; a folder that is in none works too.
core::Task<core::Result<Folder>> look_at_folder(core::Executor loop, std::string start);

struct Change {
  char kind;  // git's letter: A, M, D, ...
  std::string path;
};

struct Snapshot {
  std::string repository;       // bare, with all branches and tags, and HEAD at `commit`
  std::string commit;           // what is checked out: HEAD, or a commit on top of it with what is not committed
  bool changed = false;         // there was something that is not committed
  std::string before;           // what it is compared with: the remote's branch, else the parent; empty: nothing
  std::vector<Change> changes;  // against `before`
};

// What a commit of all that git does not ignore would be, in the bare repository `into`, which is made.
core::Task<core::Result<Snapshot>> take_snapshot(core::Executor loop, Folder folder, std::string into);
// Files that differ between two commits of it; empty where one is not known.
core::Task<std::vector<Change>> changes_between(core::Executor loop, std::string repository, std::string from,
                                                std::string to);

// The files of its workflows as they lie there, sorted by path.
core::Result<std::vector<pipeline::SourceFile>> workflow_files(const std::string& root);

// "https://host/owner/name.git", "git@host:owner/name" and the like: server and full name; empty where it is none.
std::pair<std::string, std::string> parse_remote(std::string url);

}  // namespace headrace::cli
