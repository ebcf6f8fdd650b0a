// What a client may send that is wrong, and that none of it is our fault (500) or passed over.
#include <gmock/gmock.h>

#include "core/bytes.h"
#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;
using testing::json_of;
using testing::message_of;

class Hostile : public ::testing::Test {
 protected:
  net::Response publish(std::string event, const std::string& query = {}) {
    net::ClientRequest request{
        "/api/v1/events" + query, "POST", {{"Content-Type", "application/cloudevents+json"}}, std::move(event)};
    return world.ask(std::move(request));
  }
  testing::World world;
};

TEST_F(Hostile, MomentsThatAreNoneAreRefused) {
  for (const char* path : {"/api/v1/repositories", "/api/v1/runs", "/api/v1/users", "/api/v1/events"}) {
    EXPECT_EQ(world.get(std::string(path) + "?at=1").status, net::Status::ok) << path;
    EXPECT_EQ(world.get(std::string(path) + "?at=0").status, net::Status::ok) << path;
    EXPECT_EQ(world.get(std::string(path) + "?at=2001-01-01T00:00:00Z").status, net::Status::ok) << path;
    for (const char* at : {"999999999", "18446744073709551615", "18446744073709551616", "-1", "yesterday",
                           "2026-02-30T00:00:00Z", "%F0%9F%8C%8A"})
      EXPECT_EQ(world.get(std::string(path) + "?at=" + at).status, net::Status::unprocessable_content)
          << path << " " << at;
  }
}

TEST_F(Hostile, NumbersAndWordsThatAreNoneAreRefusedByName) {
  for (const char* path : {"/api/v1/events?limit=0", "/api/v1/events?limit=1001", "/api/v1/events?limit=ten",
                           "/api/v1/runs?limit=-1", "/api/v1/events?from=last"}) {
    auto answer = world.get(path);
    EXPECT_EQ(answer.status, net::Status::unprocessable_content) << path;
    EXPECT_THAT(message_of(answer), ::testing::AnyOf(HasSubstr("limit"), HasSubstr("from"))) << path;
  }
  EXPECT_EQ(world.get("/api/v1/runs?status=done").status, net::Status::unprocessable_content);
  EXPECT_EQ(publish("{}", "?durability=none").status, net::Status::unprocessable_content);
}

TEST_F(Hostile, FiltersThatAreWrongAreAnsweredWithTheColumn) {
  for (const char* path :
       {"/api/v1/events?filter=type%20%3D%3D%20%27x", "/api/v1/events/stream?filter=type%20%3D%3D%20%27x"}) {
    auto answer = world.get(path);
    EXPECT_EQ(answer.status, net::Status::unprocessable_content) << path;
    EXPECT_THAT(message_of(answer), HasSubstr("column")) << path;
  }
  EXPECT_EQ(world.get("/api/v1/events/stream?from=soon").status, net::Status::unprocessable_content);
}

TEST_F(Hostile, BytesThatAreNoTextNeverComeIn) {
  for (const char* path : {"/api/v1/users/%FF/disable", "/api/v1/users/a%00b/disable",
                           "/api/v1/dead-letters/a/1/discard?reason=%C3%28", "/api/v1/runs?branch=%00"})
    EXPECT_EQ(world.ask_as(world.administrator, "POST", path, "").status, net::Status::bad_request) << path;
}

TEST_F(Hostile, PathsAreAnsweredWithWhatThereIs) {
  EXPECT_EQ(world.get("/nothing/here").status, net::Status::not_found);
  auto answer = world.ask_as(world.administrator, "DELETE", "/api/v1/events", "");
  EXPECT_EQ(answer.status, net::Status::method_not_allowed);
  EXPECT_EQ(answer.headers.get("Allow"), "POST, GET, HEAD");
  EXPECT_EQ(world.ask_as(world.administrator, "HEAD", "/api/v1/status", "").status, net::Status::ok);
  EXPECT_EQ(world.ask_as(world.administrator, "HEAD", "/api/v1/subscriptions/x/stream", "").status,
            net::Status::method_not_allowed);
  EXPECT_THAT(world.get_as("", "/").body, HasSubstr("/api/v1/openapi.json"));
}

