#include "services/identity/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "bus/testing/world.h"
#include "core/bytes.h"
#include "events/cdevents.h"
#include "events/cloudevents.h"
#include "events/identity.h"
#include "store/rebuild.h"
#include "store/testing/folder.h"

namespace headrace::identity {
namespace {

using core::Actor;
using core::Code;
using core::Result;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::chrono_literals;

// The service on a log in memory, with real files. restart() is what a new process sees.
class IdentityTest : public ::testing::Test {
 protected:
  IdentityTest() { open(); }
  ~IdentityTest() override { close(); }

  void open() {
    vault = Vault::open(disk, random, folder.file("vault.db"), folder.file("vault.key")).value();
    store = std::make_unique<store::Store>(world.loop(), world.log(), folder.file("projections"));
    identity = std::make_unique<Identity>(
        Parts{world.loop(), world.clock(), random, ids, disk, *store, world.bus(), *vault, &pool},
        Policy{.failures_max = 5});
    ASSERT_TRUE(store->start());
    auto started = run(identity->start());
    ASSERT_TRUE(started) << started.error().message;
  }
  void close() {
    identity.reset();
    store.reset();
    vault.reset();
  }
  void restart() {
    close();
    open();
  }
  template <class T>
  T run(core::Task<T> task) {
    return world.loop().run(std::move(task));
  }
  // The first administrator, and one who comes with everything.
  Caller root() {
    auto link = run(identity->first_link()).value();
    return caller(run(identity->redeem(link.value(), "root", "here")).value().secret);
  }
  Caller caller(const std::string& secret) { return identity->authenticate(secret, "here").value(); }
  Code refusal(const std::string& secret, const std::string& peer = "elsewhere") {
    auto found = identity->authenticate(secret, peer);
    return found ? works : found.error().code;
  }
  Caller user(const Caller& by, const std::string& name, std::vector<std::string> scopes = {"admin"}) {
    EXPECT_TRUE(run(identity->create_user(by, name, false)));
    return caller(token(by, name, std::move(scopes)).secret);
  }
  NewToken token(const Caller& by, const std::string& name, std::vector<std::string> scopes) {
    TokenWish wish{.user = name, .name = "test", .scopes = std::move(scopes)};
    auto made = run(identity->create_token(by, std::move(wish)));
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(NewToken());
  }
  template <class T>
  Code code_of(const Result<T>& result) {
    return result ? works : result.error().code;
  }
  std::vector<std::string> said() {
    std::vector<std::string> types;
    for (const auto& stored : world.log().all()) types.push_back(stored.event.type);
    return types;
  }

