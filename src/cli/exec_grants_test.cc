#include "cli/exec_grants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const LocalGrants& grants() {
  static const LocalGrants made({{"A", "one"}, {"GITHUB_TOKEN", "t"}, {"B", "two"}}, "https://github.com");
  return made;
}

runner::Variables secrets_of(const std::string& wanted) {
  auto granted = grants().grant("{\"secrets\":" + wanted + "}");
  EXPECT_TRUE(granted) << (granted ? "" : granted.error().message);
  return granted ? granted->secrets : runner::Variables();
}

TEST(ExecGrants, AJobHasTheSecretsThatItsSpecificationSays) {
  EXPECT_THAT(secrets_of("\"all\""), ElementsAre(Pair("A", "one"), Pair("B", "two")));
  EXPECT_THAT(secrets_of("\"none\""), IsEmpty());
  EXPECT_THAT(secrets_of(R"({"X":"${{ secrets.A }}-${{ secrets.GITHUB_TOKEN }}","Y":"plain"})"),
              ElementsAre(Pair("X", "one-t"), Pair("Y", "plain")));
  EXPECT_THAT(secrets_of(R"([{"X":"${{ secrets.B }}"},{"Z":"${{ secrets.X }}","N":"${{ secrets.A }}"}])"),
              ElementsAre(Pair("Z", "two"), Pair("N", "")));
}

TEST(ExecGrants, TheTokenIsTheSecretOfThatName) {
  EXPECT_EQ(grants().grant("{\"secrets\":\"none\"}")->token, "t");
  EXPECT_EQ(LocalGrants({{"A", "x"}}, "").grant("{\"secrets\":\"all\"}")->token, "");
}

}  // namespace
}  // namespace headrace::cli
