#include "services/runner/line_counts.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <random>

namespace headrace::runner {
namespace {

class LineCountsTest : public ::testing::Test {
 protected:
  LineCountsTest() {
    char path[] = "/tmp/headrace-lines-XXXXXX";
    directory = ::mkdtemp(path);
  }
  ~LineCountsTest() override { std::filesystem::remove_all(directory); }

  void add(LogStore& logs, const std::string& text) {
    ASSERT_TRUE(logs.write(name, whole.size(), text));
    whole += text;
  }
  LineStart expected(uint64_t wanted) const {
    LineStart start;
    for (uint64_t at = 0; at < whole.size() && start.byte < wanted; ++at)
      if (whole[at] == '\n') start = {at + 1, start.line + 1};
    return start;
  }
  std::string directory;
  core::Loop loop;
  core::SystemDisk disk;
  LogName name{"0193f5e8-0000-7000-8000-00000000abcd", 1};
  std::string whole;
};

TEST_F(LineCountsTest, AreRightAtAnyPlaceOfALogThatGrows) {
  LogStore logs(loop.executor(), disk, directory);
  ASSERT_EQ(logs.open(name), 0u);
  LineCounts counts(logs);
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int turn = 0; turn < 200; ++turn) {
    std::string text(random() % 400, 'x');
    for (auto& letter : text)
      if (random() % 20 == 0) letter = '\n';
    add(logs, text);
    const uint64_t wanted = 1 + random() % (whole.size() + 1);
    auto found = counts.first_from(name, wanted);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->byte, expected(wanted).byte) << wanted;
    EXPECT_EQ((*found)->line, expected(wanted).line) << wanted;
  }
}

TEST_F(LineCountsTest, GoOnInTurnsOfABoundedSize) {
  LogStore logs(loop.executor(), disk, directory);
  ASSERT_EQ(logs.open(name), 0u);
  add(logs, std::string(LineCounts::turn_bytes, 'x'));
  add(logs, "\nlast\n");
  LineCounts counts(logs);
  auto first = counts.first_from(name, whole.size() - 5);
  ASSERT_TRUE(first);
  EXPECT_FALSE(*first) << "more than one turn";
  auto second = counts.first_from(name, whole.size() - 5);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->byte, whole.size() - 5);
  EXPECT_EQ((*second)->line, 2u);
}

TEST_F(LineCountsTest, OfManyLogsStayRightBeyondThoseThatAreRemembered) {
  LogStore logs(loop.executor(), disk, directory);
  LineCounts counts(logs);
  for (int round = 0; round < 2; ++round)
    for (size_t log = 0; log < LineCounts::logs_max + 5; ++log) {
      const LogName one{name.job, static_cast<int64_t>(log + 1)};
      ASSERT_TRUE(logs.open(one));
      ASSERT_TRUE(logs.write(one, 0, "a\nb\nc\n"));
      auto found = counts.first_from(one, 3);
      ASSERT_TRUE(found && *found);
      EXPECT_EQ((*found)->byte, 4u);
      EXPECT_EQ((*found)->line, 3u);
    }
}

}  // namespace
}  // namespace headrace::runner
