#include "events/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "core/json.h"
#include "events/artifact.h"
#include "events/bus.h"
#include "events/cdevents.h"
#include "events/identity.h"
#include "events/pipeline.h"
#include "events/repository.h"
#include "events/runner.h"
#include "events/settings.h"
#include "events/testing/json_schema.h"
#include "events/tests.h"
#include "events/triggers.h"
#include "events/upcast.h"

namespace headrace::events {
namespace {

namespace json = core::json;
using testing::conformance_folder;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::JsonSchemas;
using testing::read_text;

const core::Time noon = *core::parse_time("2026-11-23T12:00:00.5Z");
constexpr const char* a = "1111111111111111111111111111111111111111";
constexpr const char* b = "2222222222222222222222222222222222222222";
constexpr const char* run = "01938a5c-0000-7000-8000-000000000001";
constexpr const char* job = "01938a5c-0000-7000-8000-000000000002";
constexpr const char* push = "01938a5c-0000-7000-8000-000000000003";

Header header_of(std::string_view service) {
  return {.id = "01938a5c-0000-7000-8000-0000000000ff",
          .source = "/headrace/" + std::string(service),
          .time = noon,
          .actor = "user:alice",
          .causation_id = "01938a5c-0000-7000-8000-0000000000fe",
          .correlation_id = push,
          .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          .further_causes = {"01938a5c-0000-7000-8000-0000000000fd"}};
}

// One of every word, every field set to something of its own.
template <class Visit>
void for_each_word(const Visit& visit) {
  const std::string hello = "team/hello";
  visit(RepositoryCreated{hello, 7, "team", "hello", "main", "http://127.0.0.1:8080/team/hello"});
  visit(RepositoryDeleted{hello, 7, "team", "hello"});
  visit(PushAccepted{
      push, hello, 7, {{"refs/heads/main", a, b}, {"refs/tags/v1", std::string(no_commit), b}}, {"ci.skip"}});
  visit(PushReceived{push, hello, 7, {{"refs/heads/main", a, b, true, true}}, "main", SettledBy::reconcile});
  visit(RefUpdated{hello, "refs/heads/main", a, b, true, push});
  visit(BranchCreated{"topic", hello, b, push});
  visit(BranchDeleted{"topic", hello, b, push});
  visit(RunQueued{run,
                  11,
                  3,
                  hello,
                  7,
                  "CI",
                  ".github/workflows/ci.yml",
                  "push",
                  push,
                  "refs/heads/main",
                  "main",
                  b,
                  "alice",
                  2,
                  "A commit",
                  "http://127.0.0.1:8080/team/hello/runs/3",
                  {{"build", "Build", {}, "", "", "0001", false},
                   {"deploy (eu)/test", "Test it", {"build"}, "deploy/test", "deploy (eu)", "0002.0001", true}},
                  {"lint"},
                  R"({"ref":"refs/heads/main"})",
                  R"({"dry":true})",
                  1,
                  true,
                  "deploy-main",
                  true,
                  true,
                  {{"team/shared/.github/workflows/build.yml@main", a}},
                  41,
                  true});
  visit(RunAdmitted{run, hello, 2});
  visit(RunCancelled{run, hello, 2, "cancelled by alice", "user:alice", true});
  visit(JobExpanded{job,
                    run,
                    hello,
                    2,
                    "deploy",
                    {{"deploy (eu)",
                      "Deploy (eu)",
                      R"({"region":"eu"})",
                      true,
                      "eu",
                      true,
                      true,
                      {{"deploy (eu)/test", "Test it", {}, "deploy/test", "deploy (eu)", "0002.0001.0001", false}}}},
                    false,
                    2,
                    true});
  visit(JobSettled{job, 13, run, hello, "deploy", "Deploy", Conclusion::failure, "ci.yml:3:4: wrong", {{"url", "x"}}});
  visit(ScheduleDue{run, hello, 7, "30 5 * * 1-5", noon, "alice"});
  visit(DispatchRequested{run, hello, 7, "deploy", R"({"to":"eu"})"});
  visit(WorkflowsRead{hello, 7, b, "alice", {"30 5 * * 1-5"}, {"event", "workflow_run"}});
  const ChangeState change{12, "A change", "Why", "alice", "topic", a, "main", b, a, true, {"bug"}};
  visit(ChangeCreated{"team/hello#12", hello, 7, change});
  visit(ChangeUpdated{"team/hello#12", hello, 7, "synchronize", change});
  visit(ChangeMerged{"team/hello#12", hello, 7, change});
  visit(ChangeAbandoned{"team/hello#12", hello, 7, change});
  visit(QueueEntered{run, hello, 7, {12, 13}, "main", a, "refs/queue/main/1", b});
  const TicketState ticket{3, "It breaks", {"bug"}};
  const std::string page = "http://127.0.0.1:8080/team/hello/issues/3";
  visit(TicketCreated{"team/hello#3", "Broken", "alice", page, hello, 7, ticket});
  visit(TicketUpdated{"team/hello#3", "Broken", "alice", page, hello, 7, "labeled", ticket});
  visit(TicketClosed{"team/hello#3", "Broken", "alice", "completed", page, hello, 7, ticket});
  visit(RunStarted{run, hello, 3, "CI", 2, "http://127.0.0.1:8080/team/hello/runs/3"});
  visit(RunFinished{run, hello, 3, "CI", 2, Conclusion::timed_out, "The job build ran too long.",
                    "http://127.0.0.1:8080/r/3"});
  visit(JobQueued{job,
                  12,
                  run,
                  hello,
                  "build",
                  "Build",
                  2,
                  {"ubuntu-latest", "gpu"},
                  b,
                  "refs/heads/main",
                  R"({"steps":[]})",
                  30,
                  true,
                  "prod"});
  visit(JobCancelled{job, run, hello, "cancelled by alice", "user:alice", true, true});
  visit(JobSkipped{job, 12, run, hello, "test", "Test it", "build failed"});
  visit(JobLeased{job, run, hello, 2, "local", "host", 45});
  visit(JobLost{job, run, hello, 2, "local", "the lease ran out", true});
  visit(JobRequeued{job, run, hello, 3, "the runner was lost before the first step"});
  visit(JobStarted{job, run, hello, "Build", "local", 2, "http://127.0.0.1:8080/j/2"});
  visit(JobFinished{job,
                    run,
                    hello,
                    "Build",
                    "local",
                    2,
                    Conclusion::failure,
                    "Step 2 failed.",
                    {{1, "Check out", Conclusion::success, noon, noon, 0},
                     {2, "make", Conclusion::failure, noon, noon, 2},
                     {3, "deploy", Conclusion::skipped, {}, {}, {}}},
                    {4096, 70},
                    "http://127.0.0.1:8080/j/2",
                    {{"version", "1.2"}},
                    {{"error", "broken", "", "src/a.cc", 3, 3, 1, 9, 2}},
                    "https://staging.example.test",
                    812});
  const std::string report = std::string(job) + "-2-3-0123456789ab";
  visit(TestSuiteFinished{report,
                          "sandbox",
                          "junit.xml",
                          Conclusion::failure,
                          "2 of 10 cases failed",
                          hello,
                          run,
                          job,
                          "test (1, 2)",
                          2,
                          3,
                          "refs/heads/main",
                          b,
                          a,
                          "junit.xml",
                          {1, 10, 6, 1, 1, 1, 1, 1, 2500},
                          2,
                          9});
  visit(TestResults{report, hello, 2, 2, "eJwDAAAAAAE="});
  visit(TestCaseFinished{report + "/0123456789abcdef",
                         "sandbox",
                         report,
                         "Sum adds",
                         Conclusion::failure,
                         "3 is not 4",
                         hello,
                         run,
                         job,
                         "refs/heads/main",
                         b,
                         "0123456789abcdef",
                         "unit > sums",
                         "Sum",
                         "adds",
                         "sum_test.cc",
                         12,
                         "failed",
                         "passed",
                         true,
                         1500});
  const std::string purl = "pkg:generic/team/hello/binaries@9?checksum=sha256:" + std::string(64, 'a');
  const std::string digest = "sha256:" + std::string(64, 'a');
  visit(ArtifactPackaged{purl, b, 12, hello, "binaries", run, 9, job, "refs/heads/main", digest, 4096,
                         "application/zip", noon});
  visit(ArtifactPublished{purl, 12, hello, "binaries", run});
  visit(ArtifactDownloaded{purl, 12, hello, "binaries"});
  visit(ArtifactDeleted{purl, 12, hello, "binaries", "expired"});
  visit(CacheSaved{"team/hello/13", 13, hello, "refs/heads/main", "deps-1", "abcdef", digest, 4096, run, job});
  visit(CacheUsed{"team/hello/13", 13, hello});
  visit(CacheDeleted{"team/hello/13", 13, hello, "deps-1", "room"});
  visit(UserCreated{"alice", 1, true});
  visit(UserDisabled{"alice", "left"});
  visit(UserEnabled{"alice"});
  visit(TokenCreated{"tok1", "alice", "local", "laptop", {"repo:read", "run:write"}, noon});
  visit(TokenRevoked{"tok1", "alice"});
  visit(RoleGranted{"alice", "write", "team/hello"});
  visit(RoleRevoked{"alice", "admin", "*"});
  visit(SecretSet{"sec1", hello, "prod", "DEPLOY_KEY", "selected", {7, 9}});
  visit(SecretRemoved{"sec1", hello, "prod", "DEPLOY_KEY"});
  visit(VariableSet{"team/hello/environments/prod/REGION", hello, "prod", "REGION", "eu", "selected", {7, 9}});
  visit(VariableRemoved{"team/hello/environments/prod/REGION", hello, "prod", "REGION"});
  visit(EnvironmentCreated{"team/hello/prod", "prod", hello});
  visit(EnvironmentDeleted{"team/hello/prod", "prod", hello});
  visit(DeliveryDead{"notify", 42, push, "com.example.a", "team/hello", 5, "it threw", noon});
  visit(DeliveryReplayed{"notify", 42, push, "com.example.a", "team/hello", "user:alice"});
  visit(DeliveryDiscarded{"notify", 42, push, "com.example.a", "team/hello", "user:alice", "a duplicate"});
  visit(SubscriptionCreated{"notify", R"([{"exact":{"type":"a"}}])", "webhook", "offset:7", "hold"});
  visit(SubscriptionDeleted{"notify"});
  visit(SubscriptionPaused{"notify", "maintenance"});
  visit(SubscriptionResumed{"notify"});
  visit(SubscriptionSought{"notify", 42, 7});
  visit(SubscriptionStalled{"notify", noon, 42, "its handler has not returned"});
  visit(SubscriptionRecovered{"notify", 95});
}

template <class T>
Event event_of(const T& said) {
  return encode(said, header_of(find_word(T::type)->service));
}

bool updating() { return std::getenv("UPDATE_GOLDEN") != nullptr; }

// Compares with a file kept in the repository, or writes it.
void expect_golden(const std::string& path, const std::string& text) {
  if (updating()) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  ASSERT_TRUE(std::filesystem::exists(path))
      << path << " is missing; run with UPDATE_GOLDEN=1 and look at the difference";
  EXPECT_EQ(read_text(path), text) << path;
}

std::string golden_path(std::string_view type) { return "tests/golden/events/" + std::string(type) + ".json"; }

TEST(Vocabulary, ComesBackEqualForEveryWord) {
  std::set<std::string_view> seen;
  for_each_word([&]<class T>(const T& said) {
    auto back = decode<T>(event_of(said));
    ASSERT_TRUE(back) << T::type << back.error().message;
    EXPECT_EQ(*back, said) << T::type;
    EXPECT_EQ(decode<T>(*read_structured(to_structured(event_of(said)))), said) << T::type;
    EXPECT_TRUE(check_word(event_of(said))) << T::type;
    seen.insert(T::type);
  });
  for (const auto& word : all_words()) EXPECT_THAT(seen, Contains(word.type));
  EXPECT_EQ(seen.size(), all_words().size());
}

TEST(Vocabulary, LeavesOutWhatIsNotKnown) {
  RunFinished least{.run = run, .repository = "team/hello"};
  auto event = event_of(least);
  EXPECT_EQ(decode<RunFinished>(event), least);
  EXPECT_THAT(event.data, ::testing::Not(HasSubstr("errors")));
  EXPECT_THAT(event.data, ::testing::Not(HasSubstr("uri")));
  StepResult step{.number = 1, .name = "make"};
  JobFinished finished{.job = job, .steps = {step}};
  EXPECT_EQ(decode<JobFinished>(event_of(finished)), finished);
  EXPECT_THAT(event_of(finished).data, ::testing::Not(HasSubstr("exit_code")));
}

TEST(Vocabulary, IsWrittenTheSameAsEver) {
  for_each_word([]<class T>(const T& said) {
    auto written = to_structured(event_of(said));
    expect_golden(golden_path(T::type), core::to_pretty_text(*core::parse_json(written)));
    auto kept = read_structured(read_text(golden_path(T::type)));
    ASSERT_TRUE(kept) << T::type;
    EXPECT_EQ(decode<T>(*kept), said) << T::type;
  });
}

// DESIGN section 4 and cloudevents-binding.md: one truth in both envelopes.
TEST(Vocabulary, SaysTheSameInTheCloudEventAndInTheCdevent) {
  for_each_word([]<class T>(const T& said) {
    auto event = event_of(said);
    auto data = *core::parse_json(event.data);
    const auto& context = data.at("context");
    EXPECT_EQ(event.type, T::type);
    EXPECT_EQ(context.at("id").as_string(), event.id);
    EXPECT_EQ(context.at("source").as_string(), event.source);
    EXPECT_EQ(context.at("type").as_string(), event.type);
    EXPECT_EQ(core::parse_time(context.at("timestamp").as_string()), *event.time);
    EXPECT_EQ(data.at("subject").at("id").as_string(), event.subject);
    EXPECT_EQ(context.at("chainId").as_string(), event.correlation_id());
    EXPECT_EQ(context.at("specversion"), "0.5.1");
    EXPECT_EQ(data.as_object().contains("customData"), event.type.starts_with("dev.cdevents."));
  });
}

TEST(Vocabulary, LinksEveryCause) {
  auto event = event_of(UserEnabled{"alice"});
  auto links = core::parse_json(event.data)->at("context").at("links").as_array();
  ASSERT_EQ(links.size(), 2u);
  EXPECT_EQ(
      core::to_text(links[0]),
      R"({"linkType":"RELATION","linkKind":"TRIGGER","target":{"contextId":"01938a5c-0000-7000-8000-0000000000fe"}})");
  EXPECT_EQ(event.actor(), "user:alice");
  EXPECT_EQ(event.causation_id(), "01938a5c-0000-7000-8000-0000000000fe");
  EXPECT_EQ(event.text("traceparent"), header_of("identity").traceparent);
}

TEST(Vocabulary, TakesARootsOwnIdAsTheChain) {
  auto event = encode(UserEnabled{"alice"}, {.id = "1", .source = "/headrace/identity", .time = noon});
  EXPECT_EQ(event.correlation_id(), "1");
  EXPECT_FALSE(event.extensions.contains("causationid"));
  EXPECT_FALSE(core::parse_json(event.data)->at("context").as_object().contains("links"));
}

TEST(Vocabulary, CarriesTheRepositoryAsTheKeyOfItsOrder) {
  EXPECT_EQ(event_of(JobLeased{.job = job, .run = run, .repository = "team/hello"}).text("partitionkey"), "team/hello");
  EXPECT_EQ(event_of(RepositoryCreated{.full_name = "team/hello"}).text("partitionkey"), "team/hello");
  EXPECT_FALSE(event_of(UserEnabled{"alice"}).extensions.contains("partitionkey"));
}

TEST(Vocabulary, IsAsTheStandardsSchemasAsk) {
  if (conformance_folder().empty()) GTEST_SKIP() << "no conformance material: set HEADRACE_CONFORMANCE";
  JsonSchemas schemas;
  schemas.add_folder(conformance_folder() + "/cdevents/schemas/links");
  std::map<std::string, std::string> id_by_type;
  for (const auto& id : schemas.add_folder(conformance_folder() + "/cdevents/schemas"))
    id_by_type[std::string(
        schemas.at(id).at("properties").at("context").at("properties").at("type").at("enum").at(0).as_string())] = id;
  auto custom = *core::parse_json(read_text(conformance_folder() + "/cdevents/custom/schema.json"));
  schemas.add(custom);
  for_each_word([&]<class T>(const T& said) {
    std::string type(T::type);
    std::string id =
        type.starts_with("dev.cdeventsx.") ? "https://cdevents.dev/0.5.1/schema/custom" : id_by_type.at(type);
    EXPECT_THAT(schemas.check(*core::parse_json(event_of(said).data), id), IsEmpty()) << type;
    auto root = encode(said, {.id = "1", .source = "/headrace/test", .time = noon});
    EXPECT_THAT(schemas.check(*core::parse_json(root.data), id), IsEmpty()) << type;
  });
}

TEST(Vocabulary, IsValidByOurOwnJudgementToo) {
  for_each_word([]<class T>(const T& said) {
    auto verdict = validate(to_structured(event_of(said)));
    EXPECT_TRUE(verdict.valid) << to_json(verdict);
    EXPECT_EQ(verdict.type, T::type);
  });
}

TEST(Vocabulary, HasAUriWhereTheStandardAsksForOneAndThereIsNoPage) {
  RepositoryCreated made{
      .full_name = "team/hello", .id = 1, .owner = "team", .name = "hello", .default_branch = "main", .url = {}};
  auto event = event_of(made);
  EXPECT_THAT(event.data, HasSubstr(R"("uri":"urn:headrace:team/hello")"));
  EXPECT_EQ(decode<RepositoryCreated>(event), made);
  made.url = "/team/hello";
  EXPECT_THROW(event_of(made), core::BrokenInvariant);
}

TEST(Vocabulary, IsSchemaTrue) {
  for_each_word([]<class T>(const T& said) {
    auto schema = *core::parse_json(schema_of(*find_word(T::type)));
    std::string id(schema.at("$id").as_string());
    JsonSchemas schemas;
    schemas.add(std::move(schema));
    auto data = *core::parse_json(event_of(said).data);
    EXPECT_THAT(schemas.check(data, id), IsEmpty()) << id;
    data.at("subject").as_object()["content"] = 1;
    EXPECT_THAT(schemas.check(data, id), ::testing::Not(IsEmpty())) << id;
  });
}

Event changed(Event event, const auto& change) {
  auto data = *core::parse_json(event.data);
  change(data.as_object());
  event.data = core::to_text(data);
  return event;
}

TEST(Decode, NamesTheFieldThatIsWrong) {
  auto event = event_of(JobFinished{.job = job, .run = run, .steps = {{.number = 1}, {.number = 2}}});
  auto message_after = [&](const auto& change) {
    auto said = decode<JobFinished>(changed(event, change));
    return said ? std::string() : said.error().message;
  };
  EXPECT_EQ(message_after([](json::object& data) { data["customData"].at("steps").at(1).as_object()["number"] = "2"; }),
            "The data of dev.cdevents.taskrun.finished.0.3.0 is not good: /customData/steps/1/number must be a whole "
            "number of 64 bits.");
  EXPECT_THAT(message_after([](json::object& data) { data["customData"].as_object().erase("log"); }),
              HasSubstr("/customData/log is missing"));
  EXPECT_THAT(message_after([](json::object& data) { data["customData"].as_object()["conclusion"] = "great"; }),
              HasSubstr("/customData/conclusion must be one of success, failure, cancelled"));
  EXPECT_THAT(message_after([](json::object& data) { data["subject"].as_object()["id"] = ""; }),
              HasSubstr("/subject/id"));
  EXPECT_THAT(message_after([](json::object& data) { data.erase("customData"); }),
              HasSubstr("/customData must be an object"));
  EXPECT_THAT(message_after([](json::object& data) { data["subject"].at("content").as_object()["taskName"] = 1; }),
              HasSubstr("/subject/content/taskName must be a string"));
  EXPECT_EQ(message_after([](json::object& data) { data["customData"].as_object()["of a later version"] = 1; }), "");
}

TEST(Decode, RefusesWhatIsNoCdevent) {
  auto event = event_of(UserEnabled{"alice"});
  for (auto data : {"", "[]", "{", "{}", R"({"subject":{"id":"alice"}})", R"({"subject":1})"}) {
    event.data = data;
    EXPECT_EQ(decode<UserEnabled>(event).error().code, core::Code::invalid) << data;
  }
  event.has_data = false;
  EXPECT_EQ(decode<UserEnabled>(event).error().code, core::Code::invalid);
}

TEST(Decode, TellsAnotherTypeFromABrokenOne) {
  auto event = event_of(UserEnabled{"alice"});
  EXPECT_EQ(decode<UserDisabled>(event).error().code, core::Code::not_found);
  EXPECT_FALSE(is<UserDisabled>(event));
  EXPECT_TRUE(is<UserEnabled>(event));
  event.type = "com.example.unheard.of";
  EXPECT_EQ(find_word(event.type), nullptr);
  EXPECT_EQ(check_word(event).error().code, core::Code::not_found);
}

// Of another tool we know what the standard says, and do not take its customData for ours.
TEST(Decode, ReadsStandardEventsOfOtherTools) {
  Event event;
  event.id = "1";
  event.source = "https://tekton.example";
  event.type = RunFinished::type;
  event.data =
      R"({"context":{},"subject":{"id":"r1","content":{"pipelineName":"CI","outcome":"error","errors":"no space"}},
    "customData":{"conclusion":7}})";
  event.has_data = true;
  EXPECT_EQ(
      decode<RunFinished>(event),
      (RunFinished{.run = "r1", .workflow = "CI", .conclusion = Conclusion::startup_failure, .errors = "no space"}));
  event.data = R"({"context":{},"subject":{"id":"r1","content":{"outcome":"splendid"}}})";
  EXPECT_THAT(decode<RunFinished>(event).error().message, HasSubstr("/subject/content/outcome must be one of success"));
}

