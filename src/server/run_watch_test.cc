// A run watched over HTTP: pushed by real git, run by a real worker, told as it happens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "server/testing/runs.h"

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

class RunWatch : public testing::Runs {
 protected:
  net::ClientRequest request(const std::string& run) {
    return {parts().public_url + "/api/v1/runs/" + run + "/watch",
            "GET",
            {{"Authorization", "Bearer " + world.administrator}},
            {}};
  }
  void begin_watching(const std::string& run, Heard& heard) {
    tasks.spawn("watch", watch(client, request(run), heard));
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

TEST_F(RunWatch, NamesAFailedTestWithItsMessageWhileTheJobStillRuns) {
  auto run = push(
      "echo \"<testsuite><testcase classname='Cart' name='adds'><failure message='3 is not 4'/></testcase>"
      "</testsuite>\" > junit.xml\n      - run: until [ -e " +
      file("go") + " ]; do sleep 0.01; done");
  start_worker();
  Heard early, late;
  begin_watching(run, early);
  ASSERT_TRUE(until([&] { return !early.of("test").empty(); }));
  EXPECT_FALSE(early.ended);
  auto failed = early.of("test").at(0);
  EXPECT_EQ(core::string_at(failed, "name"), "adds");
  EXPECT_EQ(core::string_at(failed, "message"), "3 is not 4");
  EXPECT_EQ(core::string_at(failed, "key"), "build");
  EXPECT_EQ(core::string_at(failed, "report_file"), "junit.xml");
  begin_watching(run, late);
  ASSERT_TRUE(until([&] { return !late.of("test").empty(); })) << "who comes later is told as well";
  std::ofstream(file("go")) << 1;
  ASSERT_TRUE(until([&] { return early.ended && late.ended; }));
  EXPECT_EQ(early.of("test").size(), 1U);
  EXPECT_EQ(late.of("test").size(), 1U);
}

TEST_F(RunWatch, TellsFailedTestsOfARunThatIsOver) {
  auto run = push("echo \"<testsuite><testcase name='adds'><error message='no'/></testcase></testsuite>\" > junit.xml");
  start_worker();
  Heard first, again;
  begin_watching(run, first);
  ASSERT_TRUE(until([&] { return first.ended; }));
  begin_watching(run, again);
  ASSERT_TRUE(until([&] { return again.ended; }));
  EXPECT_EQ(first.of("test").size(), 1U);
  EXPECT_EQ(again.of("test"), first.of("test"));
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

TEST_F(RunWatch, WhoMayNotSeeARunIsNotToldOfWhichRepositoryItIs) {
  auto run = push("true");
  auto job = core::string_at(json_of(world.get("/api/v1/runs/" + run)).at("jobs").as_array().at(0), "job").value();
  auto stranger = world.token({"run:read"}, "eve");
  for (const auto& path : {"/api/v1/runs/" + run, "/api/v1/runs/" + run + "/tests", "/api/v1/runs/" + run + "/summary",
                           "/api/v1/runs/" + run + "/watch", "/api/v1/jobs/" + job + "/log"}) {
    auto refused = world.get_as(stranger, path);
    EXPECT_EQ(refused.status, net::Status::forbidden) << path;
    EXPECT_THAT(refused.body, HasSubstr("the role read on its repository is needed")) << path;
    EXPECT_THAT(refused.body, ::testing::Not(HasSubstr("team"))) << path;
  }
}

}  // namespace
}  // namespace headrace::server