TEST_F(Hostile, BodiesThatAreTooLargeAre413) {
  std::string large(20'000, 'x');
  for (const char* path : {"/api/v1/repositories", "/api/v1/tokens", "/api/v1/users", "/api/v1/login"})
    EXPECT_EQ(world.post(path, large).status, net::Status::content_too_large) << path;
  EXPECT_EQ(publish(std::string(9 * 1024 * 1024, ' ')).status, net::Status::content_too_large);
}

// Every route that takes JSON, with bodies that are none, or of other kinds.
TEST_F(Hostile, NoBodyIsOurFault) {
  for (const auto& route : world.parts().router.routes()) {
    if (route.about.request.type.empty()) continue;
    std::string path;
    for (size_t i = 0; i < route.pattern.size(); ++i) {
      if (route.pattern[i] != '{')
        path.push_back(route.pattern[i]);
      else
        path.push_back('1'), i = route.pattern.find('}', i);
    }
    for (const char* body : {"", "{", "[]", "5", "null", "{\"name\":{}}", "{\"full_name\":\"a/b/c\"}", "\xff\xfe",
                             "{\"name\":\"\xff\"}"}) {
      auto answer = world.ask_as(world.administrator, std::string(net::name_of(route.method)), path, body);
      auto status = static_cast<int>(answer.status);
      EXPECT_TRUE(status >= 400 && status < 500) << route.pattern << " " << status << " for " << body;
      EXPECT_TRUE(core::is_utf8(answer.body)) << route.pattern;
    }
  }
}

TEST_F(Hostile, EventsSpeakNeitherAsUsNorAsSomebodyElse) {
  auto ours = publish(R"({"specversion":"1.0","id":"1","source":"/headrace/pipeline","type":"x"})");
  EXPECT_EQ(ours.status, net::Status::forbidden);
  EXPECT_THAT(message_of(ours), HasSubstr("reserved"));
  auto other = publish(R"({"specversion":"1.0","id":"2","source":"/mine","type":"x","actor":"user:alice"})");
  EXPECT_EQ(other.status, net::Status::forbidden);
  EXPECT_THAT(message_of(other), HasSubstr("somebody else"));
  EXPECT_EQ(publish(R"({"specversion":"1.0","id":"3","source":"/mine","type":"x","actor":"user:admin"})").status,
            net::Status::created);
}

TEST_F(Hostile, ABatchIsTakenWholeOrNotAtAll) {
  net::ClientRequest request{
      "/api/v1/events",
      "POST",
      {{"Content-Type", "application/cloudevents-batch+json"}},
      R"([{"specversion":"1.0","id":"a1","source":"/mine","type":"x"},{"specversion":"1.0","id":"a2","source":"/headrace/x","type":"x"}])"};
  EXPECT_EQ(world.ask(std::move(request)).status, net::Status::forbidden);
  EXPECT_EQ(world.get("/api/v1/events/a1").status, net::Status::not_found);
}

TEST_F(Hostile, TheSameEventAgainIsTheFirstAndAnotherOfItsNameIsAConflict) {
  auto first = publish(R"({"specversion":"1.0","id":"7","source":"/mine","type":"x","data":{"a":1}})");
  EXPECT_EQ(first.status, net::Status::created);
  auto again = publish(R"({"specversion":"1.0","id":"7","source":"/mine","type":"x","data":{"a":1}})");
  EXPECT_EQ(again.status, net::Status::ok);
  EXPECT_EQ(core::integer_at(json_of(again), "offset"), core::integer_at(json_of(first), "offset"));
  EXPECT_EQ(core::boolean_at(json_of(again), "duplicate"), true);
  EXPECT_EQ(publish(R"({"specversion":"1.0","id":"7","source":"/mine","type":"x","data":{"a":2}})").status,
            net::Status::conflict);
}

TEST_F(Hostile, ListsOfEventsSayWhereToGoOn) {
  for (int i = 0; i < 5; ++i)
    publish(R"({"specversion":"1.0","id":"l)" + std::to_string(i) + R"(","source":"/list","type":"x"})");
  auto page = json_of(world.get("/api/v1/events?filter=source%20%3D%20%27%2Flist%27&limit=3"));
  ASSERT_EQ(page.at("events").as_array().size(), 3U);
  auto rest = json_of(world.get("/api/v1/events?filter=source%20%3D%20%27%2Flist%27&limit=3&from=" +
                                std::to_string(core::integer_at(page, "next").value())));
  EXPECT_EQ(rest.at("events").as_array().size(), 2U);
  EXPECT_TRUE(rest.at("next").is_null());
}

}  // namespace
}  // namespace headrace::server
