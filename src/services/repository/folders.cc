// Plain functions that hand a lambda to the pool, not coroutines: g++ 12 destroys a lambda that stands within a
// co_await expression twice.
#include "services/repository/folders.h"

#include "core/disk.h"
#include "services/repository/pushed_workflows.h"

namespace headrace::repository {

using core::Result;
using core::Task;

namespace {

Result<Seen> look_at(const std::string& path, const Look& how) {
  Seen seen;
  if (!git::is_bare_repository(path)) {
    if (auto made = git::create_bare(path, how.branch); !made) return std::unexpected(made.error());
    seen.made = true;
  }
  auto lock = git::FolderLock::try_lock(path, git::FolderLock::Mode::alone);
  if (!lock) return std::unexpected(lock.error());
  seen.lock = std::move(*lock);
  if (!seen.lock) return seen;
  if (how.tidy)
    if (auto tidied = git::remove_leftovers(path, *seen.lock); !tidied) return std::unexpected(tidied.error());
  if (auto forgot = forget_kept(path, how.now, how.keep); !forgot) return std::unexpected(forgot.error());
  auto actual = actual_refs(path);
  if (!actual) return std::unexpected(actual.error());
  seen.actual = std::move(*actual);
  return seen;
}

}  // namespace

Task<Result<>> Folders::make(std::string path, std::string branch) {
  return core::blocking(pool_, [path, branch] { return git::create_bare(path, branch); });
}

Task<Result<>> Folders::remove(std::string path) {
  return core::blocking(pool_, [path] { return git::remove_bare(path); });
}

Task<Result<std::unique_ptr<git::FolderLock>>> Folders::try_lock_alone(std::string path) {
  return core::blocking(pool_, [path] { return git::FolderLock::try_lock(path, git::FolderLock::Mode::alone); });
}

Task<Result<Seen>> Folders::look(std::string path, Look how) {
  return core::blocking(pool_, [path, how] { return look_at(path, how); });
}

Task<Result<std::optional<git::LargestFile>>> Folders::largest_file(std::string quarantine) {
  return core::blocking(pool_, [quarantine] { return git::largest_file(quarantine); });
}

Task<Result<std::vector<events::SettledUpdate>>> Folders::finish_updates(std::string path,
                                                                         std::vector<events::SettledUpdate> updates,
                                                                         core::Time now, bool durable) {
  auto finish = [path, updates = std::move(updates), now, durable](git::Repository& opened) {
    return repository::finish_updates(opened, path, updates, now, durable);
  };
  return core::blocking(pool_, git::reading(opened_, path, std::move(finish)));
}

Task<Result<std::vector<std::string>>> Folders::findings_in_workflows(std::string path,
                                                                      std::vector<events::SettledUpdate> updates) {
  auto look = [updates = std::move(updates)](git::Repository& opened) {
    return repository::findings_in_workflows(opened, updates);
  };
  return core::blocking(pool_, git::reading(opened_, path, std::move(look)));
}

Task<Result<std::vector<std::string>>> Folders::names_in(std::string folder) {
  return core::blocking(pool_, [folder] {
    core::SystemDisk disk;
    return disk.list(folder);
  });
}

}  // namespace headrace::repository
