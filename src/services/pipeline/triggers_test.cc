// What starts runs, what keeps them from starting, and what a run knows of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "events/cloudevents.h"
#include "events/testing/json_schema.h"
#include "services/pipeline/awaited.h"
#include "services/pipeline/payload.h"
#include "services/pipeline/projection.h"
#include "services/pipeline/testing/world.h"
#include "store/rebuild.h"

namespace headrace::pipeline {
namespace {

using testing::Actor;
using testing::ci;
using testing::commit_id;
using testing::Conclusion;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using testing::World;

std::string on(std::string_view what) {
  return "on: " + std::string(what) + "\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n";
}

events::SettledUpdate update(std::string ref, std::string from, std::string to) {
  return {.ref = std::move(ref), .old_commit = std::move(from), .new_commit = std::move(to), .applied = true};
}

std::string push(World& world, std::vector<events::SettledUpdate> updates, Actor actor = Actor::user("alice")) {
  auto push = World::push_of(commit_id('a'), "refs/heads/main");
  push.updates = std::move(updates);
  return world.say(push, "repository", std::move(actor));
}

std::vector<std::string> events_of(World& world) {
  std::vector<std::string> events;
  for (const auto& run : world.said<events::RunQueued>()) events.push_back(run.event + " " + run.ref);
  return events;
}

std::vector<std::string> why(World& world, const std::string& event) {
  auto reasons = world.loop.run(world.pipeline->why_not(event));
  EXPECT_TRUE(reasons) << (reasons ? "" : reasons.error().message);
  std::vector<std::string> texts;
  if (!reasons) return texts;
  for (const Reason& reason : *reasons)
    texts.push_back(reason.event + " " + reason.ref + (reason.started ? " starts: " : ": ") + reason.text);
  return texts;
}

core::json::value payload_of(World& world, size_t index = 0) {
  return *core::parse_json(world.said<events::RunQueued>().at(index).payload);
}

const std::string none{events::no_commit};

TEST(Triggers, PathsAreComparedFromWhereTheBranchWas) {
  World world;
  world.files.commit(commit_id('b'), {ci(on("{push: {paths: [src/**]}}"))});
  world.files.changes_at(commit_id('b')).changed_paths.emplace({std::string("docs/a.md")});
  auto pushed = push(world, {update("refs/heads/main", commit_id('a'), commit_id('b'))});
  EXPECT_THAT(world.runs(), IsEmpty());
  ASSERT_THAT(world.files.compared(), SizeIs(1));
  EXPECT_EQ(world.files.compared()[0].before, commit_id('a'));
  EXPECT_GT(world.files.compared()[0].at, 0U);
  EXPECT_THAT(why(world, pushed),
              ElementsAre("push refs/heads/main: No changed file is matched by on.push.paths [src/**]."));
  world.files.changes_at(commit_id('b')).changed_paths->push_back("src/a.cc");
  push(world, {update("refs/heads/topic", none, commit_id('b'))});
  EXPECT_THAT(events_of(world), ElementsAre("push refs/heads/topic"));
}

TEST(Triggers, WhatIsNotKnownOfPathsLetsPassAndSaysWhy) {
  World world;
  world.files.commit(commit_id('b'), {ci(on("{push: {paths-ignore: [docs/**]}}"))});
  world.files.changes_at(commit_id('b')).paths_note = "The push has more than 1000 commits.";
  auto pushed = push(world, {update("refs/heads/main", commit_id('a'), commit_id('b'))});
  EXPECT_THAT(why(world, pushed), ElementsAre("push refs/heads/main starts: on.push includes the branch main. The push "
                                              "has more than 1000 commits."));
  EXPECT_THAT(world.runs(), SizeIs(1));
}

TEST(Triggers, AWordInTheMessageKeepsEverythingFromRunning) {
  World world;
  world.files.commit(commit_id('b'), {ci(on("[push, create]"))});
  world.files.message(commit_id('b'), "Docs\n\nonly words [Skip CI]\n");
  auto pushed = push(world, {update("refs/heads/topic", none, commit_id('b'))});
  EXPECT_THAT(events_of(world), ElementsAre("create refs/heads/topic")) << "GitHub: only push and pull_request";
  EXPECT_THAT(why(world, pushed), Contains("push refs/heads/topic: The message of the newest commit says [skip ci]."));
}

TEST(Triggers, MoreThanThreeTagsAtOnceStartNothing) {
  World world;
  world.files.commit(commit_id('b'), {ci(on("[push, create, delete]"))});
  world.files.point("refs/heads/main", commit_id('b'));
  std::vector<events::SettledUpdate> four{update("refs/heads/main", commit_id('a'), commit_id('b'))};
  for (const char* tag : {"1", "2", "3", "4"})
    four.push_back(update("refs/tags/v" + std::string(tag), none, commit_id('b')));
  auto pushed = push(world, four);
  EXPECT_THAT(events_of(world), ElementsAre("push refs/heads/main"));
  EXPECT_THAT(why(world, pushed),
              Contains("push refs/tags/v1: The push moves 4 tags, and no tag starts workflows where there are more "
                       "than 3 at once. Push them one by one."));
  four.pop_back();
  push(world, four);
  EXPECT_THAT(events_of(world), SizeIs(1 + 1 + 6)) << "three tags are pushed and made";
}

TEST(Triggers, BranchesAndTagsComeAndGo) {
  World world;
  world.files.commit(commit_id('b'), {ci(on("[create, delete]"))});
  world.files.point("refs/heads/main", commit_id('b'));
  push(world, {update("refs/tags/v1", none, commit_id('b'))});
  push(world, {update("refs/heads/topic", commit_id('b'), none)});
  EXPECT_THAT(events_of(world), ElementsAre("create refs/tags/v1", "delete refs/heads/main"));
  EXPECT_EQ(payload_of(world, 0).at("ref"), "v1");
  EXPECT_EQ(payload_of(world, 0).at("ref_type"), "tag");
  EXPECT_EQ(payload_of(world, 0).at("master_branch"), "main");
  EXPECT_EQ(payload_of(world, 1).at("ref"), "topic");
  EXPECT_EQ(payload_of(world, 1).at("ref_type"), "branch");
  EXPECT_EQ(world.newest().commit, commit_id('b')) << "the default branch's";
}

TEST(Triggers, WhatAJobPushesStartsNothing) {
  World world;
  world.files.commit(commit_id('b'), {ci(on("[push, create]"))});
  auto pushed = push(world, {update("refs/heads/topic", none, commit_id('b'))}, Actor::job("team/hello"));
  EXPECT_THAT(world.runs(), IsEmpty());
  EXPECT_THAT(why(world, pushed)[0], HasSubstr("A job did it with its own token"));
}

TEST(Triggers, ARunIsOfTheCommitThatATagComesDownTo) {
  World world;
  world.files.commit(commit_id('b'), {ci(on("push"))});
  world.files.tag(commit_id('c'), commit_id('b'));
  push(world, {update("refs/tags/v1", none, commit_id('c'))});
  EXPECT_EQ(world.newest().commit, commit_id('b'));
  EXPECT_EQ(payload_of(world).at("after").as_string(), commit_id('c')) << "GitHub: the tag's own";
}

TEST(Triggers, EachCommitOfAPushRunsWhereAFileAsksForIt) {
  World world;
  const SourceFile each = ci(on("{push: {each-commit: true}}"));
  world.files.commit(commit_id('b'), {each}).commit(commit_id('c'), {}).commit(commit_id('d'), {each});
  world.files.commit(commit_id('e'), {each, ci(on("push"), ".github/workflows/head.yml")});
  world.files.message(commit_id('d'), "wip [skip ci]");
  Changes& changes = world.files.changes_at(commit_id('e'));
  for (char id : {'b', 'c', 'd', 'e'}) changes.commits.emplace_back().id = commit_id(id);
  changes.head = changes.commits.back();
  auto pushed = push(world, {update("refs/heads/main", commit_id('a'), commit_id('e'))});
  std::vector<std::string> commits;
  for (const auto& run : world.said<events::RunQueued>())
    commits.push_back(run.commit.substr(0, 1) + run.workflow_file);
  EXPECT_THAT(commits,
              ElementsAre("b.github/workflows/ci.yml", "e.github/workflows/ci.yml", "e.github/workflows/head.yml"));
  EXPECT_THAT(why(world, pushed)[0], HasSubstr("each-commit: so do the 3 commits before it"));
}

// --- Payloads, against what GitHub sent.

// Members of ours that GitHub does not have, or has with another type; null stands for any.
void compare(const core::json::value& ours, const core::json::value& theirs, const std::string& at,
             std::vector<std::string>& wrong) {
  if (ours.is_null() || theirs.is_null()) return;
  bool same_kind = ours.kind() == theirs.kind() || (ours.is_number() && theirs.is_number());
  if (!same_kind) wrong.push_back(at + " has another type");
  if (!same_kind || !ours.is_object()) return;
  for (const auto& member : ours.get_object()) {
    std::string where = at + "/" + std::string(member.key());
    if (const auto* there = core::find(theirs, member.key()))
      compare(member.value(), *there, where, wrong);
    else
      wrong.push_back(where + " is not GitHub's");
  }
}

std::vector<std::string> unlike_github(const std::string& ours, const std::string& file) {
  std::vector<std::string> wrong;
  auto folder = events::testing::conformance_folder();
  if (folder.empty()) return wrong;
  auto theirs = core::parse_json(events::testing::read_text(folder + "/webhooks/" + file));
  EXPECT_TRUE(theirs) << file;
  compare(*core::parse_json(ours), *theirs, "", wrong);
  return wrong;
}

// --- What the default branch waits for.

// The default branch moves to a commit with these files.
void default_branch(World& world, const std::string& commit, std::vector<SourceFile> files) {
  world.files.commit(commit, std::move(files));
  world.files.point("refs/heads/main", commit);
  world.say(events::RefUpdated{.repository = "team/hello",
                               .ref = "refs/heads/main",
                               .old_commit = none,
                               .new_commit = commit,
                               .forced = false,
                               .push = "p"},
            "repository", Actor::user("alice"));
}

void pass(World& world, std::chrono::minutes time) {
  for (std::chrono::minutes passed{0}; passed < time; ++passed) {
    world.clock.advance(std::chrono::minutes(1));
    world.settle();
  }
}

constexpr std::string_view after_ci = "{workflow_run: {workflows: [CI], types: [completed]}}";
constexpr std::string_view on_done = "{event: \"type = 'com.example.done'\"}";

std::string publish(World& world, std::string type, Actor actor, std::string data = R"({"x":1})") {
  events::Event event;
  event.id = "foreign-" + std::to_string(world.log.durable());
  event.source = "https://ci.example";
  event.type = std::move(type);
  event.extensions["actor"] = core::to_string(actor);
  event.data = std::move(data);
  event.has_data = true;
  bus::Publish options;
  options.sync = bus::Sync::before_return;
  EXPECT_TRUE(world.loop.run(world.bus->publish(event, options)));
  world.settle();
  return event.id;
}

constexpr std::string_view every_hour = "{schedule: [{cron: '0 * * * *'}]}";

TEST(Schedules, StartTheDefaultBranchWhenTheirMinuteComes) {
  World world;
  default_branch(world, commit_id('a'), {ci(on(every_hour))});
  EXPECT_THAT(world.said<events::WorkflowsRead>(), SizeIs(1));
  pass(world, std::chrono::minutes(61));
  auto due = world.said<events::ScheduleDue>();
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].due.time_since_epoch() % std::chrono::hours(1), core::Duration(0));
  pipeline::Run run = world.newest();
  EXPECT_EQ(run.event, "schedule");
  EXPECT_EQ(run.ref, "refs/heads/main");
  EXPECT_EQ(run.commit, commit_id('a'));
  EXPECT_EQ(run.actor, "alice") << "whose push brought the schedule";
  EXPECT_EQ(payload_of(world).at("schedule"), "0 * * * *");
  pass(world, std::chrono::minutes(60));
  EXPECT_THAT(world.runs(), SizeIs(2));
}

