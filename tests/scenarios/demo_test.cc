// serve --demo: who is new finds a repository with a run that passes, and the link that leads to it.
#include <gtest/gtest.h>

#include "support/platform.h"

namespace headrace {

namespace {

using support::conclusion_of_newest;
using support::eventually;
using support::Platform;
using support::text_at;

constexpr auto shop = "demo/shop";
constexpr std::chrono::minutes patience{5};  // for five builds of a small program, on a machine that is busy

Platform with_demo() { return Platform({{"--demo", "--label", "ubuntu-latest=host"}, {}}); }

core::json::array runs_of(Platform& platform) {
  return platform.json({"run", "list", "--repo", shop}).at("runs").as_array();
}

}  // namespace

TEST(Demo, ItsFirstRunBuildsAndTestsAndPasses) {
  auto platform = with_demo();
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_TRUE(eventually([&] { return conclusion_of_newest(platform, shop) == "success"; }, patience))
      << platform.cli({"run", "list", "--repo", shop, "--json"}).out;
  const auto runs = runs_of(platform);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(text_at(runs.at(0), "actor"), "demo");
  EXPECT_EQ(runs.at(0).at("jobs").as_array().size(), 5U) << "build, and a matrix of four";
  const auto id = std::to_string(runs.at(0).at("id").as_int64());
  const auto tests = core::parse_json(platform.http({"GET", "/api/v1/runs/" + id + "/tests", {}, {}}).body);
  ASSERT_TRUE(tests);
  EXPECT_EQ(tests->at("reports").as_array().size(), 4U) << core::to_text(*tests);
}

TEST(Demo, IsMadeOnceAndStaysAwayWhereItWasDeleted) {
  auto platform = Platform({{"--demo", "--no-runner"}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_TRUE(eventually([&] { return runs_of(platform).size() == 1; }));
  ASSERT_EQ(platform.cli({"down", "--data", platform.data()}).exit, 0);
  ASSERT_TRUE(platform.start()) << platform.said();
  EXPECT_EQ(runs_of(platform).size(), 1U) << "a second start pushes nothing";
  EXPECT_EQ(platform.http({"DELETE", "/api/v1/repositories/demo/shop", {}, {}}).status, 204);
  ASSERT_EQ(platform.cli({"down", "--data", platform.data()}).exit, 0);
  ASSERT_TRUE(platform.start()) << platform.said();
  EXPECT_EQ(platform.json({"repo", "list"}).at("repositories").as_array().size(), 0U) << platform.said();
}

TEST(Demo, LeavesNoTokenOfItsAccount) {
  auto platform = Platform({{"--demo", "--no-runner"}, {}});
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_TRUE(eventually([&] { return runs_of(platform).size() == 1; }));
  ASSERT_EQ(platform.cli({"down", "--data", platform.data()}).exit, 0);
  int made = 0, revoked = 0;
  for (const auto& event : platform.log()) {
    const auto type = text_at(event, "type");
    if (type.find("token.created") != std::string::npos && core::to_text(event).find("\"demo\"") != std::string::npos)
      ++made;
    if (type.find("token.revoked") != std::string::npos) ++revoked;
  }
  EXPECT_EQ(made, 1);
  EXPECT_EQ(revoked, 1);
}

TEST(Demo, AServerKilledWhileItIsMadeMakesTheRestAtTheNextStart) {
  auto platform = Platform({{"--demo", "--no-runner"}, {}});
  platform.begin();
  ASSERT_TRUE(eventually([&] { return platform.said().find("serves") != std::string::npos; })) << platform.said();
  platform.kill();
  ASSERT_TRUE(platform.start()) << platform.said();
  ASSERT_TRUE(eventually([&] { return runs_of(platform).size() == 1; })) << platform.said();
}

}  // namespace headrace
