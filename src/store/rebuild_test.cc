#include "store/rebuild.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/random.h"
#include "store/testing/world.h"

namespace headrace::store {
namespace {

using core::Code;
using store::testing::items;
using store::testing::patience;
using store::testing::put;
using store::testing::script_type;
using store::testing::ScriptProjection;
using store::testing::World;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string random_change(core::Random& random) {
  const auto id = std::to_string(random.below(50));
  switch (random.below(5)) {
    case 0: return "DELETE FROM item WHERE id = '" + id + "'";
    case 1: return "UPDATE item SET value = value + 1 WHERE value < " + id;
    case 2: return "REPLACE INTO item (id, value) VALUES ('" + id + "', NULL)";
    default: return put(id, random.below(100));
  }
}

// The same log for the same seed, in every process.
void say_random(log::Offset events, uint64_t seed, store::testing::MemoryLog& log) {
  core::SeededRandom random(seed);
  for (log::Offset event = 0; event < events; ++event)
    log.say(random.below(10) == 0 ? "unheard" : script_type, random_change(random) + ";" + random_change(random));
}

uint64_t seed_of_run() {
  const char* given = std::getenv("HEADRACE_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 4711;
}

TEST(Rebuild, WhatIsRebuiltEqualsWhatWasKeptLive) {
  const auto seed = seed_of_run();
  SCOPED_TRACE("HEADRACE_SEED=" + std::to_string(seed));
  World world;
  world.add("shop");
  world.start();
  say_random(2'000, seed, world.log);
  ASSERT_TRUE(world.wait("shop"));
  world.stop();
  ScriptProjection projection("shop", items);
  auto reports = world.rebuilt(projection, Verify::yes);
  ASSERT_TRUE(reports) << reports.error().message;
  const auto& report = reports->front();
  EXPECT_EQ(report.offset, world.log.durable());
  EXPECT_GT(report.events, 1'500u);
  EXPECT_THAT(report.digest, SizeIs(64));
  EXPECT_EQ(report.digest, report.digest_before);
  EXPECT_FALSE(report.difference);
  EXPECT_FALSE(std::filesystem::exists(world.folder.file("shop.v1.db.new")));
}

TEST(Rebuild, ComparesAtTheOffsetOfTheFileWhenTheLogHasMoreEvents) {
  World world;
  world.add("shop");
  world.start();
  const auto then = world.log.say(script_type, put("a", 1));
  ASSERT_TRUE(world.wait("shop"));
  world.stop();
  world.log.say(script_type, put("a", 2));
  ScriptProjection projection("shop", items);
  auto reports = world.rebuilt(projection, Verify::yes);
  EXPECT_EQ(reports->front().offset, then);
  EXPECT_EQ(reports->front().digest, reports->front().digest_before);
}

struct Tampering {
  const char* sql;
  const char* table;
  const char* key;
  const char* what;
};

TEST(Rebuild, SaysWhichRowDiffersFirst) {
  const std::vector<Tampering> tamperings{
      {"UPDATE item SET value = 'x' WHERE id = 'b'", "item", "id='b'", "value is 'x', rebuilt 2"},
      {"DELETE FROM item WHERE id = 'b'", "item", "id='b'", "only in the rebuilt file"},
      {"INSERT INTO item VALUES ('aa', 1, 1)", "item", "id='aa'", "missing in the rebuilt file"},
      {"UPDATE item_history SET value = 7", "item_history", "id='a' until=3", "value is 7, rebuilt 1"},
      {"UPDATE item SET since = 1 WHERE id = 'c'", "item", "id='c'", "since is 1, rebuilt 4"},
  };
  for (const auto& tampering : tamperings) {
    World world;
    world.add("shop");
    world.start();
    for (const auto& [id, value] :
         std::vector<std::pair<std::string, uint64_t>>{{"a", 1}, {"b", 2}, {"a", 3}, {"c", 4}})
      world.log.say(script_type, put(id, value));
    ASSERT_TRUE(world.wait("shop"));
    world.stop();
    {
      auto file = *sqlite::Connection::open(world.folder.file("shop.db"), {});
      ASSERT_TRUE(file->run("DROP TRIGGER store_item_updated; DROP TRIGGER store_item_deleted"));
      ASSERT_TRUE(file->run(sqlite::Sql::generated(tampering.sql)));
    }
    ScriptProjection projection("shop", items);
    auto reports = world.rebuilt(projection, Verify::yes);
    ASSERT_TRUE(reports) << reports.error().message;
    EXPECT_NE(reports->front().digest, reports->front().digest_before);
    ASSERT_TRUE(reports->front().difference) << tampering.sql;
    EXPECT_EQ(reports->front().difference->table, tampering.table);
    EXPECT_EQ(reports->front().difference->key, tampering.key);
    EXPECT_EQ(reports->front().difference->what, tampering.what);
  }
}

TEST(Rebuild, WithoutVerifyTheNewFileTakesThePlaceOfTheOld) {
  World world;
  say_random(300, 1, world.log);
  ScriptProjection projection("shop", items);
  auto first = world.rebuilt(projection, Verify::no);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->front().offset, world.log.durable());
  auto verified = world.rebuilt(projection, Verify::yes);
  EXPECT_EQ(verified->front().digest_before, first->front().digest);
  auto again = world.rebuilt(projection, Verify::no);
  EXPECT_EQ(again->front().digest, first->front().digest);
}

TEST(Rebuild, AnotherVersionIsRebuiltWithNothingToCompareWith) {
  World world;
  world.log.say(script_type, put("a", 1));
  ScriptProjection old("shop", items), newer("shop", items, 2);
  ASSERT_TRUE(world.rebuilt(old, Verify::no));
  auto reports = world.rebuilt(newer, Verify::yes);
  EXPECT_THAT(reports->front().digest_before, IsEmpty());
  EXPECT_FALSE(reports->front().difference);
}

TEST(Rebuild, NamesTheProjectionAndTheEventThatFails) {
  World world;
  world.log.say(script_type, put("a", 1));
  world.log.say(script_type, "!invalid");
  ScriptProjection projection("shop", items);
  auto reports = world.rebuilt(projection, Verify::no);
  EXPECT_THAT(reports.error().message, HasSubstr("shop stopped at event event-2 (offset 2"));
  EXPECT_EQ(rebuild({&projection}, world.log, world.folder.path(), "other", Verify::no).error().code, Code::not_found);
}

// ---- kill -9 wherever it falls

constexpr log::Offset events_of_child = 600;

[[noreturn]] void live_until_killed(const std::string& folder, uint64_t seed, int progress) {
  core::Loop loop;
  store::testing::MemoryLog log;
  Store store(loop, log, folder, {.transaction_events_max = 20});
  store.add(std::make_unique<ScriptProjection>("shop", items));
  say_random(events_of_child / 2, seed, log);  // what a child before this one may have applied is here again
  if (!store.start()) ::_exit(1);
  core::SeededRandom random(seed + 1);
  for (log::Offset event = 0; event < events_of_child / 2; ++event) {
    log.say(script_type, random_change(random));
    if (::write(progress, "x", 1) != 1) ::_exit(2);
  }
  for (;;) ::pause();
}

TEST(RebuildCrash, AKillBetweenAnyCommitsLeavesAFileThatGoesOnAndEqualsTheRebuilt) {
  const auto seed = seed_of_run();
  SCOPED_TRACE("HEADRACE_SEED=" + std::to_string(seed));
  core::SeededRandom moments(seed);
  World world;
  for (int kill = 0; kill < 12; ++kill) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const auto child = ::fork();
    if (child == 0) live_until_killed(world.folder.path(), seed, pipe[1]);
    ::close(pipe[1]);
    std::vector<char> seen(1 + moments.below(events_of_child / 2));
    for (size_t at = 0; at < seen.size();) {
      const auto got = ::read(pipe[0], seen.data() + at, seen.size() - at);
      ASSERT_GT(got, 0);
      at += static_cast<size_t>(got);
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    ::close(pipe[0]);
  }
  say_random(events_of_child / 2, seed, world.log);
  core::SeededRandom random(seed + 1);
  for (log::Offset event = 0; event < events_of_child / 2; ++event) world.log.say(script_type, random_change(random));
  world.add("shop");
  world.start();
  ASSERT_TRUE(world.wait("shop"));
  world.stop();
  ScriptProjection projection("shop", items);
  auto reports = world.rebuilt(projection, Verify::yes);
  ASSERT_TRUE(reports) << reports.error().message;
  EXPECT_EQ(reports->front().offset, events_of_child);
  EXPECT_EQ(reports->front().digest, reports->front().digest_before);
}

}  // namespace
}  // namespace headrace::store
