#include "server/github_created.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace headrace::server {
namespace {

using ::testing::HasSubstr;

core::Time at(const std::string& text) { return *core::parse_time(text); }

bool holds(std::string_view range, const std::string& time) {
  auto read = created_range(range);
  EXPECT_TRUE(read) << range << (read ? "" : read.error().message);
  if (!read) return false;
  return (!read->from || at(time) >= *read->from) && (!read->to || at(time) <= *read->to);
}

TEST(GithubCreated, ADateIsItsWholeDay) {
  EXPECT_TRUE(holds("2026-11-23", "2026-11-23T00:00:00Z"));
  EXPECT_TRUE(holds("2026-11-23", "2026-11-23T23:59:59.999999999Z"));
  EXPECT_FALSE(holds("2026-11-23", "2026-11-24T00:00:00Z"));
  EXPECT_FALSE(holds("2026-11-23", "2026-11-22T23:59:59.999999999Z"));
}

TEST(GithubCreated, SignsIncludeOrExcludeWhatTheyName) {
  EXPECT_TRUE(holds(">=2026-11-23", "2026-11-23T00:00:00Z"));
  EXPECT_FALSE(holds(">2026-11-23", "2026-11-23T23:59:59Z"));
  EXPECT_TRUE(holds(">2026-11-23", "2026-11-24T00:00:00Z"));
  EXPECT_TRUE(holds("<=2026-11-23", "2026-11-23T23:59:59Z"));
  EXPECT_FALSE(holds("<2026-11-23", "2026-11-23T00:00:00Z"));
  EXPECT_TRUE(holds("<2026-11-23T10:00:00+02:00", "2026-11-23T07:59:59Z"));
  EXPECT_TRUE(holds("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.5Z"));
}

TEST(GithubCreated, ARangeHasBothItsEndsOrAStar) {
  EXPECT_TRUE(holds("2026-11-01..2026-11-23", "2026-11-23T12:00:00Z"));
  EXPECT_FALSE(holds("2026-11-01..2026-11-23", "2026-10-31T12:00:00Z"));
  EXPECT_TRUE(holds("*..2026-11-23", "1999-01-01T00:00:00Z"));
  EXPECT_TRUE(holds("2026-11-01..*", "2099-01-01T00:00:00Z"));
  EXPECT_TRUE(holds("", "2026-11-23T12:00:00Z"));
}

TEST(GithubCreated, WhatIsNoTimeIsRefusedWithAnExample) {
  for (const char* wrong : {"yesterday", ">", "..", "2026-11-23..", "2026-13-01", ">>2026-11-23", "2026-11-23T10:00"}) {
    auto read = created_range(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().code, core::Code::invalid);
    EXPECT_THAT(read.error().message, HasSubstr("2026-11-23T10:00:00Z"));
  }
}

}  // namespace
}  // namespace headrace::server
