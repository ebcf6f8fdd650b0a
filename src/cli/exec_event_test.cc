#include "cli/exec_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::cli {
namespace {

using ::testing::HasSubstr;

struct Happened {
  Happened() {
    folder.full_name = "team/hello";
    folder.server_url = "https://github.com";
    folder.actor = "Ada";
    folder.title = "First";
    folder.ref = "refs/heads/topic";
    folder.base = std::string(40, 'b');
    snapshot.commit = std::string(40, 'c');
    snapshot.before = std::string(40, 'a');
    snapshot.changes = {{'A', "new.txt"}, {'M', "src/a.c"}, {'D', "old.txt"}};
  }
  core::Result<Beginning> begin(std::string_view text) const {
    auto reading = workflow::read(text, ".github/workflows/ci.yml");
    core::require(reading.workflow.has_value(), "the workflow can be read");
    return cli::begin(*reading.workflow, occurrence, folder, snapshot);
  }
  core::json::value payload(std::string_view text) const {
    auto begun = begin(text);
    core::require(begun.has_value(), "it begins");
    return *core::parse_json(begun->run.payload);
  }
  Folder folder;
  Snapshot snapshot;
  Occurrence occurrence;
};

std::string on(const std::string& events) {
  return "on: " + events + "\njobs:\n  a: {runs-on: x, steps: [{run: a}]}\n";
}

TEST(ExecEvent, APushHasThePayloadThatGitHubSends) {
  Happened happened;
  auto begun = happened.begin(on("push"));
  ASSERT_TRUE(begun);
  EXPECT_TRUE(begun->decision.starts);
  EXPECT_EQ(begun->run.ref, "refs/heads/topic");
  EXPECT_EQ(begun->run.branch, "topic");
  EXPECT_EQ(begun->run.actor, "Ada");
  auto payload = *core::parse_json(begun->run.payload);
  EXPECT_EQ(payload.at("ref"), "refs/heads/topic");
  EXPECT_EQ(payload.at("before").as_string(), std::string(40, 'a'));
  EXPECT_EQ(payload.at("after").as_string(), std::string(40, 'c'));
  EXPECT_EQ(payload.at("head_commit").at("added").at(0), "new.txt");
  EXPECT_EQ(payload.at("repository").at("full_name"), "team/hello");
  EXPECT_EQ(payload.at("sender").at("login"), "Ada");
}

TEST(ExecEvent, FiltersOfBranchesAndPathsDecideAsOnTheServer) {
  Happened happened;
  EXPECT_TRUE(happened.begin(on("{push: {paths: ['src/**']}}"))->decision);
  EXPECT_FALSE(happened.begin(on("{push: {paths: ['docs/**']}}"))->decision);
  auto refused = happened.begin(on("{push: {branches: [main]}}"))->decision;
  EXPECT_FALSE(refused);
  EXPECT_THAT(refused.reason, HasSubstr("The branch topic is not matched by on.push.branches [main]"));
}

TEST(ExecEvent, APullRequestIsOfThisBranchToTheDefaultOne) {
  Happened happened;
  happened.occurrence.event = "pull_request";
  happened.occurrence.of_request = {{'M', "docs/x"}};
  auto begun = happened.begin(on("{pull_request: {branches: [main], paths: ['docs/**']}}"));
  ASSERT_TRUE(begun);
  EXPECT_TRUE(begun->decision) << begun->decision.reason;
  EXPECT_EQ(begun->run.ref, "refs/pull/1/merge");
  EXPECT_EQ(begun->github.find("head_ref")->to_text(), "topic");
  EXPECT_EQ(begun->github.find("base_ref")->to_text(), "main");
  EXPECT_EQ(begun->github.find("ref_name")->to_text(), "1/merge");
  auto payload = *core::parse_json(begun->run.payload);
  EXPECT_EQ(payload.at("action"), "synchronize");
  EXPECT_EQ(payload.at("pull_request").at("head").at("sha").as_string(), std::string(40, 'c'));
  EXPECT_EQ(payload.at("pull_request").at("base").at("ref"), "main");
  EXPECT_FALSE(happened.begin(on("{pull_request: {paths: ['src/**']}}"))->decision);
  EXPECT_EQ(happened.payload(on("{pull_request: {types: [labeled]}}")).at("action"), "labeled");
}

TEST(ExecEvent, InputsAreCheckedAgainstTheirTypesAndDefaultsFilledIn) {
  Happened happened;
  happened.occurrence.event = "workflow_dispatch";
  std::string text =
      on("{workflow_dispatch: {inputs: {level: {type: choice, options: [low, high], required: true}, "
         "loud: {type: boolean, default: true}, times: {type: number, default: 3}}}}");
  auto missing = happened.begin(text);
  happened.occurrence.inputs = {{"level", "high"}, {"loud", "false"}};
  auto begun = happened.begin(text);
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_EQ(begun->run.inputs, R"({"level":"high","loud":false,"times":3})");
  auto payload = core::parse_json(begun->run.payload);
  ASSERT_TRUE(payload);
  EXPECT_EQ(core::to_text(payload->at("inputs")), R"({"level":"high","loud":"false","times":"3"})");
  happened.occurrence.inputs = {{"level", "middle"}};
  auto wrong = happened.begin(text);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("middle"));
  happened.occurrence.inputs = {{"level", "low"}, {"other", "1"}};
  EXPECT_THAT(happened.begin(text).error().message, HasSubstr("other"));
}

