#include "services/repository/repository.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "git/folder.h"
#include "services/repository/testing/world.h"
#include "store/rebuild.h"
#include "store/testing/folder.h"
#include "store/testing/memory_log.h"

namespace headrace::repository {
namespace {

using core::Actor;
using core::Code;
using core::Result;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using testing::World;

const std::string none(events::no_commit);

// A log that can be told to refuse what it is given, once it has seen enough.
class StubbornLog final : public log::EventLog {
 public:
  void submit(log::Batch batch, Done done) override {
    if (!refuse_type.empty() && batch.events.front().type == refuse_type)
      return done(core::fail(Code::exhausted, "The disk is full."));
    log_.submit(std::move(batch), std::move(done));
  }
  Result<std::vector<log::Stored>> read(log::Offset from, size_t max) override { return log_.read(from, max); }
  Result<std::vector<log::Stored>> read_types(log::Offset from, size_t max,
                                              const std::vector<std::string>& types) override {
    return log_.read_types(from, max, types);
  }
  log::Offset first() const override { return log_.first(); }
  log::Offset durable() const override { return log_.durable(); }
  Result<std::optional<log::Offset>> at(core::Time time) override { return log_.at(time); }
  Result<std::optional<log::Offset>> offset_of(std::string_view source, std::string_view id) override {
    return log_.offset_of(source, id);
  }
  Result<log::Offset> last_of(std::string_view key) override { return log_.last_of(key); }
  Result<> trim(log::Offset before) override { return log_.trim(before); }
  std::optional<core::Error> stopped() const override { return log_.stopped(); }
  Watch watch(std::function<void(log::Offset)> heard) override { return log_.watch(std::move(heard)); }

  std::string refuse_type;

 private:
  store::testing::MemoryLog log_;
};

class Service : public ::testing::Test {
 protected:
  void open(Policy policy = {}) { world_ = std::make_unique<World>(log_, folder_.path(), std::move(policy)); }
  void restart() {
    world_.reset();
    open();
  }
  // team/hello with one commit on main, and a clone of it.
  void fill() {
    hello_ = world_->make("team/hello");
    git().good_git({"clone", "-q", world_->url("team/hello"), "work"});
    git().good_git({"checkout", "-q", "-B", "main"}, "work");
    first_ = git().commit("work", "a.txt", "one\n");
    git().good_git({"push", "-q", "origin", "main"}, "work");
  }
  git::testing::Bridge& git() { return world_->bridge; }
  std::string path() { return world_->repositories().folder_of(hello_.id); }
  template <class T>
  std::vector<T> said() {
    return world_->said<T>();
  }
  Result<Repo> create(const std::string& name) {
    return world_->loop.run(world_->repositories().create(Actor::user("alice"), name));
  }

