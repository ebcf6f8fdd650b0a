// rooms: net core
//
// The HTTP server in a process of its own, on one thread: a fixed answer under wrk, beside nginx serving a file of the
// same bytes with one worker; what ten thousand idle connections weigh; server-sent events to ten clients.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/task.h"
#include "net/server.h"
#include "net/sse.h"
#include "report.h"

namespace headrace::net {
namespace {

using bench::Better;

constexpr int rounds = 3;
constexpr int seconds_each = 4;
constexpr int idle_connections = 10'000;
constexpr size_t watchers = 10;
constexpr size_t event_bytes = 1024;
constexpr size_t feed_backlog_max = 256;       // events a watcher may be behind before the publisher waits
constexpr double jetstream_fan_out = 197'000;  // recorded: deliveries/s, 1 to 10 (EVENT-LOG.md, section 3)
constexpr std::chrono::seconds feed_measured_for{4};
const std::string body(128, 'x');

// --- The server

struct Feed {
  explicit Feed(core::Executor executor) : changed(std::move(executor)) {}
  std::deque<std::shared_ptr<const std::string>> events;
  uint64_t first = 0;  // number of events.front()
  std::vector<uint64_t> cursors;
  core::Signal changed;
};

// Everything a watcher is behind, as one write.
std::string pending(const Feed& feed, uint64_t& cursor) {
  std::string bytes;
  for (; cursor < feed.first + feed.events.size(); ++cursor) bytes += *feed.events[cursor - feed.first];
  return bytes;
}

core::Task<> watch(Feed& feed, Exchange& exchange) {
  SseWriter writer(exchange);
  auto sent = co_await writer.open();
  const size_t me = feed.cursors.size();
  feed.cursors.push_back(feed.first + feed.events.size());
  while (sent && !exchange.ending()) {
    const std::string bytes = pending(feed, feed.cursors[me]);
    if (bytes.empty()) {
      co_await feed.changed.wait();
      continue;
    }
    sent = co_await writer.send_encoded(bytes);
    feed.changed.notify_all();
  }
}

core::Task<> publish_for_ever(Feed& feed) {
  const ServerSentEvent event{.id = "1", .name = "dev.cdevents.build.started", .data = std::string(event_bytes, 'e')};
  while (true) {
    const uint64_t slowest = feed.cursors.size() < watchers ? 0 : *std::ranges::min_element(feed.cursors);
    while (!feed.events.empty() && feed.first < slowest) feed.events.pop_front(), ++feed.first;
    if (feed.cursors.size() < watchers || feed.events.size() >= feed_backlog_max) {
      co_await feed.changed.wait_for(std::chrono::milliseconds(50));
      continue;
    }
    while (feed.events.size() < feed_backlog_max)
      feed.events.push_back(std::make_shared<const std::string>(encode(event)));
    feed.changed.notify_all();
  }
}

core::Task<> idle_stream(Exchange& exchange) {
  SseWriter writer(exchange);
  auto sent = co_await writer.open();
  co_await exchange.until_ending();
}

core::Task<> idle_websocket(Exchange& exchange) {
  WebSocketOptions options;
  auto socket = co_await exchange.upgrade(options);
  if (socket) auto got = co_await (*socket)->receive();
}

struct Handlers {
  Feed* feed;
  core::Task<> operator()(Exchange& exchange) const {
    const std::string& path = exchange.request().path;
    if (path == "/feed") return watch(*feed, exchange);
    if (path == "/idle") return idle_stream(exchange);
    if (path == "/ws") return idle_websocket(exchange);
    return answer(exchange);
  }
  static core::Task<> answer(Exchange& exchange) {
    auto sent = co_await exchange.respond(make_response(Status::ok, body));
  }
};

[[noreturn]] void serve(int tell) {
  core::Loop loop;
  core::SystemClock clock;
  Feed feed(loop.executor());
  Server server(loop.executor(), clock, Handlers{&feed});
  auto address = server.listen("127.0.0.1:0");
  const int port = address ? std::stoi(address->substr(address->rfind(':') + 1)) : 0;
  if (::write(tell, &port, sizeof port) != sizeof port) std::_Exit(1);
  loop.spawn(publish_for_ever(feed));
  loop.run();
  std::_Exit(0);
}

// A child process that ends with this object.
class Child {
 public:
  explicit Child(pid_t process) : process_(process) {}
  ~Child() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  int port = 0;
  pid_t process() const { return process_; }

