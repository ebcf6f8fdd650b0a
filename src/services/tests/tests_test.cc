#include "services/tests/tests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/testing/memory_log.h"
#include "core/bytes.h"
#include "core/testing/simulated_clock.h"
#include "events/pipeline.h"
#include "events/tests.h"
#include "report/pack.h"
#include "services/tests/projection.h"
#include "store/rebuild.h"
#include "store/testing/folder.h"

namespace headrace::tests {
namespace {

using core::Actor;
using core::Code;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::chrono::seconds patience{20};

// Cases of one class: a letter each that says what it came to (p f e s), then its name.
report::Report report_of(std::string_view words) {
  report::Report report;
  report.suites.emplace_back().name = "unit";
  while (!words.empty()) {
    auto word = words.substr(0, words.find(' '));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    report::Case one;
    one.suite = 0;
    one.class_name = "C";
    one.name = word.substr(1);
    one.outcome = word[0] == 'p'   ? report::Outcome::passed
                  : word[0] == 'f' ? report::Outcome::failed
                  : word[0] == 'e' ? report::Outcome::errored
                                   : report::Outcome::skipped;
    one.seconds = static_cast<double>(one.name.size());
    if (report::is_bad(one.outcome)) one.message = one.name + " broke";
    report.counted.add(one);
    report.cases.push_back(std::move(one));
  }
  return report;
}

// Bus, store and the service on one loop; the test is the pipeline and the runners.
class World {
 public:
  World() { open(); }
  ~World() { close(); }

  void open() {
    store = std::make_unique<store::Store>(loop, log, folder.path());
    bus = std::move(*bus::Bus::open({loop, clock, random, ids, log, nullptr, folder.file("bus.sqlite")}, {}));
    tests = std::make_unique<Tests>(Parts{loop, *store, *bus});
    core::require(store->start().has_value(), "the store starts");
    core::require(tests->start().has_value(), "the service starts");
    bus->start();
  }
  void close() {
    loop.run(bus->close());
    tests.reset();
    bus.reset();
    store.reset();
  }

  template <class T>
  void say(const T& said, std::string service) {
    bus::Publish options;
    options.sync = bus::Sync::before_return;
    options.sync_limit = patience;
    auto event = events::encode(said, bus->header(bus::Origin::root(std::move(service), Actor::system())));
    auto published = loop.run(bus->publish(std::move(event), options));
    EXPECT_TRUE(published && published->handled) << T::type;
    EXPECT_TRUE(loop.run(store->all_caught_up(patience)));
  }

  struct Place {
    std::string run = "run-1", commit = "c1", ref = "refs/heads/main", job = "test", file = "junit.xml";
    int64_t attempt = 1;
  };
  // A run of it, with one report.
  void tell(const Place& at, std::string_view words) {
    events::RunQueued run;
    run.run = at.run;
    run.number = 7;
    run.repository = "team/hello";
    run.workflow_file = ".github/workflows/ci.yml";
    run.commit = at.commit;
    say(run, "pipeline");
    auto report = report_of(words);
    auto packed = report::pack(report);
    events::TestSuiteFinished suite;
    suite.report = at.run + "-" + at.job + "-" + std::to_string(at.attempt) + "-" + at.file;
    suite.environment = "sandbox";
    suite.suite = suite.file = at.file;
    suite.repository = "team/hello";
    suite.run = at.run;
    suite.job = suite.job_key = at.job;
    suite.attempt = at.attempt;
    suite.ref = at.ref;
    suite.commit = at.commit;
    suite.totals.cases = report.counted.cases;
    suite.parts = static_cast<int64_t>(packed.parts.size());
    suite.told = packed.told;
    say(suite, "runner");
    for (int64_t part = 1; part <= suite.parts; ++part)
      say(events::TestResults{suite.report, "team/hello", part, suite.parts,
                              core::to_base64(core::as_bytes(packed.parts[static_cast<size_t>(part - 1)]))},
          "runner");
  }

