#include "services/secrets/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "events/pipeline.h"
#include "events/settings.h"
#include "services/secrets/testing/world.h"
#include "store/rebuild.h"

namespace headrace::secrets {
namespace {

using core::Actor;
using core::Code;
using core::Result;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::World;

const Place team{"team"}, hello{"team/hello"}, prod{"team/hello", "prod"};
const Actor alice = Actor::user("alice");

template <class T>
std::string refusal(const Result<T>& result) {
  return result ? "done" : std::string(core::name_of(result.error().code)) + ": " + result.error().message;
}

std::vector<std::string> names(const Result<std::vector<Secret>>& list) {
  std::vector<std::string> found;
  for (const auto& secret : *list) found.push_back(secret.name);
  return found;
}

events::JobQueued job_of(const std::string& repository, const std::string& environment) {
  events::JobQueued job;
  job.job = "01938a5c-0000-7000-8000-000000000002";
  job.run = "01938a5c-0000-7000-8000-000000000001";
  job.repository = repository;
  job.key = job.name = "deploy";
  job.environment = environment;
  return job;
}

// --- Secrets

TEST(Secrets, LieInTheSafeAloneAndAreNamedByTheirEvent) {
  World world;
  EXPECT_EQ(world.set(hello, "Key", "sesame"), true);
  EXPECT_EQ(world.given("team/hello"), "KEY=sesame ");
  auto said = world.said<events::SecretSet>();
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_EQ(said[0].name, "KEY");
  EXPECT_EQ(said[0].scope, "team/hello");
  EXPECT_EQ(world.safe.get(secret_kind, said[0].secret)->value(), "sesame");
  for (const auto& stored : world.log.all()) EXPECT_THAT(stored.event.data, Not(HasSubstr("sesame")));
  EXPECT_EQ(world.log.all().back().event.actor(), "user:alice");
}

TEST(Secrets, ThatAreReplacedOrRemovedLeaveTheSafe) {
  World world;
  EXPECT_EQ(world.set(hello, "KEY", "one"), true);
  EXPECT_EQ(world.set(hello, "key", "two"), false) << "the same name, so it is replaced";
  EXPECT_EQ(world.given("team/hello"), "KEY=two ");
  EXPECT_THAT(world.kept(), SizeIs(1));
  EXPECT_TRUE(world.run(world.secrets->remove_secret(alice, hello, "Key")));
  EXPECT_EQ(world.given("team/hello"), "");
  EXPECT_THAT(world.kept(), IsEmpty());
  EXPECT_EQ(refusal(world.run(world.secrets->remove_secret(alice, hello, "KEY"))),
            "not_found: There is no secret KEY at team/hello.");
}

TEST(Secrets, OfTheNearestPlaceWin) {
  World world;
  ASSERT_TRUE(world.set(team, "A", "team") && world.set(team, "B", "team") && world.set(team, "C", "team"));
  ASSERT_TRUE(world.set(hello, "B", "hello") && world.set(hello, "C", "hello"));
  ASSERT_TRUE(world.set(prod, "C", "prod"));
  EXPECT_EQ(world.given("team/hello"), "A=team B=hello C=hello ");
  EXPECT_EQ(world.given("Team/Hello", "PROD"), "A=team B=hello C=hello |C=prod ") << "names compare without case";
  EXPECT_EQ(world.given("team/hello", "staging"), "A=team B=hello C=hello ");
  EXPECT_EQ(world.given("team/other"), "A=team B=team C=team ");
  EXPECT_EQ(world.given("foe/hello"), "");
}

TEST(Secrets, GoOnlyToWhoNamesThem) {
  World world;
  ASSERT_TRUE(world.set(hello, "A", "1") && world.set(hello, "B", "2") && world.set(prod, "C", "3"));
  JobWish wish;
  wish.repository = "team/hello";
  wish.of_repository = {"B", "NONE"};
  wish.environment = "prod";
  wish.of_environment = std::set<std::string>();
  auto values = world.run(world.secrets->for_job(wish));
  ASSERT_TRUE(values);
  EXPECT_THAT(values->of_repository, ElementsAre(Pair("B", "2")));
  EXPECT_THAT(values->of_environment, IsEmpty());
}

TEST(Secrets, OfAnOwnerMayBeForSelectedRepositories) {
  World world;
  ASSERT_TRUE(world.set(team, "KEY", "v", {Visibility::selected, {8}}));
  EXPECT_EQ(world.given("team/hello"), "");
  EXPECT_EQ(world.given("team/other"), "KEY=v ");
  EXPECT_THAT(names(world.run(world.secrets->owner_secrets("team/other"))), ElementsAre("KEY"));
  EXPECT_THAT(names(world.run(world.secrets->owner_secrets("team/hello"))), IsEmpty());
  ASSERT_TRUE(world.run(world.secrets->set_secret_audience(alice, team, "key", {Visibility::only_private, {}})));
  EXPECT_EQ(world.given("team/hello"), "KEY=v ") << "the value is as it was";
  EXPECT_THAT(world.kept(), SizeIs(1));
  EXPECT_EQ(refusal(world.set(team, "KEY", "v", {Visibility::selected, {99}})),
            "invalid: There is no repository number 99 of team.");
  EXPECT_THAT(refusal(world.set(hello, "KEY", "v", {Visibility::selected, {7}})), HasSubstr("Only what is an owner's"));
  EXPECT_THAT(world.kept(), SizeIs(1)) << "what was refused leaves nothing";
}

TEST(Secrets, AreRefusedBeforeAnythingIsKept) {
  World world;
  EXPECT_EQ(refusal(world.set({"team/none"}, "KEY", "v")), "not_found: There is no repository team/none.");
  EXPECT_THAT(refusal(world.set(hello, "1", "v")), HasSubstr("invalid: Secret names"));
  EXPECT_THAT(refusal(world.set(hello, "KEY", "")), HasSubstr("may not be empty"));
  EXPECT_THAT(refusal(world.set({"team", "prod"}, "KEY", "v")), HasSubstr("team is an owner"));
  EXPECT_THAT(world.kept(), IsEmpty());
  EXPECT_THAT(world.said<events::SecretSet>(), IsEmpty());
}

TEST(Secrets, AreAtMostAHundredARepository) {
  World world;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(world.set(hello, "K" + std::to_string(i), "v"));
  EXPECT_EQ(refusal(world.set(hello, "MORE", "v")),
            "invalid: There are 100 secrets at team/hello already, and no more may be; delete one first.");
  EXPECT_EQ(world.set(hello, "K7", "other"), false);
  EXPECT_EQ(world.set(prod, "MORE", "v"), true) << "an environment has its own";
  EXPECT_THAT(world.kept(), SizeIs(101));
}

TEST(Secrets, ThatTheSafeHasLostAreNamedToWhoWantsThem) {
  World world;
  ASSERT_TRUE(world.set(hello, "KEY", "v"));
  world.safe.values.erase({secret_kind, world.kept()[0]});
  EXPECT_EQ(world.given("team/hello"), "The value of the secret KEY is not in the vault; set it again.");
}

TEST(Secrets, ThatTakeMoreThanOneMegabyteAreNotGivenAtOnce) {
  World world;
  for (int i = 0; i < 23; ++i) ASSERT_TRUE(world.set(hello, "K" + std::to_string(i), std::string(48 * 1024, 'x')));
  EXPECT_THAT(world.given("team/hello"), HasSubstr("more than 1 MiB"));
}

TEST(Secrets, GoWithTheirRepositoryAndDoNotComeBackWithItsName) {
  World world;
  ASSERT_TRUE(world.set(hello, "KEY", "v") && world.set(prod, "P", "v") && world.set({"team/other"}, "O", "v"));
  ASSERT_TRUE(world.assign(hello, "VAR", "v"));
  world.say(events::RepositoryDeleted{"team/hello", 7, "team", "hello"}, "repository");
  EXPECT_THAT(world.kept(), SizeIs(1)) << "the other's";
  world.say(events::RepositoryCreated{"team/hello", 9, "team", "hello", "main", ""}, "repository");
  EXPECT_EQ(world.given("team/hello", "prod"), "");
  EXPECT_THAT(world.run(world.secrets->run_variables("team/hello", world.secrets->newest()))->of_run, IsEmpty());
  EXPECT_THAT(*world.run(world.secrets->environments("team/hello")), IsEmpty());
}

// --- Variables

TEST(Variables, OfTheNearestPlaceWinAsTheyWereAtAMoment) {
  World world;
  ASSERT_TRUE(world.assign(team, "A", "team") && world.assign(team, "B", "team") && world.assign(hello, "b", "hello"));
  ASSERT_TRUE(world.assign(prod, "B", "prod"));
  auto before = world.secrets->newest();
  ASSERT_TRUE(world.assign(hello, "B", "later") && world.run(world.secrets->remove_variable(alice, team, "A")));
  auto then = world.run(world.secrets->run_variables("team/hello", before));
  ASSERT_TRUE(then) << then.error().message;
  EXPECT_THAT(then->of_run, ElementsAre(Pair("A", "team"), Pair("B", "hello")));
  EXPECT_THAT(then->of_environment, ElementsAre(Pair("prod", ElementsAre(Pair("B", "prod")))));
  auto now = world.run(world.secrets->run_variables("team/hello", world.secrets->newest()));
  EXPECT_THAT(now->of_run, ElementsAre(Pair("B", "later")));
}

TEST(Variables, AreMadeChangedAndRenamedAsAsked) {
  World world;
  Secrets::VariableChange change{.name = "region", .value = "eu", .existing = Existing::present};
  EXPECT_EQ(refusal(world.run(world.secrets->set_variable(alice, hello, change))),
            "not_found: There is no variable REGION at team/hello.");
  change.existing = Existing::absent;
  EXPECT_EQ(world.run(world.secrets->set_variable(alice, hello, change)), true);
  EXPECT_EQ(refusal(world.run(world.secrets->set_variable(alice, hello, change))),
            "conflict: There is a variable REGION at team/hello already.");
  Secrets::VariableChange renamed{.name = "REGION", .new_name = "zone"};
  EXPECT_EQ(world.run(world.secrets->set_variable(alice, hello, renamed)), false);
  EXPECT_EQ(world.run(world.secrets->variable(hello, "Zone"))->value, "eu");
  EXPECT_THAT(*world.run(world.secrets->variables(hello)), SizeIs(1));
  ASSERT_TRUE(world.assign(hello, "REGION", "us"));
  EXPECT_THAT(refusal(world.run(world.secrets->set_variable(alice, hello, renamed))), HasSubstr("conflict: "));
  EXPECT_THAT(refusal(world.run(world.secrets->set_variable(alice, hello, {.name = "NEW"}))),
              HasSubstr("needs a value"));
}

TEST(Variables, OfOnePlaceTakeAtMost256KilobytesTogether) {
  World world;
  std::string large(48 * 1024, 'x');
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(world.assign(hello, "V" + std::to_string(i), large));
  EXPECT_THAT(refusal(world.assign(hello, "V5", large)), HasSubstr("together may take 256 KB"));
  EXPECT_TRUE(world.assign(hello, "V4", large)) << "the same again takes no more";
  EXPECT_TRUE(world.assign(prod, "V5", large));
}

// --- Environments

TEST(Environments, AreMadeByNameOrByTheirFirstUse) {
  World world;
  auto made = world.run(world.secrets->create_environment(alice, "team/hello", "Staging"));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(world.run(world.secrets->create_environment(alice, "Team/hello", "STAGING"))->id, made->id);
  ASSERT_TRUE(world.set(prod, "KEY", "v"));
  world.say(job_of("team/hello", "canary"), "pipeline");
  world.say(job_of("team/hello", "Canary"), "pipeline");
  world.say(job_of("team/hello", ""), "pipeline");
  world.say(job_of("team/gone", "x"), "pipeline");
  world.say(job_of("team/hello", "a\nb"), "pipeline");
  std::vector<std::string> found;
  const auto environments = world.run(world.secrets->environments("team/hello"));
  for (const auto& one : *environments) found.push_back(one.name);
  EXPECT_THAT(found, ElementsAre("canary", "prod", "Staging"));
  EXPECT_THAT(world.said<events::EnvironmentCreated>(), SizeIs(3));
}

TEST(Environments, MadeByAJobAreBecauseOfIt) {
  World world;
  world.say(job_of("team/hello", "prod"), "pipeline");
  const auto all = world.log.all();
  auto made = std::ranges::find(all, std::string(events::EnvironmentCreated::type),
                                [](const log::Stored& stored) { return stored.event.type; });
  ASSERT_NE(made, all.end());
  auto job = std::ranges::find(all, std::string(events::JobQueued::type),
                               [](const log::Stored& stored) { return stored.event.type; });
  EXPECT_EQ(made->event.causation_id(), job->event.id);
  EXPECT_EQ(made->event.actor(), "service:secrets");
}

TEST(Environments, GoWithTheirSecretsAndVariables) {
  World world;
  ASSERT_TRUE(world.set(prod, "KEY", "v") && world.set(hello, "KEY", "w") && world.assign(prod, "VAR", "v"));
  ASSERT_TRUE(world.run(world.secrets->remove_environment(alice, "team/hello", "Prod")));
  EXPECT_EQ(world.given("team/hello", "prod"), "KEY=w ");
  EXPECT_THAT(world.kept(), SizeIs(1));
  EXPECT_EQ(refusal(world.run(world.secrets->variables(prod))), "not_found: team/hello has no environment prod.");
  EXPECT_EQ(refusal(world.run(world.secrets->remove_environment(alice, "team/hello", "prod"))),
            "not_found: team/hello has no environment prod.");
}

// --- The log is the truth

TEST(SecretsProjection, RebuiltFromTheLogIsEqual) {
  World world;
  ASSERT_TRUE(world.set(team, "A", "1", {Visibility::selected, {8, 7}}) && world.set(hello, "B", "2") &&
              world.set(hello, "B", "3") && world.set(prod, "C", "4"));
  ASSERT_TRUE(world.assign(hello, "V", "1") && world.assign(hello, "V", "2") && world.assign(prod, "W", "1"));
  ASSERT_TRUE(world.run(world.secrets->remove_secret(alice, hello, "B")));
  ASSERT_TRUE(world.run(world.secrets->create_environment(alice, "team/other", "x")));
  world.say(events::RepositoryDeleted{"team/other", 8, "team", "other"}, "repository");
  world.close();
  Projection projection;
  auto rebuilt = store::rebuild({&projection}, world.log, world.folder.path(), "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message;
  EXPECT_EQ(rebuilt->at(0).difference, std::nullopt);
  EXPECT_EQ(rebuilt->at(0).digest, rebuilt->at(0).digest_before);
  EXPECT_GT(rebuilt->at(0).events, 10u);
  world.open();
}

}  // namespace
}  // namespace headrace::secrets