TEST(Decode, ReadsEveryExampleOfTheStandardThatIsAWord) {
  if (conformance_folder().empty()) GTEST_SKIP() << "no conformance material: set HEADRACE_CONFORMANCE";
  size_t read = 0;
  for (const auto& file : std::filesystem::directory_iterator(conformance_folder() + "/cdevents/conformance")) {
    Event event;
    event.data = read_text(file.path());
    event.has_data = true;
    event.source = "/event/source/123";
    event.type = core::parse_json(event.data)->at("context").at("type").as_string();
    if (!find_word(event.type)) continue;
    auto checked = check_word(event);
    EXPECT_TRUE(checked) << file << checked.error().message;
    ++read;
  }
  EXPECT_EQ(read, 24u);
}

TEST(Upcast, ReadsEveryOldVersionAsTodays) {
  for (const auto& upcaster : all_upcasters()) {
    auto old = read_structured(read_text(golden_path(upcaster.type)));
    ASSERT_TRUE(old) << upcaster.type;
    EXPECT_EQ(old->type, upcaster.type);
    auto read = check_word(*old);
    EXPECT_TRUE(read) << upcaster.type << (read ? "" : read.error().message);
    EXPECT_NE(find_word(old->type), nullptr);
  }
  auto read = [](std::string_view type) { return *read_structured(read_text(golden_path(type))); };
  EXPECT_EQ(decode<RunFinished>(read("dev.cdevents.pipelinerun.finished.0.2.0")),
            (RunFinished{.run = "run-1",
                         .workflow = "CI",
                         .conclusion = Conclusion::failure,
                         .errors = "It broke.",
                         .url = "https://ci.example/run-1"}));
  EXPECT_EQ(decode<JobStarted>(read("dev.cdevents.taskrun.started.0.1.1")),
            (JobStarted{.job = "task-1", .run = "run-1", .name = "build", .url = "https://ci.example/task-1"}));
  EXPECT_EQ(decode<RepositoryCreated>(read("dev.cdevents.repository.created.0.2.0")),
            (RepositoryCreated{
                .full_name = "team/hello", .owner = "team", .name = "hello", .url = "https://git.example/team/hello"}));
  EXPECT_EQ(decode<BranchDeleted>(read("dev.cdevents.branch.deleted.0.1.2")),
            (BranchDeleted{.branch = "topic", .repository = "team/hello"}));
}

