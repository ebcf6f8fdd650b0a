// Runs on a platform in this process: workflows pushed by real git, run by a real worker on this host.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "process/run.h"
#include "server/testing/world.h"
#include "services/runner/worker.h"

namespace headrace::server::testing {

class Runs : public ::testing::Test {
 protected:
  Runs() : tasks(parts().loop.executor()), client(parts().loop.executor(), parts().clock) {}
  ~Runs() override { parts().loop.run(tasks.close()); }

  Parts& parts() { return world.parts(); }
  std::string file(const std::string& name) const { return world.folder() + "/" + name; }

  // Pushes a workflow of one job with this step; the run's id.
  std::string push(const std::string& step) {
    return push_workflow("on: push\njobs:\n  build:\n    runs-on: linux\n    steps:\n      - run: |\n          " +
                         step + "\n");
  }
  std::string push_workflow(const std::string& workflow) {
    world.post("/api/v1/repositories", R"({"full_name":"team/hello"})");
    auto url = parts().public_url;
    url.insert(std::string("http://").size(), "admin:" + world.administrator + "@");
    std::filesystem::create_directories(file("clone/.github/workflows"));
    std::ofstream(file("clone/.github/workflows/ci.yml")) << workflow;
    process::Spec git;
    git.argv = {
        "/bin/sh", "-ec",
        "git init -q -b main . && git add . && git commit -q -m one && git push -q " + url + "/team/hello.git main"};
    git.environment = process::inherited_environment({"PATH"});
    for (const char* word : {"HOME=/nonexistent", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=a@example.org",
                             "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=a@example.org"})
      git.environment.emplace_back(word);
    git.directory = file("clone");
    auto ran = parts().loop.run(process::run(parts().loop.executor(), git, {}, {}));
    EXPECT_TRUE(ran && ran->exit.succeeded()) << (ran ? ran->err : ran.error().message);
    std::string id;
    EXPECT_TRUE(until([&] {
      auto runs = json_of(world.get("/api/v1/runs")).at("runs").as_array();
      if (!runs.empty()) id = std::to_string(core::integer_at(runs[0], "id").value());
      return !id.empty();
    }));
    return id;
  }
  void start_worker() {
    auto made = parts().loop.run(parts().identity->runner_token_file("one", file("runner.token")));
    EXPECT_TRUE(made);
    runner::WorkerOptions options;
    options.server = parts().public_url;
    options.token = core::read_file(parts().disk, file("runner.token")).value();
    while (options.token.ends_with('\n')) options.token.pop_back();
    options.name = "one";
    options.labels = {{"linux", "host"}};
    options.folder = file("jobs");
    worker = std::make_unique<runner::Worker>(parts().loop, parts().clock, parts().disk, parts().ids, options);
    tasks.spawn("worker", work(*worker));
  }
  template <class Holds>
  bool until(Holds holds) {
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds() && std::chrono::steady_clock::now() < deadline)
      parts().loop.run(parts().clock.sleep_for(std::chrono::milliseconds(1)));
    return holds();
  }

  testing::World world;
  core::Scope tasks;
  net::Client client;
  std::unique_ptr<runner::Worker> worker;

 private:
  static core::Task<> work(runner::Worker& at_work) { auto ended = co_await at_work.run(); }
};

}  // namespace headrace::server::testing
