// What runner_bench.cc measures on: a server's side of the runner service on a durable log and a Unix socket in this
// process, and a runner in a process of its own, which is this program again: `worker SOCKET FOLDER`.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
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
#include "services/runner/executor.h"
#include "services/runner/runner.h"
#include "services/runner/worker.h"

namespace headrace::runner {

inline constexpr int64_t slots = 8;

// A job to measure: steps that all run the script.
struct Measured {
  std::string script = "true";
  std::string executor = "host";  // or "sandbox": they are the runner's labels too
  int steps = 1;
};

class NoGrants final : public JobGrants {
 public:
  core::Task<core::Result<JobGrant>> grant(Token, std::string, std::string) override {
    JobGrant nothing;
    co_return nothing;
  }
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

  // Jobs need a sandbox that this machine can make.
  core::Result<> can_sandbox() {
    auto executor = make_executor("sandbox", loop_.executor(), clock_, disk_, {});
    return loop_.run(executor->available());
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  core::Loop& loop() { return loop_; }
  core::Clock& clock() { return clock_; }
  LogStore& logs() { return runner_->logs(); }

  // Seconds until all of them have ended.
  double run_jobs(const Measured& job, int count) {
    return bench::seconds([&] { loop_.run(jobs(job, count)); });
  }
  core::Task<> jobs(Measured job, int count) {
    ended_ = 0;
    std::vector<events::Event> batch;
    for (int i = 0; i < count; ++i) batch.push_back(queued(job));
    auto published = co_await bus_->publish(std::move(batch));
    core::require(published.has_value(), "jobs are queued");
    while (ended_ < count) co_await changed_.wait();
  }
  std::string last_job() const { return last_job_; }
  pid_t worker() const { return worker_->pid(); }

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
  events::Event queued(const Measured& measured) {
    core::json::array steps;
    for (int number = 1; number <= measured.steps; ++number)
      steps.push_back(core::json::object{{"number", number}, {"name", "Measured"}, {"run", measured.script}});
    core::json::object spec{{"version", 2}, {"job", "measured"}, {"contexts", core::json::object()}};
    spec["steps"] = std::move(steps);
    last_job_ = ids_.next();
    events::JobQueued job{.job = last_job_,
                          .run = "run",
                          .repository = "team/hello",
                          .key = "measured",
                          .name = "measured",
                          .labels = {measured.executor},
                          .spec = core::to_text(spec)};
    return events::encode(job, bus_->header(bus::Origin::root("pipeline", core::Actor::system())));
  }
  core::Task<core::Result<>> heard_end(bus::Delivery delivery) {
    auto end = events::decode<events::JobFinished>(delivery.event());
    if (end && end->conclusion != events::Conclusion::success) std::cerr << "a job failed: " << end->errors << "\n";
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

inline int work(const std::string& socket, const std::string& folder) {
  core::Loop loop;
  core::SystemClock clock;
  core::SystemDisk disk;
  core::SystemRandom random;
  core::IdSource ids(clock, random);
  WorkerOptions options;
  options.server = "http://localhost";
  options.unix_socket = socket;
  options.token = options.name = "bench";
  options.labels = {{"host", "host"}, {"sandbox", "sandbox"}};
  options.slots = slots;
  options.folder = folder;
  Worker worker(loop, clock, disk, ids, std::move(options));
  return loop.run(worker.run()) ? 0 : 1;
}

}  // namespace headrace::runner
