// The list of runs over HTTP: what it is asked, and for whom.
#include "server/runs_api.h"

#include <gmock/gmock.h>

#include "events/vocabulary.h"
#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json_of;
using testing::message_of;

class RunsApi : public ::testing::Test {
 protected:
  void run(int64_t id, const std::string& repository, const std::string& title) {
    events::RunQueued queued;
    queued.run = "0190a000-0000-7000-8000-00000000000" + std::to_string(id);
    queued.id = queued.number = id;
    queued.repository = repository;
    queued.workflow = "CI";
    queued.workflow_file = ".github/workflows/ci.yml";
    queued.event = "push";
    queued.branch = "main";
    queued.commit = std::string(39, 'a') + std::to_string(id);
    queued.actor = "alice";
    queued.title = title;
    auto origin = bus::Origin::root("pipeline", core::Actor::system());
    auto& parts = world.parts();
    ASSERT_TRUE(parts.loop.run(parts.bus->say(queued, origin)));
    ASSERT_TRUE(parts.loop.run(parts.store->all_caught_up(std::chrono::seconds(20))));
  }
  std::vector<int64_t> ids(const std::string& token, const std::string& query) {
    std::vector<int64_t> all;
    auto answer = json_of(world.get_as(token, "/api/v1/runs" + query));
    for (const auto& run : answer.at("runs").as_array()) all.push_back(core::integer_at(run, "id").value());
    next = core::string_at(answer, "next").value_or("");
    return all;
  }

  testing::World world;
  std::string next;
};

TEST_F(RunsApi, FillsPagesFromWhatOneMaySee) {
  for (const char* name : {"team/open", "team/shut"})
    world.post("/api/v1/repositories", R"({"full_name":")" + std::string(name) + "\"}");
  run(1, "team/open", "first");
  for (int64_t id = 2; id <= 6; ++id) run(id, "team/shut", "hidden");
  run(7, "team/open", "second");
  auto guest = world.token({"run:read"}, "guest");
  EXPECT_THAT(ids(guest, ""), IsEmpty());
  auto granted =
      world.ask_as(world.administrator, "PUT", "/api/v1/users/guest/role", R"({"scope":"team/open","role":"read"})");
  ASSERT_LT(static_cast<int>(granted.status), 300) << granted.body;
  EXPECT_THAT(ids(guest, "?limit=2"), ElementsAre(7, 1));
  EXPECT_THAT(ids(guest, "?limit=1"), ElementsAre(7));
  EXPECT_THAT(ids(guest, "?limit=1&cursor=" + next), ElementsAre(1));
  EXPECT_THAT(ids(guest, "?q=hidden"), IsEmpty());
  EXPECT_THAT(ids(world.administrator, "?q=hidden&limit=2"), ElementsAre(6, 5));
  EXPECT_EQ(world.get_as(guest, "/api/v1/runs?repository=team/shut").status, net::Status::forbidden);
  EXPECT_EQ(ids(guest, "?repository=Team/Open").size(), 2U) << "names count without case";
}

TEST_F(RunsApi, RefusesParametersThatItDoesNotHave) {
  auto answer = world.get("/api/v1/runs?repo=team/hello");
  EXPECT_EQ(answer.status, net::Status::bad_request);
  EXPECT_THAT(message_of(answer), AllOf(HasSubstr("'repo'"), HasSubstr("repository, branch")));
  EXPECT_EQ(world.get("/api/v1/runs?result=fine").status, net::Status::unprocessable_content);
  EXPECT_EQ(world.get("/api/v1/runs?result=failed&actor=a&event=b&workflow=c&commit=abcdef1&q=d&branch=e").status,
            net::Status::ok);
  EXPECT_EQ(world.get("/api/v1/whoami?verbose=1").status, net::Status::bad_request);
}

}  // namespace
}  // namespace headrace::server
