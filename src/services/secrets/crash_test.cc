// The power fails at every step of every command: what a new process finds is what was there before, or after, never a
// name without a value, nor a value without a name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "events/settings.h"
#include "services/secrets/testing/world.h"

namespace headrace::secrets {
namespace {

using core::Actor;
using ::testing::AnyOf;
using testing::World;

const Place hello{"team/hello"}, prod{"team/hello", "prod"};
const Actor alice = Actor::user("alice");

struct Step {
  const char* what;
  size_t puts;  // into the safe, before the event
  std::function<bool(World&)> run;
};

const std::vector<Step> steps{
    {"set", 1, [](World& world) { return world.set(hello, "A", "one").has_value(); }},
    {"replace", 1, [](World& world) { return world.set(hello, "A", "two").has_value(); }},
    {"set in an environment", 1, [](World& world) { return world.set(prod, "B", "three").has_value(); }},
    {"remove", 0, [](World& world) { return world.run(world.secrets->remove_secret(alice, hello, "A")).has_value(); }},
    {"remove the environment", 0,
     [](World& world) {
       return world.run(world.secrets->remove_environment(alice, "team/hello", "prod")).has_value();
     }},
};

std::vector<std::string> named(World& world) {
  auto ids = world.store->read_here(projection_name, std::nullopt, all_secret_ids);
  return ids.value_or(std::vector<std::string>{"no projection"});
}

enum class At { before_the_value, before_the_event, after_the_event };

// What jobs are given before and after the step, and once it was cut short and the process began anew.
void fail_at(size_t which, At at) {
  World world;
  for (size_t i = 0; i < which; ++i) ASSERT_TRUE(steps[i].run(world)) << steps[i].what;
  std::string before = world.given("team/hello", "prod");
  if (at == At::before_the_value) world.safe.steps_left = 0;
  if (at == At::before_the_event) world.log.fail_appends(core::Error{core::Code::unavailable, "The disk is gone.", {}});
  if (at == At::after_the_event) world.safe.steps_left = steps[which].puts;
  steps[which].run(world);  // whatever it answers: nobody is there any more to hear it
  world.safe.steps_left.reset();
  world.log.fail_appends({});
  ASSERT_TRUE(world.restart());
  EXPECT_EQ(world.kept(), named(world)) << steps[which].what << " " << static_cast<int>(at);
  std::string then = world.given("team/hello", "prod");
  bool was_said = at == At::after_the_event || (at == At::before_the_value && steps[which].puts == 0);
  if (!was_said) {
    EXPECT_EQ(then, before) << steps[which].what << " " << static_cast<int>(at);
  }
  steps[which].run(world);  // once more, or again
  std::string after = world.given("team/hello", "prod");
  if (was_said) {
    EXPECT_EQ(then, after) << steps[which].what << " " << static_cast<int>(at);
  }
  EXPECT_EQ(world.kept(), named(world));
}

TEST(SecretsCrash, LeavesTheStateBeforeOrAfterWhereverThePowerFails) {
  for (size_t which = 0; which < steps.size(); ++which)
    for (auto at : {At::before_the_value, At::before_the_event, At::after_the_event}) fail_at(which, at);
}

TEST(SecretsCrash, KeepsTheValueOfWhatMayHaveBeenSaid) {
  World world;
  world.log.fail_appends(core::Error{core::Code::unavailable, "The log has stopped.", {}});
  EXPECT_FALSE(world.set(hello, "A", "one"));
  EXPECT_EQ(world.kept().size(), 1u) << "nobody knows whether the event is on the disk: the next start does";
  world.log.fail_appends({});
  world.say(events::RepositoryDeleted{"team/other", 8, "team", "other"}, "repository");
  EXPECT_EQ(world.kept().size(), 1u) << "nor is it a stray for others that tidy up";
  ASSERT_TRUE(world.restart());
  EXPECT_TRUE(world.kept().empty());
}

TEST(SecretsCrash, ALogThatIsOlderThanTheVaultLeavesNoStrays) {
  World world;
  ASSERT_TRUE(world.set(hello, "A", "one"));
  auto tail = world.log.durable();
  ASSERT_TRUE(world.set(hello, "B", "two"));
  world.close();
  world.log.lose_after(tail);
  ASSERT_TRUE(world.open());
  EXPECT_EQ(world.given("team/hello"), "A=one ");
  EXPECT_EQ(world.kept().size(), 1u);
}

}  // namespace
}  // namespace headrace::secrets
