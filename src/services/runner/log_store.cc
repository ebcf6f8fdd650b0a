#include "services/runner/log_store.h"

#include <algorithm>

#include "core/bytes.h"

namespace headrace::runner {

using core::Code;
using core::Result;

struct LogStore::Growing {
  explicit Growing(const core::Executor& executor) : grown(executor) {}
  std::unique_ptr<core::File> file;
  uint64_t size = 0;
  core::Signal grown;
};

LogStore::LogStore(core::Executor executor, core::Disk& disk, std::string directory)
    : executor_(std::move(executor)), disk_(disk), directory_(std::move(directory)) {}

LogStore::~LogStore() = default;

std::string LogStore::path_of(const LogName& name) const {
  return directory_ + "/" + name.job.substr(name.job.size() - std::min<size_t>(2, name.job.size())) + "/" + name.job +
         "-" + std::to_string(name.attempt) + ".log";
}

Result<uint64_t> LogStore::open(const LogName& name) {
  if (auto known = growing_.find(name); known != growing_.end()) return known->second->size;
  auto path = path_of(name);
  if (auto made = disk_.make_directories(path.substr(0, path.rfind('/'))); !made) return std::unexpected(made.error());
  auto file = disk_.open(path, core::Disk::Open::ensure);
  if (!file) return std::unexpected(file.error());
  auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  auto log = std::make_shared<Growing>(executor_);
  log->file = std::move(*file);
  log->size = *size;
  growing_.emplace(name, std::move(log));
  return *size;
}

Result<uint64_t> LogStore::write(const LogName& name, uint64_t offset, std::string_view bytes) {
  auto known = growing_.find(name);
  if (known == growing_.end()) return core::fail(Code::conflict, "The log of this job is complete.");
  Growing& log = *known->second;
  if (offset > log.size)
    return core::fail(Code::conflict, "A piece of the log is missing: " + std::to_string(log.size) +
                                          " bytes are here, and this begins at " + std::to_string(offset) + ".");
  uint64_t doubled = std::min<uint64_t>(log.size - offset, bytes.size());
  bytes.remove_prefix(doubled);
  if (bytes.empty()) return log.size;
  if (auto written = log.file->write_at(log.size, core::as_bytes(bytes)); !written)
    return std::unexpected(written.error());
  log.size += bytes.size();
  log.grown.notify_all();
  return log.size;
}

void LogStore::close(const LogName& name) {
  auto known = growing_.find(name);
  if (known == growing_.end()) return;
  auto log = known->second;
  growing_.erase(known);
  log->grown.notify_all();
}

Result<> LogStore::sync(const LogName& name) { return syncing(name)(); }

std::function<Result<>()> LogStore::syncing(const LogName& name) const {
  return [&disk = disk_, directory = directory_, path = path_of(name), durable = durable_] {
    return sync_file(disk, directory, path, *durable);
  };
}

Result<> LogStore::sync_file(core::Disk& disk, const std::string& directory, const std::string& path,
                             Durable& durable) {
  auto file = disk.open(path, core::Disk::Open::write);
  if (!file) return std::unexpected(file.error());
  if (auto synced = (*file)->sync(); !synced) return synced;
  auto folder = path.substr(0, path.rfind('/'));
  if (auto synced = disk.sync_directory(folder); !synced) return synced;
  {
    const std::lock_guard lock(durable.mutex);
    if (durable.folders.contains(folder)) return {};
  }
  if (auto synced = disk.sync_directory(directory); !synced) return synced;
  const std::lock_guard lock(durable.mutex);
  durable.folders.insert(std::move(folder));
  return {};
}

Result<std::string> LogStore::read(const LogName& name, uint64_t offset, size_t max) const {
  auto file = disk_.open(path_of(name), core::Disk::Open::read);
  if (!file && file.error().code == Code::not_found) return std::string();
  if (!file) return std::unexpected(file.error());
  Result<size_t> got = 0;
  std::string bytes;
  bytes.resize_and_overwrite(max, [&](char* into, size_t count) {
    got = (*file)->read_at(offset, std::as_writable_bytes(std::span(into, count)));
    return got.value_or(0);
  });
  if (!got) return std::unexpected(got.error());
  return bytes;
}

// Of a log that grows, what was written whole: a write that failed may have left part of a piece behind.
Result<uint64_t> LogStore::size(const LogName& name) const {
  if (auto known = growing_.find(name); known != growing_.end()) return known->second->size;
  auto file = disk_.open(path_of(name), core::Disk::Open::read);
  if (!file && file.error().code == Code::not_found) return uint64_t{0};
  if (!file) return std::unexpected(file.error());
  return (*file)->size();
}

bool LogStore::growing(const LogName& name) const { return growing_.contains(name); }

core::Task<> LogStore::until_beyond(LogName name, uint64_t size, std::chrono::milliseconds limit) {
  auto known = growing_.find(name);
  if (known == growing_.end()) co_return;
  auto log = known->second;
  if (log->size > size) co_return;
  co_await log->grown.wait_for(limit);
}

}  // namespace headrace::runner
