#include "git/open_repositories.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "core/task.h"
#include "git/testing/bridge.h"

namespace headrace::git {
namespace {

using core::Code;
using core::Result;
using testing::Bridge;

// Files below `folder` that this process has mapped or open.
size_t held_below(const std::string& folder) {
  size_t held = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find(folder) != std::string::npos) ++held;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone).string().starts_with(folder)) ++held;
  }
  return held;
}

class Opened : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto url = bridge_.make_repository("hello");
    bridge_.good_git({"clone", "-q", url, "work"});
    bridge_.good_git({"checkout", "-q", "-B", "main"}, "work");
    first_ = pushed("one\n");
  }

  std::string pushed(const std::string& text) {
    auto id = bridge_.commit("work", "a.txt", text);
    bridge_.good_git({"push", "-q", "origin", "main"}, "work");
    return id;
  }

  Result<std::string> text_at(const std::string& revision) {
    return opened_.read(bridge_.path("hello"), [&](Repository& repository) -> Result<std::string> {
      ++looks_;
      auto blob = repository.blob(revision, "a.txt", 100);
      if (!blob) return std::unexpected(blob.error());
      return blob->content;
    });
  }

  core::Loop loop_;
  Bridge bridge_{loop_};
  std::string first_;
  OpenRepositories opened_;
  int looks_ = 0;
};

TEST_F(Opened, ShowWhatWasPushedSince) {
  EXPECT_EQ(text_at("main").value_or(""), "one\n");
  pushed("two\n");
  EXPECT_EQ(text_at("main").value_or(""), "two\n");
  EXPECT_EQ(text_at(first_).value_or(""), "one\n");
  EXPECT_EQ(looks_, 3);
}

TEST_F(Opened, AreReadAfterTheirPacksWerePutTogether) {
  pushed("two\n");
  EXPECT_EQ(text_at("main").value_or(""), "two\n");
  bridge_.good_git({"repack", "-q", "-a", "-d"}, "hello.git");
  bridge_.good_git({"pack-refs", "--all"}, "hello.git");
  EXPECT_EQ(text_at(first_).value_or(""), "one\n");
  EXPECT_EQ(text_at("main").value_or(""), "two\n");
}

TEST_F(Opened, AreOpenedAgainWhereWhatWasOpenFails) {
  EXPECT_EQ(text_at("main").value_or(""), "one\n");
  std::filesystem::remove_all(bridge_.path("hello"));
  EXPECT_EQ(text_at("main").error().code, Code::not_found);
  bridge_.good_git({"clone", "-q", "--bare", "work", "hello.git"});
  pushed("two\n");
  EXPECT_EQ(text_at("main").value_or(""), "two\n");
}

TEST_F(Opened, TellWhatIsNotThereEachTime) {
  for (int times = 0; times < 3; ++times) EXPECT_EQ(text_at("no-such-branch").error().code, Code::not_found);
  EXPECT_EQ(text_at("main").value_or(""), "one\n");
}

TEST_F(Opened, AreClosedOnceNobodyReadsThem) {
  EXPECT_EQ(text_at("main").value_or(""), "one\n");
  EXPECT_GT(held_below(bridge_.path("hello")), 0U);
  opened_.close_unread();
  EXPECT_GT(held_below(bridge_.path("hello")), 0U) << "it was read a moment ago";
  opened_.close_unread();
  EXPECT_EQ(held_below(bridge_.path("hello")), 0U);
  EXPECT_EQ(text_at("main").value_or(""), "one\n");
}

TEST_F(Opened, AreBoundedInNumber) {
  const auto one = bridge_.path("hello");
  std::vector<std::string> copies;
  for (size_t number = 0; number <= OpenRepositories::kept_max; ++number) {
    copies.push_back(bridge_.root() + "/copy-" + std::to_string(number) + ".git");
    std::filesystem::copy(one, copies.back(), std::filesystem::copy_options::recursive);
  }
  auto tip = [](Repository& repository) { return repository.commit("main"); };
  for (const auto& copy : copies) EXPECT_EQ(opened_.read(copy, tip)->id, first_);
  EXPECT_EQ(held_below(copies.front()), 0U) << "the oldest has gone";
  for (size_t number = 1; number < copies.size(); ++number) EXPECT_GT(held_below(copies[number]), 0U) << number;
}

}  // namespace
}  // namespace headrace::git
