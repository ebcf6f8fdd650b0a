// What the pipeline reads of repositories: workflow files of a commit, and what a push or change brought. The server
// gives it by way of the git room.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "log/event_log.h"

namespace headrace::workflow {
struct Reading;
}

namespace headrace::pipeline {

// GitHub Docs, "Workflow syntax", on.<push|pull_request>.paths: the filters see the first 300 changed files, and a push
// of more than 1,000 commits passes them all.
inline constexpr size_t changed_paths_max = 300;
inline constexpr size_t compared_commits_max = 1'000;
// GitHub Docs, "Webhook events and payloads", push: at most 2,048 commits. Those of one event are bounded by
// commit_bytes_max as well, the newest ones count.
inline constexpr size_t commits_told_max = 2'048;
inline constexpr size_t commit_bytes_max = 48 * 1024;        // as they stand in the event
inline constexpr size_t commit_files_bytes_max = 12 * 1024;  // names of the files of one commit
inline constexpr size_t person_bytes_max = 256;

struct SourceFile {
  std::string path;  // ".github/workflows/ci.yml"
  std::string text;
  // Of the text, once somebody read it (plan.h, reading_of): a file is read once. Shared with plans, immutable.
  mutable std::shared_ptr<const workflow::Reading> reading = nullptr;
};

struct Snapshot {
  std::string commit;             // id; what was asked for may be a tag of it
  std::string title;              // first line of the commit's message
  std::string message;            // its first message_bytes_max bytes
  std::vector<SourceFile> files;  // those for which workflow::is_workflow_path() holds, sorted by path
};
inline constexpr size_t message_bytes_max = 8 * 1024;

struct CommitPerson {
  std::string name;
  std::string email;
};

struct PushedCommit {
  std::string id;
  std::string tree;
  std::string message;  // its first message_bytes_max bytes
  CommitPerson author, committer;
  std::string time;                                   // RFC 3339, where the committer was: "2026-11-29T10:00:00+01:00"
  bool distinct = true;                               // no branch had it before
  std::vector<std::string> added, removed, modified;  // against its first parent; the first ones
};

// What is asked about. A commit of 40 zeros, or an empty one, is none.
struct Comparison {
  enum class Kind {
    push,    // of a ref, two dots: before..after; of a new ref: from the parent of the first commit no branch had
    change,  // a branch to be merged into another, three dots: since they parted
  };
  Kind kind = Kind::push;
  std::string ref;  // that moved
  std::string before;
  std::string after;
  log::Offset at = 0;  // branches are taken as they were after the event there
};

struct Changes {
  std::vector<PushedCommit> commits;  // oldest first; of Kind::push
  std::optional<PushedCommit> head;
  std::string base_ref;                                   // a branch that is there too, of a new ref
  std::optional<std::vector<std::string>> changed_paths;  // nothing: not known, and why says `paths_note`
  std::string paths_note;                                 // a sentence; empty: all of them are known
};

// Errors: not_found (no such repository, commit or ref) is final, anything else is tried again.
class WorkflowSource {
 public:
  virtual ~WorkflowSource() = default;
  virtual core::Task<core::Result<Snapshot>> files(std::string repository, std::string commit) = 0;
  virtual core::Task<core::Result<std::string>> commit_of(std::string repository, std::string ref) = 0;  // full ref
  virtual core::Task<core::Result<Changes>> changes(std::string repository, Comparison what) = 0;
};

}  // namespace headrace::pipeline
