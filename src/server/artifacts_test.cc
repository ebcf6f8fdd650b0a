// Artifacts and caches by GitHub's API: rights, pages, and answers as GitHub's own description has them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "events/artifact.h"
#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json_of;
using testing::World;
namespace json = core::json;

// As much of OpenAPI 3.0's schemas as these answers use.
class Description {
 public:
  explicit Description(json::value document) : document_(std::move(document)) {}

  std::vector<std::string> check_answer(const std::string& path, const std::string& method, const std::string& status,
                                        const json::value& answer) const {
    const auto& response = resolved(document_.at("paths").at(path).at(method).at("responses").at(status));
    std::vector<std::string> wrong;
    check(answer, response.at("content").at("application/json").at("schema"), "", wrong);
    return wrong;
  }

 private:
  const json::value& resolved(const json::value& node) const {
    const auto* reference = core::find(node, "$ref");
    if (reference == nullptr) return node;
    const json::value* at = &document_;
    std::string pointer(reference->get_string());
    for (size_t begin = 2; begin < pointer.size();) {
      auto end = std::min(pointer.find('/', begin), pointer.size());
      at = &at->at(pointer.substr(begin, end - begin));
      begin = end + 1;
    }
    return resolved(*at);
  }

  static bool is(const json::value& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    return type == "number" ? value.is_number() : value.is_null();
  }

  static bool fits_type(const json::value& value, const json::value& schema) {
    const auto* type = core::find(schema, "type");
    if (type == nullptr) return true;
    if (value.is_null() && core::boolean_at(schema, "nullable").value_or(false)) return true;
    if (type->is_string()) return is(value, std::string(type->get_string()));
    for (const auto& one : type->get_array())
      if (is(value, std::string(one.get_string()))) return true;
    return false;
  }

  void check(const json::value& value, const json::value& node, const std::string& at,
             std::vector<std::string>& wrong) const {
    const auto& schema = resolved(node);
    if (!fits_type(value, schema)) return wrong.push_back(at + " has another type"), void();
    if (value.is_object()) {
      if (const auto* required = core::find(schema, "required"))
        for (const auto& name : required->get_array())
          if (!value.get_object().contains(name.get_string()))
            wrong.push_back(at + "/" + std::string(name.get_string()) + " is missing");
      const auto* properties = core::find(schema, "properties");
      for (const auto& [name, member] : value.get_object()) {
        const auto* inner = properties ? core::find(*properties, name) : nullptr;
        if (inner != nullptr) check(member, *inner, at + "/" + std::string(name), wrong);
        if (inner == nullptr && properties != nullptr) wrong.push_back(at + "/" + std::string(name) + " is not known");
      }
    }
    if (const auto* items = core::find(schema, "items"); items != nullptr && value.is_array())
      for (size_t i = 0; i < value.get_array().size(); ++i)
        check(value.get_array()[i], *items, at + "/" + std::to_string(i), wrong);
  }

  json::value document_;
};

std::string description_text() {
  const char* folder = std::getenv("HEADRACE_CONFORMANCE");
  for (const std::string& path : {folder ? std::string(folder) : std::string(), std::string("../shared/conformance")}) {
    std::ifstream in(path + "/github-openapi/api.github.com.trimmed.json", std::ios::binary);
    if (in) return {std::istreambuf_iterator<char>(in), {}};
  }
  return {};
}

// A platform with one repository, and artifacts and caches as a job would have left them.
class Kept : public World {
 public:
  Kept() {
    post("/api/v1/repositories", R"({"full_name":"team/hello"})");
    for (int i = 1; i <= 3; ++i) keep("artifact-" + std::to_string(i), i);
  }

