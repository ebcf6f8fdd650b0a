// The API does what its OpenAPI document says: every answer that any test of this room is given, and every body that
// was taken from it, is held against the schema of its route.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "net/url.h"
#include "server/openapi.h"
#include "server/testing/own_schemas.h"
#include "server/testing/runs.h"

namespace headrace::server {
namespace {

using testing::json_of;
namespace json = core::json;

std::string name_of(const Route& route) { return std::string(net::name_of(route.method)) + " " + route.pattern; }

// Watches over all tests.
class Contract : public ::testing::Environment {
 public:
  void SetUp() override {
    testing::World::hearing() = [this](Parts& parts, const net::ClientRequest& question, const net::Response& answer) {
      hear(parts, question, answer);
    };
  }
  // Where all tests have run, every answer that is promised was given in one of them.
  void TearDown() override {
    testing::World::hearing() = nullptr;
    if (GTEST_FLAG_GET(filter) != "*" || promised_.empty()) return;
    for (const auto& route : promised_)
      if (!kept_.contains(route)) ADD_FAILURE() << route << " is asked by no test, so nothing holds it to its schema.";
  }

 private:
  void hear(Parts& parts, const net::ClientRequest& question, const net::Response& answer) {
    if (promised_.empty())
      for (const auto& route : parts.router.routes())
        if (!route.about.answer.schema.empty()) promised_.insert(name_of(route));
    const auto status = static_cast<int>(answer.status);
    if (status < 200 || status > 299) return;
    net::Request request;
    request.method = net::method_of(question.method);
    request.segments = net::parse_path(question.url.substr(0, question.url.find('?'))).value();
    const auto match = parts.router.find(request);
    if (match.route == nullptr || request.method != match.route->method) return;  // HEAD has no body
    const auto& about = match.route->about;
    if (!about.answer.schema.empty() && check(name_of(*match.route), answer.body, about.answer.schema))
      kept_.insert(name_of(*match.route));
    if (!about.request.schema.empty() && question.headers.get("Content-Type") == about.request.type)
      check("the body of " + name_of(*match.route), question.body, about.request.schema);
  }

