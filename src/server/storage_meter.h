// StorageMeter is how much room each part of DATA takes. Walking it can take long, so a question is answered by the
// last walk, and begins another, off the loop, where that one is older than a minute. Loop only.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/task.h"

namespace headrace::server {

struct StoragePart {
  std::string name;    // "log", "repositories", "projections", "artifacts", "logs", "databases", "other"
  uint64_t bytes = 0;  // that the disk gives for it; holes cost nothing
  uint64_t files = 0;
};

struct Storage {
  core::Time at;  // when it was measured
  core::Duration took{};
  std::vector<StoragePart> parts;
  uint64_t disk_bytes = 0;  // of the file system that holds DATA
  uint64_t free_bytes = 0;  // that this process may use
};

// Blocks. Files that come and go meanwhile are counted or not; `given_up` ends it early.
std::vector<StoragePart> measure_folder(const std::string& data, const std::atomic<bool>& given_up);

class StorageMeter {
 public:
  StorageMeter(core::Loop& loop, core::Clock& clock, std::string data);  // loop and clock outlive it
  ~StorageMeter();

  const std::optional<Storage>& ask();  // nothing before the first walk has ended
  core::Task<> until_measured();        // waits for the walk at hand, if there is one
  core::Task<> stop();

 private:
  core::Task<> walk();

  core::Clock& clock_;
  std::string data_;
  std::optional<Storage> last_;
  std::atomic<bool> given_up_ = false;
  core::Pool pool_{"storage", {.threads = 1}};
  core::Scope tasks_;
};

}  // namespace headrace::server
