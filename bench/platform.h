// The whole binary, started as a user starts it; for the benchmarks that measure it so. HEADRACE_BINARY names it.
#pragma once

#include <cstdlib>
#include <memory>

#include "platform_parts.h"

namespace headrace::bench {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

inline double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

inline void run(const std::string& command) {
  if (std::system(("(" + command + ") >/dev/null 2>&1 </dev/null").c_str()) != 0) Wire::fail("this failed: " + command);
}

class Platform {
 public:
  // Jobs that ask for ubuntu-latest run by `executor`.
  Platform(std::string binary, fs::path folder, std::string executor = "host")
      : binary_(std::move(binary)), folder_(std::move(folder)), executor_(std::move(executor)) {
    start();
  }
  ~Platform() { stop(); }
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  // Until /readyz says that projections are at the tail; in milliseconds.
  double start() {
    port = free_port();
    const auto began = Clock::now();
    serve_ = std::make_unique<Child>(
        std::vector<std::string>{binary_, "serve", "--data", data(), "--listen", "127.0.0.1:" + std::to_string(port),
                                 "--label", "ubuntu-latest=" + executor_, "--bootstrap-token-file", folder_ / "token"});
    while (!ready()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const double took = milliseconds_since(began);
    std::ifstream(folder_ / "token") >> token;
    return took;
  }
  void kill() { serve_->end(SIGKILL); }
  void stop() {
    static_cast<void>(std::system((binary_ + " down --data " + data() + " >/dev/null 2>&1").c_str()));
    serve_->end(SIGKILL);
  }

  std::string data() const { return folder_ / "data"; }
  pid_t process() const { return serve_->process(); }
  std::string git_url(const std::string& name) const {
    return "http://x:" + token + "@127.0.0.1:" + std::to_string(port) + "/team/" + name + ".git";
  }
  std::string cli(const std::string& words) const {
    return "HEADRACE_URL=http://127.0.0.1:" + std::to_string(port) + " HEADRACE_TOKEN=" + token + " " + binary_ + " " +
           words;
  }

  int port = 0;
  std::string token;

 private:
  bool ready() const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    std::array<char, 512> answer{};
    const std::string_view request = "GET /readyz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    const bool good = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                      ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
                      ::recv(socket, answer.data(), answer.size() - 1, 0) > 0 &&
                      std::string_view(answer.data()).starts_with("HTTP/1.1 200");
    ::close(socket);
    return good;
  }

  std::string binary_;
  fs::path folder_;
  std::string executor_;
  std::unique_ptr<Child> serve_;
};

inline void set_environment(const fs::path& folder) {
  ::setenv("HOME", folder.c_str(), 1);
  ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  ::setenv("GIT_TERMINAL_PROMPT", "0", 1);
  for (const char* name : {"GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"}) ::setenv(name, "Bench", 1);
  for (const char* name : {"GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"}) ::setenv(name, "bench@example.com", 1);
  ::unsetenv("XDG_CONFIG_HOME");
}

}  // namespace headrace::bench
