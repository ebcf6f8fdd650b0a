// A server's side of the runner service on a Unix socket, and runners for it: a Peer says what the test says, a Worker
// is the real thing with real processes. The service's time is simulated, the workers' is real.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/random.h"
#include "core/testing/simulated_clock.h"
#include "events/pipeline.h"
#include "events/runner.h"
#include "net/client.h"
#include "net/server.h"
#include "services/runner/runner.h"
#include "services/runner/worker.h"
#include "store/testing/folder.h"
#include "store/testing/memory_log.h"

namespace headrace::runner::testing {

inline constexpr std::chrono::seconds patience{20};

// A token that tells which lease it was made for.
class LeaseGrants final : public JobGrants {
 public:
  core::Task<core::Result<JobGrant>> grant(Token lease, std::string, std::string) override {
    JobGrant grant;
    grant.token = "token-of-" + std::to_string(lease);
    co_return grant;
  }
};

class World {
 public:
  explicit World(Policy by = {}, core::Disk* on = nullptr) : disk(on ? on : &files_of_host), policy(by) { open(); }
  ~World() { close(); }

  void open() {
    store = std::make_unique<store::Store>(loop, log, folder.file("projections"));
    bus = std::move(*bus::Bus::open({loop, clock, random, ids, log, nullptr, folder.file("bus.db")}, {}));
    runner = std::make_unique<Runner>(Parts{.loop = loop,
                                            .clock = clock,
                                            .disk = *disk,
                                            .ids = ids,
                                            .files = files,
                                            .log = log,
                                            .store = *store,
                                            .bus = *bus,
                                            .grants = grants,
                                            .logs = folder.file("logs")},
                                      policy);
    core::require(store->start().has_value(), "the store starts");
    core::require(loop.run(store->all_caught_up(patience)).has_value(), "the store catches up");
    core::require(runner->start().has_value(), "the runner service starts");
    bus->start();
    server = std::make_unique<net::Server>(loop.executor(), clock,
                                           [this](net::Exchange& exchange) { return answer(*this, exchange); });
    core::require(server->listen("unix:" + socket()).has_value(), "the server listens");
  }
  void close() {
    if (!server) return;
    loop.run(server->shutdown(std::chrono::milliseconds(0)));
    loop.run(runner->stop());
    loop.run(bus->close());
    server.reset();
    runner.reset();
    bus.reset();
    store.reset();
  }
  void restart() {
    close();
    open();
  }
  std::string socket() const { return folder.file("server.sock"); }

  // ---- the world around
  void queue(const std::string& job, const std::string& script = "true", bool restricted = false,
             std::vector<std::string> labels = {"linux"}, core::json::array steps = {}) {
    core::json::object step{{"number", 1}, {"name", "Run it"}, {"run", script}};
    if (steps.empty()) steps.push_back(std::move(step));
    core::json::object spec{
        {"version", 2}, {"job", job}, {"contexts", core::json::object()}, {"steps", std::move(steps)}};
    events::JobQueued queued{.job = job,
                             .run = "run",
                             .repository = "team/hello",
                             .key = job,
                             .name = job,
                             .labels = std::move(labels),
                             .spec = core::to_text(spec),
                             .restricted = restricted};
    say(queued);
  }
  void cancel(const std::string& job, bool forced = false) {
    say(events::JobCancelled{.job = job,
                             .run = "run",
                             .repository = "team/hello",
                             .reason = "cancelled by alice",
                             .requested_by = "user:alice",
                             .forced = forced});
  }
  template <class T>
  void say(const T& said) {
    auto published = loop.run(bus->say(said, bus::Origin::root("pipeline", core::Actor::system())));
    core::require(published.has_value(), "the log takes it");
  }
  template <class T>
  std::vector<T> said() {
    std::vector<T> all;
    auto events = log.read(1, 100'000);
    for (const auto& stored : *events)
      if (events::is<T>(stored.event)) all.push_back(*events::decode<T>(stored.event));
    return all;
  }
  JobRow row(const std::string& job) {
    auto found = store->read_here(JobsProjection::projection_name, {},
                                  [&](sqlite::Connection& tables) { return find_job(tables, job); });
    return found && *found ? **found : JobRow{};
  }
  std::string log_of(const std::string& job, int64_t attempt = 1) {
    return *runner->logs().read({job, attempt}, 0, size_t{64} << 20);
  }

  // Runs the loop until it holds; false after twenty seconds of real time.
  template <class Holds>
  bool until(Holds holds) {
    auto deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop.run(system.sleep_for(std::chrono::microseconds(200)));
    }
    return true;
  }
  void settle() {  // what needs no time has happened, and what was said is in the projections
    for (int round = 0; round < 3; ++round) {
      for (int turn = 0; turn < 20; ++turn) loop.run(system.sleep_for(std::chrono::microseconds(200)));
      if (!store) continue;  // the server is away
      EXPECT_TRUE(loop.run(store->all_caught_up(patience)));
    }
  }

  core::Loop loop;
  core::testing::SimulatedClock clock{loop};
  core::SystemClock system;
  core::SystemDisk files_of_host;
  core::Disk* disk;  // of the service's logs
  core::SeededRandom random{7};
  core::IdSource ids{clock, random};
  core::Pool files{"files", {.threads = 1}};
  store::testing::MemoryLog log;
  store::testing::Folder folder;
  LeaseGrants grants;
  Policy policy;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<Runner> runner;
  std::unique_ptr<net::Server> server;

