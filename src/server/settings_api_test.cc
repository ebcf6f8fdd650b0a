// Secrets, variables and environments as GitHub's clients ask for them.
#include "server/settings_api.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "server/testing/github_schemas.h"
#include "server/testing/world.h"
#include "services/secrets/sealed_box.h"

namespace headrace::server {
namespace {

namespace json = core::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json_of;
using testing::message_of;
using ::testing::Not;

const std::string repo = "/api/v3/repos/team/hello";
const std::string org = "/api/v3/orgs/team";

class Settings : public ::testing::Test {
 protected:
  Settings() { world.post("/api/v1/repositories", R"({"full_name":"team/hello"})"); }

  net::Response ask(const std::string& method, const std::string& path, const json::value& body = {}) {
    return world.ask_as(world.administrator, method, path, body.is_null() ? "" : core::to_text(body));
  }
  int status(const std::string& method, const std::string& path, const json::value& body = {}) {
    return static_cast<int>(ask(method, path, body).status);
  }
  json::object sealed(const std::string& front, const std::string& value) {
    auto key = json_of(world.get(front + "/secrets/public-key"));
    auto box = secrets::seal(*core::string_at(key, "key"), value).value();
    return {{"encrypted_value", box}, {"key_id", *core::string_at(key, "key_id")}};
  }
  int64_t repository_id() { return *core::integer_at(json_of(world.get("/api/v1/repositories/team/hello")), "id"); }
  // What jobs of the repository are given.
  std::string given(const std::string& environment = {}) {
    secrets::JobWish wish;
    wish.repository = "team/hello";
    wish.environment = environment;
    auto values = world.parts().loop.run(world.parts().secrets->for_job(std::move(wish)));
    std::string text;
    for (const auto& [name, value] : values->of_repository) text += name + "=" + value + " ";
    for (const auto& [name, value] : values->of_environment) text += "|" + name + "=" + value + " ";
    return text;
  }
  // Everything that the folder of the server holds.
  std::string data() {
    std::string all;
    for (const auto& file : std::filesystem::recursive_directory_iterator(world.folder()))
      if (file.is_regular_file()) all += core::read_file(disk, file.path().string(), 1 << 30).value_or("");
    return all;
  }

