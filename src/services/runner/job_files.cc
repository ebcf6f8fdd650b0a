#include "services/runner/job_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "process/descriptor.h"

namespace headrace::runner {

using core::Code;
using core::Result;
using process::Descriptor;

namespace {

// Beneath `folder`, through no link.
Descriptor open_beneath(int folder, const std::string& path, int flags, mode_t mode = 0) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return Descriptor(static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
}

std::unexpected<core::Error> refused(int number, std::string_view doing, std::string_view path) {
  if (number == ELOOP || number == EXDEV || number == ENOTDIR || number == EISDIR || number == ENXIO)
    return core::fail(Code::invalid, "'" + std::string(path) +
                                         "' is not a plain file of the job: a link or something else is in its place.");
  return std::unexpected(core::error_of_errno(number, doing, path));
}

Result<> give(int descriptor, FileOwner owner, std::string_view path) {
  if (!owner || ::fchown(descriptor, *owner, *owner) == 0) return {};
  return refused(errno, "giving a file to a job", path);
}

Result<> write_all(int descriptor, std::string_view text, std::string_view path) {
  while (!text.empty()) {
    ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refused(errno, "writing a file of a job", path);
    text.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

}  // namespace

Result<std::string> JobFiles::beneath(std::string_view path) const {
  bool within = path.size() > folder_.size() + 1 && path.starts_with(folder_) && path[folder_.size()] == '/';
  if (!within) return core::fail(Code::invalid, "'" + std::string(path) + "' is not within the folder of the job.");
  return std::string(path.substr(folder_.size() + 1));
}

Result<> JobFiles::make_folder(std::string_view path) const {
  auto inner = beneath(path);
  if (!inner) return std::unexpected(inner.error());
  Descriptor at(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at) return refused(errno, "opening the folder of a job", folder_);
  for (size_t from = 0; from < inner->size();) {
    size_t to = std::min(inner->find('/', from), inner->size());
    std::string name = inner->substr(from, to - from);
    from = to + 1;
    if (name.empty()) continue;
    bool made = ::mkdirat(at.get(), name.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) return refused(errno, "making a folder of a job", path);
    Descriptor next = open_beneath(at.get(), name, O_RDONLY | O_DIRECTORY);
    if (!next) return refused(errno, "making a folder of a job", path);
    if (auto given = made ? give(next.get(), owner_, path) : Result<>{}; !given) return given;
    at = std::move(next);
  }
  return {};
}

// Made where it is not there, which is seldom.
Result<Descriptor> JobFiles::open_above(std::string_view path, const std::string& inner) const {
  for (bool made = false;; made = true) {
    Descriptor top(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!top) return refused(errno, "opening the folder of a job", folder_);
    const size_t slash = inner.rfind('/');
    if (slash == std::string::npos) return top;
    Descriptor above = open_beneath(top.get(), inner.substr(0, slash), O_PATH | O_DIRECTORY);
    if (above) return above;
    if (errno != ENOENT || made) return refused(errno, "writing a file of a job", path);
    if (auto folder = make_folder(path.substr(0, path.rfind('/'))); !folder) return std::unexpected(folder.error());
  }
}

Result<> JobFiles::write(std::string_view path, std::string_view text) const {
  auto inner = beneath(path);
  if (!inner) return std::unexpected(inner.error());
  auto above = open_above(path, *inner);
  if (!above) return std::unexpected(above.error());
  const std::string name = inner->substr(inner->rfind('/') + 1);
  constexpr int fresh = O_WRONLY | O_CREAT | O_EXCL;
  Descriptor file = open_beneath(above->get(), name, fresh, 0600);
  if (!file && errno == EEXIST) {
    // A new file in the place of whatever was there: what the job may hold open or linked is not written to.
    if (::unlinkat(above->get(), name.c_str(), 0) != 0 && errno != ENOENT)
      return refused(errno, "replacing a file of a job", path);
    file = open_beneath(above->get(), name, fresh, 0600);
  }
  if (!file) return refused(errno, "writing a file of a job", path);
  if (auto given = give(file.get(), owner_, path); !given) return given;
  return write_all(file.get(), text, path);
}

Result<> JobFiles::link(std::string_view path, std::string_view target) const {
  auto inner = beneath(path);
  if (!inner) return std::unexpected(inner.error());
  auto above = open_above(path, *inner);
  if (!above) return std::unexpected(above.error());
  const std::string name = inner->substr(inner->rfind('/') + 1);
  if (::symlinkat(std::string(target).c_str(), above->get(), name.c_str()) != 0) {
    if (errno == EEXIST) return {};
    return refused(errno, "making a link of a job", path);
  }
  if (!owner_ || ::fchownat(above->get(), name.c_str(), *owner_, *owner_, AT_SYMLINK_NOFOLLOW) == 0) return {};
  return refused(errno, "giving a link to a job", path);
}

namespace {

constexpr int depth_max = 256;  // of folders; deeper ones keep their owner

// Each entry by its folder's descriptor and its own name, never through a link.
Result<> give_all(int folder, uid_t owner, int depth) {
  std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(::fcntl(folder, F_DUPFD_CLOEXEC, 0)), &::closedir);
  if (!listing) return refused(errno, "giving files to a job", "a folder of the job");
  ::rewinddir(listing.get());
  while (const dirent* entry = ::readdir(listing.get())) {
    std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat status{};
    if (::fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;  // it has gone
    if (status.st_uid == 0 && ::fchownat(folder, entry->d_name, owner, owner, AT_SYMLINK_NOFOLLOW) != 0 &&
        errno != ENOENT)
      return refused(errno, "giving a file to a job", name);
    if (!S_ISDIR(status.st_mode) || depth >= depth_max) continue;
    Descriptor next = open_beneath(folder, std::string(name), O_RDONLY | O_DIRECTORY);
    if (!next) continue;  // it has gone, or is a link by now
    if (auto given = give_all(next.get(), owner, depth + 1); !given) return given;
  }
  return {};
}

}  // namespace

Result<> JobFiles::give_back(std::string_view path) const {
  if (!owner_) return {};
  auto inner = beneath(path);
  if (!inner) return std::unexpected(inner.error());
  Descriptor top(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!top) return refused(errno, "opening the folder of a job", folder_);
  Descriptor folder = open_beneath(top.get(), *inner, O_RDONLY | O_DIRECTORY);
  if (!folder && errno == ENOENT) return {};
  if (!folder) return refused(errno, "giving files to a job", path);
  return give_all(folder.get(), *owner_, 0);
}

Result<std::string> JobFiles::read(std::string_view path, size_t bytes_max) const {
  auto inner = beneath(path);
  if (!inner) return std::unexpected(inner.error());
  Descriptor top(::open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!top) return refused(errno, "opening the folder of a job", folder_);
  Descriptor file = open_beneath(top.get(), *inner, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return refused(errno, "reading a file of a job", path);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return refused(errno, "reading a file of a job", path);
  if (!S_ISREG(status.st_mode)) return refused(ENXIO, "reading a file of a job", path);
  std::string text;
  char buffer[16'384];
  while (text.size() <= bytes_max) {
    ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refused(errno, "reading a file of a job", path);
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
  }
  return core::fail(Code::exhausted,
                    "'" + std::string(path) + "' is larger than " + std::to_string(bytes_max) + " bytes.");
}

}  // namespace headrace::runner