TEST(Schedules, RunOnceAfterADowntimeHoweverOftenTheyWereDue) {
  World world;
  default_branch(world, commit_id('a'), {ci(on(every_hour))});
  pass(world, std::chrono::minutes(61));
  world.close();
  world.clock.advance(std::chrono::hours(30));
  world.open();
  pass(world, std::chrono::minutes(1));
  EXPECT_THAT(world.said<events::ScheduleDue>(), SizeIs(2));
  world.restart();
  pass(world, std::chrono::minutes(1));
  EXPECT_THAT(world.said<events::ScheduleDue>(), SizeIs(2)) << "said once";
}

TEST(Schedules, AreNoMoreOftenThanEveryFiveMinutes) {
  World world;
  default_branch(world, commit_id('a'), {ci(on("{schedule: [{cron: '* * * * *'}]}"))});
  pass(world, std::chrono::minutes(21));
  auto due = world.said<events::ScheduleDue>();
  ASSERT_GE(due.size(), 4U);
  EXPECT_LE(due.size(), 5U);
  for (size_t i = 1; i < due.size(); ++i) EXPECT_EQ(due[i].due - due[i - 1].due, std::chrono::minutes(5));
}

TEST(Schedules, EndWithTheFilesThatNameThemAndWithTheRepository) {
  World world;
  default_branch(world, commit_id('a'), {ci(on(every_hour))});
  default_branch(world, commit_id('b'), {ci(on("push"))});
  pass(world, std::chrono::minutes(70));
  EXPECT_THAT(world.said<events::ScheduleDue>(), IsEmpty());
  default_branch(world, commit_id('c'), {ci(on(every_hour))});
  world.say(events::RepositoryDeleted{"team/hello", 7, "team", "hello"}, "repository");
  pass(world, std::chrono::minutes(70));
  EXPECT_THAT(world.said<events::ScheduleDue>(), IsEmpty());
}

