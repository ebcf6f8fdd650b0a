// Control groups on a made-up tree of files: what is written where, and when there is none.
#include "process/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace headrace::process {
namespace {

using ::testing::HasSubstr;

class CgroupTest : public ::testing::Test {
 protected:
  CgroupTest() {
    char path[] = "/tmp/headrace-cgroup-XXXXXX";
    root = ::mkdtemp(path);
  }
  ~CgroupTest() override { std::filesystem::remove_all(root); }

  void file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }

  std::string root;
};

TEST_F(CgroupTest, OfVersion2IsUsedWhereMemoryAndProcessesAreDelegated) {
  file("/cgroup.controllers", "cpu memory pids\n");
  file("/app.scope/cgroup.controllers", "cpu memory pids\n");
  file("/app.scope/cgroup.subtree_control", "cpu memory pids\n");
  auto groups = Cgroups::find(root, "0::/app.scope\n");
  EXPECT_EQ(groups->tier(), Cgroups::Tier::version2) << groups->why();
}

TEST_F(CgroupTest, OfVersion2WithoutDelegationIsNotUsedAndTheRemedyIsSaid) {
  file("/cgroup.controllers", "cpu memory pids\n");
  file("/user.slice/cgroup.controllers", "cpu\n");
  file("/user.slice/cgroup.subtree_control", "");
  auto groups = Cgroups::find(root, "0::/user.slice\n");
  EXPECT_EQ(groups->tier(), Cgroups::Tier::none);
  EXPECT_THAT(groups->why(), HasSubstr("Delegate=yes"));
  EXPECT_FALSE(groups->make({}));
}

TEST_F(CgroupTest, OfThePackagedUnitIsDividedOnlyFromOneFloorBelow) {
  file("/cgroup.controllers", "cpu memory pids\n");
  file("/headrace.service/cgroup.controllers", "cpu memory pids\n");
  file("/headrace.service/cgroup.subtree_control", "cpu memory pids\n");
  EXPECT_THAT(Cgroups::find(root, "0::/headrace.service\n")->why(), HasSubstr("systemd 254"));
  EXPECT_EQ(Cgroups::find(root, "0::/headrace.service/headrace-main\n")->tier(), Cgroups::Tier::version2);
}

TEST_F(CgroupTest, OfVersion1IsUsedWhereItCanBeWritten) {
  for (const char* controller : {"/memory", "/pids", "/cpu", "/cpuacct"})
    file(controller + std::string("/cgroup.procs"), "");
  auto groups = Cgroups::find(root, "4:memory:/\n8:pids:/\n1:cpu,cpuacct:/\n0::/\n");
  EXPECT_EQ(groups->tier(), Cgroups::Tier::version1) << groups->why();
}

TEST_F(CgroupTest, OfNoVersionIsSaid) {
  auto groups = Cgroups::find(root, "");
  EXPECT_EQ(groups->tier(), Cgroups::Tier::none);
  EXPECT_THAT(groups->why(), HasSubstr("Delegate=yes"));
}

TEST_F(CgroupTest, OfARunnerThatIsGoneIsRemovedWhenAnotherBegins) {
  file("/cgroup.controllers", "cpu memory pids\n");
  file("/app.scope/cgroup.controllers", "cpu memory pids\n");
  file("/app.scope/cgroup.subtree_control", "cpu memory pids\n");
  pid_t gone = 4'194'304;  // above pid_max
  std::string left = root + "/app.scope/headrace-" + std::to_string(gone) + "-1";
  std::string ours = root + "/app.scope/headrace-" + std::to_string(::getpid()) + "-999";
  std::string other = root + "/app.scope/others-1";
  for (const auto& folder : {left, ours, other}) std::filesystem::create_directories(folder);
  Cgroups::find(root, "0::/app.scope\n");
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(ours));
  EXPECT_TRUE(std::filesystem::exists(other));
}

// On the real tree of this machine, where there is one.
TEST(CgroupOfThisMachine, IsMadeBoundedAndRemoved) {
  auto groups = Cgroups::find();
  if (groups->tier() == Cgroups::Tier::none) GTEST_SKIP() << groups->why();
  auto made = groups->make({.memory_bytes = 64 << 20, .processes = 10, .processors = 0.5});
  ASSERT_TRUE(made) << made.error().message << made.error().detail;
  for (const auto& door : (*made)->doors()) EXPECT_TRUE(std::filesystem::exists(door)) << door;
  EXPECT_FALSE((*made)->memory_was_short());
  EXPECT_FALSE((*made)->processes_were_short());
  EXPECT_TRUE((*made)->bound({}));
  auto doors = (*made)->doors();
  EXPECT_TRUE((*made)->remove());
  for (const auto& door : doors) EXPECT_FALSE(std::filesystem::exists(door));
}

}  // namespace
}  // namespace headrace::process
