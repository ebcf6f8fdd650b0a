// rooms: runner store bus log process net sqlite events core
//
// A server's side of the runner service on a durable log and a Unix socket, and a runner in a process of its own that
// runs steps on the host. A job's wall is from job.queued durable to taskrun.finished durable, its log synced. "The
// producer alone" is the same script by bash, printing into a pipe that cat empties. References are recorded figures of
// TARGETS.md; none of them runs sandboxed, nor do we here.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus.h"
#include "core/json.h"
#include "events/pipeline.h"
#include "events/runner.h"
#include "log/segment_log.h"
#include "net/server.h"
#include "process/child.h"
#include "report.h"
#include "services/runner/runner.h"
#include "services/runner/worker.h"

namespace headrace::runner {
namespace {

using bench::Better;

constexpr int64_t slots = 8;
constexpr int rounds = 5;
constexpr std::string_view million_lines = "seq 1 1000000";
constexpr std::string_view two_hundred_megabytes = "yes \"$(printf '%099d' 0)\" | head -c 200000000";
constexpr std::string_view timed_lines = "for i in {1..300}; do echo $EPOCHREALTIME; sleep 0.01; done";

// What this process holds at most since the last reset, in MiB.
double peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  return 0;
}
void reset_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

class NoGrants final : public JobGrants {
 public:
  core::Result<JobGrant> grant(Token, const std::string&, const std::string&) override { return JobGrant{}; }
};

class Stand {
 public:
  Stand() {
    const char* given = std::getenv("HEADRACE_BENCH_DIR");
    folder_ = std::filesystem::path(given != nullptr ? given : "/var/tmp") /
              ("headrace-runner-bench-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto opened = log::SegmentLog::open(disk_, clock_, random_, path("log"));
    core::require(opened.has_value(), "the log opens");
    log_ = std::move(*opened);
    store_ = std::make_unique<store::Store>(loop_, *log_, path("projections"));
    auto bus = bus::Bus::open({loop_, clock_, random_, ids_, *log_, &pool_, path("bus.db")});
    core::require(bus.has_value(), "the bus opens");
    bus_ = std::move(*bus);
    runner_ = std::make_unique<Runner>(
        Parts{loop_, clock_, disk_, ids_, files_, *log_, *store_, *bus_, grants_, path("logs")}, Policy{});
    core::require(store_->start().has_value() && runner_->start().has_value(), "the services start");
    bus::Subscription ends;
    ends.name = "bench";
    ends.types = {std::string(events::JobFinished::type)};
    auto heard =
        bus_->subscribe(std::move(ends), [this](bus::Delivery delivery) { return heard_end(std::move(delivery)); });
    core::require(heard.has_value(), "the bench hears ends");
    bus_->start();
    server_ = std::make_unique<net::Server>(loop_.executor(), clock_,
                                            [this](net::Exchange& exchange) { return answer(*this, exchange); });
    core::require(server_->listen("unix:" + path("sock")).has_value(), "the server listens");
    start_worker();
  }
  ~Stand() {
    worker_.reset();
    loop_.run(server_->shutdown(std::chrono::milliseconds(0)));
    loop_.run(runner_->stop());
    loop_.run(bus_->close());
    server_.reset();
    runner_.reset();
    bus_.reset();
    store_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  core::Loop& loop() { return loop_; }
  core::Clock& clock() { return clock_; }
  LogStore& logs() { return runner_->logs(); }

  // Seconds until all of them have ended.
  double run_jobs(std::string_view script, int count) {
    return bench::seconds([&] { loop_.run(jobs(script, count)); });
  }
  core::Task<> jobs(std::string_view script, int count) {
    ended_ = 0;
    std::vector<events::Event> batch;
    for (int i = 0; i < count; ++i) batch.push_back(queued(script));
    auto published = co_await bus_->publish(std::move(batch));
    core::require(published.has_value(), "jobs are queued");
    while (ended_ < count) co_await changed_.wait();
  }
  std::string last_job() const { return last_job_; }

 private:
  void start_worker() {
    process::Spec spec;
    spec.argv = {"/proc/self/exe", "worker", path("sock"), path("worker")};
    spec.environment = process::inherited_environment({"PATH", "HOME"});
    spec.err = process::Redirect::of(2);
    auto started = process::spawn(loop_.executor(), std::move(spec));
    core::require(started.has_value(), "the runner starts");
    worker_ = std::move(*started);
  }
  events::Event queued(std::string_view script) {
    core::json::object step{{"number", 1}, {"name", "Measured"}, {"run", script}};
    core::json::array steps;
    steps.push_back(std::move(step));
    core::json::object spec{{"version", 1}, {"job", "measured"}, {"steps", std::move(steps)}};
    last_job_ = ids_.next();
    events::JobQueued job{.job = last_job_,
                          .run = "run",
                          .repository = "team/hello",
                          .key = "measured",
                          .name = "measured",
                          .labels = {"linux"},
                          .spec = core::to_text(spec)};
    return events::encode(job, bus_->header(bus::Origin::root("pipeline", core::Actor::system())));
  }
  core::Task<core::Result<>> heard_end(bus::Delivery delivery) {
    auto end = events::decode<events::JobFinished>(delivery.event());
    core::require(end && end->conclusion == events::Conclusion::success, "a measured job succeeds");
    ++ended_;
    changed_.notify_all();
    co_return core::Result<>{};
  }
  static core::Task<> answer(Stand& stand, net::Exchange& exchange) {
    net::WebSocketOptions options;
    options.subprotocols.emplace_back(subprotocol);
    options.message_bytes_max = message_bytes_max;
    auto socket = co_await exchange.upgrade(std::move(options));
    if (socket) co_await stand.runner_->serve(**socket, core::Actor::runner("bench"));
  }

  std::filesystem::path folder_;
  core::SystemDisk disk_;
  core::SystemClock clock_;
  core::SystemRandom random_;
  core::IdSource ids_{clock_, random_};
  core::Loop loop_;
  core::Pool pool_{"bus", {.threads = 1}};
  core::Pool files_{"files", {.threads = 2}};
  std::unique_ptr<log::SegmentLog> log_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<bus::Bus> bus_;
  NoGrants grants_;
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<process::Child> worker_;
  core::Signal changed_{loop_.executor()};
  int ended_ = 0;
  std::string last_job_;
};

double alone(std::string_view script) {
  std::string command =
      "bash -c '" + std::string(script.starts_with("yes") ? "yes \"$(printf %099d 0)\" | head -c 200000000" : script) +
      "' | cat > /dev/null";
  return bench::seconds([&] { core::require(std::system(command.c_str()) == 0, "the producer runs"); });
}

void output(Stand& stand) {
  auto lines =
      bench::alternate(rounds, [&] { return stand.run_jobs(million_lines, 1); }, [] { return alone(million_lines); });
  bench::print({.figure = "runner: one step prints 1,000,000 lines, over the producer alone",
                .unit = "s",
                .ours = lines.ours - lines.reference,
                .reference = 0.32,
                .against = "Laminar (recorded, whole job)",
                .better = Better::lower,
                .target = bench::at_most(0.1),
                .note = "whole job " + std::to_string(lines.ours) + " s, producer " + std::to_string(lines.reference) +
                        " s; log synced"});
  reset_peak();
  double before = peak_memory();
  auto bytes = bench::alternate(
      rounds, [&] { return stand.run_jobs(two_hundred_megabytes, 1); }, [] { return alone(two_hundred_megabytes); });
  double grown = peak_memory() - before;
  bench::print({.figure = "runner: one step prints 200 MB",
                .unit = "s",
                .ours = bytes.ours,
                .reference = 2.6,
                .against = "Laminar (recorded)",
                .better = Better::lower,
                .target = bench::at_most(0.6),
                .note = "producer alone " + std::to_string(bytes.reference) + " s; log synced"});
  bench::print({.figure = "runner: growth of the server while 200 MB are printed",
                .unit = "MiB",
                .ours = grown,
                .reference = 586,
                .against = "Laminar (recorded)",
                .better = Better::lower,
                .target = bench::at_most(16),
                .note = {}});
}

// Milliseconds from a line's own time to when a reader of the log had it.
core::Task<> watch(Stand& stand, LogName name, std::vector<double>& late) {
  std::string seen;
  uint64_t from = 0;
  while (true) {
    bool growing = stand.logs().growing(name);
    auto piece = stand.logs().read(name, from, 64 * 1024);
    auto now = std::chrono::duration<double, std::milli>(stand.clock().now().time_since_epoch()).count();
    if (piece && !piece->empty()) {
      from += piece->size();
      seen += *piece;
      for (size_t end = seen.find('\n'); end != std::string::npos; end = seen.find('\n')) {
        std::string line = seen.substr(0, end);
        seen.erase(0, end + 1);
        if (line.size() > 30 && line.substr(27, 3) == " 1 ")
          late.push_back(now - std::strtod(line.c_str() + 30, nullptr) * 1000);
      }
      continue;
    }
    if (!growing && from > 0) co_return;
    if (growing) co_await stand.logs().until_beyond(name, from, std::chrono::seconds(1));
    if (!growing) co_await stand.clock().sleep_for(std::chrono::milliseconds(1));
  }
}

void latency(Stand& stand) {
  std::vector<double> late;
  core::Scope scope(stand.loop().executor());
  const std::string before = stand.last_job();
  scope.spawn("job", stand.jobs(timed_lines, 1));
  while (stand.last_job() == before) stand.loop().poll();
  scope.spawn("watcher", watch(stand, {stand.last_job(), 1}, late));
  stand.loop().run(scope.until_idle());
  bench::print(
      {.figure = "runner: a line printed -> seen by a watcher, p95",
       .unit = "ms",
       .ours = bench::quantile(late, 0.95),
       .reference = 1000,
       .against = "Woodpecker (recorded, up to)",
       .better = Better::lower,
       .target = bench::at_most(25),
       .note = "p50 " + std::to_string(bench::median(late)) + " ms of " + std::to_string(late.size()) + " lines"});
}

void no_ops(Stand& stand) {
  std::vector<double> walls;
  for (int i = 0; i < 60; ++i) walls.push_back(stand.run_jobs("true", 1) * 1000);
  bench::print({.figure = "runner: no-op job, wall, on host",
                .unit = "ms",
                .ours = bench::median(walls),
                .reference = 18.4,
                .against = "Laminar (recorded, no sandbox)",
                .better = Better::lower,
                .target = bench::at_most(15),
                .note = "p95 " + std::to_string(bench::quantile(walls, 0.95)) + " ms"});
  std::vector<double> rates;
  for (int i = 0; i < rounds; ++i) rates.push_back(200 / stand.run_jobs("true", 200));
  bench::print({.figure = "runner: 200 no-op jobs queued at once, on host",
                .unit = "jobs/s",
                .ours = bench::median(rates),
                .reference = 118,
                .against = "Laminar (recorded, no sandbox)",
                .better = Better::higher,
                .target = bench::at_least(300),
                .note = std::to_string(slots) + " slots"});
}

int work(const std::string& socket, const std::string& folder) {
  core::Loop loop;
  core::SystemClock clock;
  core::SystemDisk disk;
  core::SystemRandom random;
  core::IdSource ids(clock, random);
  WorkerOptions options;
  options.server = "http://localhost";
  options.unix_socket = socket;
  options.token = options.name = "bench";
  options.labels = {{"linux", "host"}};
  options.slots = slots;
  options.folder = folder;
  Worker worker(loop, clock, disk, ids, std::move(options));
  return loop.run(worker.run()) ? 0 : 1;
}

}  // namespace
}  // namespace headrace::runner

int main(int argc, char** argv) {
  using namespace headrace::runner;
  if (argc == 4 && std::string(argv[1]) == "worker") return work(argv[2], argv[3]);
  Stand stand;
  stand.run_jobs("true", 8);  // warm
  no_ops(stand);
  latency(stand);
  output(stand);
  return 0;
}