  store::testing::Folder folder_;
  StubbornLog log_;
  std::unique_ptr<World> world_;
  Repo hello_;
  std::string first_;
};

TEST_F(Service, ARepositoryIsMadeOnceWhateverTheCaseOfItsName) {
  open();
  const auto made = create("team/hello");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(git::is_bare_repository(world_->repositories().folder_of(made->id)));
  EXPECT_EQ(create("Team/Hello").error().code, Code::conflict);
  EXPECT_EQ(create("runs/hello").error().code, Code::invalid);
  EXPECT_EQ(create("hello").error().code, Code::invalid);
  ASSERT_THAT(said<events::RepositoryCreated>(), SizeIs(1));
  EXPECT_EQ(said<events::RepositoryCreated>()[0].id, made->id);
  EXPECT_EQ(world_->all()[0].event.actor(), "user:alice");
}

TEST_F(Service, IdsAreNeverGivenOutTwice) {
  open();
  const auto a = world_->make("team/a");
  const auto b = world_->make("team/b");
  EXPECT_TRUE(world_->loop.run(world_->repositories().remove(Actor::user("alice"), "team/b")));
  const auto c = world_->make("team/b");
  EXPECT_LT(a.id, b.id);
  EXPECT_LT(b.id, c.id);
}

TEST_F(Service, APushIsAcceptedReceivedAndSaidRefByRefInOneChain) {
  open();
  fill();
  const auto accepted = said<events::PushAccepted>();
  const auto received = said<events::PushReceived>();
  ASSERT_THAT(accepted, SizeIs(1));
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_EQ(received[0].push, accepted[0].push);
  EXPECT_THAT(received[0].updates, ElementsAre(events::SettledUpdate{"refs/heads/main", none, first_, true, false}));
  EXPECT_EQ(received[0].settled_by, events::SettledBy::hook);
  EXPECT_THAT(said<events::RefUpdated>(), ElementsAre(Field(&events::RefUpdated::new_commit, first_)));
  EXPECT_THAT(said<events::BranchCreated>(), ElementsAre(Field(&events::BranchCreated::branch, "main")));
  const auto all = world_->all();
  ASSERT_THAT(all, SizeIs(5));
  EXPECT_EQ(all[1].event.id, accepted[0].push);
  for (size_t index = 2; index < all.size(); ++index) {
    EXPECT_EQ(all[index].event.causation_id(), all[index - 1].event.id);
    EXPECT_EQ(all[index].event.correlation_id(), accepted[0].push);
    EXPECT_EQ(all[index].event.actor(), "user:alice");
  }
  EXPECT_THAT(world_->refs(hello_.id),
              ElementsAre(AllOf(Field(&RefRow::ref, "refs/heads/main"), Field(&RefRow::commit, first_))));
  git().commit("work", "a.txt", "two\n");
  EXPECT_THAT(git().git({"push", "origin", "main"}, "work").err,
              HasSubstr("remote: Watch what it starts: headrace run watch --repo team/hello"));
}

TEST_F(Service, APushIsToldWhatIsWrongWithTheWorkflowFilesThatItChanges) {
  open();
  fill();
  auto push = [&](const std::string& refs) { return git().git({"push", "origin", refs}, "work").err; };
  const std::string ci = ".github/workflows/ci.yml";
  git().commit("work", ci, "on: push\njobs:\n  a:\n    runs-on: x\n    stepz: []\n");
  EXPECT_THAT(push("main"), AllOf(HasSubstr("remote: .github/workflows/ci.yml:5:5: Unexpected value 'stepz'"),
                                  HasSubstr("remote: Watch what it starts")));
  const auto unchanged = [&](const std::string& told) { EXPECT_THAT(told, Not(HasSubstr("ci.yml"))); };
  git().commit("work", "a.txt", "another\n");
  unchanged(push("main"));
  unchanged(push("main:side"));
  git().commit("work", ".headrace/workflows/b.yaml", "jobs: [\n");
  EXPECT_THAT(push("main:side"), HasSubstr("remote: .headrace/workflows/b.yaml:"));
  git().commit("work", ci, "on: push\njobs:\n  a: {runs-on: x, steps: [{run: a}]}\n");
  unchanged(push("main"));
}

TEST_F(Service, WhatAPushIsToldOfItsWorkflowFilesIsBoundedAndCannotWriteToTheTerminal) {
  open();
  fill();
  std::string many = "on: push\njobs:\n  a:\n    runs-on: x\n    \"k\\e[31m\": 1\n";
  for (int i = 0; i < 30; ++i) many += "    k" + std::to_string(i) + ": 1\n";
  git().commit("work", ".github/workflows/ci.yml", many);
  const auto told = git().git({"push", "origin", "main"}, "work").err;
  EXPECT_THAT(told, AllOf(HasSubstr("'k?[31m'"), Not(HasSubstr("k\x1b")), HasSubstr("'k8'"), Not(HasSubstr("'k9'"))));
  EXPECT_THAT(told, HasSubstr("21 more; headrace workflow check names all of them."));
}

TEST_F(Service, AForcedPushAndADeletedBranchKeepTheirCommits) {
  open();
  fill();
  git().good_git({"push", "-q", "origin", "main:side"}, "work");
  git().good_git({"commit", "-q", "--amend", "-m", "another"}, "work");
  git().good_git({"push", "-q", "--force", "origin", "main", ":side"}, "work");
  EXPECT_TRUE(said<events::PushReceived>().back().updates[0].forced);
  EXPECT_THAT(said<events::BranchDeleted>(), ElementsAre(Field(&events::BranchDeleted::commit, first_)));
  EXPECT_THAT(git().good_git({"for-each-ref", "--contains", first_, "--format=%(refname)"}, path()),
              HasSubstr("refs/headrace/keep/"));
}

TEST_F(Service, AFileThatIsTooLargeIsRefusedAndNothingIsSaid) {
  open({.file_bytes_max = 1000});
  fill();
  git().commit("work", "large.txt", std::string(5000, 'x'));
  const auto pushed = git().git({"push", "origin", "main"}, "work");
  EXPECT_FALSE(pushed.exit.succeeded());
  EXPECT_THAT(pushed.err, HasSubstr("the largest allowed has 1000"));
  EXPECT_THAT(said<events::PushAccepted>(), SizeIs(1));
}

TEST_F(Service, WhenTheLogRefusesThePushIsRefusedAndNoRefMoves) {
  open();
  fill();
  git().commit("work", "a.txt", "two\n");
  log_.refuse_type = events::PushAccepted::type;
  const auto pushed = git().git({"push", "origin", "main"}, "work");
  EXPECT_FALSE(pushed.exit.succeeded());
  EXPECT_THAT(pushed.err, HasSubstr("remote: The disk is full."));
  EXPECT_EQ(git().good_git({"rev-parse", "main"}, path()), first_);
}

TEST_F(Service, AnOutcomeThatCouldNotBeSaidIsSaidByReconcileOnce) {
  open();
  fill();
  const auto second = git().commit("work", "a.txt", "two\n");
  log_.refuse_type = events::PushReceived::type;
  EXPECT_THAT(git().git({"push", "origin", "main"}, "work").err, HasSubstr("could not be recorded yet"));
  EXPECT_THAT(said<events::PushReceived>(), SizeIs(1));
  log_.refuse_type.clear();
  EXPECT_EQ(world_->reconcile().settled, 1u);
  EXPECT_EQ(world_->reconcile().settled, 0u);
  const auto received = said<events::PushReceived>();
  ASSERT_THAT(received, SizeIs(2));
  EXPECT_EQ(received[1].settled_by, events::SettledBy::reconcile);
  EXPECT_THAT(received[1].updates, ElementsAre(events::SettledUpdate{"refs/heads/main", first_, second, true, false}));
  EXPECT_EQ(world_->refs(hello_.id)[0].commit, second);
  EXPECT_EQ(world_->all().back().event.actor(), "user:alice");
}

TEST_F(Service, APushOfWhichNoRefMovedIsSettledAtOnce) {
  open();
  fill();
  // Somebody else holds the lock of the ref, so git moves nothing after the push was accepted.
  git().commit("work", "a.txt", "two\n");
  std::ofstream(path() + "/refs/heads/main.lock") << "";
  EXPECT_FALSE(git().git({"push", "origin", "main"}, "work").exit.succeeded());
  ASSERT_THAT(said<events::PushReceived>(), SizeIs(2));
  EXPECT_FALSE(said<events::PushReceived>()[1].updates[0].applied);
  // And what was in the way is tidied away right after that push.
  bool moved = false;
  for (int attempt = 0; attempt < 50 && !moved; ++attempt)
    moved = git().git({"push", "-q", "origin", "main"}, "work").exit.succeeded();
  EXPECT_TRUE(moved);
}

TEST_F(Service, RefsThatMovedBehindOurBackAreSaidBySystem) {
  open();
  fill();
  git().good_git({"update-ref", "refs/heads/smuggled", first_}, path());
  git().good_git({"update-ref", "-d", "refs/heads/main"}, path());
  EXPECT_EQ(world_->reconcile().moved, 2u);
  EXPECT_EQ(world_->reconcile().moved, 0u);
  EXPECT_EQ(world_->all().back().event.actor(), "system");
  EXPECT_THAT(world_->refs(hello_.id), ElementsAre(Field(&RefRow::ref, "refs/heads/smuggled")));
  EXPECT_THAT(said<events::BranchDeleted>(), ElementsAre(Field(&events::BranchDeleted::branch, "main")));
}

TEST_F(Service, ReconcileLeavesARepositoryAloneWhileAPushHasIt) {
  open();
  fill();
  const auto push = git::FolderLock::try_lock(path(), git::FolderLock::Mode::shared);
  ASSERT_TRUE(push && *push);
  git().good_git({"update-ref", "refs/heads/new", first_}, path());
  EXPECT_EQ(world_->reconcile().busy, 1u);
  EXPECT_THAT(said<events::RefUpdated>(), SizeIs(1));
}

TEST_F(Service, AMissingFolderIsMadeAndOneOfADeletedRepositoryRemoved) {
  open();
  fill();
  const auto other = world_->make("team/other");
  EXPECT_TRUE(world_->loop.run(world_->repositories().remove(Actor::user("alice"), "team/other")));
  EXPECT_FALSE(std::filesystem::exists(world_->repositories().folder_of(other.id)));
  const auto third = world_->make("team/third");
  std::filesystem::remove_all(world_->repositories().folder_of(third.id));
  ASSERT_TRUE(git::create_bare(world_->repositories().folder_of(other.id), "main"));
  ASSERT_TRUE(git::create_bare(folder_.path() + "/repositories/99999.git", "main"));
  restart();
  EXPECT_TRUE(git::is_bare_repository(world_->repositories().folder_of(third.id)));
  EXPECT_FALSE(std::filesystem::exists(world_->repositories().folder_of(other.id)));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() + "/repositories/99999.git"));
}