TEST(Upcast, NamesAllTypesAReaderOfTheLogAsksFor) {
  EXPECT_THAT(all_types(RunStarted::type),
              ElementsAre("dev.cdevents.pipelinerun.started.0.3.0", "dev.cdevents.pipelinerun.started.0.1.1",
                          "dev.cdevents.pipelinerun.started.0.2.0"));
  EXPECT_THAT(all_types(UserEnabled::type), ElementsAre(UserEnabled::type));
  EXPECT_EQ(todays_type("dev.cdevents.branch.created.0.1.2"), BranchCreated::type);
  EXPECT_EQ(todays_type("com.example.a"), "com.example.a");
}

TEST(Conclusions, HaveTheirNamesAndOutcomes) {
  for (auto name : {"success", "failure", "cancelled", "skipped", "timed_out", "startup_failure", "neutral",
                    "action_required", "stale"}) {
    ASSERT_TRUE(parse_conclusion(name)) << name;
    EXPECT_EQ(name_of(*parse_conclusion(name)), name);
  }
  EXPECT_FALSE(parse_conclusion("splendid"));
  EXPECT_EQ(outcome_of(Conclusion::timed_out), "error");
  EXPECT_EQ(outcome_of(Conclusion::cancelled), "cancel");
  EXPECT_EQ(outcome_of(Conclusion::skipped), "success");
}

