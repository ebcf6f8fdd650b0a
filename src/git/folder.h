// The folder of a bare repository: made, locked, tidied up, removed. All calls block.
//
// Whoever writes it holds its lock: a push shares it (and so does the receive-pack that outlives a killed server,
// through an inherited descriptor), who settles or removes has it alone. DESIGN, section 8.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::git {

// Durable, and whole or not there: made beside `path` and renamed. conflict if `path` exists.
core::Result<> create_bare(const std::string& path, std::string_view default_branch);
// Removes it as one step (renamed first), then its files. No error if it is not there.
core::Result<> remove_bare(const std::string& path);
bool is_bare_repository(const std::string& path);

class FolderLock {
 public:
  enum class Mode { shared, alone };
  // Null while others hold it. not_found if there is no such repository.
  static core::Result<std::unique_ptr<FolderLock>> try_lock(const std::string& path, Mode mode);
  ~FolderLock();  // released when no child has the descriptor either
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// What a killed git leaves behind: *.lock files of refs and packs, quarantined and temporary objects. Only while the
// folder is locked alone. Returns how many it removed.
core::Result<size_t> remove_leftovers(const std::string& path, const FolderLock& alone);

// A folder for objects that are not let in yet, as git makes one: below objects, its name begins with tmp_, so whatever
// a kill leaves of it is removed with the leftovers.
class Quarantine {
 public:
  static core::Result<std::unique_ptr<Quarantine>> make(const std::string& repository);
  ~Quarantine();  // what was not let in is gone
  Quarantine(const Quarantine&) = delete;
  Quarantine& operator=(const Quarantine&) = delete;

  const std::string& path() const { return path_; }  // an objects folder
  // Its packs become the repository's; durable when it returns, provided that the files were synced by who wrote them.
  core::Result<> let_in();

 private:
  Quarantine(std::string repository, std::string path) : repository_(std::move(repository)), path_(std::move(path)) {}
  std::string repository_;
  std::string path_;
};

// The largest file among the objects of a push that is in quarantine; nothing where no file came.
struct LargestFile {
  std::string id;
  uint64_t bytes = 0;
  bool operator==(const LargestFile&) const = default;
};
core::Result<std::optional<LargestFile>> largest_file(const std::string& quarantine);

// Makes renames durable after git moved these refs: their folders, packed-refs, the folder of packs. git syncs files
// (core.fsync), not the folders that name them.
core::Result<> sync_push(const std::string& path, std::span<const std::string> refs);
// Of the refs alone; `packed`: packed-refs was written too, as for a ref that was deleted.
core::Result<> sync_refs(const std::string& path, std::span<const std::string> refs, bool packed);

// Moves refs by compare-and-swap: each `old_target` must hold (empty: whatever it is; 40 zeros: must not exist);
// 40 zeros as `new_target` delete. All or none, durable when it returns. conflict: names the ref that has moved.
struct RefMove {
  std::string ref;
  std::string old_target;
  std::string new_target;
};
core::Result<> move_refs(const std::string& path, std::span<const RefMove> moves);
// Each for itself: what became of each, in the same order. What has moved is durable when it returns.
core::Result<std::vector<core::Result<>>> move_each(const std::string& path, std::span<const RefMove> moves);

}  // namespace headrace::git