TEST(Schedules, OfABranchThatMovedBeforeAnybodyHeardAreFoundAtTheStart) {
  World world;
  world.files.commit(commit_id('a'), {ci(on(every_hour))});
  world.files.point("refs/heads/main", commit_id('a'));
  world.restart();
  world.settle();
  EXPECT_THAT(world.said<events::WorkflowsRead>(), SizeIs(1));
  world.restart();
  world.settle();
  EXPECT_THAT(world.said<events::WorkflowsRead>(), SizeIs(1)) << "no news";
  pass(world, std::chrono::minutes(61));
  EXPECT_EQ(world.newest().event, "schedule");
  EXPECT_EQ(world.newest().actor, "") << "on nobody's behalf";
}

TEST(Triggers, HearingTwiceActsOnce) {
  World world;
  default_branch(
      world, commit_id('a'),
      {ci("name: CI\n" + on("[push, create, repository_dispatch]")), ci(on(after_ci), ".github/workflows/b.yml"),
       ci(on(on_done), ".github/workflows/c.yml"), ci(on(every_hour), ".github/workflows/d.yml")});
  world.push(commit_id('a'));
  world.run_job("a");
  publish(world, "com.example.done", Actor::user("bob"));
  ASSERT_TRUE(world.loop.run(world.pipeline->dispatch_event(Actor::user("bob"), "team/hello", "x")));
  pass(world, std::chrono::minutes(61));
  size_t runs = world.runs().size();
  EXPECT_GE(runs, 6U) << "push, create, workflow_run, event, repository_dispatch, schedule";
  for (std::string_view subscription : {"pipeline.plan", "pipeline.workflows", "pipeline.events"}) {
    auto sought = world.loop.run(world.bus->seek(Actor::system(), std::string(subscription), bus::Start::beginning()));
    ASSERT_TRUE(sought) << sought.error().message;
  }
  world.settle();
  world.settle();
  EXPECT_THAT(world.runs(), SizeIs(runs));
  EXPECT_THAT(world.said<events::WorkflowsRead>(), SizeIs(1));
}