  // The way of a job, but for its lease: what jobs ask for is face_test's.
  void keep(const std::string& name, int64_t run) {
    events::ArtifactPackaged said{.artifact = "pkg:generic/team/hello/" + name,
                                  .commit = std::string(40, '1'),
                                  .id = 1'000 + run,
                                  .repository = "team/hello",
                                  .name = name,
                                  .run = "run-" + std::to_string(run),
                                  .run_id = run,
                                  .job = "job",
                                  .ref = "refs/heads/main",
                                  .digest = "sha256:" + std::string(64, 'a'),
                                  .size = 4'096,
                                  .media = "application/zip",
                                  .expires = parts().clock.now() + std::chrono::hours(24)};
    events::CacheSaved cache{.cache = "team/hello/" + std::to_string(2'000 + run),
                             .id = 2'000 + run,
                             .repository = "team/hello",
                             .ref = "refs/heads/main",
                             .key = "deps-" + std::to_string(run),
                             .version = "v1",
                             .digest = "sha256:" + std::string(64, 'b'),
                             .size = 100 * run};
    auto origin = bus::Origin::root("artifact", core::Actor::job("team/hello"));
    auto& bus = *parts().bus;
    EXPECT_TRUE(parts().loop.run(bus.say(said, origin)));
    EXPECT_TRUE(parts().loop.run(bus.say(cache, origin)));
    EXPECT_TRUE(parts().loop.run(parts().store->all_caught_up(std::chrono::seconds(20))));
  }
};

const std::string actions = "/api/v3/repos/team/hello/actions";

TEST(ArtifactsApi, ListsNewestFirstInPages) {
  Kept world;
  auto all = json_of(world.get(actions + "/artifacts"));
  EXPECT_EQ(all.at("total_count").as_int64(), 3);
  EXPECT_EQ(all.at("artifacts").at(0).at("name"), "artifact-3");
  auto second = json_of(world.get(actions + "/artifacts?per_page=2&page=2"));
  EXPECT_EQ(second.at("artifacts").as_array().size(), 1u);
  EXPECT_EQ(second.at("artifacts").at(0).at("name"), "artifact-1");
  EXPECT_EQ(json_of(world.get(actions + "/artifacts?name=artifact-2")).at("total_count").as_int64(), 1);
  EXPECT_EQ(json_of(world.get(actions + "/runs/2/artifacts")).at("artifacts").at(0).at("name"), "artifact-2");
  EXPECT_EQ(world.get(actions + "/artifacts?per_page=1000").status, net::Status::unprocessable_content);
}

TEST(ArtifactsApi, DeletesAndLeadsToTheBytes) {
  Kept world;
  auto where = world.get(actions + "/artifacts/1001/zip");
  EXPECT_EQ(where.status, net::Status::found);
  EXPECT_THAT(std::string(where.headers.get("Location")), HasSubstr("/_blobs/artifact/1001/artifact-1.zip?"));
  EXPECT_EQ(world.get(actions + "/artifacts/1001/tar").status, net::Status::unprocessable_content);
  EXPECT_EQ(world.ask_as(world.administrator, "DELETE", actions + "/artifacts/1001", "").status,
            net::Status::no_content);
  EXPECT_EQ(world.get(actions + "/artifacts/1001").status, net::Status::not_found);
  EXPECT_EQ(world.get(actions + "/artifacts/0").status, net::Status::not_found);
  EXPECT_EQ(world.get(actions + "/artifacts/x").status, net::Status::not_found);
  EXPECT_EQ(world.get("/api/v3/repos/team/other/actions/artifacts/1002").status, net::Status::not_found);
}

TEST(ArtifactsApi, ListsAndDeletesCachesByKey) {
  Kept world;
  auto all = json_of(world.get(actions + "/caches?sort=size_in_bytes&direction=desc"));
  EXPECT_EQ(all.at("actions_caches").at(0).at("key"), "deps-3");
  EXPECT_EQ(json_of(world.get(actions + "/caches?key=deps-2")).at("total_count").as_int64(), 1);
  EXPECT_EQ(world.get(actions + "/caches?sort=name").status, net::Status::unprocessable_content);
  auto gone = world.ask_as(world.administrator, "DELETE", actions + "/caches?key=deps-1", "");
  EXPECT_EQ(json_of(gone).at("total_count").as_int64(), 1);
  EXPECT_EQ(world.ask_as(world.administrator, "DELETE", actions + "/caches?key=deps-1", "").status,
            net::Status::not_found);
  EXPECT_EQ(world.ask_as(world.administrator, "DELETE", actions + "/caches", "").status,
            net::Status::unprocessable_content);
  EXPECT_EQ(world.ask_as(world.administrator, "DELETE", actions + "/caches/2002", "").status, net::Status::no_content);
}

TEST(ArtifactsApi, AsksForRights) {
  Kept world;
  auto stranger = world.token({"repo:read", "run:read", "run:write"}, "mallory");
  EXPECT_EQ(world.get_as("", actions + "/artifacts").status, net::Status::unauthorized);
  for (const std::string& path : {actions + "/artifacts", actions + "/artifacts/1001", actions + "/artifacts/1001/zip",
                                  actions + "/caches", actions + "/runs/1/artifacts"})
    EXPECT_EQ(world.get_as(stranger, path).status, net::Status::forbidden) << path;
  auto reader = world.token({"run:read"});
  EXPECT_EQ(world.get_as(reader, actions + "/artifacts").status, net::Status::ok);
  EXPECT_EQ(world.ask_as(reader, "DELETE", actions + "/artifacts/1001", "").status, net::Status::forbidden);
  EXPECT_EQ(world.ask_as(reader, "DELETE", actions + "/caches?key=deps-1", "").status, net::Status::forbidden);
  auto refused = json_of(world.get_as(stranger, actions + "/artifacts"));
  EXPECT_TRUE(refused.as_object().contains("message"));
  EXPECT_TRUE(refused.as_object().contains("documentation_url"));
}

TEST(ArtifactsApi, AnswersAsGithubDescribes) {
  std::string text = description_text();
  if (text.empty()) GTEST_SKIP() << "no conformance material: set HEADRACE_CONFORMANCE";
  Description description(*core::parse_json(text));
  Kept world;
  auto check = [&](const std::string& path, const std::string& asked, const std::string& method = "get") {
    std::string upper = method == "get" ? "GET" : "DELETE";
    auto answer = world.ask_as(world.administrator, upper, asked, "");
    EXPECT_THAT(description.check_answer("/repos/{owner}/{repo}/actions" + path, method, "200", json_of(answer)),
                IsEmpty())
        << path;
  };
  check("/artifacts", actions + "/artifacts");
  check("/artifacts/{artifact_id}", actions + "/artifacts/1002");
  check("/runs/{run_id}/artifacts", actions + "/runs/2/artifacts");
  check("/caches", actions + "/caches");
  check("/caches", actions + "/caches?key=deps-2", "delete");
}

TEST(Toolkit, IsForJobsAlone) {
  World world;
  std::string path = "/twirp/github.actions.results.api.v1.ArtifactService/ListArtifacts";
  EXPECT_EQ(world.ask_as("", "POST", path, "{}").status, net::Status::unauthorized);
  EXPECT_EQ(world.ask_as(world.administrator, "POST", path, "{}").status, net::Status::unauthorized);
  EXPECT_EQ(world.get_as("", "/_blobs/artifact/1/a").status, net::Status::forbidden);
}

}  // namespace
}  // namespace headrace::server
