#include "include_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace headrace::include_graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Include ours(std::string path) { return {std::move(path), true, 1}; }
Include theirs(std::string path) { return {std::move(path), false, 1}; }

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(IncludeGraph, ReadsIncludesWithTheirLines) {
  const auto found =
      includes_of("#pragma once\n  # include \"log/event_log.h\"\n// #include \"x/y.h\"\n#include <map>\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, "log/event_log.h");
  EXPECT_TRUE(found[0].quoted);
  EXPECT_EQ(found[0].line, 2);
  EXPECT_EQ(found[1].path, "map");
  EXPECT_FALSE(found[1].quoted);
}

TEST(IncludeGraph, AllowsArrowsThatPointDown) {
  EXPECT_THAT(
      breaches({{"core/id.h", {}}, {"bus/bus.h", {ours("core/id.h")}}, {"services/team/team.cc", {ours("bus/bus.h")}}}),
      IsEmpty());
}

TEST(IncludeGraph, RefusesAnArrowThatTurnsUp) {
  EXPECT_THAT(breaches({{"bus/bus.h", {}}, {"log/log.cc", {ours("bus/bus.h")}}}),
              ElementsAre(HasSubstr("src/log/log.cc:1: log includes bus, which stands above it")));
}

TEST(IncludeGraph, RefusesANeighbour) {
  EXPECT_THAT(breaches({{"store/store.h", {}}, {"bus/bus.cc", {ours("store/store.h")}}}),
              ElementsAre(HasSubstr("neighbour store")));
}

TEST(IncludeGraph, RefusesAServiceThatIncludesAnother) {
  EXPECT_THAT(
      breaches({{"services/runner/runner.h", {}}, {"services/pipeline/plan.cc", {ours("services/runner/runner.h")}}}),
      ElementsAre(HasSubstr("neighbour services/runner")));
}

TEST(IncludeGraph, LetsTestsDriveTheirRoomThroughOthersButNotServicesThroughServices) {
  EXPECT_THAT(breaches({{"net/server.h", {}},
                        {"git/serve_test.cc", {ours("net/server.h")}},
                        {"git/testing/bridge.cc", {ours("net/server.h")}}}),
              IsEmpty());
  EXPECT_THAT(breaches({{"services/runner/runner.h", {}},
                        {"services/pipeline/plan_test.cc", {ours("services/runner/runner.h")}}}),
              ElementsAre(HasSubstr("neighbour services/runner")));
}

TEST(IncludeGraph, RefusesARoomWithoutATier) {
  EXPECT_THAT(breaches({{"attic/box.h", {}}, {"server/api.cc", {ours("attic/box.h")}}}),
              ElementsAre(HasSubstr("'attic' has no tier")));
}

TEST(IncludeGraph, RefusesAPathThatIsNotOfTheHouse) {
  EXPECT_THAT(breaches({{"log/log.cc", {ours("log.h")}}}), ElementsAre(HasSubstr("\"log.h\" is no file of src/")));
}

TEST(IncludeGraph, KeepsHeavyLibrariesOutOfWhatOtherRoomsInclude) {
  const Sources through_a_detail{{"sqlite/handle.h", {theirs("sqlite3.h")}},
                                 {"sqlite/sqlite.h", {ours("sqlite/handle.h")}},
                                 {"store/store.cc", {ours("sqlite/sqlite.h")}}};
  EXPECT_THAT(breaches(through_a_detail),
              ElementsAre(HasSubstr("src/sqlite/handle.h:1: other rooms come to include <sqlite3.h>")));
  const Sources at_home{{"sqlite/handle.h", {theirs("sqlite3.h")}}, {"sqlite/sqlite.cc", {ours("sqlite/handle.h")}}};
  EXPECT_THAT(breaches(at_home), IsEmpty());
}

TEST(IncludeGraph, LetsOnlyTheTaskHeaderKnowAsio) {
  const Sources sources{{"core/task.h", {theirs("boost/asio/awaitable.hpp")}},
                        {"core/clock.h", {ours("core/task.h"), theirs("boost/asio/steady_timer.hpp")}},
                        {"log/log.h", {ours("core/clock.h")}}};
  EXPECT_THAT(breaches(sources), ElementsAre(HasSubstr("src/core/clock.h:1:")));
}

TEST(IncludeGraph, DrawsNoArrowThatFollowsFromOthers) {
  const Sources sources{{"core/id.h", {}},
                        {"events/event.h", {ours("core/id.h")}},
                        {"log/log.h", {ours("core/id.h"), ours("events/event.h")}}};
  const auto picture = draw(sources);
  EXPECT_THAT(picture, HasSubstr("log --> events"));
  EXPECT_THAT(picture, testing::Not(HasSubstr("log --> core")));
  EXPECT_THAT(picture, HasSubstr("| log | core, events |"));
}

TEST(TheHouse, HasNoArrowThatTurnsUpAndNoHeavyPublicHeader) {
  const auto sources = read_sources("src");
  ASSERT_FALSE(sources.empty()) << "src/ was not found; tests run in the repository's root";
  EXPECT_THAT(breaches(sources), IsEmpty());
}

TEST(TheHouse, IsDrawnInTheArchitecturePage) {
  const std::string path = "docs/architecture.md";
  const std::string begin = "<!-- include graph: written by tests/include_graph with UPDATE_GOLDEN=1 -->\n";
  const std::string end = "<!-- include graph: end -->";
  auto page = text_of(path);
  const auto from = page.find(begin);
  const auto to = page.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos)
      << path << " has lost the marks around the include graph";
  const auto start = from + begin.size();
  const auto picture = "\n" + draw(read_sources("src")) + "\n";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    page.replace(start, to - start, picture);
    std::ofstream(path) << page;
    return;
  }
  EXPECT_EQ(page.substr(start, to - start), picture)
      << "who includes whom has changed: UPDATE_GOLDEN=1 redraws " << path;
}

}  // namespace
}  // namespace headrace::include_graph