  // "name outcome before flaky" of what was said of cases.
  std::vector<std::string> said() {
    std::vector<std::string> all;
    const auto events = *log.read(1, 100'000);
    for (const auto& stored : events) {
      if (!events::is<events::TestCaseFinished>(stored.event)) continue;
      auto one = *events::decode<events::TestCaseFinished>(stored.event);
      all.push_back(one.name + " " + one.outcome + (one.before.empty() ? "" : " was " + one.before) +
                    (one.flaky ? " flaky" : ""));
    }
    return all;
  }
  RunTests of_run(const std::string& run, Page page = {}) { return *loop.run(tests->of_run(run, page)); }
  History history(const std::string& name, Page page = {}, const std::string& ref = "") {
    auto found = loop.run(tests->history("team/hello", report::test_id("unit", "C", name), ref, page));
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(History{});
  }

  core::Loop loop;
  core::testing::SimulatedClock clock{loop};
  core::SeededRandom random{7};
  core::IdSource ids{clock, random};
  bus::testing::MemoryLog log{clock};
  store::testing::Folder folder;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<Tests> tests;
};

std::vector<std::string> names(const std::vector<CaseOfRun>& cases) {
  std::vector<std::string> all;
  for (const auto& one : cases) all.push_back(one.test.name);
  return all;
}

TEST(Tests, AFailureIsSaidAndAGreenCaseIsNot) {
  World world;
  world.tell({}, "pa fb ec sd");
  EXPECT_THAT(world.said(), ElementsAre("b failed", "c errored"));
}

TEST(Tests, AChangeOnTheSameBranchIsSaidBothWays) {
  World world;
  world.tell({.run = "run-1", .commit = "c1"}, "pa pb");
  world.tell({.run = "run-2", .commit = "c2"}, "fa pb");
  world.tell({.run = "run-3", .commit = "c3"}, "pa pb");
  EXPECT_THAT(world.said(), ElementsAre("a failed was passed", "a passed was failed"));
}

TEST(Tests, AnotherBranchJobOrFileIsNoChange) {
  World world;
  world.tell({.run = "run-1", .commit = "c1"}, "pa");
  world.tell({.run = "run-2", .commit = "c2", .ref = "refs/heads/topic"}, "fa");
  world.tell({.run = "run-2", .commit = "c2", .job = "test (mac)"}, "fa");
  world.tell({.run = "run-2", .commit = "c2", .file = "other.xml"}, "fa");
  EXPECT_THAT(world.said(), ElementsAre("a failed", "a failed", "a failed"));
}

TEST(Tests, BothResultsOnOneTreeAreFlaky) {
  World world;
  world.tell({.run = "run-1", .commit = "c1"}, "fa pb");
  world.tell({.run = "run-1", .commit = "c1", .attempt = 2}, "pa pb");
  EXPECT_THAT(world.said(), ElementsAre("a failed", "a passed was failed flaky"));
  auto flaky = *world.loop.run(world.tests->flaky("team/hello", {}));
  ASSERT_THAT(flaky.tests, SizeIs(1));
  EXPECT_EQ(flaky.tests[0].test.name, "a");
  EXPECT_EQ(flaky.tests[0].times, 1);
  EXPECT_EQ(flaky.next, "");
}

TEST(Tests, SaysAtMostTwoHundredCasesOfAReport) {
  World world;
  std::string words;
  for (size_t i = 0; i < cases_said_max + 20; ++i) words += (i ? " f" : "f") + std::to_string(i);
  world.tell({}, words);
  EXPECT_THAT(world.said(), SizeIs(cases_said_max));
}

TEST(Tests, OfARunHaveTheBadOnesFirstAndPages) {
  World world;
  world.tell({}, "pa pb fc pd ee");
  auto first = world.of_run("run-1", {.limit = 3, .cursor = {}});
  EXPECT_THAT(first.reports, SizeIs(1));
  EXPECT_EQ(first.cases[0].outcome.message.substr(1), " broke");
  auto second = world.of_run("run-1", {.limit = 3, .cursor = first.next});
  EXPECT_EQ(second.next, "");
  auto all = names(first.cases);
  for (auto& name : names(second.cases)) all.push_back(name);
  EXPECT_THAT(all, ::testing::UnorderedElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT((std::vector{all[0], all[1]}), ::testing::UnorderedElementsAre("c", "e"));
  EXPECT_THAT(world.of_run("another").reports, IsEmpty());
}

TEST(Tests, AHistoryHasTheResultsNewestFirstInPages) {
  World world;
  for (int i = 1; i <= 5; ++i)
    world.tell({.run = "run-" + std::to_string(i), .commit = "c" + std::to_string(i)}, i % 2 ? "pa pb" : "fa");
  auto page = world.history("a", {.limit = 2, .cursor = {}});
  ASSERT_THAT(page.results, SizeIs(2));
  EXPECT_EQ(page.results[0].report.run, "run-5");
  EXPECT_EQ(page.results[0].run_number, 7);
  EXPECT_EQ(page.results[1].outcome.message, "a broke");
  EXPECT_EQ(page.results[1].outcome.before, "passed");
  EXPECT_EQ(page.results[1].outcome.microseconds, 1'000'000);
  auto rest = world.history("a", {.limit = 10, .cursor = page.next});
  EXPECT_THAT(rest.results, SizeIs(3));
  EXPECT_EQ(rest.next, "");
  EXPECT_THAT(world.history("b").results, SizeIs(3));
  EXPECT_THAT(world.history("a", {}, "refs/heads/topic").results, IsEmpty());
}

TEST(Tests, AHistoryOfNoTestIsNotFoundAndABadCursorInvalid) {
  World world;
  world.tell({}, "pa");
  EXPECT_EQ(world.loop.run(world.tests->history("team/hello", "0000000000000000", "", {})).error().code,
            Code::not_found);
  Page page{.limit = 1, .cursor = "-1"};
  EXPECT_EQ(world.loop.run(world.tests->of_run("run-1", page)).error().code, Code::invalid);
}

TEST(Tests, TheSlowestAreOfTheNewestReportOfEachSeries) {
  World world;
  world.tell({.run = "run-1", .commit = "c1"}, "pquick pmuch_slower_once");
  world.tell({.run = "run-2", .commit = "c2"}, "pquick pslower");
  world.tell({.run = "run-2", .commit = "c2", .job = "other"}, "pslowest");
  auto slow = *world.loop.run(world.tests->slowest("team/hello", "", 2));
  ASSERT_THAT(slow, SizeIs(2));
  EXPECT_EQ(slow[0].test.name, "slowest");
  EXPECT_EQ(slow[1].test.name, "slower");
  EXPECT_EQ(slow[1].microseconds, 6'000'000);
}

TEST(Tests, OfOtherToolsNameNoJobOfOurs) {
  World world;
  events::TestSuiteFinished suite;
  suite.report = "elsewhere";
  suite.environment = "ci";
  auto event = events::encode(suite, world.bus->header(bus::Origin::root("runner", Actor::system())));
  event.source = "/another/tool";
  HistoryProjection projection;
  auto tables = *sqlite::Connection::open("", {.mode = sqlite::Mode::memory});
  ASSERT_TRUE(tables->run(sqlite::Sql::generated(projection.schema())));
  ASSERT_TRUE(projection.apply(*tables, {.offset = 1, .time = {}, .event = event}));
  auto count = tables->first("SELECT count(*) FROM report", [](const sqlite::Row& row) { return row.integer(0); });
  EXPECT_EQ(**count, 0);
}

TEST(TestsReplay, TheRebuiltHistoryEqualsTheOneKeptLive) {
  World world;
  world.tell({.run = "run-1", .commit = "c1"}, "pa fb sc");
  world.tell({.run = "run-1", .commit = "c1", .attempt = 2}, "pa pb sc");
  world.tell({.run = "run-2", .commit = "c2"}, "fa pb pd");
  world.store->stop();
  HistoryProjection projection;
  auto rebuilt = store::rebuild({&projection}, world.log, world.folder.path(), "", store::Verify::yes);
  ASSERT_TRUE(rebuilt) << rebuilt.error().message << rebuilt.error().detail;
  ASSERT_THAT(*rebuilt, SizeIs(1));
  EXPECT_FALSE(rebuilt->front().difference) << rebuilt->front().difference->what;
  EXPECT_EQ(rebuilt->front().digest, rebuilt->front().digest_before);
  EXPECT_EQ(rebuilt->front().events, 9U);
}

}  // namespace
}  // namespace headrace::tests
