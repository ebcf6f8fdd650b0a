#include "services/runner/log_lines.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/testing/simulated_clock.h"

namespace headrace::runner {
namespace {

constexpr std::string_view step_one = "2026-11-23T07:16:00.000000Z 1 ";

class LogLinesTest : public ::testing::Test {
 protected:
  LogLinesTest() { lines.begin_step(1); }
  std::string taken() {
    std::string text = lines.take();
    std::string without;
    while (!text.empty()) {
      auto end = text.find('\n');
      EXPECT_NE(end, std::string::npos) << "only whole lines are put out";
      without += text.substr(step_one.size(), end + 1 - step_one.size());
      text.erase(0, end + 1);
    }
    return without;
  }
  core::Loop loop;
  core::testing::SimulatedClock clock{loop};
  LogLines lines{clock};
};

TEST_F(LogLinesTest, ALineIsOnlyPutOutWhenItHasEnded) {
  lines.add("one\ntw");
  EXPECT_EQ(taken(), "one\n");
  lines.add("o");
  EXPECT_TRUE(lines.ready().empty());
  lines.add("\n");
  EXPECT_EQ(taken(), "two\n");
}

TEST_F(LogLinesTest, AnUnfinishedLineEndsWithItsStep) {
  lines.add("no newline");
  lines.begin_step(2);
  lines.add("next\n");
  auto text = lines.take();
  EXPECT_NE(text.find(" 1 no newline\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" 2 next\n"), std::string::npos) << text;
}

TEST_F(LogLinesTest, CarriageReturnBeforeTheNewlineIsNotPartOfTheLine) {
  lines.add("windows\r\n10%\r20%\n");
  EXPECT_EQ(taken(), "windows\n10%\r20%\n");
}

TEST_F(LogLinesTest, EmptyLinesStay) {
  lines.add("\n\na\n");
  EXPECT_EQ(taken(), "\n\na\n");
}

TEST_F(LogLinesTest, ALineBeyondItsBoundIsCutIntoSeveralAndNothingIsLost) {
  std::string giant(3 * log_line_max + 10, 'x');
  lines.add(giant);
  lines.add("\n");
  auto text = taken();
  EXPECT_EQ(std::count(text.begin(), text.end(), 'x'), static_cast<std::ptrdiff_t>(giant.size()));
  EXPECT_GE(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST_F(LogLinesTest, EveryLineBeginsWithATimeOfOneWidth) {
  for (int i = 0; i < 3; ++i) {
    lines.add("x\n");
    EXPECT_EQ(lines.take().find(" 1 x\n"), 27u);
    clock.advance(std::chrono::microseconds(100'003));
  }
}

}  // namespace
}  // namespace headrace::runner