TEST(RepositoryDispatch, StartsWhatWaitsForItsType) {
  World world;
  world.files.commit(
      commit_id('a'),
      {ci(on("{repository_dispatch: {types: [deploy]}}")), ci(on("repository_dispatch"), ".github/workflows/any.yml"),
       ci(on("{repository_dispatch: {types: [other]}}"), ".github/workflows/other.yml")});
  world.files.point("refs/heads/main", commit_id('a'));
  auto asked = world.loop.run(
      world.pipeline->dispatch_event(Actor::user("bob"), "team/hello", "deploy", R"({"to":{"region":"eu"}})"));
  ASSERT_TRUE(asked) << asked.error().message;
  world.settle();
  EXPECT_THAT(world.runs(), SizeIs(2));
  EXPECT_EQ(world.newest().actor, "bob");
  EXPECT_EQ(payload_of(world).at("action"), "deploy");
  EXPECT_EQ(payload_of(world).at("client_payload").at("to").at("region"), "eu");
  auto asked_as = [&](const char* type, const char* payload) {
    return world.loop.run(world.pipeline->dispatch_event(Actor::user("bob"), "team/hello", type, payload)).error().code;
  };
  EXPECT_EQ(asked_as("", "{}"), core::Code::invalid);
  EXPECT_EQ(asked_as("x", "[]"), core::Code::invalid);
  EXPECT_EQ(asked_as("x", R"({"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"10":1,"11":1})"),
            core::Code::invalid);
}

