// A run watched over HTTP: pushed by real git, run by a real worker, told as it happens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "process/run.h"
#include "server/testing/world.h"
#include "services/runner/worker.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json_of;
namespace json = core::json;

struct Heard {
  std::vector<net::ServerSentEvent> events;
  bool ended = false;  // in good order

  std::vector<json::value> of(std::string_view name) const {
    std::vector<json::value> all;
    for (const auto& event : events)
      if (event.name == name) all.push_back(core::parse_json(event.data).value());
    return all;
  }
};

core::Task<> watch(net::Client& client, net::ClientRequest request, Heard& heard) {
  auto reader = co_await client.subscribe(std::move(request));
  while (reader) {
    auto event = co_await (*reader)->next();
    if (!event) co_return;
    if (!*event) break;
    heard.events.push_back(std::move(**event));
  }
  heard.ended = reader.has_value();
}

core::Task<> work(runner::Worker& worker) { auto ended = co_await worker.run(); }

class RunWatch : public ::testing::Test {
 protected:
  RunWatch() : tasks(parts().loop.executor()), client(parts().loop.executor(), parts().clock) {}
  ~RunWatch() override { parts().loop.run(tasks.close()); }

  Parts& parts() { return world.parts(); }
  std::string file(const std::string& name) const { return world.folder() + "/" + name; }

  // Pushes a workflow of one job with this step; the run's id.
  std::string push(const std::string& step) {
    world.post("/api/v1/repositories", R"({"full_name":"team/hello"})");
    auto url = parts().public_url;
    url.insert(std::string("http://").size(), "admin:" + world.administrator + "@");
    std::filesystem::create_directories(file("clone/.github/workflows"));
    std::ofstream(file("clone/.github/workflows/ci.yml"))
        << "on: push\njobs:\n  build:\n    runs-on: linux\n    steps:\n      - run: |\n          " << step << "\n";
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
  net::ClientRequest request(const std::string& run) {
    return {parts().public_url + "/api/v1/runs/" + run + "/watch",
            "GET",
            {{"Authorization", "Bearer " + world.administrator}},
            {}};
  }
  void begin_watching(const std::string& run, Heard& heard) {
    tasks.spawn("watch", watch(client, request(run), heard));
  }

  template <class Holds>
  bool until(Holds holds) {
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!holds() && std::chrono::steady_clock::now() < deadline)
      parts().loop.run(parts().clock.sleep_for(std::chrono::milliseconds(1)));
    return holds();
  }

  // The log as it was told, which must have no gap and nothing twice.
  static std::string log_of(const Heard& heard) {
    std::string text;
    int64_t from = 0;
    for (const auto& piece : heard.of("log")) {
      EXPECT_EQ(core::integer_at(piece, "offset"), from);
      auto part = core::string_at(piece, "text").value();
      EXPECT_TRUE(part.ends_with('\n')) << "a piece is whole lines";
      text += part;
      from += static_cast<int64_t>(part.size());
      EXPECT_EQ(core::integer_at(piece, "next"), from);
    }
    return text;
  }

  testing::World world;
  core::Scope tasks;
  net::Client client;
  std::unique_ptr<runner::Worker> worker;
};

TEST_F(RunWatch, TellsEachStateAndEveryLineOnceAndTheEndLast) {
  auto run = push("seq 1 5000; until [ -e " + file("go") + " ]; do sleep 0.01; done; echo last words");
  Heard heard;
  begin_watching(run, heard);
  ASSERT_TRUE(until([&] { return !heard.of("run").empty(); }));
  EXPECT_EQ(core::string_at(heard.of("run")[0], "status"), "queued");
  EXPECT_THAT(core::to_text(heard.of("run")[0]), HasSubstr("No runner is connected")) << "why it waits is told";
  start_worker();
  ASSERT_TRUE(until([&] { return log_of(heard).find(" 1 5000\n") != std::string::npos; })) << "live, not at the end";
  EXPECT_FALSE(heard.ended);
  std::ofstream(file("go")) << 1;
  ASSERT_TRUE(until([&] { return heard.ended; }));
  EXPECT_EQ(heard.events.back().name, "end");
  auto end = heard.of("end").back();
  EXPECT_EQ(core::string_at(end, "status"), "completed");
  EXPECT_EQ(core::string_at(end, "conclusion"), "success");
  auto states = heard.of("run");
  EXPECT_TRUE(std::ranges::any_of(states, [](const auto& state) {
    return core::string_at(state, "status") == "in_progress" &&
           core::to_text(state).find("\"steps\":[{") != std::string::npos;
  })) << "the step that runs is told while it does";
  EXPECT_THAT(log_of(heard), HasSubstr(" 1 last words\n"));
  auto job = core::string_at(end.at("jobs").as_array().at(0), "job").value();
  EXPECT_EQ(log_of(heard), world.get("/api/v1/jobs/" + job + "/log").body);
}

TEST_F(RunWatch, TellsARunThatIsOverAtOnce) {
  auto run = push("echo hello; exit 3");
  start_worker();
  Heard first, again;
  begin_watching(run, first);
  ASSERT_TRUE(until([&] { return first.ended; }));
  begin_watching(run, again);
  ASSERT_TRUE(until([&] { return again.ended; }));
  EXPECT_EQ(again.of("run").size(), 1U);
  EXPECT_EQ(again.of("end"), again.of("run"));
  EXPECT_EQ(core::string_at(again.of("end").back(), "conclusion"), "failure");
  EXPECT_EQ(log_of(again), log_of(first));
  EXPECT_THAT(log_of(again), HasSubstr(" 1 hello\n"));
}

TEST_F(RunWatch, IsForWhoMaySeeTheRunOnly) {
  auto run = push("true");
  auto path = "/api/v1/runs/" + run + "/watch";
  EXPECT_EQ(world.get_as("", path).status, net::Status::unauthorized);
  EXPECT_EQ(world.get_as(world.token({"event:read"}, "eve"), path).status, net::Status::forbidden)
      << "no right to runs";
  EXPECT_EQ(world.get("/api/v1/runs/999999/watch").status, net::Status::not_found);
  EXPECT_EQ(world.get("/api/v1/runs/x/watch").status, net::Status::not_found);
}

TEST_F(RunWatch, OneWhoLeavesCostsNothingAndTheOthersAreToldOn) {
  auto run = push("echo hello; until [ -e " + file("go") + " ]; do sleep 0.01; done");
  start_worker();
  Heard stays;
  begin_watching(run, stays);
  for (int i = 0; i < 20; ++i) {
    Heard leaves;
    core::Scope leaving(parts().loop.executor());
    leaving.spawn("watch", watch(client, request(run), leaves));
    ASSERT_TRUE(until([&] { return !leaves.of("run").empty(); }));
    parts().loop.run(leaving.close());
  }
  ASSERT_TRUE(until([&] { return parts().http->counters().connections_open <= 3; })) << "the two and the runner's";
  std::ofstream(file("go")) << 1;
  ASSERT_TRUE(until([&] { return stays.ended; }));
  EXPECT_EQ(core::string_at(stays.of("end").back(), "conclusion"), "success");
}

}  // namespace
}  // namespace headrace::server
