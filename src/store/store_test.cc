#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "store/testing/world.h"

namespace headrace::store {
namespace {

using namespace std::chrono_literals;
using core::Code;
using store::testing::all_items;
using store::testing::items;
using store::testing::patience;
using store::testing::put;
using store::testing::rows_of;
using store::testing::script_type;
using store::testing::ScriptProjection;
using store::testing::World;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Store, AppliesWhatIsSaidAndResumesWhoWaitsForIt) {
  World world;
  world.add("shop");
  world.start();
  for (uint64_t value = 1; value <= 3; ++value) {
    const auto offset = world.log.say(script_type, put("a", value));
    ASSERT_TRUE(world.wait("shop", offset));
    EXPECT_EQ(world.store().applied("shop"), offset);
    EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<" + std::to_string(value) + ">"));
  }
  EXPECT_THAT(*world.pool_rows("shop"), ElementsAre("<a>|<3>"));
  EXPECT_THAT(*world.pool_rows("shop", 2), ElementsAre("<a>|<2>"));
}

TEST(Store, GoesOnWhereItWasAfterARestart) {
  World world;
  world.add("shop");
  world.start();
  world.log.say(script_type, put("a", 1));
  ASSERT_TRUE(world.wait("shop"));
  world.stop();
  world.log.say(script_type, "UPDATE item SET value = value + 1");
  world.add("shop");
  world.start();
  ASSERT_TRUE(world.wait("shop"));
  EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<2>"));
}

TEST(Store, TellsWhoWaitsForAnOffsetThatDoesNotComeThatItIsBehind) {
  World world;
  world.add("shop");
  world.start();
  auto late = world.loop.run(world.store().caught_up("shop", 7, 1ms));
  EXPECT_EQ(late.error().code, Code::unavailable);
  EXPECT_THAT(late.error().message, AllOf(HasSubstr("shop"), HasSubstr("wanted 7")));
  EXPECT_EQ(world.loop.run(world.store().caught_up("other", 0, 1ms)).error().code, Code::not_found);
}

core::Task<> wait_and_note(Store& store, Offset offset, std::vector<core::Result<>>& notes) {
  notes.push_back(co_await store.caught_up("shop", offset, patience));
}

TEST(Store, TellsWhoWaitsWhenItStops) {
  World world;
  world.add("shop");
  world.start();
  std::vector<core::Result<>> notes;
  world.loop.spawn(wait_and_note(world.store(), 1, notes));
  world.loop.poll();
  EXPECT_THAT(notes, IsEmpty());
  world.stop();
  world.loop.run();
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].error().code, Code::unavailable);
}

TEST(Store, WakesAllWhoWaitForOneTransaction) {
  World world;
  world.add("shop");
  world.start();
  std::vector<core::Result<>> notes;
  for (Offset offset = 1; offset <= 100; ++offset) world.loop.spawn(wait_and_note(world.store(), offset, notes));
  world.loop.poll();
  for (int event = 0; event < 100; ++event) world.log.say(script_type, put("a", 1));
  world.loop.run();
  ASSERT_THAT(notes, SizeIs(100));
  for (const auto& note : notes) EXPECT_TRUE(note);
}

TEST(Store, AGateOpensOnceTheEventIsAppliedAndStaysShutForOneThatCannotBe) {
  World world;
  world.add("shop");
  world.start();
  const auto gate = world.store().gate("shop");
  const auto good = world.log.say(script_type, put("a", 1));
  world.loop.run(gate(good));
  EXPECT_GE(world.store().applied("shop"), good);
  const auto bad = world.log.say(script_type, "!invalid");
  EXPECT_THROW(world.loop.run(gate(bad)), std::runtime_error);
  world.stop();
  EXPECT_THROW(world.loop.run(gate(good)), std::runtime_error);
}

TEST(Store, AWatchHearsHowFarItIsUntilItIsLetGo) {
  World world;
  world.add("shop");
  world.start();
  std::vector<Offset> heard;
  auto watch = world.store().watch("shop", [&](Offset applied) { heard.push_back(applied); });
  world.log.say(script_type, put("a", 1));
  ASSERT_TRUE(world.wait("shop"));
  world.loop.poll();
  EXPECT_THAT(heard, ElementsAre(1));
  watch.reset();
  world.log.say(script_type, put("a", 2));
  ASSERT_TRUE(world.wait("shop"));
  world.loop.poll();
  EXPECT_THAT(heard, ElementsAre(1));
}

