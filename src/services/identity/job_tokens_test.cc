#include "services/identity/job_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/testing/folder.h"

namespace headrace::identity {
namespace {

class JobTokensTest : public ::testing::Test {
 protected:
  std::unique_ptr<Vault> vault_named(const std::string& name) {
    auto vault = Vault::open(disk, random, folder.file(name + ".db"), folder.file(name + ".key"));
    EXPECT_TRUE(vault) << vault.error().message;
    return vault ? std::move(*vault) : nullptr;
  }
  std::unique_ptr<JobTokens> tokens_of(Vault& vault) { return std::move(*JobTokens::open(vault, random)); }

  store::testing::Folder folder;
  core::SystemDisk disk;
  core::SystemRandom random;
  JobReach reach{.lease = 4711, .repository = "team/hello", .contents = Level::write, .actions = Level::read};
};

TEST_F(JobTokensTest, SayWhatTheyWereMadeForAlsoToTheNextServer) {
  auto vault = vault_named("vault");
  std::string token = tokens_of(*vault)->mint(reach);
  EXPECT_EQ(tokens_of(*vault)->read(token), reach);
  reach.contents = Level::none;
  reach.actions = Level::write;
  EXPECT_EQ(tokens_of(*vault)->read(tokens_of(*vault)->mint(reach)), reach);
}

TEST_F(JobTokensTest, OfARunnerNameTheAccountWhoseRepositoriesTheyRead) {
  auto vault = vault_named("vault");
  reach.contents = reach.actions = Level::none;
  reach.reads_for = "alice";
  EXPECT_EQ(tokens_of(*vault)->read(tokens_of(*vault)->mint(reach)), reach);
  EXPECT_EQ(caller_of(reach).reads_for, "alice");
  EXPECT_THAT(caller_of(reach).scopes, ::testing::IsEmpty());
}

TEST_F(JobTokensTest, ThatWereChangedOrMadeElsewhereAreNone) {
  auto vault = vault_named("vault");
  auto other = vault_named("other");
  auto tokens = tokens_of(*vault);
  std::string token = tokens->mint(reach);
  for (size_t place = 0; place < token.size(); ++place) {
    std::string changed = token;
    changed[place] = changed[place] == 'A' ? 'B' : 'A';
    auto read = tokens->read(changed);
    EXPECT_TRUE(!read || *read == reach) << "the last character of each part holds bits that do not count: " << place;
  }
  EXPECT_FALSE(tokens->read(token.substr(0, token.size() - 2)));
  EXPECT_FALSE(tokens->read(token + "AAAA"));
  EXPECT_FALSE(tokens_of(*other)->read(token));
  for (auto text : {"", "hrj_", "hrj_.", "hrj_x.y", "hr_something"}) EXPECT_FALSE(tokens->read(text)) << text;
}

TEST_F(JobTokensTest, ReachOneRepositoryAsFarAsTheySay) {
  EXPECT_EQ(caller_of(reach).actor, core::Actor::job("team/hello"));
  EXPECT_TRUE(scopes_include(caller_of(reach).scopes, "repo:write"));
  EXPECT_FALSE(scopes_include(caller_of(reach).scopes, "run:write"));
  reach.contents = Level::read;
  EXPECT_FALSE(scopes_include(caller_of(reach).scopes, "repo:write"));
  EXPECT_TRUE(scopes_include(caller_of(reach).scopes, "repo:read"));
  reach.contents = reach.actions = Level::none;
  EXPECT_THAT(caller_of(reach).scopes, ::testing::IsEmpty());
}

}  // namespace
}  // namespace headrace::identity
