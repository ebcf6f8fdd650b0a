#include "services/runner/reports.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "core/bytes.h"
#include "report/pack.h"

namespace headrace::runner {

using core::Result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr size_t piece_bytes = 256 * 1024;
constexpr std::string_view reports_prefix = "$HEADRACE_REPORTS/";

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

Descriptor open_folder(int within, const char* name) {
  return Descriptor(::openat(within, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// Name by name, so that no link on the way leads out.
Descriptor open_beneath(int root, std::string_view path) {
  Descriptor folder(::fcntl(root, F_DUPFD_CLOEXEC, 0));
  for (size_t slash = path.find('/'); folder && slash != std::string_view::npos; slash = path.find('/')) {
    folder = open_folder(folder.get(), std::string(path.substr(0, slash)).c_str());
    path.remove_prefix(slash + 1);
  }
  if (!folder) return folder;
  // Without O_NONBLOCK a pipe would wait for its writer.
  return Descriptor(::openat(folder.get(), std::string(path).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

using Reading = std::expected<report::Report, report::Problem>;

std::unexpected<report::Problem> refused(std::string why) {
  return std::unexpected(report::Problem{0, 0, std::move(why)});
}

std::unexpected<report::Problem> refused(int number, std::string_view doing) {
  return refused(core::error_of_errno(number, doing).message);
}

Reading read_all(int file) {
  report::Reader reader;
  std::string piece(piece_bytes, '\0');
  for (size_t total = 0; total <= report::file_bytes_max;) {
    ssize_t count = ::read(file, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refused(errno, "reading a report");
    if (count == 0) return reader.finish();
    auto fed = reader.feed(std::string_view(piece).substr(0, static_cast<size_t>(count)));
    if (!fed) return std::unexpected(fed.error());
    total += static_cast<size_t>(count);
  }
  return refused("The file grew beyond 64 MiB while it was read.");
}

Reading read_report(const std::string& root, std::string_view path) {
  Descriptor folder = open_folder(AT_FDCWD, root.c_str());
  if (!folder) return refused(errno, "opening the folder of a report");
  Descriptor file = open_beneath(folder.get(), path);
  if (!file) return refused(errno, "opening a report");
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return refused(errno, "looking at a report");
  if (!S_ISREG(info.st_mode)) return refused("It is not a regular file any more.");
  return read_all(file.get());
}

bool skipped_folder(std::string_view name) { return name == ".git" || name == "node_modules"; }

void hide(report::Report& report, const Masks& masks) {
  for (auto& suite : report.suites)
    for (std::string* text : {&suite.name, &suite.file, &suite.system_out, &suite.system_err})
      *text = masks.masked(*text);
  for (auto& one : report.cases)
    for (std::string* text : {&one.class_name, &one.name, &one.file, &one.type, &one.message, &one.details,
                              &one.system_out, &one.system_err})
      *text = masks.masked(*text);
}

constexpr double microseconds_max = 1e15;

int64_t microseconds_of(double seconds) {
  return static_cast<int64_t>(std::clamp(seconds * 1e6, 0.0, microseconds_max));
}

}  // namespace

Reported told_of(Token token, int64_t step, const std::string& file, const report::Report& report) {
  const report::Totals& counted = report.counted;
  report::Packed packed = report::pack(report);
  Reported reported{.token = token,
                    .step = step,
                    .file = file,
                    .totals = {.suites = static_cast<int64_t>(report.suites.size()),
                               .cases = counted.cases,
                               .passed = counted.passed,
                               .failed = counted.failed,
                               .errored = counted.errored,
                               .skipped = counted.skipped,
                               .not_run = counted.not_run,
                               .flaky = counted.flaky,
                               .duration_us = microseconds_of(counted.seconds)},
                    .told = packed.told,
                    .parts = {}};
  for (const auto& part : packed.parts) reported.parts.push_back(core::to_base64(core::as_bytes(part)));
  return reported;
}

bool has_the_name_of_a_report(std::string_view name) {
  return name.ends_with(".xml") && (name.starts_with("junit") || name.starts_with("TEST-"));
}

// One walk over both folders.
struct ReportWalk {
  enum class Which { by_name, all };
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const Identity&) const = default;
  };

  ReportFinder::Marks marks;
  std::string incomplete;
  Identity apart;  // the reports folder, where it lies in the workspace
  size_t entries = 0;
  Clock::time_point deadline = Clock::now() + walk_time_max;

  bool stopped() {
    if (entries >= walk_entries_max) note("The workspace has more than 200000 entries; not all were looked at.");
    if (Clock::now() >= deadline)
      note("Looking for reports took more than 5 s; not all of the workspace was looked at.");
    return entries >= walk_entries_max || Clock::now() >= deadline;
  }
  void note(std::string_view why) {
    if (incomplete.empty()) incomplete = why;
  }

  void walk(Descriptor folder, const std::string& path, Which which, size_t depth) {
    if (depth > walk_depth_max)
      return note("Folders stand more than 32 deep in each other; deeper ones were not looked at.");
    const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(folder.get()), ::closedir);
    if (!listing) return note("A folder could not be listed.");
    folder.release();  // the listing owns it
    while (const dirent* entry = ::readdir(listing.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (stopped()) return;
      ++entries;
      look_at(::dirfd(listing.get()), entry->d_name, path, which, depth);
    }
  }

  void look_at(int folder, const char* name, const std::string& path, Which which, size_t depth) {
    struct stat info{};
    if (::fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return;  // gone meanwhile
    if (S_ISDIR(info.st_mode)) {
      if (which == Which::by_name && skipped_folder(name)) return;
      if (which == Which::by_name && Identity{info.st_dev, info.st_ino} == apart) return;
      if (Descriptor inner = open_folder(folder, name)) walk(std::move(inner), path + name + "/", which, depth + 1);
    } else if (S_ISREG(info.st_mode) && (which == Which::all || has_the_name_of_a_report(name))) {
      marks[path + name] = {info.st_ino, static_cast<uint64_t>(info.st_size),
                            info.st_mtim.tv_sec * int64_t{1'000'000'000} + info.st_mtim.tv_nsec};
    }
  }
};

ReportFinder::ReportFinder(std::string workspace, std::string reports_folder, std::string inside,
                           std::chrono::seconds read_time)
    : workspace_(std::move(workspace)),
      reports_folder_(std::move(reports_folder)),
      inside_(std::move(inside)),
      read_time_(read_time) {
  if (!inside_.empty() && !inside_.ends_with('/')) inside_ += '/';
  if (auto before = look()) known_ = std::move(*before);
}

Result<ReportFinder::Marks> ReportFinder::look() {
  ReportWalk walk;
  if (!reports_folder_.empty()) {
    Descriptor folder = open_folder(AT_FDCWD, reports_folder_.c_str());
    struct stat info{};
    if (folder && ::fstat(folder.get(), &info) == 0) {
      walk.apart = {info.st_dev, info.st_ino};
      walk.walk(std::move(folder), std::string(reports_prefix), ReportWalk::Which::all, 0);
    }
  }
  Descriptor workspace = open_folder(AT_FDCWD, workspace_.c_str());
  if (!workspace) return std::unexpected(core::error_of_errno(errno, "looking for test reports in", workspace_));
  walk.walk(std::move(workspace), "", ReportWalk::Which::by_name, 0);
  incomplete_ = std::move(walk.incomplete);
  return std::move(walk.marks);
}

// A file that was seen before stays known though this walk did not come as far.
Result<> ReportFinder::after_step() {
  auto now = look();
  if (!now) return std::unexpected(now.error());
  changed_.clear();
  read_until_ = Clock::now() + read_time_;
  size_t bytes = 0;
  for (const auto& [file, mark] : *now) {
    auto before = known_.find(file);
    if (before != known_.end() && before->second == mark) continue;
    known_[file] = mark;
    if (changed_.size() < reports_a_step_max && bytes + mark.size <= report_bytes_a_step_max) {
      bytes += mark.size;
      changed_.emplace_back(file, mark.size);
    } else if (incomplete_.empty()) {
      incomplete_ =
          "A step wrote more reports than are read after one (200 files, 128 MiB); write fewer, larger files.";
    }
  }
  return {};
}

FoundReport ReportFinder::read(const std::string& file, uint64_t size) const {
  const bool apart = file.starts_with(reports_prefix);
  std::string_view path = file;
  if (apart) path.remove_prefix(reports_prefix.size());
  Reading reading = size > report::file_bytes_max
                        ? Reading(refused("The file is larger than 64 MiB; write several files."))
                        : read_report(apart ? reports_folder_ : workspace_, path);
  return {core::to_valid_utf8(file), std::move(reading)};
}

std::optional<FoundReport> ReportFinder::next(const Masks& masks) {
  if (!changed_.empty() && Clock::now() >= read_until_) {
    incomplete_ = "Reading the test reports of a step took more than " + std::to_string(read_time_.count()) + " s; " +
                  std::to_string(changed_.size()) + " were left unread.";
    changed_.clear();
  }
  if (changed_.empty()) return std::nullopt;
  auto [file, size] = std::move(changed_.front());
  changed_.pop_front();
  FoundReport found = read(file, size);
  if (found.reading && !inside_.empty())
    for (auto& one : found.reading->cases)
      if (one.file.starts_with(inside_)) one.file.erase(0, inside_.size());
  if (!masks.empty()) {
    found.file = masks.masked(found.file);
    if (found.reading) hide(*found.reading, masks);
  }
  if (found.reading) found.told = told_of(0, 0, found.file, *found.reading);
  return found;
}

}  // namespace headrace::runner
