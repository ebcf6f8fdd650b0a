#include "cli/exec_workshop.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "core/bytes.h"
#include "core/diagnostics.h"
#include "services/runner/assignment.h"
#include "services/runner/container_leftovers.h"
#include "services/runner/leftovers.h"

namespace headrace::cli {

using core::Code;
using core::Result;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds lock_max{10};  // others hold the lock of all for moments

// Tries until it is free: whoever has it, has it for moments.
Result<std::unique_ptr<core::Disk::Lock>> lock_soon(core::Disk& disk, const std::string& path) {
  const auto deadline = std::chrono::steady_clock::now() + lock_max;
  while (true) {
    auto lock = disk.lock(path);
    if (lock || lock.error().code != Code::conflict || std::chrono::steady_clock::now() > deadline) return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

std::string plain(std::string_view name) {
  std::string text;
  for (char c : name) text += std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ? c : '-';
  return text.empty() || text[0] == '.' ? "job" + text : text.substr(0, 100);
}

}  // namespace

std::string cache_folder() {
  const char* chosen = std::getenv("XDG_CACHE_HOME");
  if (chosen != nullptr && *chosen == '/') return std::string(chosen) + "/headrace";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.cache/headrace";
  return "/var/tmp/headrace-" + std::to_string(::geteuid());
}

Result<> put_file(const std::string& path, std::string_view text) {
  core::SystemDisk disk;
  auto file = disk.open(path, core::Disk::Open::ensure);
  if (!file) return std::unexpected(file.error());
  if (auto emptied = (*file)->truncate(0); !emptied) return emptied;
  return (*file)->write_at(0, core::as_bytes(text));
}

Workshop::Workshop(core::Disk& disk, std::string cache, std::string id)
    : disk_(disk), cache_(std::move(cache)), id_(std::move(id)), folder_(cache_ + "/exec/" + id_) {}

Result<std::unique_ptr<Workshop>> Workshop::open(core::Loop& loop, core::Disk& disk, const std::string& cache,
                                                 std::string id) {
  std::unique_ptr<Workshop> made(new Workshop(disk, cache, std::move(id)));
  for (const char* folder : {"/exec", "/kept", "/summaries"})
    if (auto there = disk.make_directories(cache + folder); !there) return std::unexpected(there.error());
  auto all = lock_soon(disk, cache + "/exec/lock");
  if (!all) return std::unexpected(all.error());
  made->end_others(loop);
  auto own = disk.lock(made->folder_ + ".lock");
  if (!own) return std::unexpected(own.error());
  made->own_ = std::move(*own);
  if (auto there = disk.make_directories(made->folder_); !there) return std::unexpected(there.error());
  made->take_kept();
  made->forget_summaries();
  return made;
}

// What nobody holds the lock of is of one that has gone without an end.
void Workshop::end_others(core::Loop& loop) const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(cache_ + "/exec", error)) {
    if (entry.path().extension() != ".lock") continue;
    auto lock = disk_.lock(entry.path());
    if (!lock) continue;
    std::string folder = (entry.path().parent_path() / entry.path().stem()).string();
    if (size_t ended = runner::end_leftovers(folder); ended > 0)
      core::diagnose(core::Level::warning, "exec",
                     "ended " + std::to_string(ended) + " processes of jobs of an exec that was killed");
    if (auto containers = loop.run(runner::remove_left_containers(loop.executor(), folder)); !containers) {
      core::diagnose(core::Level::warning, "exec", containers.error().message);
      continue;  // what names them stays for the next one
    }
    if (auto removed = runner::remove_folder(folder); !removed) {
      core::diagnose(core::Level::warning, "exec", removed.error().message + " " + removed.error().detail);
      continue;
    }
    std::error_code ignored;  // the next one tries again
    fs::remove(entry.path(), ignored);
  }
}

void Workshop::take_kept() {
  for (int i = 0; i < kept_folders_max; ++i) {
    std::string folder = cache_ + "/kept/" + std::to_string(i);
    auto lock = disk_.lock(folder + ".lock");
    if (!lock) continue;
    kept_lock_ = std::move(*lock);
    kept_ = folder;
    return;
  }
  kept_ = folder_ + "/kept";
}

void Workshop::forget_summaries() const {
  std::error_code error;
  std::vector<std::string> all;
  for (const auto& entry : fs::directory_iterator(cache_ + "/summaries", error)) all.push_back(entry.path());
  std::ranges::sort(all);  // ids begin with their time
  for (size_t i = 0; i + summaries_kept < all.size(); ++i) fs::remove_all(all[i], error);
}

Result<std::string> Workshop::summary_file(std::string_view job) const {
  std::string folder = cache_ + "/summaries/" + id_;
  if (auto made = disk_.make_directories(folder); !made) return std::unexpected(made.error());
  return folder + "/" + plain(job) + ".md";
}

Workshop::~Workshop() {
  if (!own_) return;
  runner::end_leftovers(folder_);
  if (auto removed = runner::remove_folder(folder_); !removed) {
    core::diagnose(core::Level::warning, "exec", removed.error().message + " " + removed.error().detail);
    return;  // its lock stays, so the next one finds it
  }
  std::error_code ignored;  // likewise
  fs::remove(folder_ + ".lock", ignored);
}

}  // namespace headrace::cli
