// What clients of GitHub's API are answered, held against GitHub's own description of it (conformance/github-openapi).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "events/testing/json_schema.h"
#include "server/testing/runs.h"

namespace headrace::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json_of;
namespace json = core::json;

// Its schemas are those of OpenAPI 3.0: `nullable` besides JSON Schema, and words for people.
json::value as_json_schema(const json::value& schema) {
  if (const auto* list = schema.if_array()) {
    json::array all;
    for (const auto& one : *list) all.push_back(as_json_schema(one));
    return all;
  }
  const auto* object = schema.if_object();
  if (!object) return schema;
  if (const auto* reference = object->if_contains("$ref")) {
    const std::string name(reference->as_string());
    return json::object{{"$ref", name.substr(name.rfind('/') + 1)}};
  }
  json::object made;
  for (const auto& member : *object) {
    const std::string_view key = member.key();
    if (key == "properties") {
      json::object properties;
      for (const auto& property : member.value().as_object())
        properties[property.key()] = as_json_schema(property.value());
      made["properties"] = std::move(properties);
    } else if (key == "type" || key == "enum" || key == "required") {
      made[key] = member.value();
    } else if (key == "items" || key == "oneOf" || key == "anyOf") {
      made[key] = as_json_schema(member.value());
    } else if (key == "format" && (member.value() == "date-time" || member.value() == "uri")) {
      made[key] = member.value();
    }
  }
  if (!core::boolean_at(schema, "nullable").value_or(false)) return made;
  json::array either;
  either.push_back(std::move(made));
  either.push_back(json::object{{"const", nullptr}});
  return json::object{{"anyOf", std::move(either)}};
}

class GithubApi : public testing::Runs {
 protected:
  void SetUp() override {
    const std::string folder = events::testing::conformance_folder();
    if (folder.empty()) GTEST_SKIP() << "the conformance material is not here";
    auto document =
        core::parse_json(events::testing::read_text(folder + "/github-openapi/api.github.com.trimmed.json"));
    ASSERT_TRUE(document);
    description_ = std::move(*document);
    for (const auto& schema : description_.at("components").at("schemas").as_object())
      add(std::string(schema.key()), schema.value());
  }

  // The answer to a GET of the path, which must be as its operation is described.
  json::value get(const std::string& path, const std::string& operation) {
    auto answer = world.get("/api/v3/repos/team/hello" + path);
    EXPECT_EQ(answer.status, net::Status::ok) << path << answer.body;
    if (answer.status != net::Status::ok) return nullptr;
    auto value = json_of(answer);
    add("answer", schema_of("/repos/{owner}/{repo}" + operation));
    EXPECT_THAT(schemas_.check(value, "answer"), IsEmpty()) << path;
    return value;
  }
  net::Status post(const std::string& path) { return world.post("/api/v3/repos/team/hello" + path, {}).status; }

  json::value finished(const std::string& run) {
    json::value shown;
    EXPECT_TRUE(until([&] {
      shown = json_of(world.get("/api/v3/repos/team/hello/actions/runs/" + run));
      return core::string_at(shown, "status") == "completed";
    }));
    return shown;
  }

 private:
  void add(const std::string& name, const json::value& schema) {
    auto made = as_json_schema(schema).as_object();
    made["$id"] = name;
    schemas_.add(std::move(made));
  }
  const json::value& schema_of(const std::string& operation) const {
    return description_.at("paths")
        .at(operation)
        .at("get")
        .at("responses")
        .at("200")
        .at("content")
        .at("application/json")
        .at("schema");
  }

  json::value description_;
  events::testing::JsonSchemas schemas_;
};

constexpr const char* annotating = R"(name: CI
on: push
jobs:
  build:
    runs-on: linux
    steps:
      - name: Say
        run: |
          echo '::error file=src/a.cc,line=3,col=7,title=Compiler::expected a semicolon'
          echo '::warning::about nothing in particular'
          echo '::notice file=src/b.cc,line=5,endLine=9::several lines'
          exit 1
  after:
    needs: build
    runs-on: linux
    steps:
      - run: true
)";

