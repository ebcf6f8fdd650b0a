// A disk in memory that a test owns: it loses power, fails, fills up, flips bytes, and says what may be left.
//
// What it promises is the least a real disk promises: data is durable after the file's sync, names after
// sync_directory, and of everything else a power cut keeps any subset - each 512-byte sector written since the last
// sync, each change of a file's size, each creation, renaming and removal, one by one. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/disk.h"
#include "core/random.h"

namespace headrace::core::testing {

inline constexpr size_t sector_bytes = 512;

class SimulatedDisk final : public Disk {
 public:
  SimulatedDisk();
  ~SimulatedDisk() override;

  Result<std::unique_ptr<File>> open(const std::string& path, Open how) override;
  Result<> make_directories(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<bool> exists(const std::string& path) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> sync_directory(const std::string& path) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override;

  // Changes so far: writes, truncations, syncs, creations, renamings, removals and directory syncs.
  uint64_t operations() const;
  uint64_t writes() const;
  uint64_t syncs() const;

  // Power goes when `operations` more changes were made: the next one, and everything after it, fails. A write that
  // meets the cut counts as begun: its sectors are among those that may be kept.
  void cut_power_after(uint64_t operations);
  void fail_write(uint64_t nth, size_t bytes_written = 0, Error error = write_error());  // 1: the next write from now
  void fail_sync(uint64_t nth);  // 1: the next sync from now, of a file or a directory; what it held may be lost
  void limit_space(std::optional<uint64_t> bytes);  // of all files together; a write beyond fits in part: exhausted
  void flip(const std::string& path, uint64_t offset, std::byte mask = std::byte{0xff});  // behind everyone's back
  uint64_t used() const;

  // The choices a power cut now would have: each is kept or lost.
  size_t unsynced() const;
  // The disk after the cut, with the choices for which `kept` says true; this one is unchanged.
  std::unique_ptr<SimulatedDisk> reboot(const std::function<bool(size_t)>& kept) const;
  std::unique_ptr<SimulatedDisk> reboot(Random& random) const;  // a random subset, of a random density
  std::unique_ptr<SimulatedDisk> reboot_with_nothing_unsynced() const;
  std::unique_ptr<SimulatedDisk> reboot_with_everything() const;

  static Error write_error();

 private:
  struct State;
  class OpenFile;
  class Held;
  std::shared_ptr<State> state_;  // shared with the files that are open
};

}  // namespace headrace::core::testing
