// Bus, store and pipeline on one loop, for tests: the log in memory, the clock simulated; the test is the runner and
// the repository.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bus/testing/memory_log.h"
#include "core/testing/simulated_clock.h"
#include "events/repository.h"
#include "events/runner.h"
#include "events/triggers.h"
#include "services/pipeline/testing/roles.h"
#include "services/pipeline/testing/workflow_files.h"
#include "store/testing/folder.h"

namespace headrace::pipeline::testing {

using core::Actor;
using events::Conclusion;

inline std::string commit_id(char digit) { return std::string(40, digit); }

// What a test says that runs are given.
class Settings final : public RunSettings {
 public:
  bool trusts(const core::Actor& author, const std::string&) override { return !strangers.contains(author.name); }
  log::Offset newest() override { return now; }
  core::Task<core::Result<Variables>> variables(std::string, log::Offset at) override { co_return by_moment[at]; }

  std::set<std::string> strangers;  // names of accounts that may not write
  log::Offset now = 1;
  std::map<log::Offset, Variables> by_moment;
};

// Bus, store and pipeline on one loop; the log in memory; the test is the runner and the repository.
class World {
 public:
  World() {
    open();
    say(events::RepositoryCreated{"team/hello", 7, "team", "hello", "main", ""}, "repository", Actor::user("alice"));
  }
  ~World() { close(); }

  void open() {
    store = std::make_unique<store::Store>(loop, log, folder.path());
    bus = std::move(*bus::Bus::open({loop, clock, random, ids, log, nullptr, folder.file("bus.sqlite")}, {}));
    pipeline = std::make_unique<Pipeline>(Parts{loop, clock, log, *store, *bus, files, rights, settings},
                                          Policy{"http://localhost"});
    core::require(store->start().has_value(), "the store starts");
    core::require(pipeline->start().has_value(), "the pipeline starts");
    bus->start();
  }
  void close() {
    loop.run(pipeline->stop());
    loop.run(bus->close());
    pipeline.reset();
    bus.reset();
    store.reset();
  }
  void restart() {
    close();
    open();
  }

  // Says it and waits until the pipeline has done with it.
  template <class T>
  std::string say(const T& said, std::string service, Actor actor = Actor::system()) {
    bus::Publish options;
    options.sync = bus::Sync::before_return;
    options.sync_limit = std::chrono::seconds(20);
    auto event = events::encode(said, bus->header(bus::Origin::root(std::move(service), std::move(actor))));
    std::string id = event.id;
    auto published = loop.run(bus->publish(std::move(event), options));
    EXPECT_TRUE(published && published->handled) << T::type;
    settle();
    return id;
  }

  // What the pipeline says is heard by it too: until nothing more comes of it. A probe of the same ordering key is
  // handled after all before it, so once a probe is the only news nothing is left.
  void settle() {
    events::JobFinished probe;  // heard by all that the pipeline hears by
    probe.run = probe.job = probe.name = "probe";
    probe.repository = "team/hello";
    bus::Publish options;
    options.sync = bus::Sync::before_return;
    options.sync_limit = std::chrono::seconds(20);
    for (log::Offset before = 0; before != log.durable() - 1;) {
      before = log.durable();
      auto published = loop.run(bus->say(probe, bus::Origin::root("test", Actor::system()), options));
      EXPECT_TRUE(published && published->handled);
    }
    EXPECT_TRUE(loop.run(store->all_caught_up(std::chrono::seconds(20))));
  }

  static events::PushReceived push_of(const std::string& commit, const std::string& ref) {
    events::PushReceived push;
    push.push = "push-" + commit.substr(0, 4) + ref;
    push.repository = "team/hello";
    push.repository_id = 7;
    push.default_branch = "main";
    push.updates.push_back({.ref = ref,
                            .old_commit = std::string(events::no_commit),
                            .new_commit = commit,
                            .applied = true,
                            .forced = false});
    return push;
  }
  std::string push(const std::string& commit, const std::string& ref = "refs/heads/main") {
    return say(push_of(commit, ref), "repository", Actor::user("alice"));
  }

  std::vector<pipeline::Run> runs() {
    auto page = loop.run(pipeline->list({}));
    EXPECT_TRUE(page) << (page ? "" : page.error().message);
    return page ? page->runs : std::vector<pipeline::Run>{};
  }
  pipeline::Run newest() {
    auto all = runs();
    EXPECT_FALSE(all.empty());
    return all.empty() ? pipeline::Run{} : all.front();
  }
  static Job job(const pipeline::Run& run, std::string_view key) {
    for (const Job& job : run.jobs) {
      if (job.key == key) return job;
    }
    ADD_FAILURE() << "no job " << key;
    return {};
  }

  void begin(const Job& job) {
    events::JobLeased leased;
    leased.job = job.job;
    leased.run = job.run;
    leased.repository = job.repository;
    leased.runner = "local";
    leased.executor = "host";
    say(leased, "runner");
    events::JobStarted started;
    started.job = job.job;
    started.run = job.run;
    started.repository = job.repository;
    started.name = job.name;
    started.runner = "local";
    say(started, "runner");
  }
  void end(const Job& job, Conclusion conclusion, std::vector<events::JobOutput> outputs = {}) {
    events::JobFinished finished;
    finished.job = job.job;
    finished.run = job.run;
    finished.repository = job.repository;
    finished.name = job.name;
    finished.runner = "local";
    finished.conclusion = conclusion;
    finished.outputs = std::move(outputs);
    finished.steps.push_back({.number = 1,
                              .name = "Run make",
                              .conclusion = conclusion,
                              .started_at = {},
                              .completed_at = {},
                              .exit_code = 0});
    say(finished, "runner");
  }
  void run_job(std::string_view key, Conclusion conclusion = Conclusion::success,
               std::vector<events::JobOutput> outputs = {}) {
    Job it = job(newest(), key);
    begin(it);
    end(it, conclusion, std::move(outputs));
  }

  size_t count(std::string_view type) const {
    auto all = log.all();
    return static_cast<size_t>(
        std::ranges::count_if(all, [type](const log::Stored& stored) { return stored.event.type == type; }));
  }
  template <class T>
  std::vector<T> said() const {
    std::vector<T> found;
    for (const log::Stored& stored : log.all()) {
      if (stored.event.type == T::type) found.push_back(*events::decode<T>(stored.event));
    }
    return found;
  }

  store::testing::Folder folder;
  core::Loop loop;
  core::testing::SimulatedClock clock{loop};
  core::SeededRandom random{7};
  core::IdSource ids{clock, random};
  bus::testing::MemoryLog log{clock};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<bus::Bus> bus;
  WorkflowFiles files;
  Roles rights;
  Settings settings;
  std::unique_ptr<Pipeline> pipeline;
};

inline SourceFile ci(std::string_view text, std::string path = ".github/workflows/ci.yml") {
  return {std::move(path), std::string(text)};
}

}  // namespace headrace::pipeline::testing