TEST_F(GithubApi, TellsOfRunsJobsCheckRunsAndAnnotationsAsGithubDoes) {
  auto run = push_workflow(annotating);
  auto queued = get("/actions/runs/" + run + "/jobs", "/actions/runs/{run_id}/jobs");
  EXPECT_EQ(core::string_at(queued.at("jobs").as_array().at(0), "status"), "queued");
  start_worker();
  auto over = finished(run);
  EXPECT_EQ(core::string_at(over, "conclusion"), "failure");

  auto shown = get("/actions/runs/" + run, "/actions/runs/{run_id}");
  EXPECT_EQ(core::string_at(shown, "path"), ".github/workflows/ci.yml");
  EXPECT_EQ(core::string_at(shown.at("head_commit"), "message"), "one\n");
  EXPECT_THAT(core::string_at(shown, "created_at").value(), ::testing::MatchesRegex("[0-9T:-]{19}Z"));
  const auto commit = core::string_at(shown, "head_sha").value();

  auto list = get("/actions/runs", "/actions/runs");
  EXPECT_EQ(core::integer_at(list, "total_count"), 1);
  for (const char* match : {"?branch=main", "?event=push", "?status=failure", "?status=completed", "?actor=admin"})
    EXPECT_EQ(core::integer_at(get(std::string("/actions/runs") + match, "/actions/runs"), "total_count"), 1) << match;
  EXPECT_EQ(core::integer_at(get("/actions/runs?head_sha=" + commit, "/actions/runs"), "total_count"), 1);
  for (const char* none : {"?branch=other", "?event=schedule", "?status=success", "?head_sha=0"})
    EXPECT_EQ(core::integer_at(get(std::string("/actions/runs") + none, "/actions/runs"), "total_count"), 0) << none;

  auto jobs = get("/actions/runs/" + run + "/jobs", "/actions/runs/{run_id}/jobs").at("jobs").as_array();
  ASSERT_GE(jobs.size(), 1U);
  EXPECT_EQ(core::string_at(jobs[0], "name"), "build");
  EXPECT_EQ(core::string_at(jobs[0].at("steps").as_array().at(0), "conclusion"), "failure");
  EXPECT_EQ(jobs[0].at("labels"), json::array{"linux"});
  const auto job = std::to_string(core::integer_at(jobs[0], "id").value());
  EXPECT_EQ(get("/actions/jobs/" + job, "/actions/jobs/{job_id}"), jobs[0]);

  auto check = get("/check-runs/" + job, "/check-runs/{check_run_id}");
  EXPECT_EQ(core::string_at(check.at("app"), "slug"), "github-actions");
  EXPECT_EQ(core::integer_at(check.at("output"), "annotations_count"), 4) << "the exit code is the fourth";
  for (const std::string& ref : {commit, std::string("main"), std::string("heads%2Fmain")}) {
    auto checks = get("/commits/" + ref + "/check-runs?check_name=build", "/commits/{ref}/check-runs");
    ASSERT_EQ(core::integer_at(checks, "total_count"), 1) << ref;
    EXPECT_EQ(checks.at("check_runs").as_array().at(0), check);
  }

  auto notes = get("/check-runs/" + job + "/annotations", "/check-runs/{check_run_id}/annotations").as_array();
  ASSERT_EQ(notes.size(), 4U);
  EXPECT_EQ(core::string_at(notes[0], "path"), "src/a.cc");
  EXPECT_EQ(core::integer_at(notes[0], "start_line"), 3);
  EXPECT_EQ(core::integer_at(notes[0], "start_column"), 7);
  EXPECT_EQ(core::string_at(notes[0], "annotation_level"), "failure");
  EXPECT_EQ(core::string_at(notes[0], "title"), "Compiler");
  EXPECT_EQ(core::string_at(notes[1], "path"), ".github");
  EXPECT_EQ(core::integer_at(notes[2], "end_line"), 9);
}

