// Bus, store and secrets on one loop, for tests: the log and the safe in memory, the clock simulated. restart() is what
// a new process sees.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bus/testing/memory_log.h"
#include "core/testing/simulated_clock.h"
#include "events/repository.h"
#include "services/secrets/secrets.h"
#include "services/secrets/testing/safe.h"
#include "store/testing/folder.h"

namespace headrace::secrets::testing {

using core::Actor;

class World {
 public:
  World() {
    open();
    say(events::RepositoryCreated{"team/hello", 7, "team", "hello", "main", ""}, "repository");
    say(events::RepositoryCreated{"team/other", 8, "team", "other", "main", ""}, "repository");
  }
  ~World() { close(); }

  // False: the safe did not let it.
  bool open() {
    store = std::make_unique<store::Store>(loop, log, folder.path());
    bus = std::move(*bus::Bus::open({loop, clock, random, ids, log, nullptr, folder.file("bus.sqlite")}, {}));
    auto opened = Secrets::open({loop, random, ids, *store, *bus, safe, nullptr});
    if (opened) secrets = std::move(*opened);
    core::require(store->start().has_value(), "the store starts");
    bool started = secrets && loop.run(secrets->start()).has_value();
    bus->start();
    return started;
  }
  void close() {
    loop.run(bus->close());
    secrets.reset();
    bus.reset();
    store.reset();
  }
  bool restart() {
    close();
    return open();
  }

  template <class T>
  T run(core::Task<T> task) {
    return loop.run(std::move(task));
  }
  // Says it and waits until the service has done with it.
  template <class T>
  void say(const T& said, std::string service) {
    bus::Publish options;
    options.sync = bus::Sync::before_return;
    options.sync_limit = std::chrono::seconds(20);
    auto published = loop.run(bus->say(said, bus::Origin::root(std::move(service), Actor::user("alice")), options));
    EXPECT_TRUE(published && published->handled) << T::type;
    EXPECT_TRUE(loop.run(store->all_caught_up(std::chrono::seconds(20))));
  }

  core::Result<bool> set(const Place& place, const std::string& name, const std::string& value,
                         Audience audience = Audience()) {
    return run(secrets->set_secret(Actor::user("alice"), place, name, value, std::move(audience)));
  }
  core::Result<bool> assign(const Place& place, const std::string& name, const std::string& value) {
    Secrets::VariableChange change;
    change.name = name;
    change.value = value;
    return run(secrets->set_variable(Actor::user("alice"), place, std::move(change)));
  }
  // What a job that names all secrets is given: "NAME=value" lines, the environment's behind a bar.
  std::string given(const std::string& repository, const std::string& environment = {}) {
    JobWish wish;
    wish.repository = repository;
    wish.environment = environment;
    auto values = run(secrets->for_job(std::move(wish)));
    if (!values) return values.error().message;
    std::string text;
    for (const auto& [name, value] : values->of_repository) text += name + "=" + value + " ";
    for (const auto& [name, value] : values->of_environment) text += "|" + name + "=" + value + " ";
    return text;
  }
  std::vector<std::string> kept() const { return *const_cast<MemorySafe&>(safe).ids(secret_kind); }

  template <class T>
  std::vector<T> said() const {
    std::vector<T> found;
    for (const log::Stored& stored : log.all())
      if (stored.event.type == T::type) found.push_back(*events::decode<T>(stored.event));
    return found;
  }

  store::testing::Folder folder;
  core::Loop loop;
  core::testing::SimulatedClock clock{loop};
  core::SeededRandom random{7};
  core::IdSource ids{clock, random};
  bus::testing::MemoryLog log{clock};
  MemorySafe safe;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<Secrets> secrets;
};

}  // namespace headrace::secrets::testing
