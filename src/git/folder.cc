#include "git/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <mutex>
#include <set>

#include "core/disk.h"

namespace headrace::git {
namespace {

namespace fs = std::filesystem;
using core::Code;
using core::Result;

constexpr std::string_view lock_name = "headrace.lock";
constexpr std::string_view config_text =
    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
    "[gc]\n\tauto = 0\n";

Result<> write_skeleton(core::Disk& disk, const std::string& path, std::string_view branch) {
  for (const auto* folder : {"/objects/info", "/objects/pack", "/refs/heads", "/refs/tags"})
    if (auto made = disk.make_directories(path + folder); !made) return made;
  if (auto written = core::write_file(disk, path + "/config", config_text); !written) return written;
  if (auto written = core::write_file(disk, fmt::format("{}/{}", path, lock_name), ""); !written) return written;
  if (auto written = core::write_file(disk, path + "/HEAD", fmt::format("ref: refs/heads/{}\n", branch)); !written)
    return written;
  for (const auto* folder : {"/refs", "/objects", ""})
    if (auto synced = disk.sync_directory(path + folder); !synced) return synced;
  return {};
}

std::string parent_of(const std::string& path) { return fs::path(path).parent_path().string(); }

// Branches may be called tmp_x: only among objects does such a name mean a leftover. No ref ends in .lock.
bool is_leftover(const std::string& root, const fs::path& path) {
  const auto name = path.filename().string();
  if (name == lock_name) return false;
  if (name.ends_with(".lock") || path.string() == root + "/packed-refs.new") return true;
  return path.string().starts_with(root + "/objects/") && (name.starts_with("tmp_") || name.starts_with(".tmp-"));
}

}  // namespace

Result<> create_bare(const std::string& path, std::string_view default_branch) {
  static std::mutex one_at_a_time;  // two who make the same would write into one unfinished folder
  const std::lock_guard held(one_at_a_time);
  core::SystemDisk disk;
  const std::string unfinished = path + ".new";
  std::error_code error;
  if (fs::exists(path, error)) return core::fail(Code::conflict, "The folder of this repository exists already.", path);
  fs::remove_all(unfinished, error);
  if (auto written = write_skeleton(disk, unfinished, default_branch); !written) return written;
  if (auto renamed = disk.rename(unfinished, path); !renamed) return renamed;
  return disk.sync_directory(parent_of(path));
}

Result<> remove_bare(const std::string& path) {
  core::SystemDisk disk;
  const std::string doomed = path + ".removed";
  std::error_code error;
  fs::remove_all(doomed, error);
  if (auto renamed = disk.rename(path, doomed); !renamed && renamed.error().code != Code::not_found) return renamed;
  if (auto synced = disk.sync_directory(parent_of(path)); !synced) return synced;
  fs::remove_all(doomed, error);
  if (error) return std::unexpected(core::error_of_errno(error.value(), "removing a repository", doomed));
  return {};
}

bool is_bare_repository(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path + "/HEAD", error) && fs::is_directory(path + "/objects", error);
}

Result<std::unique_ptr<FolderLock>> FolderLock::try_lock(const std::string& path, Mode mode) {
  const std::string file = fmt::format("{}/{}", path, lock_name);
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC | (is_bare_repository(path) ? O_CREAT : 0), 0600);
  if (descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return core::fail(Code::not_found, "There is no such repository.", file);
    return std::unexpected(core::error_of_errno(errno, "opening the lock of a repository", file));
  }
  auto lock = std::unique_ptr<FolderLock>(new FolderLock(descriptor));
  if (::flock(descriptor, (mode == Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return std::unique_ptr<FolderLock>();
  return std::unexpected(core::error_of_errno(errno, "locking a repository", file));
}

FolderLock::~FolderLock() { ::close(descriptor_); }

Result<size_t> remove_leftovers(const std::string& path, const FolderLock& /*alone*/) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (!is_leftover(path, it->path())) continue;
    found.push_back(it->path());
    it.disable_recursion_pending();
  }
  if (error) return std::unexpected(core::error_of_errno(error.value(), "looking for leftovers", path));
  for (const auto& leftover : found) {
    fs::remove_all(leftover, error);
    if (error) return std::unexpected(core::error_of_errno(error.value(), "removing a leftover", leftover.string()));
  }
  return found.size();
}

namespace {

Result<> sync_folders(const std::string& path, std::span<const std::string> refs, std::set<std::string> folders) {
  core::SystemDisk disk;
  folders.insert(path + "/refs");
  for (const auto& ref : refs)
    for (auto folder = fs::path(ref).parent_path(); folder.has_parent_path(); folder = folder.parent_path())
      folders.insert(path + "/" + folder.string());
  for (const auto& folder : folders)
    if (auto synced = disk.sync_directory(folder); !synced && synced.error().code != Code::not_found) return synced;
  return {};
}

}  // namespace

Result<> sync_push(const std::string& path, std::span<const std::string> refs) {
  return sync_folders(path, refs, {path, path + "/objects", path + "/objects/pack"});
}

Result<> sync_refs(const std::string& path, std::span<const std::string> refs, bool packed) {
  return sync_folders(path, refs, packed ? std::set{path} : std::set<std::string>());
}

}  // namespace headrace::git