TEST_F(GithubApi, GivesTheLogOfAJobByItsAddressWithoutOurNumbers) {
  auto run = push_workflow(annotating);
  start_worker();
  finished(run);
  auto jobs = get("/actions/runs/" + run + "/jobs", "/actions/runs/{run_id}/jobs").at("jobs").as_array();
  const auto path =
      "/api/v3/repos/team/hello/actions/jobs/" + std::to_string(core::integer_at(jobs.at(0), "id").value()) + "/logs";
  auto there = world.get(path);
  EXPECT_EQ(there.status, net::Status::found);
  auto location = std::string(there.headers.get("Location"));
  ASSERT_TRUE(location.starts_with(parts().public_url + path)) << location;
  auto text = world.get(location.substr(parts().public_url.size()));
  EXPECT_EQ(text.status, net::Status::ok);
  EXPECT_THAT(text.body, ::testing::ContainsRegex("\n[0-9T:-]+\\.[0-9]{7}Z ##\\[error\\]expected a semicolon\n"));
}

TEST_F(GithubApi, RunsAgainAndCancelsAndSaysWhereThatCannotBe) {
  auto run = push_workflow(annotating);
  EXPECT_EQ(post("/actions/runs/" + run + "/rerun"), net::Status::conflict) << "it is not over";
  start_worker();
  finished(run);
  EXPECT_EQ(post("/actions/runs/" + run + "/cancel"), net::Status::conflict) << "it is over";
  EXPECT_EQ(post("/actions/runs/" + run + "/rerun-failed-jobs"), net::Status::created);
  EXPECT_EQ(core::integer_at(finished(run), "run_attempt"), 2);
  EXPECT_EQ(post("/actions/runs/" + run + "/rerun"), net::Status::created);
  EXPECT_TRUE(until(
      [&] { return core::integer_at(get("/actions/runs/" + run, "/actions/runs/{run_id}"), "run_attempt") == 3; }));
  finished(run);
  auto jobs = get("/actions/runs/" + run + "/jobs", "/actions/runs/{run_id}/jobs").at("jobs").as_array();
  EXPECT_EQ(core::integer_at(jobs.at(0), "run_attempt"), 3);
  EXPECT_EQ(post("/actions/jobs/" + std::to_string(core::integer_at(jobs.at(0), "id").value()) + "/rerun"),
            net::Status::created);
  EXPECT_EQ(core::integer_at(finished(run), "run_attempt"), 4);
}

TEST_F(GithubApi, ShowsEachAttemptAndTheJobsOfAll) {
  auto run = push_workflow(annotating);
  start_worker();
  auto first = finished(run);
  ASSERT_EQ(post("/actions/runs/" + run + "/rerun"), net::Status::created);
  auto second = finished(run);
  EXPECT_EQ(second.at("created_at"), first.at("created_at"));
  auto shown = get("/actions/runs/" + run + "/attempts/1", "/actions/runs/{run_id}/attempts/{attempt_number}");
  EXPECT_EQ(core::to_text(shown), core::to_text(first));
  EXPECT_EQ(get("/actions/runs/" + run + "/attempts/2", "/actions/runs/{run_id}/attempts/{attempt_number}"), second);
  EXPECT_EQ(core::string_at(second, "previous_attempt_url"),
            parts().public_url + "/api/v3/repos/team/hello/actions/runs/" + run + "/attempts/1");
  auto jobs = [&](const std::string& of) {
    const std::string path = "/actions/runs/" + run + of;
    return get(path, "/actions/runs/{run_id}/jobs").at("jobs").as_array();
  };
  EXPECT_THAT(jobs("/attempts/1/jobs"), ::testing::SizeIs(2)) << "the skipped one too";
  EXPECT_EQ(core::string_at(jobs("/attempts/1/jobs")[1], "conclusion"), "skipped");
  EXPECT_EQ(core::integer_at(jobs("/attempts/1/jobs")[0], "run_attempt"), 1);
  EXPECT_EQ(core::integer_at(jobs("/jobs?filter=latest")[0], "run_attempt"), 2);
  EXPECT_THAT(jobs("/jobs?filter=all"), ::testing::SizeIs(4));
  const std::string here = "/api/v3/repos/team/hello/actions/runs/" + run;
  for (const char* none : {"/attempts/0", "/attempts/3", "/attempts/x", "/attempts/3/jobs"})
    EXPECT_EQ(world.get(here + none).status, net::Status::not_found) << none;
  EXPECT_EQ(world.get(here + "/jobs?filter=some").status, net::Status::unprocessable_content);
}

