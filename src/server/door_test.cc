// Who may what, at every route there is.
#include "server/door.h"

#include <gmock/gmock.h>

#include <set>

#include "core/bytes.h"
#include "server/openapi.h"
#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;
using testing::json_of;
using testing::message_of;

// "/api/v1/runs/{run}" -> "/api/v1/runs/x"
std::string path_of(const Route& route) {
  std::string path;
  bool within = false;
  for (char c : route.pattern) {
    if (c == '{') path.push_back('x');
    within = c == '{' || (within && c != '}');
    if (!within && c != '}') path.push_back(c);
  }
  return path;
}

// The scope that a right asks for; empty where any token will do.
std::string scope_of(Right right) {
  switch (right) {
    case Right::anyone:
    case Right::signed_in: return "";
    case Right::read_repository: return "repo:read";
    case Right::write_repository:
    case Right::read_settings:
    case Right::create_repository: return "repo:write";
    case Right::administer_repository:
    case Right::operate: return "admin";
    case Right::read_runs: return "run:read";
    case Right::write_runs: return "run:write";
    case Right::read_events: return "event:read";
    case Right::write_events: return "event:write";
    case Right::run_jobs: return "runner";
  }
  return "";
}

class Door : public ::testing::Test {
 protected:
  testing::World world;
};

TEST_F(Door, IsShutForNobodyButWhereARouteIsForAnyone) {
  for (const auto& route : world.parts().router.routes()) {
    auto answer = world.ask_as("", std::string(net::name_of(route.method)), path_of(route), "{}");
    if (route.right == Right::anyone) continue;
    EXPECT_EQ(answer.status, net::Status::unauthorized) << route.pattern;
    EXPECT_THAT(answer.headers.get("WWW-Authenticate"), HasSubstr("Basic")) << route.pattern;
    EXPECT_EQ(core::string_at(json_of(answer).at("error"), "code"), "unauthenticated") << route.pattern;
  }
}

TEST_F(Door, IsForAnyoneOnlyAtTheRoutesThatSaySo) {
  std::set<std::string> open;
  for (const auto& route : world.parts().router.routes())
    if (route.right == Right::anyone) open.insert(route.pattern);
  // /_blobs/ asks for the signature in its address.
  EXPECT_THAT(open, ::testing::ElementsAre("/", "/_blobs/{path...}", "/api/v1/login", "/api/v1/openapi.json",
                                           "/api/v1/session", "/assets/{file...}", "/healthz", "/readyz",
                                           "/{owner}/{repo}.git/info/refs", "/{owner}/{repo}/info/refs"));
  EXPECT_EQ(world.ask_as("", "GET", "/x/x.git/info/refs?service=git-upload-pack", "").status,
            net::Status::unauthorized);
}

TEST_F(Door, NamesTheScopeThatATokenLacks) {
  auto reads_events = world.token({"event:read"});
  auto reads_runs = world.token({"run:read"});
  for (const auto& route : world.parts().router.routes()) {
    auto scope = scope_of(route.right);
    if (scope.empty()) continue;
    const auto& token = scope == "event:read" ? reads_runs : reads_events;
    auto answer = world.ask_as(token, std::string(net::name_of(route.method)), path_of(route), "{}");
    EXPECT_EQ(answer.status, net::Status::forbidden) << route.pattern;
    // An administrator is no runner with any token; all else is one scope away.
    EXPECT_THAT(message_of(answer), HasSubstr(route.right == Right::run_jobs ? "is no runner" : "the scope " + scope))
        << route.pattern;
  }
}

TEST_F(Door, NamesTheRoleThatAnAccountLacks) {
  auto token = world.token({"repo:read"}, "alice");
  auto answer = world.get_as(token, "/api/v1/repositories/team/hello");
  EXPECT_EQ(answer.status, net::Status::forbidden);
  EXPECT_THAT(message_of(answer), HasSubstr("the role read on team/hello, team or *"));
}

// A slash that was sent as %2F must not reach another repository's rights than those of the name that is looked up.
TEST_F(Door, IsAskedForTheVeryNameThatIsLookedUp) {
  world.post("/api/v1/repositories", R"({"full_name":"team/hello"})");
  auto token = world.token({"repo:read"}, "alice");
  EXPECT_EQ(
      world.ask_as(world.administrator, "PUT", "/api/v1/users/alice/role", R"({"role":"read","scope":"other"})").status,
      net::Status::no_content);
  for (const char* path :
       {"/api/v1/repositories/team%2Fhello/x", "/api/v1/repositories/other/..%2Fteam%2Fhello",
        "/api/v1/repositories/other/team%2Fhello", "/other%2F..%2Fteam/hello.git/info/refs?service=git-upload-pack"}) {
    auto answer = world.get_as(token, path);
    EXPECT_TRUE(answer.status == net::Status::forbidden || answer.status == net::Status::not_found ||
                answer.status == net::Status::unprocessable_content)
        << path << " " << static_cast<int>(answer.status);
  }
}

