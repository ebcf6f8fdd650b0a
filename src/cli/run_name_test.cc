#include "cli/run_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::cli {
namespace {

using ::testing::HasSubstr;
namespace json = core::json;

TEST(RunName, IsAnIdOrANumberOrAUuid) {
  auto plain = parse_run_name("7");
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->may_be_id);
  EXPECT_EQ(plain->digits, "7");
  auto number = parse_run_name("#7");
  ASSERT_TRUE(number);
  EXPECT_FALSE(number->may_be_id);
  EXPECT_EQ(number->digits, "7");
  EXPECT_EQ(number->repository, "");
  auto full = parse_run_name("team/hello#12");
  ASSERT_TRUE(full);
  EXPECT_FALSE(full->may_be_id);
  EXPECT_EQ(full->repository, "team/hello");
  EXPECT_EQ(full->digits, "12");
  EXPECT_EQ(parse_run_name("28a0b87a-4b4d-8c15-a5ee-77a6112b51f7")->uuid, "28a0b87a-4b4d-8c15-a5ee-77a6112b51f7");
}

TEST(RunName, WhatIsNoneOfThemIsRefusedWithWhatToWrite) {
  for (const char* wrong : {"", "#", "x", "7x", "-7", "team#7", "a/b/c#7", "/b#7", "a/#7", "#7#8", "7 "}) {
    auto name = parse_run_name(wrong);
    ASSERT_FALSE(name) << wrong;
    EXPECT_THAT(name.error().message, HasSubstr("OWNER/NAME#7"));
  }
}

TEST(RunName, ANumberThatSeveralWorkflowsHaveIsAskedForByItsIds) {
  auto of = [](const char* runs) { return run_with_number(*core::parse_json(runs), "1", "team/hello"); };
  EXPECT_EQ(of(R"([{"id":5,"workflow":"CI"}])"), "5");
  auto none = of("[]");
  EXPECT_EQ(none.error().code, core::Code::not_found);
  EXPECT_THAT(none.error().message, HasSubstr("team/hello has no run #1"));
  auto several = of(R"([{"id":5,"workflow":"CI"},{"id":9,"workflow":"Lint"}])");
  EXPECT_EQ(several.error().code, core::Code::conflict);
  EXPECT_THAT(several.error().message, HasSubstr("CI (id 5), Lint (id 9)"));
}

}  // namespace
}  // namespace headrace::cli
