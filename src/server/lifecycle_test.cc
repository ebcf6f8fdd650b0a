// How the platform begins and ends, with clients in the middle of something.
#include <gmock/gmock.h>

#include <fstream>

#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;

Options options_of(const testing::World& world) {
  Options options;
  options.data = world.folder();
  options.listen = "127.0.0.1:0";
  options.local_runner = false;
  return options;
}

core::Task<> read_to_end(net::Client& client, net::ClientRequest request, std::string& heard, bool& ended) {
  auto reader = co_await client.subscribe(std::move(request));
  while (reader) {
    auto event = co_await (*reader)->next();
    if (!event) co_return;  // broken off: not told
    if (!*event) break;
    heard += (*event)->id + " ";
  }
  ended = true;
}

core::Task<> stop_when(Parts& parts, const std::string& heard) {
  while (heard.empty()) co_await parts.clock.sleep_for(std::chrono::milliseconds(1));
  co_await parts.stop();
}

core::Task<> both(core::Loop& loop, core::Task<> client, core::Task<> server) {
  core::Scope scope(loop.executor());
  scope.spawn("client", std::move(client));
  co_await std::move(server);
  co_await scope.until_idle();
}

TEST(Lifecycle, KeepsWhatWasPublishedOverAStop) {
  testing::World world;
  net::ClientRequest request{"/api/v1/events",
                             "POST",
                             {{"Content-Type", "application/cloudevents+json"}},
                             R"({"specversion":"1.0","id":"1","source":"/mine","type":"x"})"};
  EXPECT_EQ(world.ask(std::move(request)).status, net::Status::created);
  world.stop();
  world.start();
  EXPECT_EQ(world.get("/api/v1/events/1").status, net::Status::ok);
}

TEST(Lifecycle, EndsStreamsCleanlyWhenItStops) {
  testing::World world;
  auto& parts = world.parts();
  net::Client client(parts.loop.executor(), parts.clock);
  net::ClientRequest request{parts.public_url + "/api/v1/events/stream?from=beginning",
                             "GET",
                             {{"Authorization", "Bearer " + world.administrator}},
                             {}};
  std::string heard;
  bool ended = false;
  parts.loop.run(both(parts.loop, read_to_end(client, std::move(request), heard, ended), stop_when(parts, heard)));
  EXPECT_NE(heard, "");
  EXPECT_TRUE(ended);
  EXPECT_EQ(parts.http->counters().connections_open, 0U);
}

TEST(Lifecycle, StopsWhileAClientThatListenedHasGone) {
  testing::World world;
  auto& parts = world.parts();
  {
    net::Client client(parts.loop.executor(), parts.clock);
    net::ClientRequest request{
        parts.public_url + "/api/v1/events/stream", "GET", {{"Authorization", "Bearer " + world.administrator}}, {}};
    auto reader = parts.loop.run(client.subscribe(std::move(request)));
    ASSERT_TRUE(reader);
  }
  world.stop();
}

TEST(Lifecycle, AnswersOnlyHealthBeforeItHasBegun) {
  testing::World world;
  world.parts().dispatch->close();
  EXPECT_EQ(world.get_as("", "/healthz").status, net::Status::ok);
  auto answer = world.get("/api/v1/status");
  EXPECT_EQ(answer.status, net::Status::unavailable);
  EXPECT_EQ(answer.headers.get("Retry-After"), "1");
}

TEST(Lifecycle, SaysWhichAddressIsTakenBeforeItOpensAnything) {
  testing::World world;
  auto taken = world.parts().public_url.substr(std::string("http://").size());
  auto options = options_of(world);
  options.listen = taken;
  auto second = Parts::open(std::move(options));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, core::Code::unavailable);
  EXPECT_THAT(second.error().message, HasSubstr(taken));
}

TEST(Lifecycle, SaysThatTheKeyOfTheVaultIsNotTheRightOne) {
  testing::World world;
  world.stop();
  {
    std::ofstream(world.folder() + "/vault.key") << std::string(64, '0') << "\n";
  }
  auto opened = Parts::open(options_of(world));
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("key"));
}

// Whatever fails while it starts, nothing of it is left running.
TEST(Lifecycle, CanBeStoppedAfterAStartThatFailed) {
  testing::World world;
  world.stop();
  auto options = options_of(world);
  options.bootstrap_token_file = world.folder() + "/no-such-folder/token";
  auto opened = Parts::open(std::move(options));
  ASSERT_TRUE(opened) << opened.error().message;
  auto started = (*opened)->loop.run((*opened)->start());
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message + started.error().detail, HasSubstr("no-such-folder"));
  (*opened)->loop.run((*opened)->stop());
}

TEST(Lifecycle, CanBeStoppedBeforeItHasStarted) {
  testing::World world;
  world.stop();
  auto opened = Parts::open(options_of(world));
  ASSERT_TRUE(opened) << opened.error().message;
  (*opened)->loop.run((*opened)->stop());
}

}  // namespace
}  // namespace headrace::server