  static constexpr Code works = Code::corrupt;  // nothing here is ever corrupt
  bus::testing::World world;
  store::testing::Folder folder;
  core::SystemDisk disk;
  core::SystemRandom random;
  core::IdSource ids{world.clock(), random};
  core::Pool pool{"vault", {}};
  std::unique_ptr<Vault> vault;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Identity> identity;
};

// --- The one-time link

TEST_F(IdentityTest, MakesTheFirstAdministratorByTheLinkOnce) {
  auto link = run(identity->first_link()).value();
  ASSERT_TRUE(link);
  EXPECT_THAT(*link, SizeIs(43));
  auto token = run(identity->redeem(*link, "Root", "here"));
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_TRUE(is_token_secret(token->secret));
  auto root = caller(token->secret);
  EXPECT_EQ(root.actor, Actor::user("Root"));
  EXPECT_TRUE(identity->door().may(root, Action::operate, Resource::platform()));
  EXPECT_EQ(code_of(run(identity->redeem(*link, "second", "here"))), Code::unauthenticated);
  EXPECT_EQ(run(identity->first_link()).value(), std::nullopt);
  EXPECT_THAT(*run(identity->users()),
              ElementsAre(User{.name = "Root", .id = 1, .disabled = false, .administrator = true}));
}

TEST_F(IdentityTest, LetsALinkExpireAfterADay) {
  auto link = run(identity->first_link()).value().value();
  world.clock().advance(24h);
  EXPECT_EQ(code_of(run(identity->redeem(link, "root", "here"))), Code::unauthenticated);
  auto fresh = run(identity->first_link()).value().value();
  world.clock().advance(24h - 1s);
  EXPECT_TRUE(run(identity->redeem(fresh, "root", "here")));
}

TEST_F(IdentityTest, KeepsTheLinkWhenTheNameIsNotGood) {
  auto link = run(identity->first_link()).value().value();
  for (auto bad : {"", "-root", "root-", "a--b", "a b", "é", "a/b", "0123456789012345678901234567890123456789"})
    EXPECT_EQ(code_of(run(identity->redeem(link, bad, "here"))), Code::invalid) << bad;
  EXPECT_TRUE(run(identity->redeem(link, "root", "here")));
}

TEST_F(IdentityTest, TakesALinkOfBeforeTheRestartUntilThereIsANewOne) {
  auto old = run(identity->first_link()).value().value();
  restart();
  auto fresh = run(identity->first_link()).value().value();
  EXPECT_EQ(code_of(run(identity->redeem(old, "root", "here"))), Code::unauthenticated);
  restart();
  EXPECT_TRUE(run(identity->redeem(fresh, "root", "here")));
}

TEST_F(IdentityTest, SlowsDownWhoeverGuesses) {
  auto link = run(identity->first_link()).value().value();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(code_of(run(identity->redeem("guess", "root", "mallory"))), Code::unauthenticated);
  EXPECT_EQ(code_of(run(identity->redeem("guess", "root", "mallory"))), Code::exhausted);
  EXPECT_EQ(refusal("hr_guess", "mallory"), Code::exhausted);
  EXPECT_EQ(refusal("hr_guess", "another"), Code::unauthenticated);
  auto root = run(identity->redeem(link, "root", "mallory"));  // what is good always passes
  ASSERT_TRUE(root);
  EXPECT_EQ(refusal(root->secret, "mallory"), works);
  world.clock().advance(60s);
  EXPECT_EQ(refusal("hr_guess", "mallory"), Code::unauthenticated);
}

// --- Tokens

TEST_F(IdentityTest, KnowsATokenAfterARestartAndNoOther) {
  auto by = root();
  run(identity->create_user(by, "alice", false)).value();
  auto made = token(by, "ALICE", {"repo:read", "run:write"});
  EXPECT_EQ(made.user, "alice");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(caller(made.secret), (Caller{Actor::user("alice"), {"repo:read", "run:write"}, made.id}));
    auto other = made.secret;
    other.back() = other.back() == 'A' ? 'B' : 'A';
    EXPECT_EQ(refusal(other), Code::unauthenticated);
    restart();
  }
  for (auto bad : {"", "hr_", "Bearer x"}) EXPECT_EQ(refusal(bad, bad), Code::unauthenticated);
}

TEST_F(IdentityTest, EndsATokenAtOnceWhenItIsRevoked) {
  auto by = root();
  auto alice = user(by, "alice");
  auto made = token(alice, "alice", {"repo:read"});
  EXPECT_EQ(refusal(made.secret), works);
  ASSERT_TRUE(run(identity->revoke_token(alice, made.id)));
  EXPECT_EQ(refusal(made.secret), Code::unauthenticated);
  EXPECT_EQ(code_of(run(identity->revoke_token(by, made.id))), Code::not_found);
  restart();
  EXPECT_EQ(refusal(made.secret), Code::unauthenticated);
}

TEST_F(IdentityTest, EndsATokenWhenItExpires) {
  auto by = root();
  TokenWish wish{.user = "root", .name = "short", .scopes = {"repo:read"}, .expires_at = world.clock().now() + 1h};
  auto made = run(identity->create_token(by, std::move(wish))).value();
  world.clock().advance(1h - 1s);
  EXPECT_EQ(refusal(made.secret), works);
  world.clock().advance(1s);
  EXPECT_EQ(refusal(made.secret), Code::unauthenticated);
}

TEST_F(IdentityTest, EndsAllTokensOfADisabledAccountUntilItIsEnabled) {
  auto by = root();
  auto alice = token(by, (user(by, "alice"), "alice"), {"repo:read"});
  ASSERT_TRUE(run(identity->disable_user(by, "Alice", "left")));
  EXPECT_EQ(refusal(alice.secret), Code::unauthenticated);
  EXPECT_TRUE(run(identity->disable_user(by, "alice", "again")));
  EXPECT_EQ(std::ranges::count(said(), events::UserDisabled::type), 1);
  TokenWish wish{.user = "alice", .scopes = {"repo:read"}};
  EXPECT_EQ(code_of(run(identity->create_token(by, wish))), Code::conflict);
  ASSERT_TRUE(run(identity->enable_user(by, "alice")));
  EXPECT_EQ(refusal(alice.secret), works);
}

TEST_F(IdentityTest, LetsATokenMakeNoneThatReachesFurther) {
  auto by = root();
  auto alice = user(by, "alice", {"repo:write"});
  auto attempt = [&](const Caller& caller, std::string user, std::vector<std::string> scopes,
                     std::optional<core::Time> ends = {}) {
    TokenWish wish{.user = std::move(user), .scopes = std::move(scopes), .expires_at = ends};
    return code_of(run(identity->create_token(caller, std::move(wish))));
  };
  EXPECT_EQ(attempt(alice, "alice", {"repo:read"}), works);
  EXPECT_EQ(attempt(alice, "alice", {"repo:read", "event:read"}), Code::denied);
  EXPECT_EQ(attempt(alice, "alice", {"admin"}), Code::denied);
  EXPECT_EQ(attempt(alice, "root", {"repo:read"}), Code::denied);
  EXPECT_EQ(attempt(Caller(), "alice", {"repo:read"}), Code::unauthenticated);
  auto end = world.clock().now() + 1h;
  TokenWish wish{.user = "alice", .scopes = {"repo:read"}, .expires_at = end};
  auto brief = caller(run(identity->create_token(alice, std::move(wish))).value().secret);
  EXPECT_EQ(attempt(brief, "alice", {"repo:read"}), Code::denied);
  EXPECT_EQ(attempt(brief, "alice", {"repo:read"}, end + 1s), Code::denied);
  EXPECT_EQ(attempt(brief, "alice", {"repo:read"}, end), works);
}

TEST_F(IdentityTest, RefusesATokenThatMakesNoSense) {
  auto by = root();
  auto attempt = [&](TokenWish wish) { return code_of(run(identity->create_token(by, std::move(wish)))); };
  EXPECT_EQ(attempt({.user = "root"}), Code::invalid);
  EXPECT_EQ(attempt({.user = "root", .scopes = {"everything"}}), Code::invalid);
  EXPECT_EQ(attempt({.user = "root", .scopes = {"runner"}}), Code::invalid);
  EXPECT_EQ(attempt({.user = "root", .name = std::string(101, 'x'), .scopes = {"admin"}}), Code::invalid);
  EXPECT_EQ(attempt({.user = "root", .name = "a\nb", .scopes = {"admin"}}), Code::invalid);
  EXPECT_EQ(attempt({.user = "root", .scopes = {"admin"}, .expires_at = world.clock().now()}), Code::invalid);
  EXPECT_EQ(attempt({.user = "nobody", .scopes = {"admin"}}), Code::not_found);
  EXPECT_THAT(*vault->all("token"), SizeIs(1));  // what was refused left no hash
}

TEST_F(IdentityTest, BoundsTheTokensOfAnAccount) {
  auto by = root();
  for (size_t i = 1; i < tokens_an_account_max; ++i) token(by, "root", {"repo:read"});
  TokenWish wish{.user = "root", .scopes = {"repo:read"}};
  EXPECT_EQ(code_of(run(identity->create_token(by, wish))), Code::exhausted);
}

TEST_F(IdentityTest, RemembersInMemoryWhenATokenWasUsed) {
  auto by = root();
  auto made = token(by, "root", {"repo:read"});
  EXPECT_EQ(identity->last_used(made.id), std::nullopt);
  world.clock().advance(5s);
  caller(made.secret);
  EXPECT_EQ(identity->last_used(made.id), world.clock().now());
}

TEST_F(IdentityTest, RemovesTheHashOfATokenThatACrashKeptFromBeingSaid) {
  root();
  ASSERT_TRUE(vault->put("token", "orphan", std::string(32, 'x')));
  restart();
  EXPECT_EQ(*vault->get("token", "orphan"), std::nullopt);
  EXPECT_THAT(*vault->all("token"), SizeIs(1));
}

TEST_F(IdentityTest, GivesARunnerATokenThatIsNoAccounts) {
  auto by = root();
  auto made = run(identity->create_runner_token(by, "local")).value();
  auto local = caller(made.secret);
  EXPECT_EQ(local.actor, Actor::runner("local"));
  EXPECT_TRUE(identity->door().may(local, Action::run_jobs, Resource::platform()));
  EXPECT_EQ(code_of(identity->door().may(local, Action::write_repository, Resource::repository("a/b"))), Code::denied);
  EXPECT_EQ(code_of(run(identity->create_user(local, "eve", true))), Code::denied);
  EXPECT_EQ(code_of(run(identity->create_runner_token(by, "no good"))), Code::invalid);
}

// --- Files

TEST_F(IdentityTest, WritesTheBootstrapTokenOnce) {
  auto file = folder.file("token");
  ASSERT_TRUE(run(identity->bootstrap(file)));
  auto text = *core::read_file(disk, file);
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  auto admin = caller(text.substr(0, text.size() - 1));
  EXPECT_EQ(admin.actor, Actor::user("admin"));
  EXPECT_TRUE(identity->door().may(admin, Action::operate, Resource::platform()));
  restart();
  ASSERT_TRUE(run(identity->bootstrap(file)));
  EXPECT_EQ(*core::read_file(disk, file), text);
  EXPECT_EQ(run(identity->first_link()).value(), std::nullopt);
}

TEST_F(IdentityTest, ReplacesABootstrapTokenThatIsGone) {
  auto file = folder.file("token");
  ASSERT_TRUE(run(identity->bootstrap(file)));
  auto old = *core::read_file(disk, file);
  ASSERT_TRUE(disk.remove(file));
  ASSERT_TRUE(run(identity->bootstrap(file)));
  auto fresh = *core::read_file(disk, file);
  EXPECT_EQ(refusal(old.substr(0, old.size() - 1)), Code::unauthenticated);
  EXPECT_EQ(refusal(fresh.substr(0, fresh.size() - 1)), works);
  EXPECT_THAT(*run(identity->tokens("admin")), SizeIs(1));
}

TEST_F(IdentityTest, LeavesNoTokenBehindWhenTheFileCannotBeWritten) {
  root();
  auto written = run(identity->bootstrap(folder.path() + "/no/such/folder/token"));
  ASSERT_FALSE(written);
  EXPECT_THAT(*run(identity->tokens("root")), SizeIs(1));
}

TEST_F(IdentityTest, HandsTheLocalRunnerItsToken) {
  auto file = folder.file("runner.token");
  ASSERT_TRUE(run(identity->runner_token_file("local", file)));
  auto text = *core::read_file(disk, file);
  EXPECT_EQ(caller(text.substr(0, text.size() - 1)).actor, Actor::runner("local"));
  ASSERT_TRUE(run(identity->runner_token_file("local", file)));
  EXPECT_EQ(*core::read_file(disk, file), text);
  ASSERT_TRUE(core::write_file(disk, file, "hr_something"));
  ASSERT_TRUE(run(identity->runner_token_file("local", file)));
  EXPECT_EQ(refusal(text.substr(0, text.size() - 1)), Code::unauthenticated);
}

// --- Accounts and roles

TEST_F(IdentityTest, LetsOnlyAdministratorsMakeAccounts) {
  auto by = root();
  auto alice = user(by, "alice");
  EXPECT_EQ(code_of(run(identity->create_user(alice, "bob", false))), Code::denied);
  EXPECT_EQ(code_of(run(identity->create_user(Caller(), "bob", false))), Code::unauthenticated);
  EXPECT_EQ(code_of(run(identity->create_user(by, "ALICE", false))), Code::conflict);
  EXPECT_EQ(run(identity->create_user(by, "bob", true))->id, 3);
  EXPECT_EQ(code_of(run(identity->disable_user(alice, "bob", ""))), Code::denied);
  EXPECT_EQ(code_of(run(identity->disable_user(by, "nobody", ""))), Code::not_found);
}

TEST_F(IdentityTest, AlwaysKeepsAnAdministrator) {
  auto by = root();
  EXPECT_EQ(code_of(run(identity->disable_user(by, "root", ""))), Code::conflict);
  EXPECT_EQ(code_of(run(identity->revoke_role(by, "root", "*"))), Code::conflict);
  EXPECT_EQ(code_of(run(identity->grant(by, "root", Role::write, "*"))), Code::conflict);
  run(identity->create_user(by, "second", true)).value();
  EXPECT_TRUE(run(identity->revoke_role(by, "root", "*")));
  EXPECT_EQ(code_of(run(identity->create_user(by, "late", false))), Code::denied);
}

TEST_F(IdentityTest, LetsRolesBeGivenByWhoeverIsAdminThere) {
  auto by = root();
  auto alice = user(by, "alice");
  auto bob = user(by, "bob");
  auto hello = Resource::repository("team/hello");
  ASSERT_TRUE(run(identity->grant(by, "alice", Role::admin, "Team")));
  EXPECT_TRUE(run(identity->grant(alice, "bob", Role::write, "team/hello")));
  EXPECT_TRUE(identity->door().may(bob, Action::write_repository, hello));
  EXPECT_EQ(code_of(run(identity->grant(alice, "bob", Role::admin, "*"))), Code::denied);
  EXPECT_EQ(code_of(run(identity->grant(alice, "bob", Role::read, "other"))), Code::denied);
  EXPECT_EQ(code_of(run(identity->grant(bob, "bob", Role::admin, "team/hello"))), Code::denied);
  EXPECT_TRUE(run(identity->grant(alice, "bob", Role::read, "team/hello")));
  EXPECT_EQ(code_of(identity->door().may(bob, Action::write_repository, hello)), Code::denied);
  EXPECT_THAT(*run(identity->roles("bob")), ElementsAre(RoleRow{"bob", "team/hello", "read"}));
  EXPECT_TRUE(run(identity->revoke_role(alice, "bob", "team/hello")));
  EXPECT_EQ(code_of(run(identity->revoke_role(alice, "bob", "team/hello"))), Code::not_found);
  EXPECT_EQ(code_of(identity->door().may(bob, Action::read_repository, hello)), Code::denied);
  for (auto bad : {"", "a/b/c", "a b", "/a", "a/", "**"})
    EXPECT_EQ(code_of(run(identity->grant(by, "bob", Role::read, bad))), Code::invalid) << bad;
  EXPECT_EQ(code_of(run(identity->grant(by, "nobody", Role::read, "*"))), Code::not_found);
}

TEST_F(IdentityTest, AnswersForThePastToo) {
  auto by = root();
  auto before = world.log().durable();
  user(by, "alice");
  EXPECT_THAT(*run(identity->users(before)), SizeIs(1));
  EXPECT_THAT(*run(identity->users()), SizeIs(2));
}

// --- What everything above must hold

TEST_F(IdentityTest, IsRebuiltEqualFromTheLog) {
  auto by = root();
  auto alice = user(by, "Alice");
  run(identity->create_user(by, "bob", true)).value();
  auto made = token(alice, "alice", {"repo:read"});
  ASSERT_TRUE(run(identity->grant(by, "alice", Role::write, "team/hello")));
  ASSERT_TRUE(run(identity->grant(by, "alice", Role::read, "team")));
  ASSERT_TRUE(run(identity->revoke_role(by, "alice", "team")));
  ASSERT_TRUE(run(identity->revoke_token(alice, made.id)));
  ASSERT_TRUE(run(identity->create_runner_token(by, "local")));
  ASSERT_TRUE(run(identity->disable_user(by, "alice", "left")));
  close();
  Projection projection;
  auto rebuilt = store::rebuild({&projection}, world.log(), folder.file("projections"), "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message;
  EXPECT_EQ(rebuilt->at(0).difference, std::nullopt);
  EXPECT_EQ(rebuilt->at(0).digest, rebuilt->at(0).digest_before);
  EXPECT_GT(rebuilt->at(0).events, 8u);
  open();
}

TEST_F(IdentityTest, NeverPutsASecretInAnEventAnErrorOrAProjection) {
  auto link = run(identity->first_link()).value().value();
  std::vector<std::string> secrets{link};
  std::vector<core::Error> errors;
  auto first = run(identity->redeem(link, "root", "here")).value();
  secrets.push_back(first.secret);
  auto by = caller(first.secret);
  auto alice = token(by, (user(by, "alice"), "alice"), {"repo:read"});
  secrets.push_back(alice.secret);
  errors.push_back(run(identity->redeem(link, "again", "here")).error());
  errors.push_back(run(identity->create_user(caller(alice.secret), "eve", true)).error());
  ASSERT_TRUE(run(identity->revoke_token(by, alice.id)));
  errors.push_back(identity->authenticate(alice.secret, "here").error());
  ASSERT_TRUE(run(identity->bootstrap(folder.file("token"))));
  auto text = *core::read_file(disk, folder.file("token"));
  secrets.push_back(text.substr(0, text.size() - 1));
  std::string everything;
  for (const auto& stored : world.log().all()) everything += events::to_structured(stored.event);
  for (const auto& error : errors) everything += error.message + error.detail;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder.file("projections")))
    everything += core::read_file(disk, file.path()).value_or("");
  everything += core::read_file(disk, folder.file("vault.db")).value_or("") +
                core::read_file(disk, folder.file("vault.db-wal")).value_or("");
  for (const auto& secret : secrets) {
    EXPECT_THAT(everything, Not(HasSubstr(secret)));
    EXPECT_THAT(everything, Not(HasSubstr(core::sha256_hex(secret))));
    auto sum = core::sha256(core::as_bytes(secret));
    EXPECT_THAT(everything, Not(HasSubstr(std::string(reinterpret_cast<const char*>(sum.data()), sum.size()))));
  }
}