TEST(WorkflowRuns, StartTheDefaultBranchWhenARunOfThatNameEnds) {
  World world;
  SourceFile first = ci("name: CI\n" + on("push"), ".github/workflows/a.yml");
  default_branch(world, commit_id('a'), {first, ci(on(after_ci), ".github/workflows/b.yml")});
  world.push(commit_id('a'));
  ASSERT_THAT(world.runs(), SizeIs(1)) << "requested is not completed";
  world.run_job("a");
  ASSERT_THAT(world.runs(), SizeIs(2));
  auto payload = payload_of(world, 1);
  EXPECT_EQ(world.newest().event, "workflow_run");
  EXPECT_EQ(payload.at("action"), "completed");
  EXPECT_EQ(payload.at("workflow_run").at("conclusion"), "success");
  EXPECT_EQ(payload.at("workflow_run").at("name"), "CI");
  EXPECT_EQ(payload.at("workflow_run").at("head_branch"), "main");
  EXPECT_THAT(unlike_github(world.said<events::RunQueued>()[1].payload, "workflow_run.completed.1.json"),
              UnorderedElementsAre(HasSubstr("/path is"), HasSubstr("/display_title is"), HasSubstr("/actor is"),
                                   HasSubstr("/triggering_actor is")))
      << "GitHub's documentation has these four, the example is older";
  world.run_job("a");
  EXPECT_THAT(world.runs(), SizeIs(2)) << "the other file's name is not CI";
}

TEST(WorkflowRuns, AreNoChainOfMoreThanThree) {
  World world;
  default_branch(world, commit_id('a'),
                 {ci("name: CI\n" + on("{push: , workflow_run: {workflows: [CI], types: [completed]}}"))});
  world.push(commit_id('a'));
  for (int i = 0; i < 6; ++i) {
    if (World::job(world.newest(), "a").status != Status::completed) world.run_job("a");
  }
  EXPECT_THAT(world.runs(), SizeIs(4)) << "the first, and three behind it";
  auto ends = world.log.all();
  auto last = std::ranges::find_if(ends.rbegin(), ends.rend(), [](const log::Stored& stored) {
    return events::is<events::RunFinished>(stored.event);
  });
  EXPECT_THAT(why(world, last->event.id)[0], HasSubstr("It follows from 4 runs"));
}

// --- on: event.

TEST(AnyEvent, OfAnotherToolStartsWhereItsPublisherMayStartRuns) {
  World world;
  default_branch(world, commit_id('a'), {ci(on(on_done))});
  world.rights.forbid("eve", "team/hello");
  publish(world, "com.example.done", Actor::user("eve"));
  publish(world, "com.example.other", Actor::user("bob"));
  EXPECT_THAT(world.runs(), IsEmpty());
  auto heard = publish(world, "com.example.done", Actor::user("bob"));
  ASSERT_THAT(world.runs(), SizeIs(1));
  EXPECT_EQ(world.newest().event, "event");
  EXPECT_EQ(world.newest().actor, "bob");
  EXPECT_EQ(payload_of(world).at("type"), "com.example.done");
  EXPECT_EQ(payload_of(world).at("data").at("x"), 1);
  EXPECT_THAT(why(world, heard)[0], HasSubstr("event refs/heads/main starts: The filter of on.event matches"));
}

