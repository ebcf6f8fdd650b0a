// The repository service with all it stands on but the log, which outlives it: real git clients, a real disk, a store.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "events/vocabulary.h"
#include "git/testing/bridge.h"
#include "services/repository/repository.h"

namespace headrace::repository::testing {

class World {
 public:
  // `folder` keeps repositories and projections from one World to the next.
  World(log::EventLog& on, std::string folder, Policy policy = {})
      : log(on), store_(std::make_unique<store::Store>(loop, log, folder + "/projections")) {
    bus_ = open_bus();
    repositories_ = std::make_unique<Repositories>(
        Parts{loop, clock, ids, pool, log, *store_, *bus_, bridge.server, folder + "/repositories"}, std::move(policy));
    const auto running = store_->start();
    EXPECT_TRUE(running) << running.error().message;
    const auto started = loop.run(repositories_->start());
    EXPECT_TRUE(started) << started.error().message << started.error().detail;
    bridge.route = [this](std::string name, git::Service service, bool advertisement, git::Request request,
                          git::ReadBody read, git::WriteChunk write) {
      return route(std::move(name), service, advertisement, std::move(request), std::move(read), std::move(write));
    };
  }
  ~World() {
    loop.run(repositories_->close());
    loop.run(bus_->close());
    repositories_.reset();
    store_->stop();
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Repositories& repositories() { return *repositories_; }
  store::Store& store() { return *store_; }

  Repo make(const std::string& full_name) {
    auto made = loop.run(repositories_->create(core::Actor::user("alice"), full_name));
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(Repo{});
  }
  std::string url(const std::string& full_name) const { return bridge.url(full_name); }
  // All that was said of this type, oldest first.
  template <class T>
  std::vector<T> said() const {
    std::vector<T> result;
    for (const auto& stored : all())
      if (events::is<T>(stored.event)) result.push_back(events::decode<T>(stored.event).value());
    return result;
  }
  std::vector<log::Stored> all() const { return log.read(1, 10'000).value(); }
  std::vector<RefRow> refs(int64_t repository) {
    EXPECT_TRUE(loop.run(store_->caught_up(std::string(projection_name), log.durable(), std::chrono::seconds(30))));
    return loop.run(repositories_->refs(repository)).value();
  }
  Reconciled reconcile() {
    const auto done = loop.run(repositories_->reconcile());
    EXPECT_TRUE(done) << done.error().message << done.error().detail;
    return done.value_or(Reconciled{});
  }

  log::EventLog& log;
  core::Loop loop;
  core::SystemClock clock;
  core::SystemRandom random;
  core::IdSource ids{clock, random};
  core::Pool pool{"git", {.threads = 2}};
  git::testing::Bridge bridge{loop};

 private:
  std::unique_ptr<bus::Bus> open_bus() {
    return std::move(bus::Bus::open(bus::Parts{loop, clock, random, ids, log, nullptr, ""}).value());
  }
  core::Task<core::Result<>> route(std::string name, git::Service service, bool advertisement, git::Request request,
                                   git::ReadBody read, git::WriteChunk write) {
    if (advertisement) return repositories_->advertise(name, service, request.protocol, std::move(write));
    if (service == git::Service::upload_pack)
      return repositories_->fetch(name, request.protocol, request.gzip, std::move(read), std::move(write));
    return repositories_->push(core::Actor::user("alice"), name, request.protocol, request.gzip, std::move(read),
                               std::move(write));
  }

  std::unique_ptr<store::Store> store_;
  std::unique_ptr<bus::Bus> bus_;
  std::unique_ptr<Repositories> repositories_;
};

}  // namespace headrace::repository::testing
