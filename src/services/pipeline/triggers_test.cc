// What starts runs, what keeps them from starting, and what a run knows of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "events/testing/json_schema.h"
#include "services/pipeline/payload.h"
#include "services/pipeline/projection.h"
#include "services/pipeline/testing/world.h"
#include "store/rebuild.h"

namespace headrace::pipeline {
namespace {

using testing::Actor;
using testing::ci;
using testing::commit_id;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
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
  EXPECT_THAT(why(world, pushed), Contains("push refs/heads/topic: The message of the commit says [skip ci]."));
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
              Contains("create refs/tags/v1: The push moves 4 tags, and no tag starts workflows where there are more "
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
  EXPECT_EQ(payload_of(world).at("after"), commit_id('c')) << "GitHub: the tag's own";
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

TEST(Payloads, RefsThatComeAndGoHaveGitHubsMembersAndTypes) {
  EXPECT_THAT(unlike_github(ref_payload(home, RefFate::created, "refs/tags/v1", "alice"), "create.1.json"), IsEmpty());
  EXPECT_THAT(unlike_github(ref_payload(home, RefFate::deleted, "refs/tags/v1", "alice"), "delete.1.json"), IsEmpty());
}

}  // namespace
}  // namespace headrace::pipeline
