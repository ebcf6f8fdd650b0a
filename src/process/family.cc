#include "process/family.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <memory>
#include <thread>

#include "process/descriptor.h"
#include "process/pidfd.h"
#include "process/proc_stat.h"

namespace headrace::process {
namespace {

constexpr size_t words_bytes_max = size_t{4} << 20;  // more than the kernel lets a process be started with by default
constexpr int rounds_max = 50;
constexpr std::chrono::milliseconds between_rounds{20};
constexpr int quiet_rounds = 2;  // one that was being started shows its environment a moment later

// "environ" or "cmdline": words that each end with a NUL.
std::string read_words(pid_t pid, const char* file) {
  Descriptor from(::open(("/proc/" + std::to_string(pid) + "/" + file).c_str(), O_RDONLY | O_CLOEXEC));
  std::string words;
  if (!from) return words;
  std::array<char, 16 * 1024> part;
  while (words.size() < words_bytes_max) {
    const ssize_t got = ::read(from.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    words.append(part.data(), static_cast<size_t>(got));
  }
  return words;
}

template <class Hear>
void each_word(std::string_view words, Hear hear) {
  while (!words.empty()) {
    const size_t end = words.find('\0');
    hear(words.substr(0, end));
    words.remove_prefix(end == std::string_view::npos ? words.size() : end + 1);
  }
}

bool belongs(pid_t pid, const std::function<bool(std::string_view)>& ours) {
  bool found = false;
  each_word(read_words(pid, "environ"), [&](std::string_view entry) { found = found || ours(entry); });
  return found;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), &::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

// Looked at again once the pidfd is open: from then on the pid cannot come to mean another process.
void end_one(pid_t pid, const std::function<bool(std::string_view)>& ours) {
  const Descriptor pidfd(open_pidfd(pid));
  if (!pidfd || !belongs(pid, ours)) return;
  const pid_t group = ::getpgid(pid);
  if (group > 1 && group != ::getpgrp()) ::kill(-group, SIGKILL);
  signal_pidfd(pidfd.get(), SIGKILL);
}

// Of the other process, from its fork to its end.
[[noreturn]] void keep_watch(int pipe, const std::function<void()>& then) {
  ::setsid();
  if (::chdir("/") != 0) ::_exit(1);
  // It is not to be taken for what it was forked from, whose environment it has.
  for (char** entry = environ; *entry != nullptr; ++entry) std::fill_n(*entry, std::string_view(*entry).size(), '\0');
  const int mine = ::dup2(pipe, 0);
  ::syscall(SYS_close_range, 1U, ~0U, 0U);
  for (int stream = 1; stream <= 2; ++stream)
    if (::open("/dev/null", O_WRONLY) < 0) ::_exit(1);
  bool armed = false;
  char word = 0;
  for (ssize_t got = 1; got > 0 || (got < 0 && errno == EINTR);) {
    got = ::read(mine, &word, 1);
    armed = armed || got == 1;
  }
  if (armed) then();
  ::_exit(0);
}

}  // namespace

std::vector<pid_t> find_family(const std::function<bool(std::string_view)>& ours) {
  std::vector<pid_t> found;
  for (const pid_t pid : all_processes()) {
    if (pid == ::getpid() || !belongs(pid, ours)) continue;
    const auto stat = read_proc_stat(pid);
    if (stat && stat->state != 'Z' && stat->state != 'X') found.push_back(pid);
  }
  return found;
}

std::vector<pid_t> end_family(const std::function<bool(std::string_view)>& ours) {
  std::vector<pid_t> ended;
  int quiet = 0;
  for (int round = 0; round < rounds_max; ++round) {
    const auto found = find_family(ours);
    quiet = found.empty() ? quiet + 1 : 0;
    if (quiet == quiet_rounds) break;
    for (const pid_t pid : found) {
      end_one(pid, ours);
      if (std::ranges::find(ended, pid) == ended.end()) ended.push_back(pid);
    }
    std::this_thread::sleep_for(between_rounds);
  }
  return ended;
}

std::vector<std::string> arguments_of(pid_t pid) {
  std::vector<std::string> arguments;
  each_word(read_words(pid, "cmdline"), [&](std::string_view word) { arguments.emplace_back(word); });
  return arguments;
}

core::Result<Warden> Warden::post(std::function<void()> then) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(core::error_of_errno(errno, "making a pipe"));
  Descriptor theirs(ends[0]);
  Warden warden(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(core::error_of_errno(errno, "starting a process"));
  if (pid == 0) keep_watch(theirs.get(), then);
  return warden;
}

void Warden::arm() {
  ssize_t written = 0;
  do {
    written = ::write(pipe_, "a", 1);
  } while (written < 0 && errno == EINTR);
}

Warden::Warden(Warden&& other) noexcept : pipe_(std::exchange(other.pipe_, -1)) {}

Warden::~Warden() {
  if (pipe_ >= 0) ::close(pipe_);
}

}  // namespace headrace::process
