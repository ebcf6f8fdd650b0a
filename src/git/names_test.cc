#include "git/names.h"

#include <gmock/gmock.h>

namespace headrace::git {
namespace {

using testing::HasSubstr;

TEST(Names, ARepositoryIsOwnerAndName) {
  EXPECT_EQ(*parse_full_name("team/hello"), (FullName{"team", "hello"}));
  EXPECT_TRUE(parse_full_name("A-1/b.c_d-2"));
  for (const auto* bad : {"", "team", "/hello", "team/", "team/hello/more", "team/.hidden", "-team/x", "te am/x",
                          "team/x.git", "team/x.LOCK", "téam/x", "team/..", "../x", "team/x\n"})
    EXPECT_FALSE(parse_full_name(bad)) << bad;
  EXPECT_FALSE(parse_full_name("team/" + std::string(name_bytes_max + 1, 'a')));
}

TEST(Names, NoOwnerTakesTheNameOfAPage) {
  for (const auto* reserved : {"runs", "api", "Settings", "healthz"}) {
    const auto answer = parse_full_name(std::string(reserved) + "/x");
    ASSERT_FALSE(answer) << reserved;
    EXPECT_THAT(answer.error().message, HasSubstr("Choose another"));
  }
  EXPECT_TRUE(parse_full_name("team/runs"));
}

TEST(Names, ARefKeepsTheRulesOfCheckRefFormat) {
  for (const auto* good : {"refs/heads/main", "refs/tags/v1.0", "refs/heads/feature/x", "refs/heads/@",
                           "refs/heads/ünïcode", "refs/for/main"})
    EXPECT_TRUE(check_ref(good)) << good;
  for (const auto* bad : {"",
                          "main",
                          "refs/heads",
                          "refs/heads/",
                          "refs//main",
                          "refs/heads/.x",
                          "refs/heads/x.lock",
                          "refs/heads/x.lock/y",
                          "refs/heads/a..b",
                          "refs/heads/a b",
                          "refs/heads/a~",
                          "refs/heads/a^",
                          "refs/heads/a:",
                          "refs/heads/a?",
                          "refs/heads/a*",
                          "refs/heads/a[",
                          "refs/heads/a\\b",
                          "refs/heads/a@{b",
                          "refs/heads/a.",
                          "refs/heads/a\nb",
                          "refs/heads/a\x7f",
                          "xrefs/heads/a"})
    EXPECT_FALSE(check_ref(bad)) << bad;
  EXPECT_FALSE(check_ref("refs/heads/" + std::string(ref_bytes_max, 'a')));
}

TEST(Names, AFaultIsToldWithoutItsControlCharacters) {
  const auto answer = check_ref("refs/heads/a\nremote: fake");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message.find('\n'), std::string::npos);
}

TEST(Names, BranchesAndTagsAreTheirShortNames) {
  EXPECT_EQ(branch_of("refs/heads/a/b"), "a/b");
  EXPECT_EQ(branch_of("refs/tags/a"), "");
  EXPECT_EQ(tag_of("refs/tags/v1"), "v1");
}

}  // namespace
}  // namespace headrace::git