TEST_F(GithubApi, FindsRunsByWhenTheyWereMade) {
  auto run = push_workflow(annotating);
  auto total = [&](const std::string& created) {
    return core::integer_at(get("/actions/runs?created=" + created, "/actions/runs"), "total_count").value();
  };
  const auto made = core::string_at(get("/actions/runs/" + run, "/actions/runs/{run_id}"), "created_at").value();
  EXPECT_EQ(total(made.substr(0, 10)), 1);
  EXPECT_EQ(total("%3E%3D" + made), 1);
  EXPECT_EQ(total("%3E" + made), 0);
  EXPECT_EQ(total("2001-01-01.." + made), 1);
  EXPECT_EQ(total("%3C2001-01-01"), 0);
  EXPECT_EQ(world.get("/api/v3/repos/team/hello/actions/runs?created=today").status,
            net::Status::unprocessable_content);
}

TEST_F(GithubApi, ShowsAnnotationsWhileTheJobStillRuns) {
  auto run = push("echo '::error file=a.c,line=3::bad'; until [ -e " + file("go") + " ]; do sleep 0.01; done");
  start_worker();
  json::array notes;
  ASSERT_TRUE(until([&] {
    auto jobs = get("/actions/runs/" + run + "/jobs", "/actions/runs/{run_id}/jobs").at("jobs").as_array();
    notes = get("/check-runs/" + std::to_string(core::integer_at(jobs.at(0), "id").value()) + "/annotations",
                "/check-runs/{check_run_id}/annotations")
                .as_array();
    return !notes.empty();
  }));
  EXPECT_EQ(core::string_at(notes[0], "path"), "a.c");
  EXPECT_EQ(core::integer_at(notes[0], "start_line"), 3);
  json::value job;
  ASSERT_TRUE(until([&] {  // that it has begun goes by the log, and may come after
    job = json_of(world.get("/api/v1/runs/" + run)).at("jobs").as_array().at(0);
    return core::string_at(job, "status") == "in_progress";
  }));
  EXPECT_THAT(job.at("annotations").as_array(), ::testing::SizeIs(1));
  auto checks = get("/commits/main/check-runs", "/commits/{ref}/check-runs").at("check_runs").as_array();
  EXPECT_EQ(core::integer_at(checks.at(0).at("output"), "annotations_count"), 1);
  std::ofstream(file("go")) << 1;
  finished(run);
  job = json_of(world.get("/api/v1/runs/" + run)).at("jobs").as_array().at(0);
  EXPECT_THAT(job.at("annotations").as_array(), ::testing::SizeIs(1)) << "once";
}

TEST_F(GithubApi, CancelsARunThatWaits) {
  auto run = push_workflow(annotating);
  EXPECT_EQ(post("/actions/runs/" + run + "/cancel"), net::Status::accepted);
  EXPECT_EQ(core::string_at(finished(run), "conclusion"), "cancelled");
}

