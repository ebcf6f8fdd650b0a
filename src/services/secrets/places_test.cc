#include "services/secrets/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::secrets {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string refusal(std::string_view name, Kind kind = Kind::secret) {
  auto checked = checked_name(kind, name);
  return checked ? "kept as " + *checked : checked.error().message;
}

TEST(Names, AreLettersDigitsAndUnderscoresKeptInUpperCase) {
  EXPECT_EQ(refusal("deploy_Key_2"), "kept as DEPLOY_KEY_2");
  EXPECT_EQ(refusal("_X"), "kept as _X");
  EXPECT_EQ(refusal("GITHUB"), "kept as GITHUB");
  EXPECT_EQ(refusal(std::string(255, 'a')), "kept as " + std::string(255, 'A'));
}

TEST(Names, AreRefusedInGitHubsWords) {
  for (auto bad : {"", "1KEY", "MY KEY", "MY-KEY", "K\xc3\x84Y", "A.B"})
    EXPECT_EQ(refusal(bad),
              "Secret names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_). Spaces "
              "are not allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_).")
        << bad;
  EXPECT_EQ(refusal("GitHub_token"), "Secret names must not start with GITHUB_.");
  EXPECT_EQ(refusal("GITHUB_X", Kind::variable), "Variable names must not start with GITHUB_.");
  EXPECT_EQ(refusal(std::string(256, 'a'), Kind::variable), "Variable names are at most 255 characters long.");
}

TEST(Values, AreTextOfAtMost48Kilobytes) {
  EXPECT_TRUE(check_value(Kind::secret, std::string(48 * 1024, 'x')));
  EXPECT_TRUE(check_value(Kind::secret, "two\nlines \xc3\xa4"));
  EXPECT_TRUE(check_value(Kind::variable, ""));
  EXPECT_THAT(check_value(Kind::secret, "").error().message, HasSubstr("may not be empty"));
  EXPECT_THAT(check_value(Kind::secret, std::string(48 * 1024 + 1, 'x')).error().message,
              StartsWith("Secret values are at most 48 KB; this one has 49153 bytes."));
  EXPECT_THAT(check_value(Kind::secret, "\xff\xfe").error().message, HasSubstr("encode other bytes in base64"));
  EXPECT_THAT(check_value(Kind::variable, std::string("a\0b", 3)).error().message, HasSubstr("text in UTF-8"));
}

TEST(Places, OfEnvironmentsAreOfRepositories) {
  EXPECT_TRUE(check_place({"team"}));
  EXPECT_TRUE(check_place({"team/hello", "Production EU"}));
  EXPECT_FALSE(check_place({"team", "prod"}));
  EXPECT_FALSE(check_place({"team/hello", "a\nb"}));
  EXPECT_FALSE(check_place({"team/hello", std::string(256, 'e')}));
}

}  // namespace
}  // namespace headrace::secrets