TEST(AnyEvent, OfThePlatformIsHeardByItsRepositoryAloneAndChainsEnd) {
  World world;
  SourceFile first = ci("name: CI\n" + on("push"), ".github/workflows/a.yml");
  SourceFile all = ci(on("{event: \"type LIKE '%pipelinerun.finished%'\"}"), ".github/workflows/b.yml");
  default_branch(world, commit_id('a'), {first, all});
  events::RunFinished other;
  other.run = "r";
  other.repository = "team/other";
  world.say(other, "pipeline");
  EXPECT_THAT(world.runs(), IsEmpty());
  world.push(commit_id('a'));
  world.run_job("a");
  ASSERT_THAT(world.runs(), SizeIs(2));
  EXPECT_EQ(world.said<events::RunQueued>()[1].depth, 1);
  EXPECT_EQ(world.newest().actor, "alice");
  world.run_job("a");
  EXPECT_THAT(world.runs(), SizeIs(2)) << "a file does not start itself";
  auto all_events = world.log.all();
  auto last = std::ranges::find_if(all_events.rbegin(), all_events.rend(), [](const log::Stored& stored) {
    return events::is<events::RunFinished>(stored.event);
  });
  EXPECT_THAT(why(world, last->event.id), Contains(HasSubstr("A run of this very file led to the event")));
}

TEST(AnyEvent, IsListenedToAgainAfterARestart) {
  World world;
  default_branch(world, commit_id('a'), {ci(on(on_done))});
  world.restart();
  publish(world, "com.example.done", Actor::user("bob"));
  EXPECT_THAT(world.runs(), SizeIs(1));
}

// --- Changes, queue and tasks, said by services that are not there yet.

events::ChangeState change() {
  return {.number = 12,
          .title = "A change",
          .body = "Why",
          .author = "bob",
          .head_branch = "topic",
          .head_commit = commit_id('d'),
          .base_branch = "main",
          .base_commit = commit_id('b'),
          .merge_commit = commit_id('e'),
          .draft = false,
          .labels = {"bug"}};
}

TEST(Changes, RunOnTheTreeThatWouldLand) {
  World world;
  world.files.commit(commit_id('e'), {ci(on("{pull_request: {branches: [main], paths: [src/**]}}"))});
  world.files.commit(commit_id('b'), {ci(on("pull_request_target"))});
  world.files.changes_at(commit_id('d')).changed_paths.emplace({std::string("src/a.cc")});
  world.say(events::ChangeCreated{"team/hello#12", "team/hello", 7, change()}, "review", Actor::user("bob"));
  EXPECT_THAT(events_of(world), ElementsAre("pull_request refs/pull/12/merge", "pull_request_target refs/heads/main"));
  auto run = world.said<events::RunQueued>()[0];
  EXPECT_EQ(run.commit, commit_id('e'));
  EXPECT_EQ(run.branch, "topic");
  EXPECT_EQ(world.files.compared()[0].kind, Comparison::Kind::change);
  EXPECT_THAT(unlike_github(run.payload, "pull_request.opened.1.json"), IsEmpty());
  auto spec = core::parse_json(world.said<events::JobQueued>()[0].spec);
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->at("contexts").at("github").at("head_ref"), "topic");
  EXPECT_EQ(spec->at("contexts").at("github").at("base_ref"), "main");
  EXPECT_EQ(spec->at("contexts").at("github").at("ref_name"), "12/merge");
}

TEST(Changes, WithConflictsRunNothingAndTypesDecide) {
  World world;
  world.files.commit(commit_id('e'), {ci(on("{pull_request: {types: [labeled, closed]}}"))});
  world.files.commit(commit_id('b'), {});
  auto state = change();
  world.say(events::ChangeUpdated{"team/hello#12", "team/hello", 7, "synchronize", state}, "review");
  EXPECT_THAT(world.runs(), IsEmpty());
  world.say(events::ChangeUpdated{"team/hello#12", "team/hello", 7, "labeled", state}, "review");
  world.say(events::ChangeMerged{"team/hello#12", "team/hello", 7, state}, "review");
  EXPECT_THAT(world.runs(), SizeIs(2));
  EXPECT_EQ(payload_of(world, 1).at("action"), "closed");
  EXPECT_EQ(payload_of(world, 1).at("pull_request").at("merged"), true);
  state.merge_commit.clear();
  auto said = world.say(events::ChangeUpdated{"team/hello#12", "team/hello", 7, "labeled", state}, "review");
  EXPECT_THAT(world.runs(), SizeIs(2));
  EXPECT_THAT(why(world, said)[0], HasSubstr("cannot be merged into main as it is"));
}