TEST(Store, PassesOverHolesAndWhatAProjectionDoesNotHear) {
  World world;
  world.add("shop");
  world.start();
  world.log.say(script_type, put("a", 1));
  world.log.leave_hole(1'000);
  const auto unheard = world.log.say("something else", "not SQL at all");
  ASSERT_TRUE(world.wait("shop", unheard));
  EXPECT_EQ(
      *world.store().read_here("shop", std::nullopt, [](sqlite::Connection& tables) { return offset_of(tables); }),
      unheard);
  EXPECT_THAT(*world.rows("shop", 500), ElementsAre("<a>|<1>"));
  EXPECT_EQ(*world.store().read_here("shop", Offset{500}, [](sqlite::Connection& tables) { return offset_of(tables); }),
            500u);
}

TEST(Store, WhatNoProjectionHearsIsSteppedOverInTheLog) {
  World world;
  world.add("shop");
  world.add("other").hears({"other"});
  world.start();
  for (int i = 0; i < 50; ++i) world.log.say("something else", "{}");
  const auto said = world.log.say(script_type, put("a", 1));
  ASSERT_TRUE(world.wait("shop", said));
  ASSERT_TRUE(world.wait("other", said));
  EXPECT_THAT(world.log.types_read(), ElementsAre(script_type));
}

TEST(Store, AnEdgeMayWaitForAllProjectionsToBeAtTheTail) {
  World world;
  world.add("one");
  world.add("two").hears({});
  world.start();
  world.log.say(script_type, put("a", 1));
  ASSERT_TRUE(world.loop.run(world.store().all_caught_up(patience)));
  EXPECT_EQ(world.store().applied("one"), 1u);
  EXPECT_EQ(world.store().applied("two"), 1u);
  EXPECT_TRUE(world.store().ready());
}

TEST(Store, AReadingMayWaitUntilItShowsAnEvent) {
  World world;
  world.add("one");
  world.add("two").hears({});
  world.start();
  EXPECT_EQ(world.store().shown(), 0u);
  for (Offset offset = 1; offset <= 20; ++offset) {
    world.log.say(script_type, put("a", offset));
    ASSERT_TRUE(world.loop.run(world.store().all_show(offset, patience)));
    EXPECT_GE(world.store().shown().value(), offset);
    EXPECT_THAT(*world.rows("one"), ElementsAre("<a>|<" + std::to_string(offset) + ">"));
  }
  auto beyond = world.loop.run(world.store().all_show(21, patience));
  EXPECT_EQ(beyond.error().code, Code::invalid);
  EXPECT_THAT(beyond.error().message, HasSubstr("newest event, which has 20"));
}

TEST(Store, AReadingDoesNotWaitForLongerThanItWants) {
  World world;
  world.add("one");
  world.start();
  world.log.refuse_reads(core::Error{Code::unavailable, "Not yet.", ""});
  world.log.say(script_type, put("a", 1));
  auto late = world.loop.run(world.store().all_show(1, 20ms));
  EXPECT_EQ(late.error().code, Code::unavailable);
  EXPECT_EQ(world.store().shown(), 0u);
}

// ---- moments

TEST(StoreMoments, BeforeTheFirstEventThereIsNothingAndBeyondTheNewestThereIsNoAnswer) {
  World world;
  world.add("shop");
  world.start();
  world.log.say(script_type, put("a", 1));
  ASSERT_TRUE(world.wait("shop"));
  EXPECT_THAT(*world.rows("shop", 0), IsEmpty());
  auto beyond = world.pool_rows("shop", 2);
  EXPECT_EQ(beyond.error().code, Code::invalid);
  EXPECT_THAT(beyond.error().message, AllOf(HasSubstr("2"), HasSubstr("newest event, which has 1")));
  EXPECT_EQ(world.rows("shop", 2).error().code, Code::invalid);
  EXPECT_EQ(world.rows("nobody").error().code, Code::not_found);
}

TEST(StoreMoments, AreOffsetsOrTimes) {
  World world;
  world.add("shop");
  world.start();
  const auto noon = *core::parse_time("2026-11-23T12:00:00Z");
  world.log.set_now(noon);
  world.log.say(script_type, put("a", 1));
  world.log.say(script_type, put("a", 2));
  world.log.set_now(noon + 1min);
  world.log.leave_hole(5);
  world.log.say(script_type, put("a", 3));
  ASSERT_TRUE(world.wait("shop"));
  auto& store = world.store();
  EXPECT_EQ(*store.moment(""), std::nullopt);
  EXPECT_EQ(*store.moment("1"), 1u);
  EXPECT_THAT(*world.rows("shop", *store.moment("2026-11-23T12:00:00Z")), ElementsAre("<a>|<2>"));
  EXPECT_THAT(*world.rows("shop", *store.moment("2026-11-23T12:00:59.999Z")), ElementsAre("<a>|<2>"));
  EXPECT_THAT(*world.rows("shop", *store.moment("2026-11-23T13:01:00+01:00")), ElementsAre("<a>|<3>"));
  EXPECT_THAT(*world.rows("shop", *store.moment("2026-11-23T11:59:59Z")), IsEmpty());
  EXPECT_EQ(store.moment("9").error().code, Code::invalid);
  EXPECT_THAT(store.moment("yesterday").error().message, HasSubstr("\"yesterday\" is no moment"));
}

// ---- failures

TEST(StoreFailures, AProjectionThatFailsStopsAloneBeforeTheEventAndIsNamed) {
  for (const auto* failure : {"!invalid", "!throw", "INSERT INTO nonsense VALUES (1)"}) {
    World world;
    world.add("shop");
    world.add("other").hears({"never"});
    world.start();
    world.log.say(script_type, put("a", 1) + "; " + put("b", 1));
    const auto bad = world.log.say(script_type, failure);
    const auto after = world.log.say(script_type, put("a", 9));
    auto stopped = world.wait("shop", after);
    ASSERT_FALSE(stopped);
    EXPECT_THAT(stopped.error().message, AllOf(HasSubstr("shop"), HasSubstr("offset " + std::to_string(bad))));
    ASSERT_TRUE(world.wait("other", after));
    EXPECT_EQ(world.store().applied("shop"), bad - 1);
    EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<1>", "<b>|<1>"));
    auto ready = world.store().ready();
    EXPECT_THAT(ready.error().message, AllOf(HasSubstr("shop is stopped"), HasSubstr("event-2")));
    EXPECT_EQ(ready.error().message.find("other"), std::string::npos);
    EXPECT_EQ(world.store().status()[0].phase, Status::Phase::stopped);
    EXPECT_EQ(world.store().status()[1].phase, Status::Phase::live);
    EXPECT_EQ(world.loop.run(world.store().all_show(after, patience)).error().code, Code::unavailable);
    EXPECT_EQ(world.store().shown(), std::nullopt) << "reads of shop show less";
  }
}

TEST(StoreFailures, AFailureThatMayPassIsTriedAgain) {
  World world;
  auto& projection = world.add("shop");
  world.start();
  world.log.say(script_type, put("a", 1));
  world.log.say(script_type, "!unavailable");
  const auto last = world.log.say(script_type, put("a", 2));
  ASSERT_FALSE(world.wait("shop", last));
  EXPECT_EQ(world.store().status()[0].phase, Status::Phase::stopped);
  projection.mend();
  while (!world.wait("shop", last)) continue;  // refused at once while it is stopped
  EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<2>"));
  EXPECT_EQ(world.store().status()[0].phase, Status::Phase::live);
}

TEST(StoreFailures, ALogThatCannotBeReadIsNamedAndReadAgain) {
  World world;
  world.add("shop");
  world.start();
  world.log.refuse_reads(core::Error{Code::corrupt, "Segment 1 is damaged at offset 1.", ""});
  world.log.say(script_type, put("a", 1));
  ASSERT_FALSE(world.loop.run(world.store().caught_up("shop", 1, 20ms)));
  EXPECT_THAT(world.store().ready().error().message, HasSubstr("Segment 1 is damaged"));
  world.log.refuse_reads(std::nullopt);
  ASSERT_TRUE(world.wait("shop", 1));
}

TEST(StoreFailures, ASchemaThatBreaksARuleIsRefusedAtStart) {
  World world;
  world.add("shop", "CREATE TABLE t (a INTEGER)");
  auto started = world.store().start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("no PRIMARY KEY"));
}

