#include "process/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "process/descriptor.h"

namespace headrace::process {
namespace {

using core::Code;
using core::Result;

constexpr std::string_view name_prefix = "headrace-";
constexpr int64_t period_microseconds = 100'000;  // of the processor bound: the kernel's default

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Result<> put(const std::string& path, const std::string& word) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file && ::write(file.get(), word.data(), word.size()) == static_cast<ssize_t>(word.size())) return {};
  return std::unexpected(core::error_of_errno(errno, "setting a limit of a control group", path));
}

std::optional<uint64_t> number_of(const std::string& path) {
  std::string text = text_of(path);
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return {};
  return value;
}

// Of a file of lines "name value".
uint64_t member_of(const std::string& path, std::string_view name) {
  std::istringstream lines(text_of(path));
  std::string word;
  uint64_t value = 0;
  while (lines >> word >> value)
    if (word == name) return value;
  return 0;
}

bool make_folder(const std::string& path) { return ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST; }

// The path that /proc/self/cgroup names for a controller, "" being the one of version 2.
std::optional<std::string> own_path(const std::string& own, std::string_view controller) {
  std::istringstream lines(own);
  for (std::string line; std::getline(lines, line);) {
    size_t first = line.find(':');
    size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    if (names == "," + std::string(controller) + "," ||
        (!controller.empty() && names.find("," + std::string(controller) + ",") != std::string::npos))
      return line.substr(second + 1);
  }
  return {};
}

std::string joined(const std::string& root, const std::string& path) { return path == "/" ? root : root + path; }

// Groups of runners that live no more.
void sweep(const std::string& base) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(base, error)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with(name_prefix)) continue;
    pid_t pid = 0;
    const char* digits = name.data() + name_prefix.size();
    auto [end, bad] = std::from_chars(digits, name.data() + name.size(), pid);
    if (bad == std::errc() && *end == '-' && ::kill(pid, 0) != 0 && errno == ESRCH) ::rmdir(entry.path().c_str());
  }
}

std::string next_name() {
  static uint64_t last = 0;
  return std::string(name_prefix) + std::to_string(::getpid()) + "-" + std::to_string(++last);
}

// ---- Version 2

class Group2 final : public Cgroup {
 public:
  explicit Group2(std::string folder) : folder_(std::move(folder)) {}
  ~Group2() override { remove(); }

  std::vector<std::string> doors() const override { return {folder_ + "/cgroup.procs"}; }

  Result<> bound(const Bounds& bounds) override {
    auto quota = static_cast<int64_t>(std::llround(bounds.processors * static_cast<double>(period_microseconds)));
    auto text = [](auto value) { return value > 0 ? std::to_string(value) : std::string("max"); };
    if (auto done = put(folder_ + "/memory.max", text(bounds.memory_bytes)); !done) return done;
    if (auto done = put(folder_ + "/pids.max", text(bounds.processes)); !done) return done;
    // Without swap accounting, or without the processor's controller, there is no such file.
    if (::access((folder_ + "/memory.swap.max").c_str(), W_OK) == 0)
      if (auto done = put(folder_ + "/memory.swap.max", bounds.memory_bytes > 0 ? "0" : "max"); !done) return done;
    if (bounds.processors > 0 || ::access((folder_ + "/cpu.max").c_str(), W_OK) == 0)
      return put(folder_ + "/cpu.max", text(quota) + " " + std::to_string(period_microseconds));
    return {};
  }
  bool memory_was_short() const override { return member_of(folder_ + "/memory.events", "oom_kill") > 0; }
  bool processes_were_short() const override { return member_of(folder_ + "/pids.events", "max") > 0; }
  std::optional<uint64_t> memory_peak_bytes() const override { return number_of(folder_ + "/memory.peak"); }
  std::optional<uint64_t> processor_microseconds() const override {
    return member_of(folder_ + "/cpu.stat", "usage_usec");
  }
  bool remove() override { return ::rmdir(folder_.c_str()) == 0 || errno == ENOENT; }

 private:
  std::string folder_;
};