 private:
  // The token of a runner is its name here.
  static core::Task<> answer(World& world, net::Exchange& exchange) {
    std::string name(exchange.request().headers.get("Authorization"));
    name.erase(0, std::string_view("Bearer ").size());
    net::WebSocketOptions options;
    options.subprotocols.emplace_back(subprotocol);
    options.message_bytes_max = message_bytes_max;
    auto socket = co_await exchange.upgrade(std::move(options));
    if (socket) co_await world.runner->serve(**socket, core::Actor::runner(name));
  }
};

inline net::ClientOptions at(std::string socket) {
  net::ClientOptions options;
  options.unix_socket = std::move(socket);
  return options;
}

// A runner whose every word is the test's.
class Peer {
 public:
  Peer(World& world, Hello hello, std::string token = {})
      : world_(world), tasks_(world.loop.executor()), client_(world.loop.executor(), world.clock, at(world.socket())) {
    net::ClientRequest request;
    request.url = "http://localhost/api/v1/runner";
    request.headers.set("Authorization", "Bearer " + (token.empty() ? hello.runner : token));
    net::WebSocketOptions options;
    options.subprotocols.emplace_back(subprotocol);
    options.message_bytes_max = message_bytes_max;
    auto opened = world.loop.run(client_.websocket(std::move(request), std::move(options)));
    core::require(opened.has_value(), "the server lets the peer in");
    socket_ = std::move(*opened);
    send(hello);
    tasks_.spawn("peer", hear());
  }
  ~Peer() { cut(); }

  void cut() {
    if (!socket_) return;
    world_.loop.run(tasks_.close());
    socket_.reset();
  }
  void fall_silent() { world_.loop.run(tasks_.close()); }  // its machine lost its power: nothing is answered any more
  void send(const Message& message) { pass({net::Message::Kind::text, encode(message)}); }
  void send_log(Token token, uint64_t offset, std::string_view bytes) {
    pass({net::Message::Kind::binary, encode_log(token, offset, bytes)});
  }
  void pass(net::Message message) { EXPECT_TRUE(world_.loop.run(socket_->send(std::move(message)))); }

  // The next message of this kind; others before it are dropped.
  template <class T>
  T expect() {
    while (true) {
      if (!world_.until([&] { return !heard_.empty() || ended_; }) || heard_.empty()) {
        ADD_FAILURE() << "the server did not say what was expected";
        return {};
      }
      Message next = std::move(heard_.front());
      heard_.pop_front();
      if (auto* found = std::get_if<T>(&next)) return std::move(*found);
    }
  }
  template <class T>
  size_t count() {  // of those that came and were not taken
    world_.settle();
    size_t found = 0;
    for (const auto& message : heard_)
      if (std::holds_alternative<T>(message)) ++found;
    return found;
  }
  bool until_ended() {
    return world_.until([&] { return ended_; });
  }

 private:
  core::Task<> hear() {
    while (true) {
      auto message = co_await socket_->receive();
      if (!message || !*message) break;
      if (auto read = decode((*message)->data)) heard_.push_back(std::move(*read));
    }
    ended_ = true;
  }

  World& world_;
  core::Scope tasks_;
  net::Client client_;
  std::unique_ptr<net::WebSocket> socket_;
  std::deque<Message> heard_;
  bool ended_ = false;
};

inline Hello hello(std::string name, int64_t slots = 1, std::vector<Token> jobs = {}, std::string instance = "first") {
  return Hello{std::move(name), std::move(instance), slots, {{"linux", "host"}}, std::move(jobs)};
}

// A real worker; destroyed it is as killed: nothing is said, and its processes end.
class Hand {
 public:
  Hand(World& world, std::string name, int64_t slots = 1) : Hand(world, options(world, std::move(name), slots)) {}
  Hand(World& world, WorkerOptions chosen) : world_(world), tasks_(world.loop.executor()) {
    worker_ = std::make_unique<Worker>(world.loop, world.system, world.files_of_host, world.ids, std::move(chosen));
    tasks_.spawn("worker", keep(*worker_, outcome_));
  }
  ~Hand() {
    world_.loop.run(tasks_.close());
    worker_.reset();
    world_.settle();
  }
  static WorkerOptions options(World& world, std::string name, int64_t slots) {
    WorkerOptions chosen;
    chosen.server = "http://localhost";
    chosen.unix_socket = world.socket();
    chosen.token = name;
    chosen.labels = {{"linux", "host"}};
    chosen.slots = slots;
    chosen.folder = world.folder.file(name);
    chosen.name = std::move(name);
    chosen.reconnect_first = chosen.reconnect_most = std::chrono::milliseconds(5);
    chosen.times.interrupt = chosen.times.terminate = chosen.times.drain = std::chrono::milliseconds(300);
    return chosen;
  }
  Worker& worker() { return *worker_; }
  bool ended() const { return outcome_.has_value(); }
  const core::Result<>& outcome() const { return *outcome_; }

 private:
  static core::Task<> keep(Worker& worker, std::optional<core::Result<>>& outcome) { outcome = co_await worker.run(); }

  World& world_;
  core::Scope tasks_;
  std::unique_ptr<Worker> worker_;
  std::optional<core::Result<>> outcome_;
};

}  // namespace headrace::runner::testing