TEST(Changes, OfOtherToolsStartNothing) {
  World world;
  world.files.commit(commit_id('e'), {ci(on("pull_request"))});
  auto event = events::encode(events::ChangeCreated{"team/hello#12", "team/hello", 7, change()},
                              world.bus->header(bus::Origin::root("review", Actor::user("bob"))));
  event.source = "https://gerrit.example";
  bus::Publish options;
  options.sync = bus::Sync::before_return;
  EXPECT_TRUE(world.loop.run(world.bus->publish(event, options)));
  world.settle();
  EXPECT_THAT(world.runs(), IsEmpty());
}

TEST(MergeGroups, AskForChecksOfWhatWouldLand) {
  World world;
  world.files.commit(commit_id('e'), {ci(on("{merge_group: {branches: [main]}}"))});
  world.say(
      events::QueueEntered{"q", "team/hello", 7, {12}, "main", commit_id('b'), "refs/queue/main/1", commit_id('e')},
      "review");
  EXPECT_THAT(events_of(world), ElementsAre("merge_group refs/queue/main/1"));
  EXPECT_THAT(unlike_github(world.said<events::RunQueued>()[0].payload, "merge_group.checks_requested.1.json"),
              IsEmpty());
}

TEST(Tickets, AreIssues) {
  World world;
  world.files.commit(commit_id('a'), {ci(on("{issues: {types: [opened, closed]}}"))});
  world.files.point("refs/heads/main", commit_id('a'));
  const events::TicketState state{3, "It breaks", {"bug"}};
  world.say(events::TicketCreated{"team/hello#3", "Broken", "alice", "", "team/hello", 7, state}, "team");
  world.say(events::TicketUpdated{"team/hello#3", "Broken", "alice", "", "team/hello", 7, "edited", state}, "team");
  world.say(events::TicketClosed{"team/hello#3", "Broken", "alice", "completed", "", "team/hello", 7, state}, "team");
  EXPECT_THAT(events_of(world), ElementsAre("issues refs/heads/main", "issues refs/heads/main"));
  EXPECT_THAT(unlike_github(world.said<events::RunQueued>()[0].payload, "issues.opened.1.json"), IsEmpty());
  EXPECT_EQ(payload_of(world, 1).at("issue").at("state"), "closed");
}

// --- Workflows of other repositories.

constexpr std::string_view calls_shared = R"(on: push
jobs: {a: {uses: team/shared/.github/workflows/build.yml@v1}}
)";
constexpr std::string_view shared = "on: workflow_call\njobs: {b: {runs-on: x, steps: [{run: b}]}}\n";

TEST(OtherRepositories, HaveWorkflowsThatCanBeCalledAndStayTheSameForTheWholeRun) {
  World world;
  world.files.commit(commit_id('a'), {ci(calls_shared)});
  world.files.commit(commit_id('c'), {ci(shared, ".github/workflows/build.yml")});
  world.files.point("refs/tags/v1", commit_id('c'));
  world.push(commit_id('a'));
  auto run = world.said<events::RunQueued>()[0];
  EXPECT_THAT(run.called,
              ElementsAre(events::CalledWorkflow{"team/shared/.github/workflows/build.yml@v1", commit_id('c')}));
  EXPECT_EQ(World::job(world.newest(), "a/b").status, Status::queued);
  world.files.commit(commit_id('d'), {});
  world.files.point("refs/tags/v1", commit_id('d'));
  world.restart();
  world.run_job("a/b");
  EXPECT_EQ(world.newest().conclusion, Conclusion::success) << world.newest().errors;
}

TEST(OtherRepositories, AreClosedToWhoMayNotReadThem) {
  World world;
  world.rights.forbid("alice", "team/shared");
  world.files.commit(commit_id('a'), {ci(calls_shared)});
  world.files.commit(commit_id('c'), {ci(shared, ".github/workflows/build.yml")});
  world.files.point("refs/tags/v1", commit_id('c'));
  world.push(commit_id('a'));
  EXPECT_EQ(world.newest().conclusion, Conclusion::startup_failure);
  EXPECT_THAT(world.newest().errors, HasSubstr(".github/workflows/ci.yml:2:18: "));
  EXPECT_THAT(world.newest().errors, HasSubstr("alice may not read team/shared."));
}

TEST(OtherRepositories, WithoutTheRefOrFileRefuseTheRun) {
  World world;
  world.files.commit(commit_id('a'), {ci(calls_shared)});
  world.push(commit_id('a'));
  EXPECT_THAT(world.newest().errors, HasSubstr("has no branch, tag or commit 'v1'"));
}

