// What platform_bench.cc stands on: processes that end with their object, memory of a process and all it started, and
// blocking clients for HTTP, WebSocket, Redis and NATS that put the same bytes in flight on each side.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
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

// post() sends an event, or a batch, without waiting; settle() waits for the acknowledgement of the oldest unsettled.
class Publisher {
 public:
  Publisher() = default;
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  virtual ~Publisher() = default;
  virtual void post(std::string_view event) = 0;
  virtual void settle() = 0;
};

inline std::string http_post(const std::string& path, const std::string& type, const std::string& token,
                             std::string_view body) {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + token + "\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

inline int http_answer(Wire& wire, std::string* body = nullptr) {
  const std::string status = wire.line();
  size_t length = 0;
  for (std::string header = wire.line(); !header.empty(); header = wire.line()) {
    if (::strncasecmp(header.c_str(), "content-length:", 15) == 0) length = std::stoul(header.substr(15));
  }
  std::string text = wire.exactly(length);
  if (body != nullptr) *body = std::move(text);
  return std::stoi(status.substr(9, 3));
}

class HttpPublisher : public Publisher {
 public:
  HttpPublisher(int port, std::string token, std::string type)
      : wire_(port), token_(std::move(token)), type_(std::move(type)) {}
  void post(std::string_view event) override { wire_.send(http_post("/api/v1/events", type_, token_, event)); }
  void settle() override {
    std::string body;
    if (http_answer(wire_, &body) / 100 != 2) Wire::fail("publishing over HTTP was refused: " + body);
  }

 private:
  Wire wire_;
  std::string token_, type_;
};

// RFC 6455: a client masks; the mask is zero, which leaves the bytes as they are.
class WebSocketPublisher : public Publisher {
 public:
  WebSocketPublisher(int port, const std::string& token) : wire_(port) {
    wire_.send("GET /api/v1/events/publish HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + token +
               "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Protocol: headrace-publish.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    if (wire_.line().substr(9, 3) != "101") Wire::fail("the WebSocket was refused");
    while (!wire_.line().empty()) continue;
  }
  void post(std::string_view event) override {
    std::string frame = "\x81";
    if (event.size() < 126) {
      frame += static_cast<char>(0x80 | event.size());
    } else {
      frame += static_cast<char>(0x80 | 126);
      frame += static_cast<char>(event.size() >> 8);
      frame += static_cast<char>(event.size() & 0xff);
    }
    frame.append(4, '\0').append(event);
    wire_.send(frame);
  }
  void settle() override {
    const std::string head = wire_.exactly(2);
    size_t size = static_cast<unsigned char>(head[1]) & 0x7f;
    if (size == 126) {
      const std::string more = wire_.exactly(2);
      size = static_cast<size_t>(static_cast<unsigned char>(more[0])) << 8 | static_cast<unsigned char>(more[1]);
    }
    const std::string said = wire_.exactly(size);
    if (said.find("\"error\"") != std::string::npos) Wire::fail("publishing over WebSocket was refused: " + said);
  }

 private:
  Wire wire_;
};

class RedisPublisher : public Publisher {
 public:
  explicit RedisPublisher(int port) : wire_(port) {}
  void post(std::string_view event) override {
    wire_.send("*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nd\r\n$" + std::to_string(event.size()) + "\r\n" +
               std::string(event) + "\r\n");
  }
  void settle() override {
    if (wire_.line()[0] != '$') Wire::fail("Redis refused XADD");
    wire_.line();
  }

 private:
  Wire wire_;
};

// JetStream over the plain protocol: a publish with a reply subject is acknowledged there.
class NatsPublisher : public Publisher {
 public:
  explicit NatsPublisher(int port) : wire_(port) {
    wire_.line();  // INFO
    wire_.send("CONNECT {\"verbose\":false}\r\nSUB _INBOX.b 1\r\n");
    const std::string stream = R"({"name":"B","subjects":["b"],"storage":"file"})";
    wire_.send("PUB $JS.API.STREAM.CREATE.B _INBOX.b " + std::to_string(stream.size()) + "\r\n" + stream + "\r\n");
    settle();
  }
  void post(std::string_view event) override {
    wire_.send("PUB b _INBOX.b " + std::to_string(event.size()) + "\r\n" + std::string(event) + "\r\n");
  }
  void settle() override {
    std::string head = wire_.line();
    while (head.starts_with("PING") || head.starts_with("+OK")) head = wire_.line();
    if (!head.starts_with("MSG ")) Wire::fail("NATS refused: " + head);
    const std::string said = wire_.exactly(std::stoul(head.substr(head.rfind(' ') + 1)) + 2);
    if (said.find("\"error\"") != std::string::npos) Wire::fail("JetStream refused: " + said);
  }

 private:
  Wire wire_;
};

}  // namespace headrace::bench
