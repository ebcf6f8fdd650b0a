// The story: a push becomes an event, a job runs because of it, and everything leads back to the push.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "support/platform.h"

namespace headrace {

namespace {

using support::Clone;
using support::eventually;
using support::Platform;
using support::text_at;
namespace json = core::json;

constexpr const char* workflow = R"(name: ci
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo hello
      - name: second
        run: echo two
)";

std::vector<json::value> events_of_type(const std::vector<json::value>& log, std::string_view part) {
  std::vector<json::value> found;
  for (const auto& event : log)
    if (text_at(event, "type").find(part) != std::string::npos) found.push_back(event);
  return found;
}

// The event from which everything of `correlation` stems.
std::string root_by_causes(const std::vector<json::value>& log, const json::value& event) {
  std::map<std::string, const json::value*> by_id;
  for (const auto& one : log) by_id[text_at(one, "id")] = &one;
  const json::value* at = &event;
  for (size_t steps = 0; steps < log.size(); ++steps) {
    auto cause = text_at(*at, "causationid");
    if (cause.empty()) return text_at(*at, "type");
    if (!by_id.contains(cause)) return "a gap: no event " + cause;
    at = by_id[cause];
  }
  return "a circle";
}

}  // namespace

TEST(Story, APushIsWatchedToItsGreenEndByWhoPushed) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto created = platform.json({"repo", "create", "team/hello"});
  EXPECT_EQ(text_at(created, "full_name"), "team/hello");
  EXPECT_EQ(text_at(created, "clone_url"), platform.url() + "/team/hello.git");
  Clone clone(platform, "team/hello", "hello");
  clone.write(".github/workflows/ci.yml", workflow);
  clone.commit("the first");
  auto pushed = clone.git({"push", "origin", "HEAD:refs/heads/main"});
  EXPECT_EQ(pushed.exit, 0) << pushed.err;
  EXPECT_NE(pushed.err.find("remote: Watch what it starts: headrace run watch --repo"), std::string::npos)
      << pushed.err;

  std::string newest;
  EXPECT_TRUE(eventually([&] {
    newest = platform.cli({"run", "list", "--json", "--repo", "team/hello"}).out;
    return newest.find("\"id\"") != std::string::npos;
  }));
  auto watched = platform.cli({"run", "watch"}, {}, clone.path());
  EXPECT_EQ(watched.exit, 0) << watched.out << watched.err;
  EXPECT_NE(watched.out.find("build | hello\n"), std::string::npos) << watched.out;
  EXPECT_NE(watched.out.find("build | two\n"), std::string::npos) << watched.out;
}

TEST(Story, ARunIsShownInTheShapeThatIsDocumented) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto run = support::run_of(platform, "team/hello", workflow);
  EXPECT_TRUE(core::integer_at(run, "id"));
  EXPECT_EQ(core::integer_at(run, "number"), 1);
  EXPECT_EQ(text_at(run, "workflow"), "ci");
  EXPECT_EQ(text_at(run, "event"), "push");
  EXPECT_EQ(text_at(run, "branch"), "main");
  EXPECT_EQ(text_at(run, "commit").size(), 40U);
  EXPECT_EQ(text_at(run, "status"), "completed");
  EXPECT_EQ(text_at(run, "conclusion"), "success");
  EXPECT_TRUE(text_at(run, "url").starts_with(platform.url()));
  const auto* jobs = core::find(run, "jobs");
  ASSERT_TRUE(jobs && jobs->is_array() && jobs->get_array().size() == 1);
  const auto& job = jobs->get_array()[0];
  EXPECT_TRUE(core::integer_at(job, "id"));
  EXPECT_EQ(text_at(job, "name"), "build");
  EXPECT_EQ(text_at(job, "conclusion"), "success");
  const auto* steps = core::find(job, "steps");
  ASSERT_TRUE(steps && steps->is_array() && steps->get_array().size() == 2);
  const auto& second = steps->get_array()[1];
  EXPECT_EQ(core::integer_at(second, "number"), 2);
  EXPECT_EQ(text_at(second, "name"), "second");
  EXPECT_EQ(text_at(second, "status"), "completed");
  EXPECT_EQ(text_at(second, "conclusion"), "success");
}