// ---- files that cannot be gone on with

TEST(StoreRebuild, ACursorBeyondTheLogsTailMeansRebuild) {
  World world;
  world.add("shop");
  world.start();
  for (uint64_t value = 1; value <= 10; ++value) world.log.say(script_type, put("a", value));
  ASSERT_TRUE(world.wait("shop"));
  world.stop();
  world.log.forget_after(5);
  world.add("shop");
  world.start();
  ASSERT_TRUE(world.wait("shop", 5));
  EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<5>"));
}

TEST(StoreRebuild, AnotherEventAtItsOffsetMeansRebuild) {
  World world;
  world.add("shop");
  world.start();
  for (uint64_t value = 1; value <= 10; ++value) world.log.say(script_type, put("a", value));
  ASSERT_TRUE(world.wait("shop"));
  world.stop();
  world.log.forget_after(5);  // restored from an older copy, and then used
  for (uint64_t value = 1; value <= 10; ++value) world.log.say(script_type, put("b", value));
  world.add("shop");
  world.start();
  ASSERT_TRUE(world.wait("shop"));
  EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<5>", "<b>|<10>"));
}

TEST(StoreRebuild, AMissingOrDamagedFileIsMadeAnew) {
  World world;
  world.log.say(script_type, put("a", 1));
  for (const std::string content : {"", "no database at all, but long enough to be taken for one", "missing"}) {
    std::filesystem::remove(world.folder.file("shop.db"));
    if (content != "missing") std::ofstream(world.folder.file("shop.db")) << content;
    world.add("shop");
    world.start();
    ASSERT_TRUE(world.wait("shop"));
    EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<1>"));
    world.stop();
  }
}

