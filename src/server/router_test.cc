#include "server/router.h"

#include <gmock/gmock.h>

namespace headrace::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

core::Task<core::Result<>> nothing(Call&) { co_return core::Result<>{}; }

Route route(net::Method method, std::string pattern, std::string answer_type = "application/json", int success = 200) {
  return {
      method, std::move(pattern), Right::anyone, {"summary", "tag", {}, {}, std::move(answer_type), success}, nothing};
}

net::Request request(net::Method method, std::vector<std::string> segments) {
  net::Request made;
  made.method = method;
  made.segments = std::move(segments);
  return made;
}

std::string found(const Router& router, std::vector<std::string> segments, net::Method method = net::Method::get) {
  auto match = router.find(request(method, std::move(segments)));
  return match.route ? match.route->pattern : "";
}

TEST(Router, CapturesSegmentsByTheirNames) {
  Router router;
  router.add(route(net::Method::get, "/api/{owner}/{repo}/refs"));
  auto match = router.find(request(net::Method::get, {"api", "team", "hello", "refs"}));
  ASSERT_TRUE(match.route);
  EXPECT_THAT(match.captures, UnorderedElementsAre(Pair("owner", "team"), Pair("repo", "hello")));
}

TEST(Router, NeverTakesAnEncodedSlashForOneBetweenSegments) {
  Router router;
  router.add(route(net::Method::get, "/{owner}/{repo}"));
  EXPECT_EQ(found(router, {"a/b"}), "");
  auto match = router.find(request(net::Method::get, {"a/b", "c"}));
  ASSERT_TRUE(match.route);
  EXPECT_EQ(match.captures.at("owner"), "a/b");
}

TEST(Router, CapturesWhatStandsBeforeASuffixAndNothingIfThatIsEmpty) {
  Router router;
  router.add(route(net::Method::get, "/{owner}/{repo}.git/info/refs"));
  auto match = router.find(request(net::Method::get, {"team", "hello.git.git", "info", "refs"}));
  ASSERT_TRUE(match.route);
  EXPECT_EQ(match.captures.at("repo"), "hello.git");
  EXPECT_EQ(found(router, {"team", ".git", "info", "refs"}), "");
  EXPECT_EQ(found(router, {"team", "hello", "info", "refs"}), "");
}

TEST(Router, CapturesTheRestOfThePathWithItsSlashes) {
  Router router;
  router.add(route(net::Method::get, "/tree/{revision...}"));
  auto match = router.find(request(net::Method::get, {"tree", "feature", "deep", "down"}));
  ASSERT_TRUE(match.route);
  EXPECT_EQ(match.captures.at("revision"), "feature/deep/down");
}

TEST(Router, AsksRoutesInTheOrderTheyWereAdded) {
  Router router;
  router.add(route(net::Method::get, "/events/stream"));
  router.add(route(net::Method::get, "/events/{id}"));
  EXPECT_EQ(found(router, {"events", "stream"}), "/events/stream");
  EXPECT_EQ(found(router, {"events", "7"}), "/events/{id}");
  EXPECT_EQ(found(router, {"events", "7", ""}), "");
}

TEST(Router, AsksThemInThatOrderWhateverTheirPatternsBeginWith) {
  Router router;
  router.add(route(net::Method::get, "/api/v1/{rest...}"));
  router.add(route(net::Method::get, "/api/v1/events/{id}"));
  router.add(route(net::Method::get, "/{any...}"));
  EXPECT_EQ(found(router, {"api", "v1", "events", "7"}), "/api/v1/{rest...}");
  EXPECT_EQ(found(router, {"api", "v2"}), "/{any...}");
  EXPECT_EQ(found(router, {}), "/{any...}");
}

TEST(Router, FindsTheRoot) {
  Router router;
  router.add(route(net::Method::get, "/"));
  EXPECT_EQ(found(router, {}), "/");
  EXPECT_EQ(found(router, {""}), "");
}

TEST(Router, NamesTheMethodsOfAPathOnceWhereTheMethodDoesNotFit) {
  Router router;
  router.add(route(net::Method::get, "/events/stream", "text/event-stream"));
  router.add(route(net::Method::get, "/events/{id}"));
  router.add(route(net::Method::delete_, "/events/{id}"));
  auto match = router.find(request(net::Method::post, {"events", "stream"}));
  EXPECT_FALSE(match.route);
  EXPECT_THAT(match.methods, ElementsAre(net::Method::get, net::Method::head, net::Method::delete_));
  EXPECT_THAT(router.find(request(net::Method::get, {"nowhere"})).methods, IsEmpty());
}

TEST(Router, AnswersHeadWhereItAnswersGetButForStreams) {
  Router router;
  router.add(route(net::Method::get, "/one"));
  router.add(route(net::Method::get, "/stream", "text/event-stream"));
  router.add(route(net::Method::get, "/socket", "application/json", 101));
  EXPECT_EQ(found(router, {"one"}, net::Method::head), "/one");
  EXPECT_EQ(found(router, {"stream"}, net::Method::head), "");
  EXPECT_EQ(found(router, {"socket"}, net::Method::head), "");
}

TEST(Router, RefusesTheSameRouteTwice) {
  Router router;
  router.add(route(net::Method::get, "/one"));
  EXPECT_THROW(router.add(route(net::Method::get, "/one")), core::BrokenInvariant);
}

}  // namespace
}  // namespace headrace::server