// --- docs/events/: one page a word, from the same descriptions.

void append_rows(std::string& page, const json::object& schema, const std::string& where, const std::string& prefix) {
  std::set<std::string> required;
  if (const auto* names = schema.if_contains("required"))
    for (const auto& name : names->as_array()) required.emplace(name.as_string());
  for (const auto& property : schema.at("properties").as_object()) {
    const auto& field = property.value().as_object();
    std::string name = prefix + std::string(property.key());
    const auto* kind = field.if_contains("type");
    std::string type = kind ? std::string(kind->as_string()) : core::to_text(field.at("const"));
    if (const auto* names = field.if_contains("enum")) {
      type.clear();
      for (const auto& one : names->as_array()) type.append(type.empty() ? "" : ", ").append(one.as_string());
    }
    if (const auto* format = field.if_contains("format")) type = format->as_string();
    const auto* items = field.if_contains("items");
    if (items) type += " of " + std::string(items->at("type").as_string());
    const auto* description = field.if_contains("description");
    page += "| " + where + " | `" + name + "` | " + type + " | " +
            (required.contains(std::string(property.key())) ? "always" : "where known") + " | " +
            (description ? std::string(description->as_string()) : "") + " |\n";
    if (items && items->as_object().contains("properties")) append_rows(page, items->as_object(), where, name + "[].");
    if (field.contains("properties")) append_rows(page, field, where, name + ".");
  }
}

