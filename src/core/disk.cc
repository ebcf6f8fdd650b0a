#include "core/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace headrace::core {

namespace {

Result<> done_or_errno(int result, std::string_view doing, const std::string& path) {
  if (result == 0) return {};
  return std::unexpected(error_of_errno(errno, doing, path));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

class SystemFile final : public File {
 public:
  SystemFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  Result<size_t> read_at(uint64_t offset, std::span<std::byte> bytes) const override {
    size_t total = 0;
    while (total < bytes.size()) {
      ssize_t got =
          ::pread(descriptor_.get(), bytes.data() + total, bytes.size() - total, static_cast<off_t>(offset + total));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::unexpected(error_of_errno(errno, "Reading", path_));
      if (got == 0) break;
      total += static_cast<size_t>(got);
    }
    return total;
  }

  Result<> write_at(uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      ssize_t put = ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return std::unexpected(error_of_errno(errno, "Writing", path_));
      bytes = bytes.subspan(static_cast<size_t>(put));
      offset += static_cast<uint64_t>(put);
    }
    return {};
  }

  Result<> sync() override { return done_or_errno(::fdatasync(descriptor_.get()), "Syncing", path_); }

  Result<> truncate(uint64_t size) override {
    return done_or_errno(::ftruncate(descriptor_.get(), static_cast<off_t>(size)), "Truncating", path_);
  }

  Result<uint64_t> size() const override {
    struct stat status;
    if (::fstat(descriptor_.get(), &status) != 0) return std::unexpected(error_of_errno(errno, "Looking at", path_));
    return static_cast<uint64_t>(status.st_size);
  }

 private:
  Descriptor descriptor_;
  std::string path_;
};

class SystemLock final : public Disk::Lock {
 public:
  explicit SystemLock(int descriptor) : descriptor_(descriptor) {}

 private:
  Descriptor descriptor_;  // the kernel lets go of the lock with the last copy of it
};

// A process that was killed while it started another leaves a copy of its descriptors there, until that one begins to
// run its program: moments, but seconds where the machine is busy.
constexpr std::chrono::milliseconds copy_lives_at_most{5'000};
constexpr std::chrono::milliseconds look_again_after{5};

bool runs(long pid) {
  Descriptor file(::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char text[512] = {};
  if (file.get() < 0 || ::read(file.get(), text, sizeof text - 1) <= 0) return false;
  const char* name_end = std::strrchr(text, ')');  // proc(5): then a blank and the state; Z: a zombie, X: dead
  return name_end != nullptr && name_end[1] != '\0' && name_end[2] != 'Z' && name_end[2] != 'X';
}

// The pid that was noted in a lock; empty where there is none.
std::string holder_of(int descriptor) {
  char text[32] = {};
  const ssize_t got = ::pread(descriptor, text, sizeof text - 1, 0);
  return got > 0 ? std::string(text, static_cast<size_t>(got)) : "";
}

// False: who holds it runs, or is not known. errno as flock(2) left it.
bool take_lock(int descriptor) {
  const auto deadline = std::chrono::steady_clock::now() + copy_lives_at_most;
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    const long holder = std::strtol(holder_of(descriptor).c_str(), nullptr, 10);
    const bool wait = why == EWOULDBLOCK && holder > 0 && !runs(holder) && std::chrono::steady_clock::now() < deadline;
    if (wait) std::this_thread::sleep_for(look_again_after);
    errno = why;
    if (!wait) return false;
  }
  return true;
}

int flags_of(Disk::Open how) {
  switch (how) {
    case Disk::Open::read: return O_RDONLY;
    case Disk::Open::write: return O_RDWR;
    case Disk::Open::create: return O_RDWR | O_CREAT | O_EXCL;
    case Disk::Open::ensure: return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

}  // namespace

Result<std::unique_ptr<File>> SystemDisk::open(const std::string& path, Open how) {
  int descriptor = ::open(path.c_str(), flags_of(how) | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(error_of_errno(errno, "Opening", path));
  return std::make_unique<SystemFile>(descriptor, path);
}

Result<> SystemDisk::make_directories(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string prefix = path.substr(0, slash);
    if (::mkdir(prefix.c_str(), 0700) != 0 && errno != EEXIST)
      return std::unexpected(error_of_errno(errno, "Making the folder", prefix));
    if (slash == std::string::npos) break;
  }
  struct stat status;
  if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
  return std::unexpected(error_of_errno(ENOTDIR, "Making the folder", path));
}

Result<std::vector<std::string>> SystemDisk::list(const std::string& directory) {
  DIR* stream = ::opendir(directory.c_str());
  if (!stream) return std::unexpected(error_of_errno(errno, "Listing", directory));
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

Result<bool> SystemDisk::exists(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return std::unexpected(error_of_errno(errno, "Looking for", path));
}

Result<> SystemDisk::rename(const std::string& from, const std::string& to) {
  return done_or_errno(::rename(from.c_str(), to.c_str()), "Renaming", from);
}

Result<> SystemDisk::remove(const std::string& path) { return done_or_errno(::unlink(path.c_str()), "Removing", path); }

Result<> SystemDisk::sync_directory(const std::string& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return std::unexpected(error_of_errno(errno, "Opening the folder", path));
  return done_or_errno(::fsync(directory.get()), "Syncing the folder", path);
}

Result<std::unique_ptr<Disk::Lock>> SystemDisk::lock(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(error_of_errno(errno, "Opening the lock", path));
  auto held = std::make_unique<SystemLock>(descriptor);
  if (!take_lock(descriptor)) {
    if (errno != EWOULDBLOCK) return std::unexpected(error_of_errno(errno, "Locking", path));
    std::string holder = holder_of(descriptor);
    if (!holder.empty()) holder = " (process " + holder + ")";
    return fail(Code::conflict, path + " is held by another process" + holder + ".");
  }
  std::string self = std::to_string(::getpid());
  // Only a hint, for the message above and for whether to wait: the lock itself is the kernel's.
  [[maybe_unused]] bool noted = ::ftruncate(descriptor, 0) == 0 &&
                                ::pwrite(descriptor, self.data(), self.size(), 0) == static_cast<ssize_t>(self.size());
  return held;
}

Result<std::string> read_file(Disk& disk, const std::string& path, size_t bytes_max) {
  auto file = disk.open(path, Disk::Open::read);
  if (!file) return std::unexpected(file.error());
  auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size > bytes_max)
    return fail(Code::exhausted,
                path + " is larger than the " + std::to_string(bytes_max) + " bytes that are read here.");
  std::string text(*size, '\0');
  auto got = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
  if (!got) return std::unexpected(got.error());
  text.resize(*got);
  return text;
}

Result<> write_file(Disk& disk, const std::string& path, std::string_view text) {
  std::string beside = path + ".new";
  auto file = disk.open(beside, Disk::Open::ensure);
  if (!file) return std::unexpected(file.error());
  if (auto emptied = (*file)->truncate(0); !emptied) return emptied;
  if (auto written = (*file)->write_at(0, std::as_bytes(std::span(text))); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto renamed = disk.rename(beside, path); !renamed) return renamed;
  auto slash = path.rfind('/');
  return disk.sync_directory(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace headrace::core
