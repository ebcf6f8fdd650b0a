#include "bus/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/testing/world.h"

namespace headrace::bus {
namespace {

using ::testing::ElementsAre;
using testing::event;
using ::testing::IsEmpty;
using testing::World;

struct Heard {
  Publisher::Done note() {
    return [this](const core::Result<Published>& published) {
      if (published)
        offsets.insert(offsets.end(), published->offsets.begin(), published->offsets.end());
      else
        refusals.push_back(published.error().code);
    };
  }
  std::vector<log::Offset> offsets;
  std::vector<core::Code> refusals;
};

std::vector<events::Event> one(const std::string& type) { return {event(type)}; }

TEST(Publisher, TellsOfEachPublishFromTheLoopAndNeverWithinTheCall) {
  World world;
  Heard heard;
  Publisher publisher(world.bus(), world.loop());
  publisher.publish(one("a"), {}, heard.note());
  publisher.publish(one("b"), {}, heard.note());
  EXPECT_THAT(heard.offsets, IsEmpty());
  world.settle();
  EXPECT_THAT(heard.offsets, ElementsAre(1, 2));
}

TEST(Publisher, RefusesWhatTheBusRefusesAndPassesTheRefusalOfTheLogOn) {
  World world;
  Heard heard;
  Publisher publisher(world.bus(), world.loop());
  auto nameless = event("a");
  nameless.source.clear();
  publisher.publish({nameless}, {}, heard.note());
  world.log().fail_appends(core::Error{core::Code::exhausted, "The disk is full.", ""});
  publisher.publish(one("b"), {}, heard.note());
  EXPECT_THAT(heard.refusals, IsEmpty());
  world.settle();
  EXPECT_THAT(heard.refusals, ElementsAre(core::Code::invalid, core::Code::exhausted));
  EXPECT_EQ(world.log().durable(), 0U);
}

TEST(Publisher, OnceItIsGoneNobodyIsToldAndTheEventsArePublished) {
  World world;
  Heard heard;
  {
    Publisher publisher(world.bus(), world.loop());
    publisher.publish(one("a"), {}, heard.note());
  }
  world.settle();
  EXPECT_THAT(heard.offsets, IsEmpty());
  EXPECT_EQ(world.log().durable(), 1U);
}

}  // namespace
}  // namespace headrace::bus
