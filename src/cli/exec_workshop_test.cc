// Real folders and locks.
#include "cli/exec_workshop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace headrace::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class ExecWorkshop : public ::testing::Test {
 protected:
  ExecWorkshop() {
    std::string name = ::testing::TempDir() + "exec-workshop-XXXXXX";
    cache_ = ::mkdtemp(name.data());
  }
  ~ExecWorkshop() override { fs::remove_all(cache_); }
  std::unique_ptr<Workshop> open(const std::string& id) {
    auto opened = Workshop::open(loop_, disk_, cache_, id);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message);
    return opened ? std::move(*opened) : nullptr;
  }
  std::vector<std::string> names(const std::string& folder) const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(cache_ + "/" + folder)) all.push_back(entry.path().filename());
    std::ranges::sort(all);
    std::erase(all, "lock");
    return all;
  }
  core::Loop loop_;
  core::SystemDisk disk_;
  std::string cache_;
};

TEST_F(ExecWorkshop, IsAloneInItsFolderAndRemovesIt) {
  auto one = open("1"), two = open("2");
  EXPECT_NE(one->folder(), two->folder());
  EXPECT_NE(one->actions(), two->actions()) << "a mirror is fetched into by one at a time";
  EXPECT_THAT(names("exec"), ElementsAre("1", "1.lock", "2", "2.lock"));
  std::string first = one->actions();
  one.reset();
  EXPECT_THAT(names("exec"), ElementsAre("2", "2.lock"));
  auto three = open("3");
  EXPECT_EQ(three->actions(), first) << "what was fetched is there for the next";
}

TEST_F(ExecWorkshop, WhatAKilledOneLeftIsRemovedByTheNext) {
  fs::create_directories(cache_ + "/exec/9/1/job/workspace");
  ASSERT_TRUE(put_file(cache_ + "/exec/9.lock", "4194304"));
  auto living = open("1");
  EXPECT_THAT(names("exec"), ElementsAre("1", "1.lock"));
  auto next = open("2");
  EXPECT_THAT(names("exec"), ElementsAre("1", "1.lock", "2", "2.lock")) << "one that lives is left alone";
}

TEST_F(ExecWorkshop, KeepsTheSummariesOfTheNewest) {
  for (size_t i = 0; i < summaries_kept + 5; ++i) {
    auto workshop = open(std::to_string(1000 + i));
    auto path = workshop->summary_file("deploy (eu)/../x");
    ASSERT_TRUE(path);
    EXPECT_EQ(fs::path(*path).filename(), "deploy--eu--..-x.md");
    ASSERT_TRUE(put_file(*path, "text"));
  }
  auto kept = names("summaries");
  EXPECT_LE(kept.size(), summaries_kept + 1);
  EXPECT_EQ(kept.back(), std::to_string(1000 + summaries_kept + 4));
}

TEST_F(ExecWorkshop, AFileIsReplacedAsAWhole) {
  ASSERT_TRUE(put_file(cache_ + "/a", "a long text"));
  ASSERT_TRUE(put_file(cache_ + "/a", "short"));
  EXPECT_EQ(*core::read_file(disk_, cache_ + "/a"), "short");
}

}  // namespace
}  // namespace headrace::cli
