// Folders does what blocks on a repository's folder, on the pool for git reads. Paths are those of repositories.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/task.h"
#include "git/folder.h"
#include "git/open_repositories.h"
#include "services/repository/disk_refs.h"

namespace headrace::repository {

// A folder as it is, and held alone until `lock` goes.
struct Seen {
  Refs actual;
  std::unique_ptr<git::FolderLock> lock;  // null: a push is under way, and nothing was looked at
  bool made = false;                      // the folder was missing
};

struct Look {
  std::string branch;  // default branch of a folder that must be made
  bool tidy = false;   // remove what killed processes left behind
  core::Time now;
  std::chrono::hours keep{0};  // of commits that left their ref
};

class Folders {
 public:
  Folders(core::Pool& pool, std::shared_ptr<git::OpenRepositories> opened) : pool_(pool), opened_(std::move(opened)) {}

  core::Task<core::Result<>> make(std::string path, std::string branch);
  core::Task<core::Result<>> remove(std::string path);
  core::Task<core::Result<std::unique_ptr<git::FolderLock>>> try_lock_alone(std::string path);
  core::Task<core::Result<Seen>> look(std::string path, Look how);
  core::Task<core::Result<std::optional<git::LargestFile>>> largest_file(std::string quarantine);
  core::Task<core::Result<std::vector<events::SettledUpdate>>> finish_updates(
      std::string path, std::vector<events::SettledUpdate> updates, core::Time now, bool durable);
  core::Task<core::Result<std::vector<std::string>>> findings_in_workflows(std::string path,
                                                                           std::vector<events::SettledUpdate> updates);
  core::Task<core::Result<std::vector<std::string>>> names_in(std::string folder);

 private:
  core::Pool& pool_;
  std::shared_ptr<git::OpenRepositories> opened_;
};

}  // namespace headrace::repository
