#include "services/runner/step_hash_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/bytes.h"

namespace headrace::runner {
namespace {

class HashFiles : public ::testing::Test {
 protected:
  HashFiles() {
    char path[] = "/tmp/headrace-hash-XXXXXX";
    folder = ::mkdtemp(path);
  }
  ~HashFiles() override { std::filesystem::remove_all(folder); }

  void file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder + "/" + path).parent_path());
    std::ofstream(folder + "/" + path) << text;
  }
  std::string hashed(std::vector<std::string> patterns) {
    auto sum = hash_files(folder, "/inside", patterns);
    EXPECT_TRUE(sum) << sum.error().message;
    return sum.value_or("");
  }
  static std::string sum_of(std::initializer_list<std::string_view> texts) {
    std::string digests;
    for (auto text : texts) {
      auto digest = core::sha256(core::as_bytes(text));
      digests.append(reinterpret_cast<const char*>(digest.data()), digest.size());
    }
    return core::sha256_hex(digests);
  }
  std::string folder;
};

TEST_F(HashFiles, IsTheSumOfTheSumsFolderByFolderInTheOrderOfNames) {
  file("b.txt", "1");
  file("a/z.txt", "2");
  file("a-b.txt", "3");
  file("other", "4");
  EXPECT_EQ(hashed({"**/*.txt"}), sum_of({"2", "3", "1"}));
  EXPECT_EQ(hashed({"*.txt"}), sum_of({"3", "1"}));
  EXPECT_EQ(hashed({"none"}), "");
}

TEST_F(HashFiles, PatternsExcludeAndIncludeAgainAndNameFolders) {
  file("src/a.c", "a");
  file("src/b.c", "b");
  file("src/gen/c.c", "c");
  file(".hidden/d.c", "d");
  EXPECT_EQ(hashed({"src"}), sum_of({"a", "b", "c"}));
  EXPECT_EQ(hashed({"**/*.c\n!src/**\n# a remark\n\n src/gen/c.c "}), sum_of({"d", "c"}));
  EXPECT_EQ(hashed({"**/[ab].c", "!**/b.c"}), sum_of({"a"}));
  EXPECT_EQ(hashed({"/inside/src/?.c"}), sum_of({"a", "b"}));
  EXPECT_EQ(hashed({"/elsewhere/**"}), "");
  EXPECT_EQ(hashed({"../src/a.c"}), sum_of({"a"})) << "nothing is above the workspace";
}

TEST_F(HashFiles, LinksAreFollowedOnlyWhereAskedForAndNeverOutOfTheWorkspace) {
  file("real/a.txt", "a");
  std::filesystem::create_symlink("real", folder + "/link");
  std::filesystem::create_symlink("/etc", folder + "/out");
  std::filesystem::create_symlink("/etc/hostname", folder + "/out.txt");
  ::mkfifo((folder + "/pipe.txt").c_str(), 0600);
  EXPECT_EQ(hashed({"**/*.txt"}), sum_of({"a"}));
  EXPECT_EQ(hashed({"--follow-symbolic-links", "**/*.txt"}), sum_of({"a", "a"}));
  EXPECT_EQ(hashed({"--follow-symbolic-links", "out/**"}), "");
}

TEST_F(HashFiles, IsBounded) {
  for (int i = 0; i < 20; ++i) file("f" + std::to_string(i), "x");
  auto sum = hash_files(folder, "/inside", {"**"}, {.entries_max = 10});
  ASSERT_FALSE(sum);
  EXPECT_EQ(sum.error().code, core::Code::exhausted);
  auto late = hash_files(folder, "/inside", {"**"}, {.time_max = std::chrono::milliseconds(0)});
  ASSERT_FALSE(late);
  EXPECT_NE(late.error().message.find("hashFiles('**') couldn't finish within"), std::string::npos);
}

TEST(GlobMatches, EndsInBoundedTime) {
  EXPECT_FALSE(glob_matches(std::string(200, '*') + "a*a*a*a*a*a*b", std::string(5'000, 'a')));
  EXPECT_TRUE(glob_matches("**/a/**/b", "x/a/y/z/b"));
  EXPECT_FALSE(glob_matches("**/a/**/b", "x/a/y/z/c"));
  EXPECT_TRUE(glob_matches("a[!b-d]c\\*", "aec*"));
  EXPECT_TRUE(glob_matches("a[b", "a[b"));
}

}  // namespace
}  // namespace headrace::runner
