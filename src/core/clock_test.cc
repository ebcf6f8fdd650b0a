#include "core/clock.h"

#include <gtest/gtest.h>

namespace headrace::core {
namespace {

using namespace std::chrono_literals;

constexpr Time moment = std::chrono::sys_days{std::chrono::year{2026} / 11 / 23} + 7h + 16min + 5s;

TEST(Time, IsWrittenWithAsManyFractionDigitsAsItNeeds) {
  EXPECT_EQ(format_time(moment), "2026-11-23T07:16:05Z");
  EXPECT_EQ(format_time(moment + 120ms), "2026-11-23T07:16:05.120Z");
  EXPECT_EQ(format_time(moment + 1us), "2026-11-23T07:16:05.000001Z");
  EXPECT_EQ(format_time(moment + 1ns), "2026-11-23T07:16:05.000000001Z");
  EXPECT_EQ(format_time(Time{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_time(Time{} - 1ms), "1969-12-31T23:59:59.999Z");
}

TEST(Time, IsReadBackAsItWasWritten) {
  for (Duration rest :
       {Duration(0), Duration(1), Duration(999), Duration(1'000), Duration(123'456'789), Duration(999'999'999)}) {
    const auto again = parse_time(format_time(moment + rest));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, moment + rest);
  }
}

// RFC 3339, sections 5.6 and 5.8.
TEST(Time, IsReadInEveryFormItsRuleAllows) {
  const auto expect = [](std::string_view text, Time time) {
    const auto read = parse_time(text);
    ASSERT_TRUE(read) << text << ": " << read.error().message;
    EXPECT_EQ(*read, time) << text;
  };
  expect("2026-11-23t07:16:05z", moment);
  expect("2026-11-23 07:16:05Z", moment);
  expect("2026-11-23T09:46:05+02:30", moment);
  expect("2026-11-22T23:16:05-08:00", moment);
  expect("2026-11-23T07:16:05-00:00", moment);
  expect("2026-11-23T07:16:05.1234567891Z", moment + 123'456'789ns);  // the tenth digit is cut
  expect("2026-11-23T07:15:60Z", moment - 5s);                        // a leap second is the next one's first
  expect("2024-02-29T00:00:00Z", std::chrono::sys_days{std::chrono::year{2024} / 2 / 29});
}

TEST(Time, IsRefusedWithTheReasonAndAnExample) {
  for (const char* text : {"",
                           "now",
                           "2026-11-23",
                           "2026-11-23T07:16Z",
                           "2026-11-23T07:16:05",
                           "2026-13-01T00:00:00Z",
                           "2026-02-30T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "2026-11-23T24:00:00Z",
                           "2026-11-23T07:60:00Z",
                           "2026-11-23T07:16:61Z",
                           "2026-11-23T07:16:05.Z",
                           "2026-11-23T07:16:05+0200",
                           "2026-11-23T07:16:05+24:00",
                           "2026-11-23T07:16:05Z ",
                           " 2026-11-23T07:16:05Z",
                           "2026-1-23T07:16:05Z",
                           "1600-01-01T00:00:00Z",
                           "9999-01-01T00:00:00Z",
                           "+026-11-23T07:16:05Z"}) {
    const auto time = parse_time(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code, Code::invalid);
    EXPECT_NE(time.error().message.find("2026-11-23T07:16:00Z"), std::string::npos) << time.error().message;
  }
  EXPECT_NE(parse_time("2023-02-29T00:00:00Z").error().message.find("no such day"), std::string::npos);
}

}  // namespace
}  // namespace headrace::core