TEST_F(Service, ThePastIsAsItWas) {
  open();
  fill();
  const auto before = log_.durable();
  git().good_git({"push", "-q", "origin", "main:later"}, "work");
  EXPECT_THAT(world_->refs(hello_.id), SizeIs(2));
  EXPECT_THAT(*world_->loop.run(world_->repositories().refs(hello_.id, before)), SizeIs(1));
  EXPECT_EQ(*world_->loop.run(world_->repositories().find("team/hello", log::Offset{0})), std::nullopt);
  EXPECT_EQ((*world_->loop.run(world_->repositories().find("TEAM/hello")))->id, hello_.id);
  const auto pushes = world_->loop.run(world_->repositories().pushes(hello_.id, 0, 10));
  ASSERT_TRUE(pushes);
  ASSERT_THAT(*pushes, SizeIs(2));
  EXPECT_EQ((*pushes)[1].updates[0].new_commit, first_);
  EXPECT_TRUE((*pushes)[0].settled());
}

TEST_F(Service, ObjectsAreReadThroughThePool) {
  open();
  fill();
  const auto text =
      world_->loop.run(world_->repositories().read(hello_.id, [](git::Repository& repository) -> Result<std::string> {
        auto blob = repository.blob("main", "a.txt", 100);
        if (!blob) return std::unexpected(blob.error());
        return blob->content;
      }));
  EXPECT_EQ(*text, "one\n");
}