TEST(ExecEvent, AnEventFileCountsForWhatItSays) {
  Happened happened;
  happened.occurrence.file = R"({"ref":"refs/tags/v1","after":"x","commits":[],"sender":{"login":"bob"},"mine":7})";
  auto begun = happened.begin(on("{push: {tags: [v1]}}"));
  ASSERT_TRUE(begun);
  EXPECT_TRUE(begun->decision) << begun->decision.reason;
  EXPECT_EQ(begun->run.event, "push");
  EXPECT_EQ(begun->run.ref, "refs/tags/v1");
  EXPECT_EQ(begun->run.actor, "bob");
  EXPECT_EQ(begun->run.commit, std::string(40, 'c')) << "what is checked out is the folder at hand";
  EXPECT_EQ(core::parse_json(begun->run.payload)->at("mine"), 7);
  happened.occurrence.event = "release";
  happened.occurrence.file = R"({"action":"published","release":{"tag_name":"v2"}})";
  EXPECT_TRUE(happened.begin(on("{release: {types: [published]}}"))->decision);
  EXPECT_FALSE(happened.begin(on("{release: {types: [created]}}"))->decision);
}

TEST(ExecEvent, ACloudEventMeetsOnEvent) {
  Happened happened;
  happened.occurrence.event = "event";
  std::string text = on("{event: {filter: {exact: {type: com.example.lit}}}}");
  EXPECT_THAT(happened.begin(text).error().message, HasSubstr("--event-file"));
  happened.occurrence.file = R"({"specversion":"1.0","id":"1","source":"https://x/y","type":"com.example.lit"})";
  auto begun = happened.begin(text);
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_TRUE(begun->decision) << begun->decision.reason;
}

TEST(ExecEvent, AScheduleIsDueByItsFirstLine) {
  Happened happened;
  happened.occurrence.event = "schedule";
  EXPECT_TRUE(happened.begin(on("{schedule: [{cron: '5 4 * * *'}]}"))->decision);
  EXPECT_FALSE(happened.begin(on("push"))->decision);
}

TEST(ExecEvent, NamesAreThoseOfGitHub) {
  EXPECT_TRUE(is_event("pull_request"));
  EXPECT_FALSE(is_event("pull-request"));
  EXPECT_FALSE(is_event("workflow_call"));
  EXPECT_THAT(event_names(), HasSubstr("push, pull_request"));
}

}  // namespace
}  // namespace headrace::cli
