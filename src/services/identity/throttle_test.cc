#include "services/identity/throttle.h"

#include <gtest/gtest.h>

#include "core/testing/simulated_clock.h"

namespace headrace::identity {
namespace {

using namespace std::chrono_literals;

TEST(Throttle, HasEnoughOfAPeerForTheRestOfItsWindow) {
  core::testing::SimulatedClock clock;
  Throttle throttle(clock, 3, 60s);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(throttle.failed("a"), 0s);
  EXPECT_EQ(throttle.failed("a"), 60s);
  EXPECT_EQ(throttle.failed("b"), 0s);
  clock.advance(59500ms);
  EXPECT_EQ(throttle.failed("a"), 1s);
  clock.advance(500ms);
  EXPECT_EQ(throttle.failed("a"), 0s);
}

TEST(Throttle, RemembersABoundedNumberOfPeers) {
  core::testing::SimulatedClock clock;
  Throttle throttle(clock, 1, 60s);
  for (size_t i = 0; i < peers_max + 10; ++i) throttle.failed(std::to_string(i));
  EXPECT_LE(throttle.peers(), peers_max);
  EXPECT_GT(throttle.failed(std::to_string(peers_max + 9)), 0s);
  clock.advance(61s);
  throttle.failed("x");
  EXPECT_EQ(throttle.peers(), 1u);
}

}  // namespace
}  // namespace headrace::identity
