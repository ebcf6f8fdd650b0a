#include "store/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/testing/world.h"

namespace headrace::store {
namespace {

using namespace std::chrono_literals;
using core::Code;
using store::testing::put;
using store::testing::script_type;
using store::testing::World;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

log::Batch batch_of(const std::string& script) {
  static int number = 0;
  events::Event event;
  event.id = "command-" + std::to_string(++number);
  event.source = "/headrace/test";
  event.type = script_type;
  event.data = script;
  event.has_data = true;
  log::Batch batch;
  batch.events.push_back(std::move(event));
  return batch;
}

struct Commanding {
  World world;
  std::unique_ptr<CommandStrand> strand;
  explicit Commanding(CommandStrand::Limits limits = {}) {
    world.add("shop");
    world.start();
    strand = std::make_unique<CommandStrand>(world.loop.executor(), world.store(), world.log, "shop", limits);
  }
};

// Takes the next free value: right only if nobody else does so at the same time.
core::Result<log::Batch> take_next(sqlite::Connection& tables) {
  auto last = tables.integer("SELECT max(value) FROM item");
  if (!last) return std::unexpected(last.error());
  const auto next = static_cast<uint64_t>(*last) + 1;
  return batch_of(put(std::to_string(next), next));
}

core::Task<> note(CommandStrand& strand, CommandStrand::Check check, std::vector<core::Result<Outcome>>& outcomes) {
  outcomes.push_back(co_await strand.run(std::move(check)));
}

TEST(CommandStrand, ShowsWhatWasSaidWhenItReturns) {
  Commanding shop;
  auto said = shop.world.loop.run(shop.strand->run(take_next));
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_THAT(said->offsets, ElementsAre(1));
  EXPECT_TRUE(said->applied);
  EXPECT_THAT(*shop.world.rows("shop"), ElementsAre("<1>|<1>"));
}

TEST(CommandStrand, ACommandSeesWhatOthersSaidBeforeIt) {
  Commanding shop;
  shop.world.log.say(script_type, put("41", 41));
  ASSERT_TRUE(shop.world.loop.run(shop.strand->run(take_next)));
  EXPECT_THAT(*shop.world.rows("shop"), ElementsAre("<41>|<41>", "<42>|<42>"));
}

TEST(CommandStrand, RunsCommandsOneAfterTheOtherInOrder) {
  Commanding shop;
  std::vector<core::Result<Outcome>> outcomes;
  for (int command = 0; command < 50; ++command) shop.world.loop.spawn(note(*shop.strand, take_next, outcomes));
  shop.world.loop.run();
  ASSERT_THAT(outcomes, SizeIs(50));
  for (Offset offset = 1; offset <= 50; ++offset) EXPECT_THAT(outcomes[offset - 1]->offsets, ElementsAre(offset));
  EXPECT_THAT(*shop.world.rows("shop", {}, "SELECT count(*), max(value) FROM item"), ElementsAre("<50>|<50>"));
  EXPECT_EQ(shop.strand->waiting(), 0u);
}

TEST(CommandStrand, RefusesMoreWaitersThanItsBound) {
  Commanding shop({.waiters_max = 1});
  std::vector<core::Result<Outcome>> outcomes;
  for (int command = 0; command < 3; ++command) shop.world.loop.spawn(note(*shop.strand, take_next, outcomes));
  shop.world.loop.run();
  ASSERT_THAT(outcomes, SizeIs(3));
  EXPECT_EQ(outcomes[0].error().code, Code::exhausted);  // the third is answered first
  EXPECT_TRUE(outcomes[1]);
  EXPECT_TRUE(outcomes[2]);
}

TEST(CommandStrand, ARefusedCommandSaysNothingAndLetsTheNextOneIn) {
  Commanding shop;
  const auto refuse = [](sqlite::Connection&) -> core::Result<log::Batch> {
    return core::fail(Code::denied, "You may not.");
  };
  EXPECT_EQ(shop.world.loop.run(shop.strand->run(refuse)).error().message, "You may not.");
  const auto explode = [](sqlite::Connection&) -> core::Result<log::Batch> { throw std::runtime_error("boom"); };
  EXPECT_THROW(shop.world.loop.run(shop.strand->run(explode)), std::runtime_error);
  EXPECT_EQ(shop.world.log.durable(), 0u);
  EXPECT_TRUE(shop.world.loop.run(shop.strand->run(take_next)));
}

TEST(CommandStrand, NothingToSayIsSaidSo) {
  Commanding shop;
  auto nothing =
      shop.world.loop.run(shop.strand->run([](sqlite::Connection&) { return core::Result<log::Batch>(log::Batch()); }));
  EXPECT_THAT(nothing->offsets, IsEmpty());
}

TEST(CommandStrand, ChecksAgainWhenSomebodyElseWasQuicker) {
  Commanding shop;
  int rivals = 3, checks = 0;
  const auto check = [&](sqlite::Connection& tables) -> core::Result<log::Batch> {
    ++checks;
    auto batch = take_next(tables);
    batch->expected.push_back({"numbers/shop", *shop.world.log.last_of("numbers/shop")});
    if (rivals-- > 0) {
      auto rival = batch_of("SELECT 1");
      rival.expected = batch->expected;
      shop.world.log.submit(std::move(rival), [](auto) {});
    }
    return batch;
  };
  auto said = shop.world.loop.run(shop.strand->run(check));
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_EQ(checks, 4);
  EXPECT_THAT(said->offsets, ElementsAre(4));
}

TEST(CommandStrand, GivesUpAfterABoundedNumberOfChecks) {
  Commanding shop({.attempts_max = 3});
  int checks = 0;
  const auto check = [&](sqlite::Connection&) -> core::Result<log::Batch> {
    ++checks;
    auto batch = batch_of(put("a", 1));
    batch.expected.push_back({"key", 77});
    return batch;
  };
  EXPECT_EQ(shop.world.loop.run(shop.strand->run(check)).error().code, Code::conflict);
  EXPECT_EQ(checks, 3);
  EXPECT_EQ(shop.world.log.durable(), 0u);
}

TEST(CommandStrand, ARepeatedKeyGivesTheFirstOffsetsBack) {
  Commanding shop;
  const auto keyed = [](sqlite::Connection&) -> core::Result<log::Batch> {
    auto batch = batch_of("UPDATE item SET value = value + 1");
    batch.key = "once";
    return batch;
  };
  EXPECT_FALSE(shop.world.loop.run(shop.strand->run(keyed))->duplicate);
  auto again = shop.world.loop.run(shop.strand->run(keyed));
  EXPECT_TRUE(again->duplicate);
  EXPECT_THAT(again->offsets, ElementsAre(1));
}

TEST(CommandStrand, WhatIsSaidCountsEvenIfTheProjectionCannotShowIt) {
  Commanding shop;
  auto said = shop.world.loop.run(
      shop.strand->run([](sqlite::Connection&) { return core::Result<log::Batch>(batch_of("!invalid")); }));
  ASSERT_TRUE(said);
  EXPECT_THAT(said->offsets, ElementsAre(1));
  EXPECT_FALSE(said->applied);
  auto next = shop.world.loop.run(shop.strand->run(take_next));
  EXPECT_EQ(next.error().code, Code::unavailable);
  EXPECT_THAT(next.error().message, HasSubstr("shop stopped at event"));
}

core::Task<core::Result<log::Batch>> look_then_say(Store& store) {
  auto last = co_await store.read(
      "shop", std::nullopt, [](sqlite::Connection& tables) { return tables.integer("SELECT max(value) FROM item"); });
  if (!last) co_return std::unexpected(last.error());
  const auto next = static_cast<uint64_t>(*last) + 1;
  co_return batch_of(put(std::to_string(next), next));
}

TEST(CommandStrand, ACheckMayWait) {
  Commanding shop;
  const auto check = [&store = shop.world.store()] { return look_then_say(store); };
  ASSERT_TRUE(shop.world.loop.run(shop.strand->run_waiting(check)));
  ASSERT_TRUE(shop.world.loop.run(shop.strand->run_waiting(check)));
  EXPECT_THAT(*shop.world.rows("shop"), ElementsAre("<1>|<1>", "<2>|<2>"));
}

core::Task<core::Result<log::Batch>> wait_forever(core::Signal& signal) {
  co_await signal.wait();
  co_return log::Batch();
}

core::Task<> note_waiting(CommandStrand& strand, CommandStrand::WaitingCheck check) {
  co_await strand.run_waiting(std::move(check));
}

TEST(CommandStrand, ACancelledCommandLeavesItsPlace) {
  Commanding shop;
  auto& loop = shop.world.loop;
  core::Signal never(loop.executor());
  std::vector<core::Result<Outcome>> outcomes;
  core::Scope first(loop.executor()), second(loop.executor());
  first.spawn("holds the strand", note_waiting(*shop.strand, [&] { return wait_forever(never); }));
  loop.poll();
  second.spawn("waits for it", note(*shop.strand, take_next, outcomes));
  loop.poll();
  loop.spawn(note(*shop.strand, take_next, outcomes));
  loop.poll();
  EXPECT_EQ(shop.strand->waiting(), 2u);
  second.cancel();
  loop.poll();
  EXPECT_EQ(shop.strand->waiting(), 1u);
  first.cancel();
  loop.run();
  ASSERT_THAT(outcomes, SizeIs(1));
  EXPECT_TRUE(outcomes[0]);
}

}  // namespace
}  // namespace headrace::store
