// rooms: runner net events core
//
// What follows a push, with the whole binary: how long until the first step prints, and until 256 jobs of a matrix are
// with runners (simulated ones: connections of this program that take a job and do nothing). Times are those of the
// events and of the lines, all by the clock of this machine: from push.accepted, which is stamped before it is written
// and synced, to the line, which is stamped when the runner has read it. HEADRACE_BINARY names the binary.
#include <strings.h>

#include "ci_peers.h"
#include "core/clock.h"
#include "core/disk.h"
#include "core/json.h"
#include "core/task.h"
#include "net/client.h"
#include "platform.h"
#include "report.h"
#include "services/runner/executor.h"
#include "services/runner/protocol.h"

namespace headrace::bench {
namespace {

constexpr int pushes = 60;
constexpr int builds = 15;  // of Buildbot
constexpr int legs = 256;
constexpr int matrices = 3;
constexpr const char* accepted_type = "dev.cdeventsx.headrace-push.accepted.0.1.0";
constexpr const char* queued_type = "dev.cdeventsx.headrace-job.queued.0.1.0";
constexpr const char* finished_type = "dev.cdevents.pipelinerun.finished.0.3.0";

double milliseconds_of(core::Time time) {
  return std::chrono::duration<double, std::milli>(time.time_since_epoch()).count();
}

double time_of(std::string_view text) {
  auto time = core::parse_time(text);
  if (!time) Wire::fail("no time: " + std::string(text));
  return milliseconds_of(*time);
}

std::string percent(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == ' ' || c == '=' || c == '\'' || c == '%') {
      std::array<char, 4> hex{};
      std::snprintf(hex.data(), hex.size(), "%%%02X", static_cast<unsigned>(c));
      out += hex.data();
    } else {
      out += c;
    }
  }
  return out;
}