class Version2 final : public Cgroups {
 public:
  explicit Version2(std::string base) : base_(std::move(base)) { sweep(base_); }
  Tier tier() const override { return Tier::version2; }
  std::string why() const override { return {}; }
  Result<std::unique_ptr<Cgroup>> make(const Bounds& bounds) override {
    std::string folder = base_ + "/" + next_name();
    if (!make_folder(folder)) return std::unexpected(core::error_of_errno(errno, "making a control group", folder));
    auto group = std::make_unique<Group2>(folder);
    if (auto bound = group->bound(bounds); !bound) return std::unexpected(bound.error());
    return group;
  }

 private:
  std::string base_;
};

bool has_controllers(const std::string& path) {
  std::istringstream words(text_of(path));
  bool memory = false;
  bool processes = false;
  for (std::string word; words >> word;) {
    memory = memory || word == "memory";
    processes = processes || word == "pids";
  }
  return memory && processes;
}

// "No internal processes": a group that hands controllers down holds no processes itself, so those that are there (we,
// and a server beside us) move one floor down.
Result<> open_for_children(const std::string& base) {
  if (has_controllers(base + "/cgroup.subtree_control")) return {};
  std::string below = base + "/headrace-main";
  if (!make_folder(below)) return std::unexpected(core::error_of_errno(errno, "making a control group", below));
  std::istringstream processes(text_of(base + "/cgroup.procs"));
  for (std::string pid; processes >> pid;)
    if (auto moved = put(below + "/cgroup.procs", pid); !moved && ::kill(std::stoi(pid), 0) == 0) return moved;
  if (auto opened = put(base + "/cgroup.subtree_control", "+memory +pids +cpu"); opened) return {};
  return put(base + "/cgroup.subtree_control", "+memory +pids");  // the processor's is not delegated to us
}

// ---- Version 1: each controller has a tree of its own.

class Group1 final : public Cgroup {
 public:
  Group1(std::string memory, std::string processes, std::string processor, std::string account)
      : memory_(std::move(memory)),
        processes_(std::move(processes)),
        processor_(std::move(processor)),
        account_(std::move(account)) {}
  ~Group1() override { remove(); }

  std::vector<std::string> doors() const override {
    std::vector<std::string> all;
    for (const auto& folder : folders()) all.push_back(folder + "/cgroup.procs");
    return all;
  }
  Result<> bound(const Bounds& bounds) override {
    std::string bytes = bounds.memory_bytes > 0 ? std::to_string(bounds.memory_bytes) : "-1";
    std::string both = memory_ + "/memory.memsw.limit_in_bytes";  // with swap: not under the other, so set in two steps
    bool swap = ::access(both.c_str(), W_OK) == 0;
    if (swap)
      if (auto done = put(both, "-1"); !done) return done;
    if (auto done = put(memory_ + "/memory.limit_in_bytes", bytes); !done) return done;
    if (swap)
      if (auto done = put(both, bytes); !done) return done;
    if (auto done = put(processes_ + "/pids.max", bounds.processes > 0 ? std::to_string(bounds.processes) : "max");
        !done)
      return done;
    if (processor_.empty()) return {};
    auto quota = static_cast<int64_t>(std::llround(bounds.processors * static_cast<double>(period_microseconds)));
    return put(processor_ + "/cpu.cfs_quota_us", std::to_string(quota > 0 ? quota : -1));
  }
  bool memory_was_short() const override { return member_of(memory_ + "/memory.oom_control", "oom_kill") > 0; }
  bool processes_were_short() const override { return member_of(processes_ + "/pids.events", "max") > 0; }
  std::optional<uint64_t> memory_peak_bytes() const override {
    return number_of(memory_ + "/memory.max_usage_in_bytes");
  }
  std::optional<uint64_t> processor_microseconds() const override {
    if (account_.empty()) return {};
    auto nanoseconds = number_of(account_ + "/cpuacct.usage");
    if (!nanoseconds) return {};
    return *nanoseconds / 1'000;
  }
  bool remove() override {
    bool all = true;
    for (const auto& folder : folders()) all = (::rmdir(folder.c_str()) == 0 || errno == ENOENT) && all;
    return all;
  }

 private:
  std::vector<std::string> folders() const {
    std::vector<std::string> all{memory_, processes_};
    for (const auto* more : {&processor_, &account_})
      if (!more->empty() && *more != memory_ && *more != processes_) all.push_back(*more);
    return all;
  }
  std::string memory_, processes_, processor_, account_;  // folders; the last two may be empty
};

