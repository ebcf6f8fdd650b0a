#include "core/id.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "core/testing/simulated_clock.h"

namespace headrace::core {
namespace {

using namespace std::chrono_literals;

struct Ids : ::testing::Test {
  testing::SimulatedClock clock;
  SeededRandom random{7};
  IdSource ids{clock, random};
};

// RFC 9562, section 5.7.
TEST_F(Ids, AreUuidsOfVersionSevenWithTheTimeInFront) {
  clock.set_wall(Time{} + 0x0189'abcd'ef01ms);
  const auto id = ids.next();
  EXPECT_TRUE(is_uuid(id));
  EXPECT_EQ(id.substr(0, 15), "0189abcd-ef01-7");
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << "the variant of " << id;
  EXPECT_EQ(uuid_milliseconds(id), 0x0189'abcd'ef01U);
}

TEST_F(Ids, IncreaseWithinAMillisecondAlsoBeyondTheCounter) {
  auto before = ids.next();
  for (int i = 0; i < 20'000; ++i) {
    auto next = ids.next();
    ASSERT_LT(before, next) << "id " << i;
    before = std::move(next);
  }
}

TEST_F(Ids, IncreaseWhenTheClockStepsBack) {
  const auto before = ids.next();
  clock.set_wall(clock.now() - 1h);
  const auto after = ids.next();
  EXPECT_LT(before, after);
}

TEST_F(Ids, AreUniqueAcrossThreads) {
  std::vector<std::vector<std::string>> drawn(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : drawn)
      threads.emplace_back([&] {
        for (int i = 0; i < 2'000; ++i) mine.push_back(ids.next());
      });
  }
  std::set<std::string> all;
  for (const auto& mine : drawn) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 8'000U);
}

TEST(Uuid, IsRecognisedByItsForm) {
  EXPECT_TRUE(is_uuid("0189abcd-ef01-7000-8000-0123456789ab"));
  EXPECT_TRUE(is_uuid("0189ABCD-EF01-7000-8000-0123456789AB"));
  for (const char* text : {"", "0189abcdef0170008000-0123456789ab", "0189abcd-ef01-7000-8000-0123456789a",
                           "0189abcd-ef01-7000-8000-0123456789abc", "0189abcg-ef01-7000-8000-0123456789ab",
                           "0189abcd_ef01-7000-8000-0123456789ab"})
    EXPECT_FALSE(is_uuid(text)) << text;
}

TEST(Uuid, OfAnotherVersionHasNoTime) {
  EXPECT_EQ(uuid_milliseconds("0189abcd-ef01-4000-8000-0123456789ab"), 0U);
  EXPECT_EQ(uuid_milliseconds("x"), 0U);
}

}  // namespace
}  // namespace headrace::core
