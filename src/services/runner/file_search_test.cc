#include "services/runner/file_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::runner {
namespace {

using ::testing::ElementsAre;
using With = FilePatterns::Descendants;

FilePatterns patterns(std::string_view lines) {
  auto read = FilePatterns::parse(lines, "/ws", "/home/me");
  EXPECT_TRUE(read) << (read ? "" : read.error().message);
  return read.value_or(FilePatterns());
}

TEST(FilePatterns, BeginWhereTheFirstStarIsAndNotTwice) {
  EXPECT_THAT(patterns("dist").search_paths(), ElementsAre("/ws/dist"));
  EXPECT_THAT(patterns("dist/*.txt").search_paths(), ElementsAre("/ws/dist"));
  EXPECT_THAT(patterns("a/b*/c/*").search_paths(), ElementsAre("/ws/a"));
  EXPECT_THAT(patterns("**").search_paths(), ElementsAre("/ws"));
  EXPECT_THAT(patterns("/etc/*\n~/x\n./here/../there").search_paths(), ElementsAre("/etc", "/home/me/x", "/ws/there"));
  EXPECT_THAT(patterns("a\na/b\nab").search_paths(), ElementsAre("/ws/a", "/ws/ab"));
  EXPECT_FALSE(FilePatterns::parse("", "/ws", "/home"));
  EXPECT_FALSE(FilePatterns::parse("# only\n!this", "/ws", "/home"));
}

TEST(FilePatterns, TakeWhatAFolderHolds) {
  auto folder = patterns("out");
  EXPECT_TRUE(folder.matches("/ws/out/a/b.txt", With::with));
  EXPECT_FALSE(folder.matches("/ws/outer", With::with));
  EXPECT_FALSE(folder.matches("/ws/out/a", With::without));
  EXPECT_TRUE(folder.matches("/ws/out", With::without));
  EXPECT_TRUE(patterns("out/").matches("/ws/out/a", With::with));
}

TEST(FilePatterns, GoInOrderAndAMarkTakesAway) {
  auto some = patterns("out/**/*.txt\n! out/a.txt\nout/deep/a.txt\n# out/b.log");
  EXPECT_TRUE(some.matches("/ws/out/b.txt", With::with));
  EXPECT_TRUE(some.matches("/ws/out/x/y/c.txt", With::with));
  EXPECT_FALSE(some.matches("/ws/out/a.txt", With::with));
  EXPECT_TRUE(some.matches("/ws/out/deep/a.txt", With::with));
  EXPECT_FALSE(some.matches("/ws/out/b.log", With::with));
  auto again = patterns("out\n!out/deep\nout/deep/keep");
  EXPECT_FALSE(again.matches("/ws/out/deep/x", With::with));
  EXPECT_TRUE(again.matches("/ws/out/deep/keep", With::with));
}

TEST(FilePatterns, SayHowDeepToLook) {
  EXPECT_EQ(patterns("node_modules").depth(), 0u);
  EXPECT_EQ(patterns("packages/*/node_modules").depth(), 2u);
  EXPECT_EQ(patterns("a\na/b/c").depth(), 2u);
  EXPECT_EQ(patterns("a/**/b").depth(), std::nullopt);
}

}  // namespace
}  // namespace headrace::runner
