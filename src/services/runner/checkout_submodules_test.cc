#include "services/runner/checkout_submodules.h"

#include <gtest/gtest.h>

namespace headrace::runner {
namespace {

using namespace std::string_literals;

TEST(Submodules, AreReadFromWhatGitSaysOfGitmodules) {
  auto all =
      parse_submodules("submodule.libs/a b.path\nlibs/a b\0submodule.libs/a b.url\n../a.git\0submodule.x.url\nq\0"s);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 1U) << "one without a path is none";
  EXPECT_EQ((*all)[0].name, "libs/a b");
  EXPECT_EQ((*all)[0].path, "libs/a b");
  EXPECT_EQ((*all)[0].url, "../a.git");
  EXPECT_TRUE(parse_submodules("")->empty());
}

TEST(Submodules, APathOutOfTheRepositoryIsRefused) {
  for (const char* path : {"../x", "/etc", "a/../../b", ".git/hooks", "a/.GIT/x", "-x", "a//b", "a/./b"}) {
    auto all = parse_submodules("submodule.x.path\n"s + path + "\0submodule.x.url\n../y\0"s);
    ASSERT_FALSE(all) << path;
    EXPECT_NE(all.error().message.find("'x'"), std::string::npos);
  }
}

TEST(Submodules, MoreThanTheirBoundAreRefused) {
  std::string text;
  for (size_t i = 0; i <= submodules_max; ++i) text += "submodule." + std::to_string(i) + ".path\na\0"s;
  EXPECT_FALSE(parse_submodules(text));
}

TEST(Submodules, AreOfThisServerOrOfTheUpstream) {
  const std::vector<std::string> servers{"http://127.0.0.1:8080/", "https://github.com"};
  auto of = [&](const char* url) { return submodule_repository(url, "team/hello", servers).value_or("elsewhere"); };
  EXPECT_EQ(of("../lib.git"), "team/lib");
  EXPECT_EQ(of("../../other/lib"), "other/lib");
  EXPECT_EQ(of("./../lib/"), "team/lib");
  EXPECT_EQ(of("http://127.0.0.1:8080/team/x.git"), "team/x");
  EXPECT_EQ(of("https://github.com/google/googletest"), "google/googletest");
  EXPECT_EQ(of("git@github.com:google/googletest.git"), "google/googletest");
  EXPECT_EQ(of("ssh://git@github.com/google/googletest.git"), "google/googletest");
  for (const char* url : {"https://example.org/a/b", "../../../x", "../..", "file:///etc", "ext::sh -c x",
                          "https://github.com/a/b/c", "https://github.com/../b", "https://github.com.evil/a/b", "-x"})
    EXPECT_EQ(of(url), "elsewhere") << url;
}

}  // namespace
}  // namespace headrace::runner