class Version1 final : public Cgroups {
 public:
  Version1(std::string memory, std::string processes, std::string processor, std::string account)
      : memory_(std::move(memory)),
        processes_(std::move(processes)),
        processor_(std::move(processor)),
        account_(std::move(account)) {
    for (const auto* base : {&memory_, &processes_, &processor_, &account_})
      if (!base->empty()) sweep(*base);
  }
  Tier tier() const override { return Tier::version1; }
  std::string why() const override { return {}; }
  Result<std::unique_ptr<Cgroup>> make(const Bounds& bounds) override {
    std::string name = "/" + next_name();
    auto below = [&name](const std::string& base) { return base.empty() ? base : base + name; };
    auto group = std::make_unique<Group1>(below(memory_), below(processes_), below(processor_), below(account_));
    for (const auto& folder : {below(memory_), below(processes_), below(processor_), below(account_)})
      if (!folder.empty() && !make_folder(folder))
        return std::unexpected(core::error_of_errno(errno, "making a control group", folder));
    if (auto bound = group->bound(bounds); !bound) return std::unexpected(bound.error());
    return group;
  }

 private:
  std::string memory_, processes_, processor_, account_;
};

class Without final : public Cgroups {
 public:
  explicit Without(std::string why) : why_(std::move(why)) {}
  Tier tier() const override { return Tier::none; }
  std::string why() const override { return why_; }
  Result<std::unique_ptr<Cgroup>> make(const Bounds&) override { return core::fail(Code::unavailable, why_); }

 private:
  std::string why_;
};

// Where a controller of version 1 has our group; empty: not mounted, or not ours to write to.
std::string tree_of(const std::string& root, const std::string& own, std::string_view controller) {
  auto path = own_path(own, controller);
  if (!path) return {};
  std::string mount = root + "/" + std::string(controller);
  for (const auto& folder : {joined(mount, *path), mount})  // within a container the path is seen from outside
    if (::access((folder + "/cgroup.procs").c_str(), W_OK) == 0 && ::access(folder.c_str(), W_OK) == 0) return folder;
  return {};
}

// The packaged unit leaves the runner alive when the server restarts, and systemd could not start the server again in a
// group that hands controllers down; from version 254 on it starts it one floor lower (DelegateSubgroup).
constexpr std::string_view unit_of_package = "/headrace.service";

std::string delegation_words(const std::string& base) {
  return "The control group " + base +
         " is not ours to divide; in the unit of the service, set Delegate=yes, or run it in a scope that has it "
         "(systemd-run --user --scope -p Delegate=yes).";
}

}  // namespace

std::unique_ptr<Cgroups> Cgroups::find(std::string root, const std::string& own) {
  if (auto path = own_path(own, ""); path && has_controllers(root + "/cgroup.controllers")) {
    std::string base = joined(root, *path);
    // One floor down after an earlier start.
    if (base.ends_with("/headrace-main")) base.resize(base.rfind('/'));
    if (base == joined(root, *path) && base.ends_with(unit_of_package))
      return std::make_unique<Without>(
          "Control groups in the unit headrace.service want systemd 254 or newer (DelegateSubgroup=headrace-main); "
          "with "
          "an older one run `headrace runner` in a unit of its own with Delegate=yes.");
    bool ours = ::access(base.c_str(), W_OK) == 0 && ::access((base + "/cgroup.subtree_control").c_str(), W_OK) == 0;
    if (!ours || !has_controllers(base + "/cgroup.controllers"))
      return std::make_unique<Without>(delegation_words(base));
    if (auto opened = open_for_children(base); !opened)
      return std::make_unique<Without>(delegation_words(base) + " (" + opened.error().detail + ")");
    return std::make_unique<Version2>(base);
  }
  std::string memory = tree_of(root, own, "memory");
  std::string processes = tree_of(root, own, "pids");
  if (!memory.empty() && !processes.empty())
    return std::make_unique<Version1>(memory, processes, tree_of(root, own, "cpu"), tree_of(root, own, "cpuacct"));
  return std::make_unique<Without>("No control groups can be written below " + root +
                                   "; as another user than root that needs version 2 and Delegate=yes in the unit.");
}

std::unique_ptr<Cgroups> Cgroups::find(std::string root) { return find(std::move(root), text_of("/proc/self/cgroup")); }

}  // namespace headrace::process
