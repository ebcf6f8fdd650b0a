#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "cli/api.h"

namespace headrace::cli {
namespace {

// A home of its own, and none of the variables of who runs the test.
class Access_ : public ::testing::Test {
 protected:
  Access_() {
    auto name = (std::filesystem::temp_directory_path() / "headrace-cli-XXXXXX").string();
    home = ::mkdtemp(name.data());
    ::setenv("HOME", home.c_str(), 1);
    for (const char* variable : {"XDG_CONFIG_HOME", "HEADRACE_URL", "HEADRACE_TOKEN"}) ::unsetenv(variable);
  }
  ~Access_() override {
    for (const char* variable : {"HEADRACE_URL", "HEADRACE_TOKEN"}) ::unsetenv(variable);
    std::filesystem::remove_all(home);
  }
  std::string file() const { return home + "/.config/headrace/servers.json"; }
  std::string home;
};

TEST_F(Access_, IsTheLocalServerAndNobodyWhereNothingIsSaid) {
  auto access = find_access();
  ASSERT_TRUE(access);
  EXPECT_EQ(access->url, "http://127.0.0.1:8080");
  EXPECT_EQ(access->token, "");
}

TEST_F(Access_, IsKeptForThisUserAlone) {
  ASSERT_TRUE(keep_access({"http://one:1", "hr_one"}));
  struct stat seen{};
  ASSERT_EQ(::stat(file().c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat((home + "/.config/headrace").c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 0777, 0700U);
}

TEST_F(Access_, KeepsATokenForEachServerAndTheLastIsTheDefault) {
  ASSERT_TRUE(keep_access({"http://one:1", "hr_one"}));
  ASSERT_TRUE(keep_access({"http://two:2", "hr_two"}));
  EXPECT_EQ(find_access()->url, "http://two:2");
  EXPECT_EQ(find_access()->token, "hr_two");
  EXPECT_EQ(kept_token("http://one:1"), "hr_one");
  EXPECT_EQ(kept_token("http://three:3"), "");
}

TEST_F(Access_, OfTheEnvironmentGoesBeforeTheFile) {
  ASSERT_TRUE(keep_access({"http://one:1", "hr_one"}));
  ASSERT_TRUE(keep_access({"http://two:2", "hr_two"}));
  ::setenv("HEADRACE_URL", "http://one:1/", 1);
  EXPECT_EQ(find_access()->token, "hr_one");
  ::setenv("HEADRACE_TOKEN", "hr_other\r\n", 1);
  EXPECT_EQ(find_access()->token, "hr_other");
  EXPECT_EQ(find_access()->url, "http://one:1");
}

TEST_F(Access_, RefusesATokenThatWouldBreakTheRequestWithoutShowingIt) {
  ::setenv("HEADRACE_TOKEN", "hr_secret\nX-Evil: 1", 1);
  auto access = find_access();
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().code, core::Code::invalid);
  EXPECT_THAT(access.error().message + access.error().detail, ::testing::Not(::testing::HasSubstr("secret")));
}

TEST_F(Access_, SaysThatItsFileIsBroken) {
  ASSERT_TRUE(keep_access({"http://one:1", "hr_one"}));
  {
    std::ofstream(file()) << "{";
  }
  auto access = find_access();
  ASSERT_FALSE(access);
  EXPECT_THAT(access.error().message, ::testing::HasSubstr("servers.json"));
}

}  // namespace
}  // namespace headrace::cli