TEST(StoreRebuild, TheOldVersionAnswersWhileTheNewOneIsRebuiltBesideIt) {
  World world;
  world.add("shop");
  world.start();
  for (uint64_t value = 1; value <= 700; ++value) world.log.say(script_type, put("a", value));
  ASSERT_TRUE(world.wait("shop"));
  world.stop();
  world.log.refuse_reads_by_type(core::Error{Code::unavailable, "Not yet.", ""});
  world.add("shop", std::string(items) + "CREATE TABLE more (id TEXT PRIMARY KEY)", 2);
  world.start();
  EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<700>"));
  EXPECT_THAT(*world.rows("shop", 5), ElementsAre("<a>|<5>"));
  auto newer = world.rows("shop", {}, "SELECT id FROM more");
  EXPECT_EQ(newer.error().code, Code::unavailable);
  EXPECT_THAT(newer.error().message, HasSubstr("rebuilt for its version 2"));
  EXPECT_THAT(world.store().ready().error().message, HasSubstr("shop is rebuilding"));
  world.log.refuse_reads_by_type(std::nullopt);
  ASSERT_TRUE(world.wait("shop", world.log.say(script_type, "INSERT INTO more (id) VALUES ('x')")));
  EXPECT_THAT(*world.rows("shop", {}, "SELECT id FROM more"), ElementsAre("<x>"));
  EXPECT_THAT(*world.rows("shop", 5), ElementsAre("<a>|<5>"));
  EXPECT_FALSE(std::filesystem::exists(world.folder.file("shop.v2.db.new")));
}

TEST(StoreRebuild, ARebuildThatWasCutShortBeginsAgain) {
  World world;
  for (uint64_t value = 1; value <= 700; ++value) world.log.say(script_type, put("a", value));
  std::ofstream(world.folder.file("shop.v1.db.new")) << "half a file";
  std::ofstream(world.folder.file("gone.v9.db.new")) << "of a projection that is no more";
  world.add("shop");
  world.start();
  ASSERT_TRUE(world.wait("shop"));
  EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<700>"));
  EXPECT_FALSE(std::filesystem::exists(world.folder.file("gone.v9.db.new")));
}

// As if something other than the log had changed the file.
void tamper(const std::string& path, sqlite::Sql sql) {
  auto file = *sqlite::Connection::open(path, {.busy_wait = 5s});
  ASSERT_TRUE(file->define("current_offset", 0,
                           [](auto) -> core::Result<sqlite::Answer> { return sqlite::Answer(int64_t{3}); }));
  ASSERT_TRUE(file->execute(sql));
}

TEST(StoreRebuild, IsSwappedInWhileEventsGoOn) {
  World world;
  world.limits.rebuild_slice_events = 10;
  world.add("shop");
  world.start();
  for (uint64_t value = 1; value <= 500; ++value) world.log.say(script_type, put("a", value));
  ASSERT_TRUE(world.wait("shop"));
  tamper(world.folder.file("shop.db"), "INSERT INTO item (id, value) VALUES ('tampered', 1)");
  EXPECT_THAT(*world.rows("shop"), SizeIs(2));
  ASSERT_TRUE(world.store().rebuild("shop"));
  std::thread speaker([&] {
    for (uint64_t value = 1; value <= 500; ++value) world.log.say(script_type, put("b", value));
  });
  for (int look = 0; look < 50; ++look) EXPECT_FALSE(world.rows("shop")->empty());
  speaker.join();
  ASSERT_TRUE(world.wait("shop"));
  while (world.rows("shop")->size() != 2 || (*world.rows("shop"))[0] != "<a>|<500>" ||
         (*world.rows("shop"))[1] != "<b>|<500>") {
    ASSERT_TRUE(world.wait("shop", world.log.say(script_type, put("b", 500))));
  }
  EXPECT_THAT(*world.rows("shop", 3), ElementsAre("<a>|<3>"));
  EXPECT_EQ(world.store().rebuild("nobody").error().code, Code::not_found);
}

TEST(StoreRebuild, MendsAProjectionThatStopped) {
  World world;
  auto& projection = world.add("shop");
  world.start();
  world.log.say(script_type, put("a", 1));
  world.log.say(script_type, "!invalid");
  ASSERT_FALSE(world.wait("shop"));
  projection.mend();
  ASSERT_TRUE(world.store().rebuild("shop"));
  while (!world.wait("shop")) continue;  // refused at once while it is stopped
  EXPECT_THAT(*world.rows("shop"), ElementsAre("<a>|<1>"));
  EXPECT_EQ(world.store().status()[0].phase, Status::Phase::live);
}

}  // namespace
}  // namespace headrace::store
