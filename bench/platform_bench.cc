// rooms: core
//
// The whole binary as a user meets it, started by `serve` with its runner: memory, start, git, a line of a log, and
// publishing over its HTTP interface beside Redis and NATS on the same disk. HEADRACE_BINARY names the binary.
#include <sys/time.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <sstream>

#include "platform.h"
#include "publishers.h"
#include "report.h"

namespace headrace::bench {
namespace {

constexpr int rounds_of_git = 15;
constexpr int rounds_of_publishing = 3;
constexpr std::chrono::seconds seconds_of_publishing{2};
constexpr int lines_printed = 200;
constexpr int events_in_log = 1'000'000;
constexpr int batch_events = 1'000;
constexpr size_t clone_bytes = size_t{48} << 20;
constexpr size_t push_bytes = size_t{1} << 30;
constexpr size_t payload_bytes = 512;

double milliseconds(const std::string& command) {
  return seconds([&] { run(command); }) * 1000;
}

// --- Memory and start

void measure_idle(const Platform& platform) {
  std::this_thread::sleep_for(std::chrono::seconds(2));
  int processes = 0;
  const double all = pss_mib_of_all(platform.data(), processes);
  print({.figure = "idle memory, PSS of all processes",
         .unit = "MiB",
         .ours = all,
         .reference = {},
         .against = "Gitea 100-200, Buildbot 140, Laminar 8.5 (recorded)",
         .better = Better::lower,
         .target = at_most(30),
         .note = std::to_string(processes) + " processes, server " +
                 std::to_string(static_cast<int>(pss_mib(platform.process()))) + " MiB"});
}

// One event, its number left out; and an array of such.
std::string event_without_number() {
  return R"({"specversion":"1.0","id":")" + std::string(number_place) +
         R"(","source":"https://bench.example","type":"com.example.measured","time":"2026-01-01T00:00:00Z","data":")" +
         std::string(payload_bytes, 'x') + "\"}";
}

std::string batch_without_numbers(int count) {
  std::string batch = "[";
  for (int i = 0; i < count; ++i) batch.append(i == 0 ? "" : ",").append(event_without_number());
  return batch + "]";
}

const std::string one_type = "application/cloudevents+json";
const std::string batch_type = "application/cloudevents-batch+json";

void measure_start(const std::string& binary, const fs::path& folder) {
  Platform platform(binary, folder);
  {
    HttpPublisher publisher(platform.port, 0, platform.token, batch_type, batch_without_numbers(batch_events));
    for (int done = 0; done < events_in_log; done += batch_events) {
      publisher.post(1);
      publisher.settle();
    }
  }
  std::vector<double> clean, killed;
  for (int round = 0; round < 3; ++round) {
    platform.stop();
    clean.push_back(platform.start());
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    platform.kill();
    killed.push_back(platform.start());
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  int processes = 0;
  const double memory = pss_mib_of_all(platform.data(), processes);
  print({.figure = "start to ready, 1 M events in the log",
         .unit = "ms",
         .ours = median(clean),
         .reference = {},
         .against = "Laminar 7 ms, no log (recorded)",
         .better = Better::lower,
         .target = at_most(100),
         .note = "after kill -9: " + std::to_string(static_cast<int>(median(killed))) + " ms"});
  print({.figure = "memory with 1 M events in the log, PSS of all processes",
         .unit = "MiB",
         .ours = memory,
         .reference = {},
         .against = {},
         .better = Better::lower,
         .target = at_most(30),
         .note = std::to_string(processes) + " processes"});
}

// --- git, beside git http-backend under nginx

class Backend {
 public:
  explicit Backend(const fs::path& folder) : port(free_port()) {
    const std::string here = folder;
    fs::create_directories(folder / "git");
    std::ofstream(folder / "nginx.conf")
        << "daemon off; master_process off; pid " << here << "/pid; error_log " << here << "/error crit;\n"
        << "events { worker_connections 64; }\nhttp { access_log off; client_max_body_size 0; client_body_temp_path "
        << here << "/a; proxy_temp_path " << here << "/b; fastcgi_temp_path " << here << "/c; uwsgi_temp_path " << here
        << "/d; scgi_temp_path " << here << "/e;\nserver { listen 127.0.0.1:" << port << "; location / { "
        << "include /etc/nginx/fastcgi_params; fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend; "
        << "fastcgi_param GIT_HTTP_EXPORT_ALL 1; fastcgi_param REMOTE_USER bench; fastcgi_param GIT_PROJECT_ROOT "
        << here << "/git; fastcgi_param PATH_INFO $uri; fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol; "
        << "fastcgi_pass unix:" << here << "/socket; } } }\n";
    wrapper_ =
        std::make_unique<Child>(std::vector<std::string>{"fcgiwrap", "-c", "2", "-s", "unix:" + here + "/socket"});
    nginx_ = std::make_unique<Child>(std::vector<std::string>{"nginx", "-c", here + "/nginx.conf", "-p", here});
    if (!listens(port)) Wire::fail("nginx does not listen");
  }
  std::string url(const std::string& name) const {
    return "http://127.0.0.1:" + std::to_string(port) + "/" + name + ".git";
  }
  int port;

 private:
  std::unique_ptr<Child> wrapper_, nginx_;
};

constexpr const char* backend_named = "git http-backend under nginx, no rights, no policy, no event";

void measure_git(const Platform& platform, const fs::path& folder) {
  const std::string work = folder / "work";
  const Backend backend(folder);
  for (const std::string name : {"small", "large"}) {
    run(platform.cli("repo create team/" + name));
    const std::string bare = folder / "git" / (name + ".git");
    run("git init -q --bare " + bare + " && git -C " + bare + " config http.receivepack true");
  }
  run("git init -q -b main " + work + " && cd " + work + " && git remote add ours " + platform.git_url("small") +
      " && git remote add theirs " + backend.url("small") +
      " && echo 0 >a && git add a && git commit -qm a && git push -q ours main && git push -q theirs main");
  const auto listing = alternate(
      rounds_of_git, [&] { return milliseconds("git ls-remote " + platform.git_url("small")); },
      [&] { return milliseconds("git ls-remote " + backend.url("small")); });
  print({.figure = "git ls-remote over HTTP",
         .unit = "ms",
         .ours = listing.ours,
         .reference = listing.reference,
         .against = backend_named,
         .better = Better::lower,
         .target = at_most(16),
         .note = "the git client alone, on file://: " +
                 std::to_string(static_cast<int>(milliseconds("git ls-remote file://" + work))) + " ms"});
  const auto push = [&](const std::string& to) {
    run("cd " + work + " && date +%N >>a && git commit -qam a");
    return milliseconds("git -C " + work + " push -q " + to + " main");
  };
  const auto pushes = alternate(rounds_of_git, [&] { return push("ours"); }, [&] { return push("theirs"); });
  print({.figure = "git push returns, the event durable",
         .unit = "ms",
         .ours = pushes.ours,
         .reference = pushes.reference,
         .against = backend_named,
         .better = Better::lower,
         .target = at_most(45),
         .note = {}});

  const std::string large = folder / "large";
  run("git init -q -b main " + large + " && cd " + large + " && for i in $(seq 1 " + std::to_string(clone_bytes >> 20) +
      "); do head -c 524288 /dev/urandom >r$i; seq $((i * 10000)) $((i * 10000 + 60000)) >t$i; done && git add . && "
      "git commit -qm a && git push -q " +
      platform.git_url("large") + " main && git push -q " + backend.url("large") + " main");
  int round = 0;
  const auto clone = [&](const std::string& from) {
    return milliseconds("git clone -q --bare " + from + " " + (folder / ("clone" + std::to_string(round++))).string());
  };
  const auto clones =
      alternate(5, [&] { return clone(platform.git_url("large")); }, [&] { return clone(backend.url("large")); });
  print({.figure = "clone of 44 MB in 96 files",
         .unit = "ms",
         .ours = clones.ours,
         .reference = clones.reference,
         .against = backend_named,
         .better = Better::lower,
         .target = ratio(0.95),
         .note = "mostly the client"});
}

void measure_large_push(const Platform& platform, const fs::path& folder) {
  const std::string huge = folder / "huge";
  const std::string uncompressed = "git -c core.compression=0 -c pack.compression=0 -c core.bigFileThreshold=1m ";
  run("git init -q -b main " + huge + " && cd " + huge + " && for i in $(seq 1 16); do head -c " +
      std::to_string(push_bytes / 16) + " /dev/urandom >r$i; done && " + uncompressed + "add . && " + uncompressed +
      "commit -qm a");
  run(platform.cli("repo create team/huge"));
  const double before = pss_mib(platform.process());
  double peak = before;
  const auto began = Clock::now();
  Child push({"sh", "-c", "cd " + huge + " && exec " + uncompressed + "push -q " + platform.git_url("huge") + " main"});
  int status = 0;
  while (!push.ended(status)) {
    peak = std::max(peak, pss_mib(platform.process()));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (status != 0) Wire::fail("1 GB could not be pushed");
  print(
      {.figure = "memory growth of the server while 1 GB is pushed",
       .unit = "MiB",
       .ours = peak - before,
       .reference = {},
       .against = {},
       .better = Better::lower,
       .target = at_most(32),
       .note = "in " + std::to_string(static_cast<int>(milliseconds_since(began) / 1000)) + " s; sampled every 20 ms"});
}

// --- A line, from the step that prints it to `headrace run watch`

void measure_line(const Platform& platform, const fs::path& folder) {
  const std::string work = folder / "lines";
  run(platform.cli("repo create team/lines"));
  fs::create_directories(folder / "lines/.github/workflows");
  std::ofstream(folder / "lines/.github/workflows/ci.yml")
      << "on: push\njobs:\n  print:\n    runs-on: ubuntu-latest\n    steps:\n      - run: for i in $(seq 1 "
      << lines_printed << "); do echo at=$EPOCHREALTIME; sleep 0.02; done\n";
  run("cd " + work + " && git init -q -b main && git add . && git commit -qm a && git push -q " +
      platform.git_url("lines") + " main");
  FILE* watch = ::popen((platform.cli("run watch --repo team/lines") + " 2>&1").c_str(), "r");
  if (watch == nullptr) Wire::fail("run watch does not start");
  std::vector<double> late;
  std::array<char, 4096> line;
  while (::fgets(line.data(), line.size(), watch) != nullptr) {
    timeval now{};
    ::gettimeofday(&now, nullptr);
    const std::string_view text(line.data());
    const size_t at = text.find("at=");
    // The log begins with the script itself, where no time stands behind it.
    if (at == std::string_view::npos || at + 3 == text.size() || text[at + 3] < '0' || text[at + 3] > '9') continue;
    const double printed = std::stod(std::string(text.substr(at + 3)));
    late.push_back((static_cast<double>(now.tv_sec) - printed) * 1000 + static_cast<double>(now.tv_usec) / 1000);
  }
  ::pclose(watch);
  if (late.size() < lines_printed / 2) return print_skip("a line printed -> seen", "the run did not print its lines");
  late.erase(late.begin(), late.begin() + 20);  // printed before the watcher was there
  std::ostringstream note;
  note.precision(3);
  note << "p50 " << median(late) << " ms, p99 " << quantile(late, 0.99) << " ms";
  print({.figure = "a line printed -> seen by run watch, p95",
         .unit = "ms",
         .ours = quantile(late, 0.95),
         .reference = {},
         .against = "Woodpecker up to 1 s, Buildbot up to 5 s (recorded)",
         .better = Better::lower,
         .target = at_most(25),
         .note = note.str()});
}

// --- Publishing

using Connect = std::function<std::unique_ptr<Publisher>(int64_t first)>;
int64_t next_number = 1'000'000'000;

// Events of one connection until `end`, with `window` messages unanswered.
int64_t flow(Publisher& publisher, int window, Clock::time_point end) {
  int64_t settled = 0;
  publisher.post(window);
  while (Clock::now() < end) {
    const int answered = publisher.settle();
    settled += answered;
    publisher.post(answered);
  }
  const int64_t in_time = settled;
  while (window > 0) window -= publisher.settle();
  return in_time * publisher.events_a_message();
}

double flow_of(const Connect& connect, int connections, int window) {
  std::vector<std::unique_ptr<Publisher>> publishers;
  for (int i = 0; i < connections; ++i) publishers.push_back(connect(next_number += 100'000'000));
  std::vector<int64_t> events(publishers.size());
  std::vector<std::thread> threads;
  const auto end = Clock::now() + seconds_of_publishing;
  for (size_t i = 0; i < publishers.size(); ++i)
    threads.emplace_back([&, i] { events[i] = flow(*publishers[i], window, end); });
  for (auto& thread : threads) thread.join();
  int64_t sum = 0;
  for (int64_t count : events) sum += count;
  return static_cast<double>(sum) / static_cast<double>(seconds_of_publishing.count());
}

void compare(const std::string& figure, const std::function<double()>& ours, const std::function<double()>& reference,
             const std::string& against, double wanted, const std::string& note) {
  const auto sides = alternate(rounds_of_publishing, ours, reference);
  print({.figure = "publish, " + figure,
         .unit = "events/s",
         .ours = sides.ours,
         .reference = sides.reference,
         .against = against,
         .better = Better::higher,
         .target = ratio(wanted),
         .note = note});
}

void measure_publishing(const Platform& platform, const fs::path& folder) {
  const auto over_http = [&platform](int64_t first, const std::string& type, const std::string& body) {
    return std::make_unique<HttpPublisher>(platform.port, first, platform.token, type, body);
  };
  const std::string event = event_without_number();
  const std::string batch = batch_without_numbers(256);
  const Connect http = [&](int64_t first) { return over_http(first, one_type, event); };
  const Connect batches = [&](int64_t first) { return over_http(first, batch_type, batch); };
  const Connect socket = [&](int64_t first) {
    return std::make_unique<WebSocketPublisher>(platform.port, first, platform.token, event);
  };
  const std::string here = folder;
  if (first_line_of("redis-server --version").empty()) {
    print_skip("publishing beside Redis", "redis-server is not installed");
  } else {
    const int port = free_port();
    fs::create_directories(folder / "redis");
    const Child redis({"redis-server", "--port", std::to_string(port), "--dir", here + "/redis", "--appendonly", "yes",
                       "--appendfsync", "always", "--save", ""});
    if (!listens(port)) Wire::fail("Redis does not listen");
    const Connect xadd = [&](int64_t first) { return std::make_unique<RedisPublisher>(port, first, event); };
    const std::string against = "Redis XADD, appendfsync always";
    compare(
        "HTTP, 1 in flight", [&] { return flow_of(http, 1, 1); }, [&] { return flow_of(xadd, 1, 1); }, against, 1.0,
        "an HTTP request an event");
    compare(
        "HTTP, 16 connections", [&] { return flow_of(http, 16, 1); }, [&] { return flow_of(xadd, 16, 1); }, against,
        1.0, "an HTTP request an event");
    compare(
        "HTTP, batches of 256", [&] { return flow_of(batches, 1, 1); }, [&] { return flow_of(xadd, 1, 256); },
        against + ", 256 pipelined", 2.0, "");
    compare(
        "WebSocket, 256 in flight", [&] { return flow_of(socket, 1, 256); }, [&] { return flow_of(xadd, 1, 256); },
        against + ", 256 pipelined", 2.0, "");
  }
  if (first_line_of("nats-server --version").empty())
    return print_skip("publishing beside NATS", "nats-server is not installed");
  const int port = free_port();
  const Child nats({"nats-server", "-a", "127.0.0.1", "-p", std::to_string(port), "-l", here + "/nats.log", "-js",
                    "-sd", here + "/nats"});
  if (!listens(port)) Wire::fail("NATS does not listen");
  const Connect jetstream = [&](int64_t first) { return std::make_unique<NatsPublisher>(port, first, event); };
  const std::string against = "NATS JetStream, acknowledged from the page cache";
  compare(
      "HTTP, 1 in flight", [&] { return flow_of(http, 1, 1); }, [&] { return flow_of(jetstream, 1, 1); }, against, 0.3,
      "ours is on disk, theirs is not");
  compare(
      "WebSocket, 256 in flight", [&] { return flow_of(socket, 1, 256); }, [&] { return flow_of(jetstream, 1, 256); },
      against, 0.8, "ours is on disk, theirs is not");
  compare(
      "HTTP, batches of 256", [&] { return flow_of(batches, 1, 1); }, [&] { return flow_of(jetstream, 1, 256); },
      against + ", 256 in flight", 0.8, "ours is on disk, theirs is not");
}

void measure_all(const std::string& binary, const fs::path& folder) {
  {
    const Platform platform(binary, folder / "first");
    measure_idle(platform);
    if (first_line_of("command -v fcgiwrap").empty() || first_line_of("command -v nginx").empty()) {
      print_skip("git beside git http-backend", "nginx and fcgiwrap are not installed");
    } else {
      fs::create_directories(folder / "backend");
      measure_git(platform, folder / "backend");
    }
    measure_line(platform, folder);
    measure_large_push(platform, folder);
    measure_publishing(platform, folder);
  }
  measure_start(binary, folder / "second");
}

}  // namespace
}  // namespace headrace::bench

int main() {
  using namespace headrace::bench;
  const char* binary = std::getenv("HEADRACE_BINARY");
  if (binary == nullptr) {
    print_skip("all figures", "HEADRACE_BINARY does not name the binary; ./dev bench platform does");
    return 0;
  }
  std::string folder = (fs::temp_directory_path() / "headrace-platform-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) Wire::fail("no folder can be made");
  set_environment(folder);
  before_failing = "for part in first second; do " + std::string(binary) + " down --data " + folder +
                   "/$part/data; done >/dev/null; rm -rf " + folder;
  for (const char* part : {"first", "second"}) fs::create_directories(fs::path(folder) / part);
  for (const char* tool : {"redis-server --version", "nats-server --version", "nginx -v 2>&1", "git --version"})
    print_version(std::string(tool).substr(0, std::string_view(tool).find(' ')),
                  first_line_of(std::string("(") + tool + ")"));
  measure_all(binary, folder);
  fs::remove_all(folder);
  return 0;
}
