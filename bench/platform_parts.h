// What platform_bench.cc stands on: processes that end with their object, memory of a process and all it started, and
// blocking connections.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace headrace::bench {

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

inline int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

// A program that is killed with this object, and what it forked within its process group too.
class Child {
 public:
  explicit Child(const std::vector<std::string>& words) : process_(::fork()) {
    if (process_ != 0) return;
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    static_cast<void>(::freopen("/dev/null", "r", stdin));
    static_cast<void>(::freopen("/dev/null", "w", stdout));
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    std::_Exit(127);
  }
  ~Child() {
    if (process_ > 0) ::kill(-process_, SIGKILL);
    end(SIGKILL);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void end(int signal) {
    if (process_ <= 0) return;
    ::kill(process_, signal);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  // True once it has ended by itself; then `status` is that of waitpid(2).
  bool ended(int& status) {
    if (::waitpid(process_, &status, WNOHANG) == 0) return false;
    process_ = -1;
    return true;
  }
  pid_t process() const { return process_; }

 private:
  pid_t process_;
};

// Proportional memory of a process; of all processes whose command line names `folder`.
inline double pss_mib(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/smaps_rollup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Pss:")) return std::stod(line.substr(4)) / 1024;
  return 0;
}

inline double pss_mib_of_all(const std::string& folder, int& processes) {
  double sum = 0;
  processes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos || std::stoi(name) == ::getpid()) continue;
    std::ifstream file(entry.path() / "cmdline");
    std::string words(std::istreambuf_iterator<char>(file), {});
    if (words.find(folder) == std::string::npos) continue;
    sum += pss_mib(std::stoi(name));
    ++processes;
  }
  return sum;
}

inline std::string before_failing;  // a shell command that ends what would outlive the benchmark

// A blocking connection. Every failure ends the benchmark with a sentence: a figure must not come out of half a run.
class Wire {
 public:
  explicit Wire(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("cannot connect");
  }
  ~Wire() { ::close(socket_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) fail("the peer takes nothing");
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  std::string& received() { return in_; }
  void receive() {
    std::array<char, 65536> part;
    const ssize_t got = ::recv(socket_, part.data(), part.size(), 0);
    if (got <= 0) fail("the peer has gone");
    in_.append(part.data(), static_cast<size_t>(got));
  }
  std::string line() {
    size_t end = 0;
    while ((end = in_.find("\r\n")) == std::string::npos) receive();
    std::string text = in_.substr(0, end);
    in_.erase(0, end + 2);
    return text;
  }
  std::string exactly(size_t size) {
    while (in_.size() < size) receive();
    std::string text = in_.substr(0, size);
    in_.erase(0, size);
    return text;
  }
  [[noreturn]] static void fail(const std::string& what) {
    std::fprintf(stderr, "platform_bench: %s\n", what.c_str());
    static_cast<void>(std::system(before_failing.c_str()));
    std::_Exit(1);
  }

 private:
  int socket_;
  std::string in_;
};

inline bool listens(int port) {
  for (int i = 0; i < 200; ++i) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool open = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    if (open) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace headrace::bench
