#include "services/identity/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/identity/directory.h"

namespace headrace::identity {
namespace {

using core::Actor;
using core::Code;
using ::testing::HasSubstr;

class DoorTest : public ::testing::Test {
 protected:
  DoorTest() {
    directory.take({.users = {{"Root", 1, false, true},
                              {"alice", 2, false, false},
                              {"bob", 3, false, false},
                              {"eve", 4, true, false},
                              {"rita", 5, false, false}},
                    .tokens = {},
                    .roles = {{"Root", "*", "admin"},
                              {"alice", "team/hello", "write"},
                              {"bob", "team", "admin"},
                              {"eve", "*", "admin"},
                              {"rita", "*", "read"}}});
  }
  Code answer(const Actor& actor, Action action, const Resource& resource) {
    auto allowed = door.may(actor, action, resource);
    return allowed ? yes : allowed.error().code;
  }
  Code answer(std::string user, std::vector<std::string> scopes, Action action) {
    auto allowed = door.may(Caller{Actor::user(std::move(user)), std::move(scopes), "t"}, action,
                            Resource::repository("team/hello"));
    return allowed ? yes : allowed.error().code;
  }

  static constexpr Code yes = Code::conflict;  // the door never says this
  Directory directory;
  Door door{directory};
  const Resource hello = Resource::repository("team/hello");
  const Resource other = Resource::repository("team/other");
  const Resource foreign = Resource::repository("others/hello");
};

TEST_F(DoorTest, HoldsARoleWhereItWasGivenAndBelow) {
  auto alice = Actor::user("alice");
  EXPECT_EQ(answer(alice, Action::write_repository, hello), yes);
  EXPECT_EQ(answer(alice, Action::read_repository, hello), yes);
  EXPECT_EQ(answer(alice, Action::administer_repository, hello), Code::denied);
  EXPECT_EQ(answer(alice, Action::read_repository, other), Code::denied);
  EXPECT_EQ(answer(alice, Action::create_repository, Resource::owner("team")), Code::denied);
  auto bob = Actor::user("bob");
  EXPECT_EQ(answer(bob, Action::administer_repository, hello), yes);
  EXPECT_EQ(answer(bob, Action::create_repository, Resource::owner("team")), yes);
  EXPECT_EQ(answer(bob, Action::read_repository, foreign), Code::denied);
  EXPECT_EQ(answer(bob, Action::operate, Resource::platform()), Code::denied);
  EXPECT_EQ(answer(Actor::user("Root"), Action::operate, Resource::platform()), yes);
  EXPECT_EQ(answer(Actor::user("rita"), Action::read_repository, foreign), yes);
  EXPECT_EQ(answer(Actor::user("rita"), Action::write_repository, foreign), Code::denied);
  EXPECT_EQ(answer(Actor::user("rita"), Action::read_events, Resource::platform()), yes);
}

TEST_F(DoorTest, ComparesNamesWithoutCase) {
  EXPECT_EQ(answer(Actor::user("ALICE"), Action::write_repository, Resource::repository("Team/Hello")), yes);
}

TEST_F(DoorTest, DoesNotTakeOneNameForTheBeginningOfAnother) {
  EXPECT_EQ(answer(Actor::user("alice"), Action::read_repository, Resource::repository("team/hello2")), Code::denied);
  EXPECT_EQ(answer(Actor::user("bob"), Action::read_repository, Resource::repository("team2/hello")), Code::denied);
}

TEST_F(DoorTest, LetsNobodyInWithoutAnAccount) {
  for (auto action : {Action::use, Action::read_repository, Action::operate, Action::run_jobs}) {
    EXPECT_EQ(answer(Actor(), action, hello), Code::unauthenticated);
    EXPECT_EQ(answer(Actor::user("nobody"), action, hello), Code::unauthenticated);
    EXPECT_EQ(answer(Actor::user(""), action, hello), Code::unauthenticated);
    EXPECT_EQ(answer(Actor::user("eve"), action, hello), Code::denied);  // disabled
  }
}

TEST_F(DoorTest, LetsRunnersRunJobsAndReadNoMore) {
  auto local = Actor::runner("local");
  EXPECT_EQ(answer(local, Action::run_jobs, Resource::platform()), yes);
  EXPECT_EQ(answer(local, Action::read_repository, hello), yes);
  for (auto action : {Action::write_repository, Action::write_runs, Action::write_events, Action::read_events,
                      Action::operate, Action::create_repository})
    EXPECT_EQ(answer(local, action, hello), Code::denied);
  EXPECT_EQ(answer(Actor::user("Root"), Action::run_jobs, Resource::platform()), Code::denied);
}

TEST_F(DoorTest, LetsAJobReachItsOwnRepositoryAlone) {
  auto job = Actor::job("Team/hello");
  for (auto action :
       {Action::use, Action::read_repository, Action::write_repository, Action::read_runs, Action::write_runs})
    EXPECT_EQ(answer(job, action, hello), yes);
  for (auto action : {Action::write_events, Action::read_events, Action::operate, Action::run_jobs,
                      Action::create_repository, Action::administer_repository, Action::read_settings})
    EXPECT_EQ(answer(job, action, hello), Code::denied);
  EXPECT_EQ(answer(job, Action::read_repository, other), Code::denied);
  EXPECT_EQ(answer(job, Action::read_repository, Resource::platform()), Code::denied);
}

TEST_F(DoorTest, TakesThePermissionsOfAJobAsTheyAreWritten) {
  auto may = [&](std::vector<std::string> scopes, Action action) {
    return door.may(Caller{Actor::job("team/hello"), std::move(scopes), {}}, action, hello).has_value();
  };
  EXPECT_TRUE(may({"repo:write"}, Action::read_repository));
  EXPECT_FALSE(may({"repo:write"}, Action::read_runs)) << "contents of a repository are not its runs";
  EXPECT_TRUE(may({"run:write"}, Action::read_runs));
  EXPECT_TRUE(may({"run:write"}, Action::write_runs));
  EXPECT_FALSE(may({"run:read"}, Action::write_runs));
  EXPECT_FALSE(may({"run:write"}, Action::read_repository));
  EXPECT_FALSE(may({}, Action::read_repository));
  EXPECT_FALSE(may({"repo:write", "run:write"}, Action::read_settings)) << "no job sees settings";
}

TEST_F(DoorTest, LetsWhatReadsForAnAccountReadWhatThatMayReadAndNothingElse) {
  auto may = [&](const std::string& account, Action action, const std::string& repository) {
    Caller runner{.actor = Actor::job("team/hello"), .reads_for = account};
    return door.may(runner, action, Resource::repository(repository)).has_value();
  };
  EXPECT_TRUE(may("alice", Action::read_repository, "team/hello"));
  EXPECT_FALSE(may("alice", Action::read_repository, "team/other"));
  EXPECT_TRUE(may("bob", Action::read_repository, "team/other"));
  EXPECT_FALSE(may("eve", Action::read_repository, "team/other")) << "a disabled account";
  EXPECT_FALSE(may("nobody", Action::read_repository, "team/hello"));
  for (auto action : {Action::write_repository, Action::read_runs, Action::write_runs})
    EXPECT_FALSE(may("bob", action, "team/hello"));
}

TEST_F(DoorTest, LetsWhoMayWriteSeeSettingsAndTheAdministratorChangeThem) {
  EXPECT_EQ(answer(Actor::user("alice"), Action::read_settings, hello), yes);
  EXPECT_EQ(answer(Actor::user("alice"), Action::read_settings, Resource::owner("team")), Code::denied);
  EXPECT_EQ(answer(Actor::user("rita"), Action::read_settings, hello), Code::denied) << "she reads everywhere";
  EXPECT_EQ(answer(Actor::user("bob"), Action::read_settings, Resource::owner("team")), yes);
}

TEST_F(DoorTest, TrustsThePlatformItself) {
  EXPECT_EQ(answer(Actor::system(), Action::operate, Resource::platform()), yes);
  EXPECT_EQ(answer(Actor::service("pipeline"), Action::read_repository, hello), yes);
  EXPECT_TRUE(door.may(Caller::system(), Action::operate, Resource::platform()));
}

TEST_F(DoorTest, AsksTheTokenToReachAsFarAsTheRole) {
  EXPECT_EQ(answer("Root", {"repo:read"}, Action::write_repository), Code::denied);
  EXPECT_EQ(answer("Root", {"repo:read"}, Action::read_repository), yes);
  EXPECT_EQ(answer("Root", {"repo:read"}, Action::read_runs), yes);
  EXPECT_EQ(answer("Root", {"repo:write"}, Action::read_repository), yes);
  EXPECT_EQ(answer("Root", {"run:write"}, Action::read_repository), Code::denied);
  EXPECT_EQ(answer("Root", {"run:write"}, Action::read_runs), yes);
  EXPECT_EQ(answer("Root", {"event:read", "run:read"}, Action::write_events), Code::denied);
  EXPECT_EQ(answer("Root", {"event:write"}, Action::write_events), yes);
  EXPECT_EQ(answer("Root", {"event:write", "repo:write", "run:write"}, Action::operate), Code::denied);
  EXPECT_EQ(answer("Root", {"admin"}, Action::operate), yes);
  EXPECT_EQ(answer("Root", {}, Action::read_repository), Code::denied);
  EXPECT_EQ(answer("Root", {}, Action::use), yes);
  EXPECT_EQ(answer("alice", {"admin"}, Action::administer_repository), Code::denied);  // a scope gives no role
}

TEST_F(DoorTest, SaysWhyItSaidNoAndWhatWouldChangeThat) {
  EXPECT_EQ(door.may(Actor::user("alice"), Action::write_repository, other).error().message,
            "alice may not write to team/other: the role write on team/other, team or * is needed; an administrator "
            "can grant it.");
  EXPECT_EQ(door.may(Actor::user("alice"), Action::operate, Resource::platform()).error().message,
            "alice may not operate the platform: the role admin on * is needed; an administrator can grant it.");
  Caller caller{Actor::user("alice"), {"repo:read"}, "t"};
  EXPECT_EQ(
      door.may(caller, Action::write_repository, hello).error().message,
      "The token does not reach that far: to write to team/hello it needs the scope repo:write; make one that has it.");
  EXPECT_THAT(door.may(Actor::user("eve"), Action::use, hello).error().message, HasSubstr("disabled"));
  EXPECT_THAT(door.may(Actor(), Action::use, hello).error().message, HasSubstr("headrace login"));
}

}  // namespace
}  // namespace headrace::identity