TEST_F(IdentityTest, SaysOnlyGoodEventsAndWhoDidIt) {
  auto by = root();
  auto alice = user(by, "alice");
  ASSERT_TRUE(run(identity->grant(by, "alice", Role::write, "team/hello")));
  ASSERT_TRUE(run(identity->revoke_role(by, "alice", "team/hello")));
  ASSERT_TRUE(run(identity->revoke_token(alice, alice.token)));
  ASSERT_TRUE(run(identity->disable_user(by, "alice", "left")));
  ASSERT_TRUE(run(identity->enable_user(by, "alice")));
  std::vector<std::string> actors;
  for (const auto& stored : world.log().all()) {
    auto verdict = events::validate(events::to_structured(stored.event));
    EXPECT_TRUE(verdict.valid) << events::to_json(verdict);
    EXPECT_EQ(stored.event.source, "/headrace/identity");
    actors.emplace_back(stored.event.actor());
  }
  EXPECT_THAT(actors, ElementsAre("system", "user:root", "user:root", "user:root", "user:root", "user:root",
                                  "user:alice", "user:root", "user:root"));
  const auto all = world.log().all();
  EXPECT_EQ(all.at(1).event.causation_id(), all.at(0).event.id);
}

TEST_F(IdentityTest, TakesNoWordOfAnybodyElseForItsOwn) {
  root();
  auto event = events::encode(events::UserCreated{.user = "eve", .id = 9, .administrator = true},
                              {.id = "1", .source = "/elsewhere", .time = world.clock().now()});
  world.say(event);
  restart();
  EXPECT_THAT(*run(identity->users()), SizeIs(1));
}

TEST_F(IdentityTest, RefusesAndLeavesNothingWhenTheLogDoes) {
  auto by = root();
  world.log().fail_appends(core::Error{Code::exhausted, "The disk is full.", {}});
  TokenWish wish{.user = "root", .scopes = {"repo:read"}};
  EXPECT_EQ(code_of(run(identity->create_token(by, wish))), Code::exhausted);
  EXPECT_THAT(*vault->all("token"), SizeIs(1));
  world.log().fail_appends(std::nullopt);
  EXPECT_TRUE(run(identity->create_token(by, wish)));
}

}  // namespace
}  // namespace headrace::identity
