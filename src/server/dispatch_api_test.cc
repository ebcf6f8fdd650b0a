// What starts runs by GitHub's paths; the repository is real, and what it holds was pushed by git.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;
using testing::json_of;
using testing::message_of;
using testing::World;

int status_of(const net::Response& response) { return static_cast<int>(response.status); }

TEST(Dispatches, WantARepositoryTheRightAndGoodWords) {
  World world;
  ASSERT_EQ(status_of(world.post("/api/v1/repositories", R"({"full_name":"team/hello"})")), 201);
  const std::string path = "/api/v3/repos/team/hello/dispatches";
  EXPECT_EQ(status_of(world.post(path, R"({"event_type":"deploy","client_payload":{"to":"eu"}})")), 204);
  EXPECT_EQ(status_of(world.post(path, R"({"client_payload":{}})")), 422);
  EXPECT_EQ(status_of(world.post(path, R"({"event_type":"x","client_payload":[1]})")), 422);
  EXPECT_EQ(status_of(world.post("/api/v3/repos/team/none/dispatches", R"({"event_type":"x"})")), 404);
  EXPECT_EQ(status_of(world.ask_as(world.token({"run:write"}, "eve"), "POST", path, R"({"event_type":"x"})")), 403);
  EXPECT_EQ(status_of(world.ask_as("", "POST", path, R"({"event_type":"x"})")), 401);
}

TEST(Dispatches, OfAWorkflowThatIsNotThereSayWhatIsMissing) {
  World world;
  ASSERT_EQ(status_of(world.post("/api/v1/repositories", R"({"full_name":"team/hello"})")), 201);
  const std::string path = "/api/v3/repos/team/hello/actions/workflows/ci.yml/dispatches";
  auto missing = world.post(path, R"({"ref":"main"})");
  EXPECT_EQ(status_of(missing), 404);
  EXPECT_THAT(message_of(missing), HasSubstr("There is no branch or tag 'main' of team/hello with the workflow file"));
  EXPECT_EQ(status_of(world.post(path, "{}")), 422);
}

}  // namespace
}  // namespace headrace::server