TEST_F(Service, RebuiltFromTheLogItsTablesAreEqual) {
  open();
  fill();
  git().good_git({"tag", "-a", "v1", "-m", "one"}, "work");
  git().good_git({"push", "-q", "origin", "v1", "main:side"}, "work");
  git().good_git({"push", "-q", "origin", ":side"}, "work");
  world_->make("team/other");
  EXPECT_TRUE(world_->loop.run(world_->repositories().remove(Actor::user("alice"), "team/other")));
  world_->refs(hello_.id);
  world_.reset();
  Projection projection;
  const auto rebuilt = store::rebuild({&projection}, log_, folder_.path() + "/projections", "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message;
  EXPECT_FALSE((*rebuilt)[0].difference);
  EXPECT_EQ((*rebuilt)[0].digest, (*rebuilt)[0].digest_before);
}

TEST_F(Service, APushOfManyRefsIsToldInPartsThatAreAcceptedTogether) {
  open();
  fill();
  const auto before = world_->all().size();
  const auto known = said<events::PushReceived>().size();
  std::string lines;
  constexpr size_t count = 1'201;
  for (size_t index = 0; index < count; ++index)
    lines += "create refs/tags/many/" + std::to_string(index) + " " + first_ + "\n";
  process::Spec spec;
  spec.argv = {"git", "update-ref", "--stdin"};
  spec.environment = process::inherited_environment({"PATH"});
  spec.directory = git().root() + "/work";
  ASSERT_TRUE(world_->loop.run(process::run(world_->loop.executor(), spec, lines, {}))->exit.succeeded());
  git().good_git({"push", "-q", "--tags", "origin"}, "work");
  EXPECT_THAT(world_->refs(hello_.id), SizeIs(count + 1));
  const auto received = said<events::PushReceived>();
  ASSERT_EQ(received.size() - known, 4u);
  size_t moved = 0;
  for (auto push = received.end() - 4; push != received.end(); ++push) {
    for (const auto& update : push->updates) moved += update.applied ? 1 : 0;
    EXPECT_EQ(push->settled_by, events::SettledBy::hook);
  }
  EXPECT_EQ(moved, count);
  // The acceptances stand side by side: one append.
  const auto all = world_->all();
  for (size_t index = before; index < before + 4; ++index)
    EXPECT_TRUE(events::is<events::PushAccepted>(all[index].event)) << index;
  EXPECT_EQ(world_->reconcile().settled, 0u);
}

}  // namespace
}  // namespace headrace::repository