  bool check(const std::string& what, const std::string& body, const std::string& schema) {
    const auto value = core::parse_json(body);
    if (!value) {
      ADD_FAILURE() << what << " is no JSON: " << body.substr(0, 200);
      return false;
    }
    const auto wrong = schemas_.check(*value, schema);
    if (!wrong.empty() && told_.insert(what).second)
      ADD_FAILURE() << what << " is not as the schema " << schema << " says: " << wrong.front() << "\n"
                    << body.substr(0, 2'000);
    return wrong.empty();
  }

  testing::OwnSchemas schemas_;
  std::set<std::string> promised_, kept_;
  std::set<std::string> told_;  // what is wrong is told once
};

[[maybe_unused]] const auto* const contract = ::testing::AddGlobalTestEnvironment(new Contract);

void collect_references(const json::value& value, std::set<std::string>& found) {
  if (value.is_array())
    for (const auto& one : value.as_array()) collect_references(one, found);
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.as_object()) {
    if (key == "$ref")
      found.insert(std::string(member.as_string()));
    else
      collect_references(member, found);
  }
}

json::object document_of(Parts& parts) {
  return core::parse_json(openapi_text(parts.router, "http://127.0.0.1:8080")).value().as_object();
}

TEST(OpenApi, NamesASchemaForEveryJsonBodyOfOurOwnApi) {
  testing::World world;
  for (const auto& route : world.parts().router.routes()) {
    if (!route.pattern.starts_with("/api/v1/") || route.pattern == "/api/v1/openapi.json") continue;
    const auto& about = route.about;
    const bool answers = about.success != 204 && about.success != 101 && about.answer.type == "application/json";
    if (answers) {
      EXPECT_NE(about.answer.schema, "") << name_of(route);
    }
    if (!about.request.type.empty()) {
      EXPECT_NE(about.request.schema, "") << name_of(route);
    }
  }
}

TEST(OpenApi, HasEverySchemaThatIsNamedAndNoOther) {
  testing::World world;
  auto document = document_of(world.parts());
  std::set<std::string> named, there;
  collect_references(document, named);
  for (const char* kind : {"schemas", "responses", "headers", "parameters"})
    for (const auto& [name, _] : document.at("components").at(kind).as_object())
      there.insert("#/components/" + std::string(kind) + "/" + std::string(name));
  EXPECT_EQ(named, there);
}

TEST(OpenApi, NamesNoOperationTwiceAndEveryPartOfAPath) {
  testing::World world;
  std::set<std::string> operations;
  const auto document = document_of(world.parts());
  for (const auto& [path, methods] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) {
      EXPECT_TRUE(operations.insert(std::string(operation.at("operationId").as_string())).second) << path;
      std::set<std::string> parameters;
      for (const auto& parameter : operation.at("parameters").as_array()) {
        const auto* name = parameter.as_object().if_contains("name");
        if (name != nullptr) {
          EXPECT_TRUE(parameters.insert(std::string(name->as_string())).second) << path;
        }
      }
      for (auto open = path.find('{'); open != std::string_view::npos; open = path.find('{', open + 1))
        EXPECT_TRUE(parameters.contains(std::string(path.substr(open + 1, path.find('}', open) - open - 1)))) << path;
    }
  }
}

// web/openapi.json, from which the client of the pages is made.
TEST(OpenApi, IsWhatThePagesAreMadeWith) {
  constexpr const char* kept = "web/openapi.json";
  testing::World world;
  auto document = document_of(world.parts());
  document.at("info").as_object()["version"] = "0";
  const auto text = core::to_pretty_text(document) + "\n";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(kept, std::ios::binary) << text;
  EXPECT_EQ(events::testing::read_text(kept), text) << "The API has changed: UPDATE_GOLDEN=1 writes " << kept
                                                    << "; look at the difference, then `npm run check` in web.";
}

TEST(FirstLink, IsGoodForATokenAsItsSchemaSays) {
  testing::World world(testing::World::First::nobody);
  auto& parts = world.parts();
  const auto link = parts.loop.run(parts.identity->first_link()).value();
  ASSERT_TRUE(link);
  const auto body = core::to_text(json::object{{"code", *link}, {"user", "ada"}});
  EXPECT_EQ(world.ask_as("", "POST", "/api/v1/login", body).status, net::Status::created);
}

// What no other test asks for.
class OwnApi : public testing::Runs {
 protected:
  void ask(const std::string& path) { EXPECT_EQ(world.get(path).status, net::Status::ok) << path; }
  net::Status act(const std::string& method, const std::string& path, const std::string& body = "") {
    return world.ask_as(world.administrator, method, path, body).status;
  }
};

TEST_F(OwnApi, AnswersOfARunWithTestsAsItsSchemasSay) {
  const auto run = push(
      "echo \"<testsuite><testcase classname='Cart' name='adds' time='0.5'><failure message='3 is not 4'/></testcase>"
      "</testsuite>\" > junit.xml; echo '::warning file=a.cc,line=3::odd'; echo word >> $GITHUB_STEP_SUMMARY");
  start_worker();
  ASSERT_TRUE(
      until([&] { return core::string_at(json_of(world.get("/api/v1/runs/" + run)), "status") == "completed"; }));
  ASSERT_TRUE(parts().loop.run(parts().store->all_caught_up(std::chrono::seconds(20))));
  const auto tests = json_of(world.get("/api/v1/runs/" + run + "/tests")).at("tests").as_array();
  ASSERT_EQ(tests.size(), 1U);
  const std::string home = "/api/v1/repositories/team/hello";
  for (const char* rest : {"", "/refs", "/refs?commits=true", "/pushes", "/commits", "/commits/main", "/tree/main",
                           "/tree/main?commits=true", "/compare?base=main&head=main", "/tests/flaky", "/tests/slowest"})
    ask(home + rest);
  ask(home + "/tests/" + std::string(tests[0].at("id").as_string()));
  for (const char* rest :
       {"runs", "runs?result=failed", "repositories?runs=true", "events?limit=1000", "routes", "status",
        "status/measures", "subscriptions", "subscriptions/pipeline.plan", "tokens", "users", "whoami"})
    ask("/api/v1/" + std::string(rest));
  const auto pushed = json_of(world.get("/api/v1/events?filter=type%20LIKE%20'%25push.received%25'")).at("events");
  ASSERT_FALSE(pushed.as_array().empty());
  const std::string event = "/api/v1/events/" + std::string(pushed.as_array()[0].at("id").as_string());
  for (const char* rest : {"", "/why", "/why-not"}) ask(event + rest);
  EXPECT_EQ(act("POST", "/api/v1/runs/" + run + "/rerun"), net::Status::created);
}

TEST_F(OwnApi, AnswersOfADispatchAsItsSchemasSay) {
  const auto run = push_workflow(
      "on: [push, workflow_dispatch]\njobs:\n  build:\n    runs-on: nowhere\n    steps: [{run: 'true'}]\n");
  EXPECT_EQ(act("POST", "/api/v1/repositories/team/hello/dispatches", R"({"workflow":"ci.yml","ref":"main"})"),
            net::Status::created);
  EXPECT_EQ(act("POST", "/api/v1/runs/" + run + "/cancel"), net::Status::accepted);
}

TEST_F(OwnApi, AnswersOfSubscriptionsAsItsSchemasSay) {
  const std::string all = "/api/v1/subscriptions", one = all + "/watch";
  ASSERT_EQ(act("POST", all, R"({"name":"watch","filter":"type = 'org.example.done'","on_dead":"hold"})"),
            net::Status::created);
  net::ClientRequest event{
      "/api/v1/events", "POST", {}, R"({"specversion":"1.0","id":"1","source":"/x","type":"org.example.done"})"};
  event.headers.set("Content-Type", "application/cloudevents+json");
  ASSERT_EQ(world.ask(event).status, net::Status::created);
  event.url = "/api/v1/events?sync=true";
  ASSERT_EQ(world.ask(event).status, net::Status::ok) << "sent again";
  int64_t offset = 0;
  {
    auto pull = parts().bus->attach("watch", 10).value();
    auto handed = parts().loop.run(pull->next(10, std::chrono::seconds(5))).value();
    ASSERT_EQ(handed.size(), 1U);
    offset = static_cast<int64_t>(handed[0].stored->offset);
    ASSERT_TRUE(pull->refuse_for_good(handed[0].stored->offset, "the address is gone"));
    ask(one);
  }
  const std::string letters = "/api/v1/dead-letters";
  ASSERT_TRUE(until([&] { return !json_of(world.get(letters)).at("dead_letters").as_array().empty(); }));
  ask(letters + "/watch/" + std::to_string(offset));
  ask(one);
  for (const char* action : {"/pause", "/resume", "/seek?to=now"})
    EXPECT_EQ(act("POST", one + action), net::Status::ok) << action;
}

}  // namespace
}  // namespace headrace::server
