#include "server/storage_meter.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <functional>
#include <map>
#include <utility>

namespace headrace::server {

namespace {

constexpr std::chrono::seconds fresh_for{60};
constexpr uint64_t block_bytes = 512;  // of st_blocks, whatever the file system has: stat(2)

std::string part_of(const std::filesystem::path& top) {
  auto name = top.filename().string();
  for (const auto* folder : {"log", "repositories", "projections", "logs", "artifacts"})
    if (name == folder) return name;
  return name.find(".db") == std::string::npos ? "other" : "databases";
}

void count(const std::filesystem::path& file, StoragePart& part) {
  struct stat found{};
  if (::lstat(file.c_str(), &found) != 0) return;  // gone meanwhile
  part.bytes += static_cast<uint64_t>(found.st_blocks) * block_bytes;
  if (S_ISREG(found.st_mode)) ++part.files;
}

// Each folder for itself, so that one which goes meanwhile does not end the walk.
void walk(const std::filesystem::path& folder, const std::atomic<bool>& given_up,
          const std::function<void(const std::filesystem::directory_entry&)>& look) {
  std::error_code wrong;
  for (auto one = std::filesystem::directory_iterator(folder, wrong);
       !wrong && one != std::filesystem::directory_iterator() && !given_up; one.increment(wrong))
    look(*one);
}

void count_all(const std::filesystem::directory_entry& entry, StoragePart& part, const std::atomic<bool>& given_up) {
  count(entry.path(), part);
  std::error_code gone;
  if (entry.is_symlink(gone) || !entry.is_directory(gone)) return;
  walk(entry.path(), given_up, [&](const auto& one) { count_all(one, part, given_up); });
}

}  // namespace

std::vector<StoragePart> measure_folder(const std::string& data, const std::atomic<bool>& given_up) {
  std::map<std::string, StoragePart> parts;
  walk(data, given_up, [&](const std::filesystem::directory_entry& top) {
    auto name = part_of(top.path());
    auto& part = parts[name];
    part.name = std::move(name);
    count_all(top, part, given_up);
  });
  std::vector<StoragePart> list;
  for (auto& [name, part] : parts) list.push_back(std::move(part));
  return list;
}

StorageMeter::StorageMeter(core::Loop& loop, core::Clock& clock, std::string data)
    : clock_(clock), data_(std::move(data)), tasks_(loop.executor()) {}

StorageMeter::~StorageMeter() { given_up_ = true; }

const std::optional<Storage>& StorageMeter::ask() {
  const bool old = !last_ || clock_.now() - last_->at > fresh_for;
  if (old && tasks_.size() == 0 && !given_up_) tasks_.spawn("measuring the storage", walk());
  return last_;
}

core::Task<> StorageMeter::until_measured() { return tasks_.until_idle(); }

core::Task<> StorageMeter::stop() {
  given_up_ = true;
  return tasks_.close();
}

core::Task<> StorageMeter::walk() {
  Storage measured;
  measured.at = clock_.now();
  const auto begun = clock_.steady();
  auto walking = [this] { return measure_folder(data_, given_up_); };
  auto parts = co_await core::blocking(pool_, std::move(walking));
  if (!parts || given_up_) co_return;
  measured.parts = std::move(*parts);
  measured.took = clock_.steady() - begun;
  struct statvfs disk{};
  if (::statvfs(data_.c_str(), &disk) == 0) {
    measured.disk_bytes = static_cast<uint64_t>(disk.f_blocks) * disk.f_frsize;
    measured.free_bytes = static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
  }
  last_ = std::move(measured);
}

}  // namespace headrace::server