 private:
  pid_t process_;
};

std::unique_ptr<Child> start_server() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) std::abort();
  const pid_t process = ::fork();
  if (process == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(ends[1]);
  }
  auto child = std::make_unique<Child>(process);
  if (::read(ends[0], &child->port, sizeof child->port) != sizeof child->port) std::abort();
  ::close(ends[0]);
  ::close(ends[1]);
  return child;
}

// --- nginx

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
  ::close(socket);
  return -1;
}

bool listens(int port) {
  for (int i = 0; i < 100; ++i) {
    if (const int socket = connect_to(port); socket >= 0) return ::close(socket) == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  return false;
}

std::unique_ptr<Child> start_nginx(const std::filesystem::path& folder) {
  const int port = free_port();
  std::filesystem::create_directories(folder / "root");
  std::ofstream(folder / "root" / "index.txt") << body;
  const std::string here = folder.string();
  std::ofstream(folder / "nginx.conf") << "daemon off; master_process off; pid " << here << "/pid; error_log " << here
                                       << "/error crit;\n"
                                       << "events { worker_connections 4096; }\nhttp { access_log off; sendfile on; "
                                          "open_file_cache max=100; keepalive_requests 1000000000;\n"
                                       << "client_body_temp_path " << here << "/a; proxy_temp_path " << here
                                       << "/b; fastcgi_temp_path " << here << "/c; uwsgi_temp_path " << here
                                       << "/d; scgi_temp_path " << here << "/e;\nserver { listen 127.0.0.1:" << port
                                       << "; root " << here << "/root; index index.txt; } }\n";
  const pid_t process = ::fork();
  if (process == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string configuration = here + "/nginx.conf";
    ::execlp("nginx", "nginx", "-c", configuration.c_str(), "-p", here.c_str(), nullptr);
    std::_Exit(127);
  }
  auto child = std::make_unique<Child>(process);
  child->port = port;
  return listens(port) ? std::move(child) : nullptr;
}

// --- Figures

double requests_per_second(int port, int connections) {
  const std::string command = "wrk -t1 -c" + std::to_string(connections) + " -d" + std::to_string(seconds_each) +
                              "s http://127.0.0.1:" + std::to_string(port) +
                              "/index.txt 2>/dev/null | awk '/Requests.sec/ {print $2} /Non-2xx/ {print -1}'";
  FILE* pipe = ::popen(command.c_str(), "r");
  double result = 0;
  if (pipe == nullptr || std::fscanf(pipe, "%lf", &result) != 1) result = 0;
  if (pipe != nullptr) ::pclose(pipe);
  return result;
}

double memory_mib(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/smaps_rollup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Pss:")) return std::stod(line.substr(4)) / 1024;
  return 0;
}

void throughput(const std::filesystem::path& folder) {
  if (bench::first_line_of("(wrk -v 2>&1)").empty())
    return bench::print_skip("requests a second", "wrk is not installed");
  auto ours = start_server();
  auto nginx = start_nginx(folder);
  for (int connections : {1, 64}) {
    const std::string figure = "fixed answer of 128 bytes, " + std::to_string(connections) + " connections, one thread";
    if (!nginx) {
      bench::print({.figure = figure,
                    .unit = "requests/s",
                    .ours = requests_per_second(ours->port, connections),
                    .reference = {},
                    .against = {},
                    .target = {},
                    .note = "nginx is not installed"});
      continue;
    }
    const auto sides = bench::alternate(
        rounds, [&] { return requests_per_second(ours->port, connections); },
        [&] { return requests_per_second(nginx->port, connections); });
    bench::print({.figure = figure,
                  .unit = "requests/s",
                  .ours = sides.ours,
                  .reference = sides.reference,
                  .against = "nginx, a static file, 1 worker",
                  .target = bench::ratio(1.0),
                  .note = {}});
  }
}

const std::string websocket_request =
    "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const std::string stream_request = "GET /idle HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string plain_request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

void idle(const std::string& kind, const std::string& request) {
  auto server = start_server();
  const double before = memory_mib(server->process());
  std::vector<int> sockets;
  std::array<char, 4096> answer;
  for (int i = 0; i < idle_connections; ++i) {
    const int socket = connect_to(server->port);
    if (socket < 0 || ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0 ||
        ::recv(socket, answer.data(), answer.size(), 0) <= 0)
      break;
    sockets.push_back(socket);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const double after = memory_mib(server->process());
  for (int socket : sockets) ::close(socket);
  const std::string figure = "10,000 idle " + kind + ", memory of the process";
  if (sockets.size() < idle_connections)
    return bench::print_skip(
        figure, "only " + std::to_string(sockets.size()) + " connections could be opened; raise ulimit -n");
  const int each = static_cast<int>((after - before) * 1024 * 1024 / idle_connections);
  bench::print({.figure = figure,
                .unit = "MiB",
                .ours = after,
                .reference = {},
                .against = {},
                .better = Better::lower,
                .target = bench::at_most(150),
                .note = std::to_string(each) + " bytes each"});
}

// Events that arrive at all watchers together, by the bytes read.
double fan_out() {
  auto server = start_server();
  std::vector<pollfd> sockets;
  const std::string request = "GET /feed HTTP/1.1\r\nHost: h\r\n\r\n";
  for (size_t i = 0; i < watchers; ++i) {
    const int socket = connect_to(server->port);
    if (socket < 0 || ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) return 0;
    sockets.push_back({.fd = socket, .events = POLLIN, .revents = 0});
  }
  std::vector<char> bytes(1 << 20);
  uint64_t read = 0;
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < feed_measured_for) {
    ::poll(sockets.data(), sockets.size(), 100);
    for (const pollfd& socket : sockets)
      if ((socket.revents & POLLIN) != 0)
        if (const ssize_t got = ::recv(socket.fd, bytes.data(), bytes.size(), MSG_DONTWAIT); got > 0)
          read += static_cast<uint64_t>(got);
  }
  for (const pollfd& socket : sockets) ::close(socket.fd);
  const ServerSentEvent event{.id = "1", .name = "dev.cdevents.build.started", .data = std::string(event_bytes, 'e')};
  return static_cast<double>(read) / static_cast<double>(encode(event).size()) /
         std::chrono::duration<double>(feed_measured_for).count();
}

void run() {
  const rlimit files{.rlim_cur = 20'000, .rlim_max = 20'000};
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto folder = std::filesystem::temp_directory_path() / ("headrace_net_bench." + std::to_string(::getpid()));
  bench::print_version("nginx", bench::first_line_of("(nginx -v 2>&1)"));
  bench::print_version("wrk", bench::first_line_of("(wrk -v 2>&1)"));
  throughput(folder);
  idle("WebSockets", websocket_request);
  idle("event streams", stream_request);
  idle("kept connections", plain_request);
  bench::print({.figure = "server-sent events of 1 KiB, 1 to 10 clients",
                .unit = "deliveries/s",
                .ours = fan_out(),
                .reference = jetstream_fan_out,
                .against = "JetStream (recorded)",
                .target = bench::ratio(1.0),
                .note = {}});
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace headrace::net

int main() {
  std::signal(SIGPIPE, SIG_IGN);
  headrace::net::run();
  return 0;
}
