#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/cause_index.h"
#include "bus/testing/world.h"

namespace headrace::bus {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::World;

void say(World& world, std::string id, std::string cause, std::string source = "/headrace/test") {
  auto event = testing::event("a", "", std::move(id));
  event.source = std::move(source);
  if (!cause.empty()) event.extensions["causationid"] = std::move(cause);
  world.say(std::move(event));
}

std::vector<std::string> ids(const std::vector<log::Stored>& events) {
  std::vector<std::string> all;
  for (const auto& stored : events) all.push_back(stored.event.id);
  return all;
}

TEST(Causes, LeadBackToTheRootAndForwardToAllThatFollowed) {
  World world;
  say(world, "push", "");
  say(world, "run", "push");
  say(world, "other", "");
  say(world, "job", "run");
  say(world, "test", "job");
  say(world, "lint", "run");
  auto chain = world.run(world.bus().why("run")).value();
  EXPECT_EQ(chain.event.event.id, "run");
  EXPECT_THAT(ids(chain.causes), ElementsAre("push"));
  EXPECT_THAT(ids(chain.effects), ElementsAre("job", "test", "lint"));
  EXPECT_TRUE(chain.root_found);
  EXPECT_THAT(ids(world.run(world.bus().why("test"))->causes), ElementsAre("job", "run", "push"));
  EXPECT_EQ(world.run(world.bus().why("nothing")).error().code, core::Code::not_found);
}

TEST(Causes, SayWhereTheChainIsCutAndDoNotRunInCircles) {
  World world;
  say(world, "orphan", "unknown");
  auto orphan = world.run(world.bus().why("orphan")).value();
  EXPECT_FALSE(orphan.root_found);
  EXPECT_THAT(orphan.causes, IsEmpty());
  say(world, "hen", "egg");
  say(world, "egg", "hen");
  auto circle = world.run(world.bus().why("hen")).value();
  EXPECT_TRUE(circle.truncated);
  EXPECT_THAT(ids(circle.causes), ElementsAre("egg"));
  EXPECT_THAT(ids(circle.effects), ElementsAre("egg"));
}

TEST(Causes, AForeignEventDoesNotStandInForOneOfOurs) {
  World world;
  say(world, "same", "", "/elsewhere");
  say(world, "same", "", "/headrace/repository");
  EXPECT_EQ(world.run(world.bus().find("same"))->event.source, "/headrace/repository");
}

TEST(Causes, BoundTheEffects) {
  World world;
  say(world, "push", "");
  for (int i = 0; i < 1'200; ++i) say(world, "effect" + std::to_string(i), "push");
  auto chain = world.run(world.bus().why("push")).value();
  EXPECT_THAT(chain.effects, SizeIs(chain_effects_max));
  EXPECT_TRUE(chain.truncated);
}

TEST(Causes, AreRebuiltEqualAndForgetWhatTheLogLost) {
  testing::Disk disk;
  World world;
  const std::string path = (disk.folder() / "causes.db").string();
  for (int i = 0; i < 2'500; ++i)
    say(world,
        i % 3 == 0 ? "plain" + std::to_string(i) : "0198f0e4-0000-7000-8000-" + std::to_string(100'000'000'000 + i),
        i == 0 ? "" : "plain0");
  std::string kept;
  {
    auto index = CauseIndex::open(path, world.log()).value();
    ASSERT_TRUE(index->catch_up());
    kept = index->digest().value();
    ASSERT_TRUE(index->rebuild());
    EXPECT_EQ(index->digest().value(), kept);
  }
  world.log().lose_after(2'000);
  auto index = CauseIndex::open(path, world.log()).value();
  const std::string clamped = index->digest().value();
  EXPECT_NE(clamped, kept);
  ASSERT_TRUE(index->rebuild());
  EXPECT_EQ(index->digest().value(), clamped);
  EXPECT_EQ(index->find("0198f0e4-0000-7000-8000-100000000001")->offset, 2U);
}

}  // namespace
}  // namespace headrace::bus
