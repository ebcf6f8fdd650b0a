#include "support/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace headrace::support {

namespace {

constexpr milliseconds look_every{5};

std::atomic<int> started{0};

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (auto& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

void redirect(int descriptor, const char* path, int flags) {
  int opened = ::open(path, flags | O_CLOEXEC, 0600);
  if (opened < 0 || ::dup2(opened, descriptor) < 0) ::_exit(126);
}

}  // namespace

bool eventually(const std::function<bool()>& good, milliseconds limit) {
  auto end = std::chrono::steady_clock::now() + limit;
  while (!good()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(look_every);
  }
  return true;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

Process::Process(Command command, std::string folder)
    : stem_(std::move(folder) + "/" + std::to_string(started.fetch_add(1))) {
  std::string in = stem_ + ".in", out = stem_ + ".out", err = stem_ + ".err";
  write_file(in, command.in);
  auto argv = pointers(command.argv);
  auto environment = pointers(command.environment);
  pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ != 0) return;
  // Between fork and exec only what is safe after a fork of a process with threads.
  if (command.dies_with_us) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
  }
  redirect(0, in.c_str(), O_RDONLY);
  redirect(1, out.c_str(), O_WRONLY | O_CREAT | O_APPEND);
  redirect(2, err.c_str(), O_WRONLY | O_CREAT | O_APPEND);
  if (!command.directory.empty() && ::chdir(command.directory.c_str()) != 0) ::_exit(126);
  ::execvpe(argv[0], argv.data(), environment.data());
  ::_exit(127);
}

Process::~Process() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  reap(true);
}

bool Process::reap(bool block) {
  if (exit_) return true;
  if (pid_ <= 0) {
    exit_ = -1;
    return true;
  }
  int status = 0;
  if (::waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return false;
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

bool Process::running() { return !reap(false); }

void Process::signal(int number) {
  if (running()) ::kill(pid_, number);
}

Ran Process::wait(milliseconds limit) {
  bool ended = eventually([this] { return reap(false); }, limit);
  if (!ended) {
    ::kill(pid_, SIGKILL);
    reap(true);
  }
  return {ended ? *exit_ : -1, out(), err()};
}

std::string Process::out() const { return read_file(stem_ + ".out"); }
std::string Process::err() const { return read_file(stem_ + ".err"); }

Ran run(Command command, const std::string& folder, milliseconds limit) {
  Process process(std::move(command), folder);
  return process.wait(limit);
}

}  // namespace headrace::support