// The body of the answer to `what`, a method and a path.
std::string ask(const Platform& platform, const std::string& what, const std::string& body, int wanted) {
  Wire wire(platform.port);
  wire.send(what + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + platform.token +
            "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string status = wire.line();
  size_t length = 0;
  for (std::string header = wire.line(); !header.empty(); header = wire.line())
    if (::strncasecmp(header.c_str(), "content-length:", 15) == 0) length = std::stoul(header.substr(15));
  std::string text = wire.exactly(length);
  if (std::stoi(status.substr(9, 3)) != wanted) Wire::fail("this was refused: " + what + ": " + text);
  return text;
}

// What the log holds, asked over HTTP.
class Log {
 public:
  explicit Log(const Platform& platform) : platform_(platform) {}

  // The events of the type since the last forget().
  core::json::array events(const std::string& type) const {
    const std::string query =
        "?limit=1000&from=" + std::to_string(from_) + "&filter=" + percent("type = '" + type + "'");
    return core::parse_json(get("/api/v1/events" + query))->at("events").as_array();
  }
  void until(const std::string& type) const {
    for (int tries = 0; tries < 400; ++tries) {
      if (!events(type).empty()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    Wire::fail("no event came of the type " + type);
  }
  void forget() {
    auto all =
        core::parse_json(get("/api/v1/events?limit=1000&from=" + std::to_string(from_)))->at("events").as_array();
    if (!all.empty()) from_ = all.back().at("offset").to_number<int64_t>() + 1;
  }

 private:
  std::string get(const std::string& path) const { return ask(platform_, "GET " + path, {}, 200); }
  const Platform& platform_;
  int64_t from_ = 0;
};

std::string text_at(const core::json::value& event, const char* member) {
  return std::string(event.at(member).as_string());
}

void make_repository(const Platform& platform, const fs::path& work, const std::string& workflow) {
  const std::string name = work.filename();
  run(platform.cli("repo create team/" + name));
  fs::create_directories(work / ".github/workflows");
  std::ofstream(work / ".github/workflows/ci.yml") << workflow;
  run("cd " + work.string() + " && git init -q -b main && git add . && git commit -qm a && git remote add origin " +
      platform.git_url(name));
}

void push(const fs::path& work) {
  run("cd " + work.string() + " && date +%N >>n && git add n && git commit -qm n && git push -q origin main");
}

// The time of the first line that the job's first step printed: one that begins with "printed".
double first_line(const Platform& platform, const std::string& job) {
  std::ifstream log(platform.data() + "/logs/" + job.substr(job.size() - 2) + "/" + job + "-1.log");
  for (std::string line; std::getline(log, line);)
    if (line.size() > 30 && line.substr(27, 10) == " 1 printed") return time_of(line.substr(0, 27));
  Wire::fail("the job " + job + " printed nothing");
}

void measure_first_line(const Platform& platform, const fs::path& folder, bool sandboxed) {
  const fs::path work = folder / "first";
  make_repository(platform, work,
                  "on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo printed\n");
  auto buildbot = Buildbot::start(folder, 8);
  Log log(platform);
  std::vector<double> ours, theirs, queued;
  for (int round = 0; round < pushes + 3; ++round) {
    log.forget();
    push(work);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // nobody asks while it is measured
    log.until(finished_type);
    const double accepted = time_of(text_at(log.events(accepted_type).at(0), "time"));
    const auto job = log.events(queued_type).at(0);
    if (round < 3) continue;  // warm
    queued.push_back(time_of(text_at(job, "time")) - accepted);
    ours.push_back(first_line(platform, text_at(job, "subject")) - accepted);
    if (buildbot && round % (pushes / builds) == 0) theirs.push_back(buildbot->run("noop", 1).first_line * 1000);
  }
  std::optional<double> reference;
  if (!theirs.empty()) reference = median(theirs);
  const std::string figure =
      std::string("push accepted -> first line of the first step, ") + (sandboxed ? "sandboxed" : "on the host");
  print({.figure = figure + ", p50",
         .unit = "ms",
         .ours = median(ours),
         .reference = reference,
         .against = "Buildbot, change added -> printed, no sandbox",
         .better = Better::lower,
         .target = at_most(15),
         .note = "the job is queued after " + std::to_string(median(queued)) +
                 " ms; Laminar: 15.6 ms (recorded, no sandbox, no git)"});
  print({.figure = figure + ", p99",
         .unit = "ms",
         .ours = quantile(ours, 0.99),
         .reference = {},
         .against = {},
         .better = Better::lower,
         .target = at_most(50),
         .note = std::to_string(ours.size()) + " pushes"});
}

// Runners that take one job each, and tell when they got it.
class Idle {
 public:
  explicit Idle(const Platform& platform) : platform_(platform) {
    for (int number = 0; number < legs; ++number) scope_.spawn("a runner", connect(number));
    loop_.run(until(connected_, legs));
  }
  // Milliseconds since the epoch at which the last of the jobs came.
  double all_given() {
    loop_.run(until(ended_, legs));
    ended_ = 0;
    return last_;
  }

 private:
  std::string token_of(const std::string& name) {
    const auto made = ask(platform_, "POST /api/v1/tokens", R"({"runner":")" + name + "\"}", 201);
    return text_at(*core::parse_json(made), "token");
  }
  core::Task<> connect(int number) {
    const std::string name = "idle-" + std::to_string(number);
    net::ClientRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(platform_.port) + "/api/v1/runner";
    request.headers.set("Authorization", "Bearer " + token_of(name));
    net::WebSocketOptions options;
    options.subprotocols.emplace_back(runner::subprotocol);
    options.message_bytes_max = runner::message_bytes_max;
    auto socket = co_await client_.websocket(std::move(request), std::move(options));
    if (!socket) Wire::fail("a runner cannot connect: " + socket.error().message);
    runner::Message hello = runner::Hello{.runner = name, .instance = name, .labels = {{"idle", "host"}}, .jobs = {}};
    net::Message said{net::Message::Kind::text, runner::encode(hello)};
    if (auto sent = co_await (*socket)->send(std::move(said)); !sent) Wire::fail("a runner cannot speak");
    while (true) {
      auto message = co_await (*socket)->receive();
      if (!message || !*message) co_return;
      auto read = runner::decode((*message)->data);
      if (!read) Wire::fail("a runner is told what it does not know: " + read.error().message);
      if (std::holds_alternative<runner::Welcome>(*read)) count(connected_);
      const auto* order = std::get_if<runner::Run>(&*read);
      if (order == nullptr) continue;
      last_ = milliseconds_of(clock_.now());
      runner::Message end = runner::Finished{.token = order->token, .errors = {}, .steps = {}};
      net::Message ended{net::Message::Kind::text, runner::encode(end)};
      if (auto sent = co_await (*socket)->send(std::move(ended)); !sent) Wire::fail("a runner cannot end its job");
      if (auto flushed = co_await (*socket)->flush(); !flushed) Wire::fail("a runner cannot end its job");
      count(ended_);
    }
  }
  void count(int& what) {
    ++what;
    changed_.notify_all();
  }
  core::Task<> until(int& what, int wanted) {
    while (what < wanted) co_await changed_.wait();
  }

  const Platform& platform_;
  core::Loop loop_;
  core::SystemClock clock_;
  net::Client client_{loop_.executor(), clock_, {}};
  core::Signal changed_{loop_.executor()};
  int connected_ = 0, ended_ = 0;
  double last_ = 0;
  core::Scope scope_{loop_.executor()};
};

void measure_matrix(const Platform& platform, const fs::path& folder) {
  const fs::path work = folder / "matrix";
  std::string numbers;
  for (int number = 0; number < 16; ++number) numbers += (number == 0 ? "" : ", ") + std::to_string(number);
  make_repository(platform, work,
                  "on: push\njobs:\n  all:\n    runs-on: idle\n    strategy:\n      matrix:\n        a: [" + numbers +
                      "]\n        b: [" + numbers + "]\n    steps:\n      - run: echo ${{ matrix.a }}\n");
  Idle idle(platform);
  Log log(platform);
  std::vector<double> took;
  for (int round = 0; round < matrices; ++round) {
    log.forget();
    push(work);
    const double last = idle.all_given();
    took.push_back((last - time_of(text_at(log.events(accepted_type).at(0), "time"))) / 1000);
    log.until(finished_type);
    log.forget();
  }
  print({.figure = "256-job matrix dispatched to 256 idle runners (simulated)",
         .unit = "s",
         .ours = median(took),
         .reference = {},
         .against = "GitHub: first job after 100 s (recorded)",
         .better = Better::lower,
         .target = at_most(2),
         .note = "from push.accepted to the last runner's order; each runner a connection and a token of its own"});
}

bool can_sandbox() {
  core::Loop loop;
  core::SystemClock clock;
  core::SystemDisk disk;
  runner::ExecutorOptions options;
  auto sandbox = runner::make_executor("sandbox", loop.executor(), clock, disk, std::move(options));
  auto available = loop.run(sandbox->available());
  if (!available) print_skip("rows in a sandbox", available.error().message);
  return available.has_value();
}

}  // namespace
}  // namespace headrace::bench

int main() {
  using namespace headrace::bench;
  const char* binary = std::getenv("HEADRACE_BINARY");
  if (binary == nullptr) {
    print_skip("all figures", "HEADRACE_BINARY does not name the binary; ./dev bench push does");
    return 0;
  }
  std::string folder = "/var/tmp/headrace-push-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) Wire::fail("no folder can be made");
  set_environment(folder);
  before_failing = std::string(binary) + " down --data " + folder + "/data >/dev/null; rm -rf " + folder;
  const bool sandboxed = can_sandbox();
  {
    const Platform platform(binary, folder, sandboxed ? "sandbox" : "host");
    measure_first_line(platform, folder, sandboxed);
    measure_matrix(platform, folder);
  }
  fs::remove_all(folder);
  return 0;
}
