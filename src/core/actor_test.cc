#include "core/actor.h"

#include <gtest/gtest.h>

namespace headrace::core {
namespace {

TEST(Actor, IsReadBackAsItWasWritten) {
  for (const auto& actor : {Actor{}, Actor::user("alice"), Actor::runner("local"), Actor::service("pipeline"),
                            Actor::system(), Actor::user("with:colon")}) {
    const auto again = parse_actor(to_string(actor));
    ASSERT_TRUE(again) << to_string(actor);
    EXPECT_EQ(*again, actor);
  }
}

TEST(Actor, IsWrittenAsEventsCarryIt) {
  EXPECT_EQ(to_string(Actor::user("alice")), "user:alice");
  EXPECT_EQ(to_string(Actor::system()), "system");
  EXPECT_EQ(to_string(Actor{}), "anonymous");
}

TEST(Actor, RefusesWhatIsNoActorAndSaysWhatIs) {
  for (const char* text : {"", "user", "user:", "system:root", "alice", "USER:alice", ":alice", "anonymous:"}) {
    const auto actor = parse_actor(text);
    ASSERT_FALSE(actor) << text;
    EXPECT_EQ(actor.error().code, Code::invalid);
    EXPECT_NE(actor.error().message.find("user:NAME"), std::string::npos);
  }
}

}  // namespace
}  // namespace headrace::core
