#include "workflow/job_secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::workflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::Pair;

JobSecrets of(const std::string& spec) { return JobSecrets(core::parse_json(spec).value()); }
const JobSecrets::Values repository{{"KEY", "k"}, {"OTHER", "o"}};
const JobSecrets::Values environment{{"KEY", "prod"}};

TEST(JobSecrets, AreThoseThatTheJobNames) {
  auto secrets = of(R"({"secrets":"all","secrets_used":["KEY"]})");
  EXPECT_THAT(secrets.of_repository(), Optional(ElementsAre("KEY")));
  EXPECT_THAT(secrets.of_environment(), Optional(IsEmpty())) << "it has no environment";
  EXPECT_THAT(secrets.given(repository, {}, "t").value(), ElementsAre(Pair("KEY", "k")));
}

TEST(JobSecrets, AreAllWhereAnyMayBeMeant) {
  auto secrets = of(R"({"secrets":"all","secrets_used":"all"})");
  EXPECT_EQ(secrets.of_repository(), std::nullopt);
  EXPECT_THAT(secrets.given(repository, {}, "t").value(), ElementsAre(Pair("KEY", "k"), Pair("OTHER", "o")));
}

TEST(JobSecrets, OfTheEnvironmentComeBeforeThoseOfTheRepository) {
  auto secrets = of(R"({"secrets":"all","secrets_used":["KEY","OTHER"],"environment":"prod"})");
  EXPECT_EQ(secrets.environment(), "prod");
  EXPECT_THAT(secrets.of_environment(), Optional(ElementsAre("KEY", "OTHER")));
  EXPECT_THAT(secrets.given(repository, environment, "t").value(),
              ElementsAre(Pair("KEY", "prod"), Pair("OTHER", "o")));
}

TEST(JobSecrets, OfAnAuthorWithoutWriteAreNone) {
  auto secrets = of(R"({"secrets":"withheld","secrets_used":"all","environment":"prod"})");
  EXPECT_THAT(secrets.of_repository(), Optional(IsEmpty()));
  EXPECT_THAT(secrets.of_environment(), Optional(IsEmpty()));
}

TEST(JobSecrets, OfACalledWorkflowAreWhatIsPassedOnUnderItsNames) {
  auto secrets =
      of(R"({"secrets":{"token":"${{ secrets.key }}","both":"${{ secrets.OTHER }}-${{ secrets.GITHUB_TOKEN }}",
                       "missing":"${{ secrets.NONE }}","unused":"${{ secrets.OTHER }}"},
                       "secrets_used":["TOKEN","BOTH","MISSING","OTHER"]})");
  EXPECT_THAT(secrets.of_repository(), Optional(ElementsAre("GITHUB_TOKEN", "KEY", "NONE", "OTHER")));
  EXPECT_THAT(secrets.given(repository, {}, "t").value(), ElementsAre(Pair("token", "k"), Pair("both", "o-t")))
      << "neither what the called workflow was not given, nor what is empty";
}

TEST(JobSecrets, OfACalledWorkflowThatIsPassedNoneAreItsEnvironments) {
  auto secrets = of(R"({"secrets":"none","secrets_used":["KEY"],"environment":"prod"})");
  EXPECT_THAT(secrets.of_repository(), Optional(IsEmpty()));
  EXPECT_THAT(secrets.given({}, environment, "t").value(), ElementsAre(Pair("KEY", "prod")));
}

TEST(JobSecrets, GoThroughOneCallAfterTheOther) {
  auto secrets = of(R"({"secrets":[{"a":"${{ secrets.KEY }}"},{"b":"<${{ secrets.a }}${{ secrets.KEY }}>"}],
                       "secrets_used":["B"]})");
  EXPECT_THAT(secrets.of_repository(), Optional(ElementsAre("KEY")));
  EXPECT_THAT(secrets.given(repository, {}, "t").value(), ElementsAre(Pair("b", "<k>")));
}

TEST(JobSecrets, OfASpecOfBeforeNamesWereToldAreAll) {
  EXPECT_EQ(of(R"({"secrets":"all"})").of_repository(), std::nullopt);
  EXPECT_THAT(of(R"({"version":1})").of_repository(), Optional(IsEmpty()));
}

TEST(JobSecrets, SayWhichCannotBePassedOn) {
  auto secrets = of(R"({"secrets":{"a":"${{ fromJSON(secrets.KEY) }}"},"secrets_used":["A"]})");
  auto given = secrets.given(repository, {}, "t");
  ASSERT_FALSE(given);
  EXPECT_THAT(given.error().message, HasSubstr("The secret 'a' cannot be passed on: "));
}

}  // namespace
}  // namespace headrace::workflow