  testing::World world;
  core::SystemDisk disk;
};

TEST_F(Settings, ASecretIsPutSealedAndNeverComesBack) {
  EXPECT_EQ(status("PUT", repo + "/actions/secrets/deploy_key", sealed(repo + "/actions", "open sesame")), 201);
  EXPECT_EQ(status("PUT", repo + "/actions/secrets/DEPLOY_KEY", sealed(repo + "/actions", "open sesame 2")), 204);
  EXPECT_EQ(given(), "DEPLOY_KEY=open sesame 2 ");
  for (const auto& path : {repo + "/actions/secrets", repo + "/actions/secrets/Deploy_Key"})
    EXPECT_THAT(world.get(path).body, ::testing::AllOf(HasSubstr("DEPLOY_KEY"), Not(HasSubstr("sesame")))) << path;
  EXPECT_THAT(data(), Not(HasSubstr("sesame"))) << "neither in the log, nor in projections, nor in the vault";
  EXPECT_EQ(status("DELETE", repo + "/actions/secrets/deploy_key"), 204);
  EXPECT_EQ(status("DELETE", repo + "/actions/secrets/deploy_key"), 404);
  EXPECT_EQ(given(), "");
}

TEST_F(Settings, WhatIsNotSealedForTheServersKeyIsRefused) {
  auto body = sealed(repo + "/actions", "value");
  body["key_id"] = "1";
  EXPECT_THAT(message_of(ask("PUT", repo + "/actions/secrets/KEY", body)), HasSubstr("another key"));
  body = sealed(repo + "/actions", "value");
  body["encrypted_value"] = "dmFsdWU=";
  EXPECT_EQ(status("PUT", repo + "/actions/secrets/KEY", body), 422);
  EXPECT_THAT(message_of(ask("PUT", repo + "/actions/secrets/KEY", json::object{{"value", "x"}})),
              HasSubstr("There is no member 'value'"));
  EXPECT_EQ(message_of(ask("PUT", repo + "/actions/secrets/GITHUB_KEY", sealed(repo + "/actions", "value"))),
            "Secret names must not start with GITHUB_.");
  EXPECT_EQ(given(), "");
}

TEST_F(Settings, OfAnOwnerReachTheRepositoriesThatAreSelected) {
  auto body = sealed(org + "/actions", "value");
  EXPECT_EQ(status("PUT", org + "/actions/secrets/KEY", body), 422) << "without a visibility";
  body["visibility"] = "selected";
  body["selected_repository_ids"] = json::array{std::to_string(repository_id())};
  EXPECT_EQ(status("PUT", org + "/actions/secrets/KEY", body), 201);
  EXPECT_EQ(given(), "KEY=value ");
  std::string one = org + "/actions/secrets/KEY/repositories/" + std::to_string(repository_id());
  EXPECT_EQ(status("DELETE", one), 204);
  EXPECT_EQ(given(), "");
  EXPECT_EQ(status("PUT", one), 204);
  EXPECT_EQ(given(), "KEY=value ");
  EXPECT_EQ(status("PUT", org + "/actions/secrets/KEY/repositories",
                   json::object{{"selected_repository_ids", json::array{}}}),
            204);
  EXPECT_EQ(given(), "");
  EXPECT_EQ(status("PUT", org + "/actions/secrets/KEY", json::object{{"visibility", "private"}}), 204);
  EXPECT_EQ(given(), "KEY=value ") << "the value is as it was";
  EXPECT_EQ(status("PUT", one), 409) << "nobody is selected where all are meant";
  EXPECT_THAT(world.get(repo + "/actions/organization-secrets").body, HasSubstr("KEY"));
}

TEST_F(Settings, VariablesAreMadeChangedRenamedAndDeleted) {
  auto all = repo + "/actions/variables";
  EXPECT_EQ(status("POST", all, json::object{{"name", "region"}, {"value", "eu"}}), 201);
  EXPECT_EQ(status("POST", all, json::object{{"name", "REGION"}, {"value", "eu"}}), 409);
  EXPECT_EQ(status("PATCH", all + "/region", json::object{{"value", "us"}}), 204);
  EXPECT_EQ(status("PATCH", all + "/region", json::object{{"name", "zone"}}), 204);
  EXPECT_EQ(status("PATCH", all + "/region", json::object{{"value", "us"}}), 404);
  EXPECT_EQ(core::string_at(json_of(world.get(all + "/zone")), "value"), "us");
  EXPECT_EQ(status("DELETE", all + "/zone"), 204);
  EXPECT_EQ(status("GET", all + "/zone"), 404);
  EXPECT_THAT(message_of(ask("POST", all, json::object{{"name", "A B"}, {"value", "x"}})),
              HasSubstr("Spaces are not allowed."));
}

TEST_F(Settings, ListsComeInPages) {
  for (char c = 'a'; c <= 'e'; ++c)
    status("POST", repo + "/actions/variables", json::object{{"name", std::string(1, c)}, {"value", "x"}});
  auto page = world.get(repo + "/actions/variables?per_page=2&page=2");
  auto answer = json_of(page);
  EXPECT_EQ(core::integer_at(answer, "total_count"), 5);
  ASSERT_EQ(answer.at("variables").as_array().size(), 2u);
  EXPECT_EQ(core::string_at(answer.at("variables").at(0), "name"), "C");
  EXPECT_THAT(page.headers.get("Link"), HasSubstr("/api/v3/repos/team/hello/actions/variables?per_page=2&page=3>; "
                                                  "rel=\"next\""));
  EXPECT_EQ(status("GET", repo + "/actions/variables?per_page=0"), 422);
  EXPECT_EQ(json_of(world.get(repo + "/actions/variables?page=9")).at("variables").as_array().size(), 0u);
}

TEST_F(Settings, EnvironmentsAreMadeAndGoWithWhatIsTheirs) {
  auto prod = repo + "/environments/prod%20eu";
  EXPECT_EQ(status("GET", prod + "/secrets"), 404);
  EXPECT_EQ(status("PUT", prod), 200);
  EXPECT_EQ(status("PUT", prod, json::object{{"wait_timer", 0}, {"reviewers", nullptr}}), 200);
  EXPECT_THAT(message_of(ask("PUT", prod, json::object{{"wait_timer", 30}})), HasSubstr("would not be protected"));
  EXPECT_EQ(status("PUT", prod + "/secrets/KEY", sealed(prod, "value")), 201);
  EXPECT_EQ(status("POST", prod + "/variables", json::object{{"name", "V"}, {"value", "1"}}), 201);
  EXPECT_EQ(given("Prod EU"), "|KEY=value ");
  EXPECT_EQ(given(), "");
  EXPECT_EQ(status("DELETE", prod), 204);
  EXPECT_EQ(given("prod eu"), "");
  EXPECT_EQ(status("GET", prod), 404);
}

TEST_F(Settings, AnswersAreAsGitHubPublishesThem) {
  testing::GithubSchemas schemas;
  if (!schemas.load()) GTEST_SKIP() << "no conformance material: set HEADRACE_CONFORMANCE";
  status("PUT", repo + "/environments/prod");
  auto body = sealed(org + "/actions", "value");
  body["visibility"] = "selected";
  body["selected_repository_ids"] = json::array{repository_id()};
  status("PUT", org + "/actions/secrets/KEY", body);
  status("POST", org + "/actions/variables",
         json::object{{"name", "KEY"},
                      {"value", "1"},
                      {"visibility", "selected"},
                      {"selected_repository_ids", json::array{repository_id()}}});
  for (const auto& front : {repo + "/actions", repo + "/environments/prod"}) {
    status("PUT", front + "/secrets/KEY", sealed(front, "value"));
    status("POST", front + "/variables", json::object{{"name", "KEY"}, {"value", "1"}});
  }
  std::map<std::string, std::string> parts{{"{owner}", "team"},      {"{repo}", "hello"},
                                           {"{org}", "team"},        {"{environment_name}", "prod"},
                                           {"{secret_name}", "KEY"}, {"{name}", "KEY"}};
  std::set<std::string> seen;
  for (const auto& route : world.parts().router.routes()) {
    const auto& tag = route.about.tag;
    if (tag != "secrets" && tag != "variables" && tag != "environments") continue;
    auto pattern = route.pattern.substr(std::string("/api/v3").size());
    std::string method(net::name_of(route.method));
    std::ranges::transform(method, method.begin(), [](char c) { return static_cast<char>(c | 0x20); });
    EXPECT_TRUE(schemas.has(method, pattern)) << method << " " << pattern << " is no route of GitHub's";
    if (route.method != net::Method::get) continue;
    std::string path = route.pattern;
    for (const auto& [name, value] : parts)
      if (auto at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
    auto answer = world.get(path);
    ASSERT_EQ(answer.status, net::Status::ok) << path << " " << answer.body;
    EXPECT_THAT(schemas.check("get", pattern, "200", json_of(answer)), IsEmpty()) << path << " " << answer.body;
    seen.insert(pattern);
  }
  EXPECT_GE(seen.size(), 17u);
}

// --- Rights

TEST_F(Settings, WhoMayWriteSeesNamesAndOnlyTheAdministratorChanges) {
  status("PUT", repo + "/actions/secrets/KEY", sealed(repo + "/actions", "value"));
  auto as = [&](const std::string& role) {
    auto token = world.token({"repo:write", "admin"}, "who-may-" + role);
    auto granted = world.ask_as(world.administrator, "PUT", "/api/v1/users/who-may-" + role + "/role",
                                R"({"role":")" + role + R"(","scope":"team/hello"})");
    EXPECT_EQ(granted.status, net::Status::no_content);
    return token;
  };
  auto reader = as("read"), writer = as("write"), administrator = as("admin");
  auto code = [&](const std::string& token, const std::string& method, const std::string& path) {
    return static_cast<int>(world.ask_as(token, method, path, "{}").status);
  };
  EXPECT_EQ(code(reader, "GET", repo + "/actions/secrets"), 403);
  EXPECT_EQ(code(writer, "GET", repo + "/actions/secrets"), 200);
  EXPECT_EQ(code(writer, "DELETE", repo + "/actions/secrets/KEY"), 403);
  EXPECT_EQ(code(writer, "GET", org + "/actions/secrets"), 403) << "the owner is another matter";
  EXPECT_EQ(code(administrator, "GET", org + "/actions/secrets"), 403);
  EXPECT_EQ(code(administrator, "DELETE", repo + "/actions/secrets/KEY"), 204);
}

TEST_F(Settings, AJobsTokenSeesAndChangesNone) {
  identity::JobReach reach{
      .lease = 1, .repository = "team/hello", .contents = identity::Level::write, .actions = identity::Level::write};
  auto job = identity::caller_of(reach);
  for (auto action : {identity::Action::read_settings, identity::Action::administer_repository})
    EXPECT_FALSE(world.parts().identity->door().may(job, action, identity::Resource::repository("team/hello")));
}

// --- What runs and jobs are given by way of all this

TEST_F(Settings, AJobIsGrantedWhatItsSpecNames) {
  status("PUT", repo + "/actions/secrets/KEY", sealed(repo + "/actions", "value"));
  status("PUT", repo + "/actions/secrets/OTHER", sealed(repo + "/actions", "other"));
  auto grant = [&](const std::string& members) {
    std::string spec = R"({"version":2,"job":"a","name":"a","workflow":"w","file":"f","contexts":{},"env":[],)"
                       R"("defaults":{},"outputs":{},"timeout_minutes":1,"continue_on_error":false,)"
                       R"("steps":[{"number":1,"run":"x"}],)" +
                       members + "}";
    auto made = world.parts().loop.run(world.parts().job_grants->grant(7, "team/hello", spec));
    if (!made) throw std::runtime_error(made.error().message);
    return *made;
  };
  auto some = grant(R"("permissions":{"contents":"write","actions":"read"},"secrets":"all","secrets_used":["KEY"])");
  EXPECT_THAT(some.secrets, ElementsAre(::testing::Pair("KEY", "value")));
  auto reach = world.parts().job_tokens->read(some.token);
  ASSERT_TRUE(reach);
  EXPECT_EQ(reach->contents, identity::Level::write);
  EXPECT_EQ(reach->actions, identity::Level::read);
  auto none = grant(R"("permissions":{},"secrets":"withheld","secrets_used":"all")");
  EXPECT_THAT(none.secrets, IsEmpty());
  EXPECT_EQ(world.parts().job_tokens->read(none.token)->contents, identity::Level::none);
  auto mapped = grant(R"("permissions":{},"secrets":{"a":"${{ secrets.OTHER }}!"},"secrets_used":["A","KEY"])");
  EXPECT_THAT(mapped.secrets, ElementsAre(::testing::Pair("a", "other!")));
}

TEST_F(Settings, RunsTrustWhoMayWrite) {
  auto& settings = *world.parts().run_settings;
  world.token({"repo:read"}, "alice");
  EXPECT_FALSE(settings.trusts(core::Actor::user("alice"), "team/hello"));
  world.ask_as(world.administrator, "PUT", "/api/v1/users/alice/role", R"({"role":"write","scope":"team/hello"})");
  EXPECT_TRUE(settings.trusts(core::Actor::user("alice"), "team/hello"));
  EXPECT_FALSE(settings.trusts(core::Actor::user("alice"), "team/other"));
  EXPECT_FALSE(settings.trusts(core::Actor(), "team/hello"));
  EXPECT_TRUE(settings.trusts(core::Actor::job("team/hello"), "team/hello"));
  EXPECT_TRUE(settings.trusts(core::Actor::system(), "team/hello"));
}

}  // namespace
}  // namespace headrace::server