std::string page_of(const Word& word, const Event& example) {
  auto schema = *core::parse_json(schema_of(word));
  const auto& properties = schema.at("properties");
  const auto& subject = properties.at("subject").at("properties");
  std::string page = "# " + std::string(word.name) + "\n\n`" + std::string(word.type) + "`, said by " +
                     std::string(word.service) + ".\n\n" + std::string(word.description) +
                     "\n\n| where | field | type | there | what |\n|---|---|---|---|---|\n";
  page +=
      "| subject | `id` | string | always | " + std::string(subject.at("id").at("description").as_string()) + " |\n";
  append_rows(page, subject.at("content").as_object(), "content", "");
  if (const auto* custom = properties.as_object().if_contains("customData"))
    append_rows(page, custom->as_object(), "customData", "");
  page += "\n## Example\n\n```json\n" + core::to_pretty_text(*core::parse_json(to_structured(example))) +
          "```\n\n## Schema of the data\n\n```json\n" + core::to_pretty_text(schema) + "```\n";
  return page;
}

TEST(Documentation, HasAPageForEveryWord) {
  std::map<std::string_view, Event> examples;
  for_each_word([&]<class T>(const T& said) { examples[T::type] = event_of(said); });
  std::string index =
      "# Events\n\nEvery word of the platform, with who says it. The envelope is CloudEvents 1.0, the data a CDEvent "
      "v0.5.1; "
      "`dev.cdeventsx.headrace-*` are ours.\nThese pages are written by the tests from the descriptions in "
      "`src/events/` "
      "(`UPDATE_GOLDEN=1`).\n\n| type | said by | what |\n|---|---|---|\n";
  for (const auto& word : all_words()) {
    std::string type(word.type);
    expect_golden("docs/events/" + type + ".md", page_of(word, examples.at(word.type)));
    index += "| [" + type + "](" + type + ".md) | " + std::string(word.service) + " | " +
             std::string(word.description) + " |\n";
  }
  expect_golden("docs/events/README.md", index);
}

}  // namespace
}  // namespace headrace::events
