#include "services/runner/disk_watch.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>

namespace headrace::runner {

using core::Task;

namespace {

constexpr std::chrono::seconds look_every{1};
constexpr int looks_a_walk = 30;
constexpr size_t entries_max = 4'000'000;

uint64_t used_of_file_system(const std::string& folder) {
  struct statvfs about{};
  if (::statvfs(folder.c_str(), &about) != 0) return 0;
  return (about.f_blocks - about.f_bfree) * about.f_frsize;
}

}  // namespace

uint64_t disk_bytes_below(const std::string& folder, size_t limit) {
  constexpr uint64_t block = 512;  // of st_blocks, stat(2)
  uint64_t sum = 0;
  size_t seen = 0;
  std::error_code error;
  auto all = std::filesystem::directory_options::skip_permission_denied;
  for (std::filesystem::recursive_directory_iterator at(folder, all, error), end; !error && at != end && seen < limit;
       at.increment(error), ++seen) {
    struct stat status{};
    if (::lstat(at->path().c_str(), &status) == 0) sum += static_cast<uint64_t>(status.st_blocks) * block;
  }
  return sum;
}

struct DiskWatch::Watched {
  core::Clock& clock;
  core::Pool& pool;
  std::string folder;
  uint64_t bytes_max;
  std::function<void(uint64_t)> exceeded;
};

DiskWatch::DiskWatch(core::Executor loop, core::Clock& clock, core::Pool& pool, std::string folder, uint64_t bytes_max,
                     std::function<void(uint64_t)> exceeded)
    : tasks_(std::move(loop)) {
  if (bytes_max == 0) return;
  auto watched =
      std::make_shared<Watched>(Watched{clock, pool, std::move(folder), bytes_max, std::move(exceeded)});  // its task's
  tasks_.spawn("disk of a job", watch(std::move(watched)));
}

Task<> DiskWatch::close() { co_await tasks_.close(); }

Task<> DiskWatch::watch(std::shared_ptr<Watched> watched) {
  uint64_t first = used_of_file_system(watched->folder);
  for (int look = 1;; ++look) {
    co_await watched->clock.sleep_for(look_every);
    bool grown = used_of_file_system(watched->folder) > first + watched->bytes_max;
    if (!grown && look % looks_a_walk != 0) continue;
    auto walk = [&folder = watched->folder] { return disk_bytes_below(folder, entries_max); };
    auto bytes = co_await core::blocking(watched->pool, std::move(walk));
    if (!bytes) continue;  // the pool is busy: at the next look
    if (*bytes > watched->bytes_max) co_return watched->exceeded(*bytes);
    first = used_of_file_system(watched->folder);  // what others took meanwhile is not the job's
    first -= std::min(first, *bytes);
  }
}

}  // namespace headrace::runner
