#include "server/readings.h"

#include <gmock/gmock.h>

#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json_of;
using testing::message_of;

class Readings : public ::testing::Test {
 protected:
  net::Response get(const std::string& path, const std::string& after) {
    return world.ask({path, "GET", {{"X-Headrace-After", after}}, {}});
  }
  store::Offset durable() { return world.parts().log->durable(); }
  static store::Offset offset_of(const net::Response& answer) {
    return std::stoull("0" + std::string(answer.headers.get("X-Headrace-Offset")));
  }
  testing::World world;
};

TEST_F(Readings, ShowWhatACommandDidOnceTheyWaitForItsOffset) {
  for (int n = 0; n < 20; ++n) {
    const auto name = "team/r" + std::to_string(n);
    auto made = world.post("/api/v1/repositories", R"({"full_name":")" + name + R"("})");
    ASSERT_EQ(made.status, net::Status::created) << made.body;
    const auto said = offset_of(made);
    EXPECT_GT(said, 0u);
    auto list = get("/api/v1/repositories", std::to_string(said));
    EXPECT_THAT(list.body, HasSubstr('"' + name + '"'));
    EXPECT_GE(offset_of(list), said);
    EXPECT_LE(offset_of(list), durable());
  }
}

TEST_F(Readings, SayWithoutBeingAskedWhatTheyShow) {
  ASSERT_EQ(world.post("/api/v1/repositories", R"({"full_name":"team/a"})").status, net::Status::created);
  for (const char* path : {"/api/v1/runs", "/api/v1/status", "/api/v1/whoami", "/api/v3/repos/team/a/actions/runs"}) {
    auto answer = world.get(path);
    EXPECT_GT(offset_of(answer), 0u) << path << answer.body;
    EXPECT_LE(offset_of(answer), durable());
    EXPECT_EQ(offset_of(world.ask({path, "HEAD", {}, {}})), offset_of(answer)) << path;
  }
}

TEST_F(Readings, OfAnEarlierMomentAndRefusalsSayNothing) {
  ASSERT_EQ(world.post("/api/v1/repositories", R"({"full_name":"team/a"})").status, net::Status::created);
  EXPECT_THAT(std::string(world.get("/api/v1/runs?at=1").headers.get("X-Headrace-Offset")), IsEmpty());
  EXPECT_THAT(std::string(world.get("/api/v1/runs/77").headers.get("X-Headrace-Offset")), IsEmpty());
  EXPECT_GT(offset_of(world.get("/api/v1/runs?at=")), 0u) << "an empty moment is now";
  EXPECT_EQ(get("/api/v1/runs?at=1", "soon").status, net::Status::ok) << "there is nothing to wait for";
}

TEST_F(Readings, ThatWaitForNoOffsetAreRefused) {
  for (const char* wrong : {"", "-1", "soon", "1.5", "99999999999999999999", " "}) {
    auto answer = get("/api/v1/runs", wrong);
    EXPECT_EQ(answer.status, net::Status::unprocessable_content) << wrong;
    EXPECT_THAT(message_of(answer), HasSubstr("X-Headrace-After is the offset of an event")) << wrong;
  }
}

TEST_F(Readings, DoNotWaitForWhatTheLogDoesNotHold) {
  ASSERT_EQ(world.post("/api/v1/repositories", R"({"full_name":"team/a"})").status, net::Status::created);
  const auto begun = std::chrono::steady_clock::now();
  auto answer = get("/api/v1/runs", std::to_string(durable() + 1'000));
  EXPECT_EQ(answer.status, net::Status::ok);
  EXPECT_LE(offset_of(answer), durable());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, shown_wait_max);
}

TEST_F(Readings, ThatNobodyNeedSignInForDoNotTellHowFarTheLogIs) {
  auto open = world.send({"/api/v1/openapi.json", "GET", {{"X-Headrace-After", "soon"}}, {}});
  EXPECT_EQ(open.status, net::Status::ok);
  EXPECT_FALSE(open.headers.contains("X-Headrace-Offset"));
}

}  // namespace
}  // namespace headrace::server