TEST_F(GithubApi, PagesHaveNumbersAndLinks) {
  auto run = push_workflow(annotating);
  start_worker();
  finished(run);
  auto jobs = get("/actions/runs/" + run + "/jobs", "/actions/runs/{run_id}/jobs").at("jobs").as_array();
  const auto notes = "/api/v3/repos/team/hello/check-runs/" +
                     std::to_string(core::integer_at(jobs.at(0), "id").value()) + "/annotations";
  auto first = world.get(notes + "?per_page=3");
  EXPECT_EQ(json_of(first).as_array().size(), 3U);
  EXPECT_EQ(first.headers.get("Link"), "<" + parts().public_url + notes + "?per_page=3&page=2>; rel=\"next\", <" +
                                           parts().public_url + notes + "?per_page=3&page=2>; rel=\"last\"");
  auto second = world.get(notes + "?per_page=3&page=2");
  EXPECT_EQ(json_of(second).as_array().size(), 1U);
  EXPECT_THAT(std::string(second.headers.get("Link")), HasSubstr("rel=\"prev\""));
  EXPECT_EQ(json_of(world.get(notes + "?page=9")).as_array().size(), 0U);
  EXPECT_EQ(world.get(notes + "?page=0").status, net::Status::unprocessable_content);
}

TEST_F(GithubApi, IsForWhoMayAndWhatIsNotThereIsSaidAsGithubDoes) {
  auto run = push_workflow(annotating);
  world.post("/api/v1/repositories", R"({"full_name":"team/other"})");
  const std::string of_another = "/api/v3/repos/team/other/actions/runs/" + run;
  auto missing = world.get(of_another);
  EXPECT_EQ(missing.status, net::Status::not_found) << "a run is of its repository alone";
  EXPECT_EQ(core::string_at(json_of(missing), "message"), "team/other has no run " + run + ".");
  EXPECT_EQ(core::string_at(json_of(missing), "status"), "404");
  auto nothing = world.get("/api/v3/repos/team/hello/no/such/thing");
  EXPECT_EQ(nothing.status, net::Status::not_found);
  EXPECT_THAT(core::string_at(json_of(nothing), "message").value_or(""), HasSubstr("There is nothing at"));
  for (const char* none :
       {"/actions/runs/x", "/actions/jobs/1", "/check-runs/99999999999999999999", "/commits/nope/check-runs"})
    EXPECT_EQ(world.get(std::string("/api/v3/repos/team/hello") + none).status, net::Status::not_found) << none;
  const std::string here = "/api/v3/repos/team/hello/actions/runs/" + run;
  EXPECT_EQ(world.get_as("", here).status, net::Status::unauthorized);
  EXPECT_EQ(world.get_as(world.token({"run:read"}, "eve"), here).status, net::Status::forbidden);
  auto reader = world.token({"run:read"});
  EXPECT_EQ(world.get_as(reader, here).status, net::Status::ok);
  EXPECT_EQ(world.ask_as(reader, "POST", here + "/cancel", {}).status, net::Status::forbidden);
}

TEST_F(GithubApi, AJobsOwnTokenReadsWhatBecomesOfItsRepositoryAsFarAsItsPermissionsGo) {
  auto run =
      push("echo \"$TOKEN\" > " + file("job-token") + "; until [ -e " + file("go") +
           " ]; do sleep 0.01; done\n        env: {TOKEN: '${{ github.token }}'}\n    permissions: {actions: read}");
  start_worker();
  std::string token;
  ASSERT_TRUE(until([&] {
    token = core::read_file(parts().disk, file("job-token")).value_or("");
    return token.ends_with('\n');
  }));
  token.pop_back();
  const std::string here = "/api/v3/repos/team/hello/actions/runs/" + run;
  EXPECT_EQ(world.get_as(token, here + "/jobs").status, net::Status::ok);
  world.post("/api/v1/repositories", R"({"full_name":"team/other"})");
  EXPECT_EQ(world.get_as(token, "/api/v3/repos/team/other/actions/runs").status, net::Status::forbidden);
  EXPECT_EQ(world.ask_as(token, "POST", here + "/cancel", {}).status, net::Status::forbidden);
  std::ofstream(file("go")) << 1;
  finished(run);
  EXPECT_EQ(world.get_as(token, here).status, net::Status::unauthorized) << "the token is dead when its job is";
}

}  // namespace
}  // namespace headrace::server