TEST_F(Door, TakesATokenInThreeForms) {
  auto as = [&](std::string header) {
    net::ClientRequest request{"/api/v1/whoami", "GET", {{"Authorization", std::move(header)}}, {}};
    return world.ask(std::move(request)).status;
  };
  const auto& token = world.administrator;
  EXPECT_EQ(as("Bearer " + token), net::Status::ok);
  EXPECT_EQ(as("bearer " + token), net::Status::ok);
  EXPECT_EQ(as("token " + token), net::Status::ok);
  EXPECT_EQ(as("Basic " + core::to_base64(core::as_bytes("anybody:" + token))), net::Status::ok);
  for (const auto& bad :
       {std::string("Bearer"), std::string("Bearer hr_x"), token, "Basic " + token, std::string("Basic %%%"),
        "Basic " + core::to_base64(core::as_bytes(token)), "Bearer  " + token, "Digest " + token})
    EXPECT_EQ(as(bad), net::Status::unauthorized) << bad.substr(0, 8);
}

TEST_F(Door, NeverRepeatsACredential) {
  net::ClientRequest request{
      "/api/v1/whoami", "GET", {{"Authorization", "Bearer hr_verysecretindeedverysecretindeedverysecretin"}}, {}};
  EXPECT_THAT(world.ask(std::move(request)).body, ::testing::Not(HasSubstr("verysecret")));
}

TEST_F(Door, LetsAnAccountMakeATokenWithNoMoreThanItCameWith) {
  auto reads = world.token({"event:read"});
  EXPECT_EQ(world.ask_as(reads, "POST", "/api/v1/tokens", R"({"name":"more","scopes":["admin"]})").status,
            net::Status::forbidden);
  auto same = json_of(world.ask_as(reads, "POST", "/api/v1/tokens", R"({"name":"same"})"));
  auto secret = core::string_at(same, "token").value();
  EXPECT_EQ(core::to_text(json_of(world.get_as(secret, "/api/v1/whoami")).at("scopes")), R"(["event:read"])");
}

TEST_F(Door, RefusesATokenThatIsAskedForCarelessly) {
  for (const char* body :
       {R"({"name":"a","scopes":"repo:read"})", R"({"name":"a","scope":["repo:read"]})", R"({"name":"a","days":"90"})",
        R"({"name":"a","days":-1})", R"({"name":"a","days":9223372036854775807})"})
    EXPECT_EQ(world.post("/api/v1/tokens", body).status, net::Status::unprocessable_content) << body;
}

// Its actor has the name of an account, and nothing else of it.
TEST_F(Door, KeepsARunnerFromTheTokensOfAnAccountOfItsName) {
  auto secret = core::string_at(json_of(world.post("/api/v1/tokens", R"({"runner":"admin"})")), "token").value();
  EXPECT_EQ(world.get_as(secret, "/api/v1/whoami").status, net::Status::ok);
  EXPECT_EQ(world.get_as(secret, "/api/v1/tokens").status, net::Status::forbidden);
  EXPECT_EQ(world.ask_as(secret, "POST", "/api/v1/tokens", R"({"name":"mine"})").status, net::Status::forbidden);
  EXPECT_EQ(world.get_as(secret, "/api/v1/events").status, net::Status::forbidden);
}

TEST_F(Door, IsToldOfInOpenApiAsItIs) {
  auto document = json_of(world.get_as("", "/api/v1/openapi.json"));
  EXPECT_EQ(core::string_at(document, "openapi"), "3.1.0");
  EXPECT_TRUE(core::string_at(document.at("info"), "title") && core::string_at(document.at("info"), "version"));
  EXPECT_TRUE(document.at("components").at("responses").at("Error").is_object());
  EXPECT_EQ(core::string_at(document.at("components").at("securitySchemes").at("token"), "scheme"), "bearer");
  std::set<std::string> ids;
  size_t operations = 0;
  for (const auto& [path, item] : document.at("paths").as_object())
    for (const auto& [method, operation] : item.as_object()) {
      ++operations;
      EXPECT_TRUE(ids.insert(core::string_at(operation, "operationId").value()).second) << path;
      EXPECT_TRUE(operation.at("responses").as_object().contains("default")) << path;
      std::set<std::string> names;
      for (const auto& parameter : operation.at("parameters").as_array()) {
        if (core::string_at(parameter, "$ref")) continue;  // shared by all readings
        auto place = core::string_at(parameter, "in").value();
        EXPECT_TRUE(names.insert(place + core::string_at(parameter, "name").value()).second) << path;
        EXPECT_TRUE(place == "query" || path.contains("{" + core::string_at(parameter, "name").value() + "}")) << path;
      }
      EXPECT_EQ(std::count(path.begin(), path.end(), '{'),
                std::count_if(names.begin(), names.end(), [](const auto& name) { return name.starts_with("path"); }))
          << path;
    }
  EXPECT_EQ(operations, world.parts().router.routes().size());
}

}  // namespace
}  // namespace headrace::server
