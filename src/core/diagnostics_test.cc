#include "core/diagnostics.h"

#include <gtest/gtest.h>

#include <regex>

namespace headrace::core {
namespace {

std::string said(Level level, std::string_view text) {
  ::testing::internal::CaptureStderr();
  diagnose(level, "log", text);
  return ::testing::internal::GetCapturedStderr();
}

TEST(Diagnostics, AreOneLineWithTimeLevelAndRoom) {
  const std::regex line(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z warning log: the disk is slow\n)");
  EXPECT_TRUE(std::regex_match(said(Level::warning, "the disk is slow"), line));
}

TEST(Diagnostics, StayOneLineWhateverTheTextHolds) {
  const auto text = said(Level::error, "first\nsecond\r\nthird");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find("first second  third"), std::string::npos) << text;
}

TEST(Diagnostics, LeaveOutWhatIsBelowTheLevel) {
  EXPECT_EQ(said(Level::debug, "x"), "");
  set_diagnostics_level(Level::debug);
  EXPECT_NE(said(Level::debug, "x"), "");
  set_diagnostics_level(Level::info);
}

}  // namespace
}  // namespace headrace::core
