// Files, injected: production has the kernel's, a test a simulated disk that loses power, fills up and flips bytes
// (core/testing/simulated_disk.h). All calls block; none retries a failed sync, for the state of the pages is unknown
// after one (see "fsync error" in docs/log-format.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace headrace::core {

class File {
 public:
  virtual ~File() = default;  // closes; unsynced data may be lost
  // Reads at most bytes.size() bytes at `offset`; fewer only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, std::span<std::byte> bytes) const = 0;
  // All of the bytes or an error; after an error any part of them may have been written.
  virtual Result<> write_at(uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual Result<> sync() = 0;  // fdatasync: data and size are durable when it returns without error
  virtual Result<> truncate(uint64_t size) = 0;
  virtual Result<uint64_t> size() const = 0;
};

class Disk {
 public:
  enum class Open {
    read,    // must exist
    write,   // must exist; read and write
    create,  // must not exist; read and write
    ensure,  // read and write, made empty if it is not there
  };
  // An exclusive lock, held until destroyed or the process ends (and then waited for, where that left a copy of it to a
  // process it was about to start: at most 5 s).
  class Lock {
   public:
    virtual ~Lock() = default;
  };

  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, Open how) = 0;
  virtual Result<> make_directories(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;  // names, sorted, without . and ..
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<> rename(const std::string& from,
                          const std::string& to) = 0;            // replaces; durable after sync_directory
  virtual Result<> remove(const std::string& path) = 0;          // not_found if it is not there
  virtual Result<> sync_directory(const std::string& path) = 0;  // makes creations, renames and removals in it durable
  // Code::conflict, with who holds it if known, when another process (or another Lock of this one) has it.
  virtual Result<std::unique_ptr<Lock>> lock(const std::string& path) = 0;
};

// The kernel's files. Everything it opens is closed on exec; files are made 0600, folders 0700.
class SystemDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, Open how) override;
  Result<> make_directories(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<bool> exists(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override;
};

// A whole file, at most `bytes_max` (Code::exhausted beyond).
Result<std::string> read_file(Disk& disk, const std::string& path, size_t bytes_max = size_t{64} << 20);
// Replaces the file as one step that a crash cannot tear: write beside it, sync, rename, sync the folder.
Result<> write_file(Disk& disk, const std::string& path, std::string_view text);

}  // namespace headrace::core
