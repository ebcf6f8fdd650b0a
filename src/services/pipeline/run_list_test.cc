#include "services/pipeline/run_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/id.h"
#include "events/vocabulary.h"
#include "services/pipeline/projection.h"
#include "services/pipeline/run_words.h"
#include "store/rebuild.h"
#include "store/store.h"
#include "store/testing/folder.h"
#include "store/testing/memory_log.h"

namespace headrace::pipeline {
namespace {

using core::Code;
using events::Conclusion;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::chrono::seconds patience{60};

std::string uuid_of(int64_t run) {
  std::string digits = std::to_string(run);
  return "0190a000-0000-7000-8000-" + std::string(12 - digits.size(), '0') + digits;
}

std::string commit_of(std::string beginning) {
  beginning.resize(40, '0');
  return beginning;
}

// The projection as the store keeps it, of runs that are said to be.
class RunList : public ::testing::Test {
 protected:
  RunList() : store(loop, log, folder.path()) {
    store.add(std::make_unique<RunsProjection>());
    core::require(store.start().has_value(), "the store starts");
  }

  template <class T>
  void say(const T& said) {
    events::Header header{.id = "event-" + std::to_string(++said_), .source = "/headrace/pipeline", .time = now_};
    waiting_.push_back(events::encode(said, header));
    if (waiting_.size() == 1'000) write();
  }
  void write() {
    if (waiting_.empty()) return;
    log.submit({.events = std::move(waiting_), .key = {}, .expected = {}},
               [](auto appended) { core::require(appended.has_value(), "the log takes them"); });
    waiting_ = {};
  }
  log::Offset tail() {
    write();
    EXPECT_TRUE(loop.run(store.caught_up(std::string(RunsProjection::projection_name), log.durable(), patience)));
    return log.durable();
  }

  // One more, with the id after the one before; a day later.
  events::RunQueued run(events::RunQueued more = {}) {
    const int64_t id = ++runs_;
    now_ += std::chrono::hours(24);
    more.run = uuid_of(id);
    more.id = id;
    if (more.number == 0) more.number = id;
    if (more.repository.empty()) more.repository = "team/hello";
    if (more.workflow.empty()) more.workflow = "CI";
    if (more.workflow_file.empty()) more.workflow_file = ".github/workflows/ci.yml";
    if (more.event.empty()) more.event = "push";
    if (more.branch.empty()) more.branch = "main";
    if (more.commit.empty()) more.commit = commit_of("c0ffee" + std::to_string(id));
    if (more.actor.empty()) more.actor = "alice";
    say(more);
    return more;
  }
  void begin(const events::RunQueued& of) { say(events::RunStarted{.run = of.run, .repository = of.repository}); }
  void end(const events::RunQueued& of, Conclusion conclusion) {
    say(events::RunFinished{.run = of.run, .repository = of.repository, .conclusion = conclusion});
  }

  core::Result<RunPage> page(const RunQuery& query, std::optional<log::Offset> at = {}) {
    tail();
    return store.read_here(RunsProjection::projection_name, at, [&](sqlite::Connection& tables) {
      return find_runs(tables, query, at ? Moment::past : Moment::now);
    });
  }
  // Ids of all pages.
  std::vector<int64_t> ids(RunQuery query, std::optional<log::Offset> at = {}) {
    std::vector<int64_t> all;
    do {
      auto found = page(query, at);
      EXPECT_TRUE(found) << found.error().message << found.error().detail;
      if (!found) return all;
      EXPECT_LE(found->runs.size(), query.limit);
      for (const auto& run : found->runs) all.push_back(run.id);
      query.cursor = found->next;
    } while (!query.cursor.empty());
    return all;
  }

  core::Loop loop;
  store::testing::MemoryLog log;
  store::testing::Folder folder;
  store::Store store;

 private:
  core::Time now_ = core::parse_time("2026-01-01T00:00:00Z").value();
  int64_t runs_ = 0, said_ = 0;
  std::vector<events::Event> waiting_;
};

TEST_F(RunList, KnowsEachFilterAloneAndTogetherPageByPage) {
  run();                                                                                             // 1
  run({.repository = "team/other"});                                                                 // 2
  run({.branch = "dev"});                                                                            // 3
  run({.actor = "bob"});                                                                             // 4
  run({.event = "schedule"});                                                                        // 5
  run({.workflow = "Nightly", .workflow_file = ".github/workflows/night.yml", .branch = "dev"});     // 6
  run({.branch = "dev", .commit = commit_of("abcdef12"), .actor = "bob", .title = "Fix the Cart"});  // 7
  EXPECT_THAT(ids({}), ElementsAre(7, 6, 5, 4, 3, 2, 1));
  EXPECT_THAT(ids({.limit = 1}), ElementsAre(7, 6, 5, 4, 3, 2, 1));
  EXPECT_THAT(ids({.repository = "team/other"}), ElementsAre(2));
  EXPECT_THAT(ids({.limit = 2, .branch = "dev"}), ElementsAre(7, 6, 3));
  EXPECT_THAT(ids({.actor = "bob"}), ElementsAre(7, 4));
  EXPECT_THAT(ids({.event = "schedule"}), ElementsAre(5));
  for (const char* name : {"Nightly", "night.yml", ".github/workflows/night.yml"})
    EXPECT_THAT(ids({.workflow = name}), ElementsAre(6)) << name;
  EXPECT_THAT(ids({.workflow = "ight.yml"}), IsEmpty());
  EXPECT_THAT(ids({.commit = "ABCDEF1"}), ElementsAre(7));
  EXPECT_THAT(ids({.commit = commit_of("abcdef12")}), ElementsAre(7));
  EXPECT_THAT(ids({.commit = "abcdef13"}), IsEmpty());
  EXPECT_THAT(ids({.repository = "team/hello", .number = 4}), ElementsAre(4));
  EXPECT_THAT(ids({.repository = "team/other", .number = 4}), IsEmpty());
  EXPECT_THAT(ids({.number = 4}), ElementsAre(4));
  EXPECT_THAT(ids({.repository = "team/hello", .branch = "dev", .actor = "bob"}), ElementsAre(7));
  EXPECT_THAT(ids({.branch = "dev", .actor = "bob", .words = "cart"}), ElementsAre(7));
  EXPECT_THAT(ids({.branch = "dev", .actor = "bob", .words = "wheel"}), IsEmpty());
}

TEST_F(RunList, FindsACommitByItsBeginningHoweverManyBeginSo) {
  run({.commit = commit_of("abcdef1000")});
  run({.commit = commit_of("abcdef1fff")});
  run({.commit = commit_of("abcdef1000")});
  run({.commit = commit_of("abcdef2000")});
  EXPECT_THAT(ids({.limit = 1, .commit = "abcdef1"}), ElementsAre(3, 2, 1));
  for (const char* wrong : {"abcdef", "abcdefg", "abcdef1 ", "%"})
    EXPECT_EQ(page({.commit = wrong}).error().code, Code::invalid) << wrong;
  for (char digit : std::string("0123456789abcdef"))
    for (char next : {'0', '1'}) run({.commit = commit_of(std::string("ddddddd") + digit + next)});
  EXPECT_THAT(page({.commit = "ddddddd"}).error().message, HasSubstr("more digits"));
  EXPECT_THAT(ids({.commit = "ddddddd0"}), SizeIs(2));
}

TEST_F(RunList, KnowsResultsAsThePagesDo) {
  const std::vector<std::pair<Conclusion, std::string>> all{
      {Conclusion::success, "passed"},         {Conclusion::failure, "failed"},
      {Conclusion::timed_out, "failed"},       {Conclusion::startup_failure, "failed"},
      {Conclusion::cancelled, "cancelled"},    {Conclusion::skipped, "skipped"},
      {Conclusion::neutral, "skipped"},        {Conclusion::stale, "skipped"},
      {Conclusion::action_required, "waiting"}};
  for (const auto& [conclusion, result] : all) {
    auto one = run();
    begin(one);
    end(one, conclusion);
  }
  run();         // 10
  begin(run());  // 11
  EXPECT_THAT(ids({.result = "passed"}), ElementsAre(1));
  EXPECT_THAT(ids({.limit = 1, .result = "failed"}), ElementsAre(4, 3, 2));
  EXPECT_THAT(ids({.result = "cancelled"}), ElementsAre(5));
  EXPECT_THAT(ids({.limit = 2, .result = "skipped"}), ElementsAre(8, 7, 6));
  EXPECT_THAT(ids({.result = "waiting"}), ElementsAre(9));
  EXPECT_THAT(ids({.result = "queued"}), ElementsAre(10));
  EXPECT_THAT(ids({.result = "running"}), ElementsAre(11));
  EXPECT_THAT(ids({.status = Status::completed}), ElementsAre(9, 8, 7, 6, 5, 4, 3, 2, 1));
  EXPECT_THAT(ids({.status = Status::in_progress}), ElementsAre(11));
  EXPECT_THAT(ids({.result = "failed", .status = Status::completed}), ElementsAre(4, 3, 2));
  EXPECT_THAT(ids({.result = "failed", .status = Status::queued}), IsEmpty());
  EXPECT_THAT(ids({.branch = "main", .result = "waiting"}), ElementsAre(9));
  EXPECT_THAT(page({.result = "fine"}).error().message, HasSubstr("failed, passed"));
  EXPECT_THAT(results(), ElementsAre("failed", "passed", "running", "queued", "cancelled", "skipped", "waiting"));
}

TEST_F(RunList, ShowsWhatWasSoAtAnEarlierMoment) {
  auto first = run();
  begin(first);
  auto second = run({.branch = "dev"});
  const auto then = tail();
  end(first, Conclusion::failure);
  run();
  auto again = first;
  again.attempt = 2;
  again.actor = "bob";
  const auto failed = tail();
  say(again);
  EXPECT_THAT(ids({}, then), ElementsAre(2, 1));
  EXPECT_THAT(ids({.result = "running"}, then), ElementsAre(1));
  EXPECT_THAT(ids({.result = "queued"}, then), ElementsAre(2));
  EXPECT_THAT(ids({.result = "failed"}, then), IsEmpty());
  EXPECT_THAT(ids({.repository = "team/hello", .limit = 1}, then), ElementsAre(2, 1));
  EXPECT_THAT(ids({.result = "failed"}, failed), ElementsAre(1));
  EXPECT_THAT(ids({.actor = "alice"}, failed), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids({.actor = "alice"}), ElementsAre(3, 2)) << "bob ran the first again";
  EXPECT_THAT(ids({.actor = "bob"}), ElementsAre(1));
  EXPECT_THAT(ids({.actor = "bob"}, failed), IsEmpty());
  EXPECT_THAT(ids({.result = "queued"}), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids({.words = "dev"}, then), ElementsAre(2));
}

TEST_F(RunList, IsOfTheRepositoriesOneMayReadAlone) {
  std::vector<std::string> many;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "team/r" + std::to_string(i);
    run({.repository = name});
    if (i % 2 == 0) many.push_back(name);
  }
  EXPECT_THAT(ids({.limit = 1, .within = std::vector<std::string>{"team/r7", "team/r299", "team/r41"}}),
              ElementsAre(300, 42, 8));
  EXPECT_THAT(ids({.branch = "main", .within = std::vector<std::string>{"team/r7", "team/r41"}}), ElementsAre(42, 8));
  EXPECT_THAT(ids({.within = std::vector<std::string>()}), IsEmpty());
  many.push_back("team/gone");
  auto all = ids({.limit = 40, .within = many});
  EXPECT_THAT(all, SizeIs(150)) << "of more than are read side by side";
  EXPECT_EQ(all.front(), 299);
}

TEST_F(RunList, LooksAtSoManyRunsForAPageAndSaysHowFarItCame) {
  const auto old = run({.title = "the needle"});
  for (size_t i = 0; i < looked_max + 5; ++i) run({.title = "hay"});
  auto first = page({.words = "needle"});
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_THAT(first->runs, IsEmpty());
  ASSERT_TRUE(first->looked_until);
  EXPECT_EQ(core::format_time(*first->looked_until).substr(0, 10), "2026-01-08") << "the seventh";
  auto second = page({.cursor = first->next, .words = "needle"});
  ASSERT_THAT(second->runs, SizeIs(1));
  EXPECT_EQ(second->runs[0].id, old.id);
  EXPECT_EQ(second->next, "");
  EXPECT_FALSE(second->looked_until);
  EXPECT_FALSE(page({.words = "hay"})->looked_until) << "a full page is not cut short";
  EXPECT_FALSE(page({.words = "hay"})->next.empty());
}

TEST_F(RunList, RebuiltFromTheLogIsEqual) {
  for (int i = 0; i < 5; ++i) {
    auto one = run();
    begin(one);
    end(one, i % 2 == 0 ? Conclusion::success : Conclusion::failure);
    one.attempt = 2;
    one.actor = "bob";
    if (i == 3) say(one);
  }
  tail();
  store.stop();
  RunsProjection projection;
  auto rebuilt = store::rebuild({&projection}, log, folder.path(), "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message << rebuilt.error().detail;
  EXPECT_FALSE(rebuilt->front().difference) << rebuilt->front().difference->what;
}

bool fits(std::string_view words) {
  return RunWords(words).fit({.id = 125,
                              .number = 7,
                              .commit = "3fa91c07be",
                              .texts = {"Totals in Cents", "CI", "team/hello", "dev", "alice"}});
}

TEST(RunWords, AreFoundInTextsWithoutCaseOrAsCommitIdOrNumber) {
  for (const char* good :
       {"", "  ", "cents", "CENTS ci", "otal\tALI", "team/hello", "3FA9", "3fa91c07be", "#7", "7", "#125", "125"})
    EXPECT_TRUE(fits(good)) << good;
  for (const char* bad : {"euros", "cents euros", "cidev", "#12", "12", "#3fa9", "a91c07", "3fa91c07be0", "-7", "#"})
    EXPECT_FALSE(fits(bad)) << bad;
  EXPECT_TRUE(RunWords(" \n").empty());
}

}  // namespace
}  // namespace headrace::pipeline