TEST(Triggers, StateRebuiltFromTheLogIsEqual) {
  World world;
  default_branch(world, commit_id('a'), {ci(on("{push: , schedule: [{cron: '0 * * * *'}], event: \"type = 'x'\"}"))});
  pass(world, std::chrono::minutes(61));
  world.push(commit_id('a'));
  publish(world, "x", Actor::user("bob"));
  default_branch(world, commit_id('b'), {ci(on(every_hour))});
  auto awaited = world.store->read_here(RunsProjection::projection_name, {},
                                        [](sqlite::Connection& tables) { return awaited_by(tables, "team/hello"); });
  ASSERT_TRUE(awaited);
  EXPECT_THAT(awaited->crons, ElementsAre("0 * * * *"));
  EXPECT_THAT(awaited->events, IsEmpty());
  EXPECT_THAT(world.runs(), SizeIs(3));
  world.settle();
  world.store->stop();
  RunsProjection projection;
  auto rebuilt = store::rebuild({&projection}, world.log, world.folder.path(), "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message << rebuilt.error().detail;
  EXPECT_FALSE(rebuilt->front().difference) << rebuilt->front().difference->what;
}

const Home home{"team/hello", 7, "main", "http://localhost"};

TEST(Payloads, APushHasGitHubsMembersAndTypes) {
  Changes changes;
  PushedCommit commit{.id = commit_id('b'),
                      .tree = commit_id('c'),
                      .message = "Title",
                      .author = {"Ann", "ann@example.com"},
                      .committer = {"Bob", "bob@example.com"},
                      .time = "2026-11-29T10:00:00+01:00",
                      .distinct = true,
                      .added = {"a"},
                      .removed = {},
                      .modified = {"m"}};
  changes.commits.push_back(commit);
  changes.head = commit;
  auto moved = update("refs/heads/main", commit_id('a'), commit_id('b'));
  auto payload = push_payload(home, moved, "alice", changes);
  for (const char* file : {"push.1.json", "push.2.json", "push.3.json", "push.4.json", "push.5.json", "push.6.json"})
    EXPECT_THAT(unlike_github(payload, file), IsEmpty()) << file;
  auto read = *core::parse_json(payload);
  EXPECT_EQ(read.at("compare"), "http://localhost/team/hello/compare/aaaaaaaaaaaa...bbbbbbbbbbbb");
  EXPECT_EQ(read.at("head_commit").at("author").at("email"), "ann@example.com");
  EXPECT_EQ(read.at("commits").at(0).at("modified").at(0), "m");
  EXPECT_EQ(read.at("base_ref"), nullptr);
}

TEST(Payloads, OfThePushThatHoldsMostFitsIntoAnEvent) {
  PushedCommit commit{.id = commit_id('b'),
                      .tree = commit_id('c'),
                      .message = std::string(message_bytes_max, '"'),
                      .author = {std::string(person_bytes_max, '\\'), std::string(person_bytes_max, '"')},
                      .committer = {std::string(person_bytes_max, '"'), std::string(person_bytes_max, '"')},
                      .time = "2026-11-29T10:00:00+01:00",
                      .distinct = true,
                      .added = std::vector(commit_files_bytes_max / 46, std::string(10, '"')),
                      .removed = {},
                      .modified = {}};
  Changes changes;
  changes.commits = {commit, commit};  // more than the source ever tells
  changes.head = commit;
  events::RunQueued run;
  run.run = "r";
  run.repository = home.full_name;
  run.payload = push_payload(home, update("refs/heads/main", commit_id('a'), commit_id('b')), "alice", changes);
  auto event = events::encode(run, {.id = "x", .source = "/headrace/pipeline"});
  EXPECT_LT(events::to_structured(event).size(), events::event_bytes_max);
}

TEST(Payloads, RefsThatComeAndGoHaveGitHubsMembersAndTypes) {
  EXPECT_THAT(unlike_github(ref_payload(home, RefFate::created, "refs/tags/v1", "alice"), "create.1.json"), IsEmpty());
  EXPECT_THAT(unlike_github(ref_payload(home, RefFate::deleted, "refs/tags/v1", "alice"), "delete.1.json"), IsEmpty());
}

}  // namespace
}  // namespace headrace::pipeline