TEST(Story, EveryEventOfARunIsValidAndLeadsBackToThePush) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  support::run_of(platform, "team/hello", workflow);
  platform.terminate();
  auto log = platform.log();

  auto accepted = events_of_type(log, "push.accepted");
  ASSERT_EQ(accepted.size(), 1U);
  EXPECT_EQ(events_of_type(log, "push.received").size(), 1U);
  auto finished = events_of_type(log, "pipelinerun.finished");
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_NE(root_by_causes(log, finished[0]).find("push.accepted"), std::string::npos)
      << root_by_causes(log, finished[0]);

  std::set<std::string> story;
  for (const auto& event : log) {
    if (text_at(event, "correlationid") != text_at(accepted[0], "id")) continue;
    story.insert(text_at(event, "type"));
    EXPECT_NE(root_by_causes(log, event).find("push.accepted"), std::string::npos) << core::to_text(event);
  }
  EXPECT_GE(story.size(), 9U);
  for (const auto& event : log) {
    auto bare = event;
    bare.get_object().erase("offset");
    auto checked = platform.cli({"event", "validate", "-"}, core::to_text(bare));
    EXPECT_EQ(checked.exit, 0) << checked.out << core::to_text(bare);
  }
}

TEST(Story, WhyWalksFromTheEndOfARunToItsPushWithoutAGap) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  support::run_of(platform, "team/hello", workflow);
  auto tailed = platform.cli({"event", "tail", "--from", "beginning", "--limit", "1", "--filter",
                              "type LIKE 'dev.cdevents.pipelinerun.finished%'"});
  ASSERT_EQ(tailed.exit, 0) << tailed.err;
  auto end = core::parse_json(tailed.out);
  ASSERT_TRUE(end);
  auto why = platform.json({"event", "why", text_at(*end, "id")});
  const auto& causes = why.at("causes").as_array();
  ASSERT_FALSE(causes.empty());
  auto cause = text_at(*end, "causationid");
  for (const auto& one : causes) {
    EXPECT_EQ(text_at(one, "id"), cause);
    cause = text_at(one, "causationid");
  }
  EXPECT_EQ(cause, "");
  EXPECT_NE(text_at(causes.back(), "type").find("push.accepted"), std::string::npos);
  EXPECT_EQ(text_at(*end, "correlationid"), text_at(causes.back(), "id"));
  auto routes = platform.cli({"event", "routes"});
  for (const char* service : {"pipeline", "runner", "repository", "identity", "bus"})
    EXPECT_NE(routes.out.find(service), std::string::npos) << routes.out;
}

TEST(Story, AnEarlierMomentIsShownAsItWas) {
  Platform platform;
  ASSERT_TRUE(platform.start()) << platform.said();
  auto run = support::run_of(platform, "team/hello", workflow);
  auto id = std::to_string(core::integer_at(run, "id").value_or(0));
  auto all = support::listen(
      platform.port(),
      {"GET",
       "/api/v1/events/stream?from=beginning&filter=" + std::string("type%20LIKE%20'dev.cdevents.pipelinerun.%25'"),
       {"Authorization: Bearer " + platform.token()},
       {}},
      3);
  ASSERT_EQ(all.size(), 3U);
  auto queued = std::stoll(all[0].id);
  auto before = platform.json({"run", "list", "--repo", "team/hello", "--at", std::to_string(queued - 1)});
  EXPECT_TRUE(before.at("runs").as_array().empty());
  auto then = platform.json({"run", "view", id, "--at", std::to_string(queued)});
  EXPECT_EQ(text_at(then, "status"), "queued");
  auto gone = platform.cli({"run", "view", id, "--at", std::to_string(queued - 1)});
  EXPECT_EQ(gone.exit, 1) << gone.out << gone.err;
  auto future = platform.cli({"run", "view", id, "--at", "999999"});
  EXPECT_EQ(future.exit, 1) << future.out << future.err;
}

}  // namespace headrace
