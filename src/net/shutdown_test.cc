#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/server.h"
#include "net/sse.h"
#include "net/testing/world.h"

namespace headrace::net {
namespace {

using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::Wire;
using testing::World;

core::Task<> slow_answer(core::Clock& clock, Exchange& exchange) {
  co_await clock.sleep_for(seconds(3));
  auto sent = co_await exchange.respond(make_response(Status::ok, "done"));
}

core::Task<> live(Exchange& exchange) {
  SseWriter writer(exchange);
  auto sent = co_await writer.open();
  co_await exchange.until_ending();
  ServerSentEvent last{.id = {}, .name = "last", .data = exchange.shutting_down() ? "shutdown" : "gone"};
  if (sent) sent = co_await writer.send(last);
  if (sent) sent = co_await writer.close();
}

core::Task<> stubborn(core::Clock& clock, Exchange& exchange) {
  auto sent = co_await exchange.start(Status::ok, Headers());
  co_await clock.sleep_for(std::chrono::hours(1));
  sent = co_await exchange.finish();
}

struct Handlers {
  core::Clock** clock;
  core::Task<> operator()(Exchange& exchange) const {
    const std::string& path = exchange.request().path;
    return path == "/live"       ? live(exchange)
           : path == "/stubborn" ? stubborn(**clock, exchange)
                                 : slow_answer(**clock, exchange);
  }
};

core::Task<> shut_down(Server& server, seconds deadline, bool& over) {
  co_await server.shutdown(deadline);
  over = true;
}

class ShutdownTest : public ::testing::Test {
 protected:
  void SetUp() override { clock = &world.clock; }
  void begin(seconds deadline) {
    world.loop.spawn(shut_down(*world.server, deadline, over));
    world.settle();
  }

  core::Clock* clock = nullptr;
  World world{Handlers{&clock}};
  bool over = false;
};

TEST_F(ShutdownTest, ClosesIdleConnectionsAtOnceAndTakesNoNew) {
  Wire silent = world.connect();
  Wire half = world.connect();
  half.send("GET / HT");
  begin(seconds(5));
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(half.closed());
  EXPECT_TRUE(over);
  EXPECT_THROW(world.connect(), core::BrokenInvariant) << "nobody listens";
}

TEST_F(ShutdownTest, LetsARequestFinish) {
  Wire wire = world.connect();
  wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  begin(seconds(5));
  world.advance(seconds(2));
  EXPECT_FALSE(over);
  world.advance(seconds(1));
  const std::string answer = wire.rest();
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_THAT(answer, EndsWith("done"));
  wire.close();
  EXPECT_TRUE(world.until([&] { return over; }));
}

TEST_F(ShutdownTest, TellsLiveStreams) {
  Wire wire = world.connect();
  wire.send("GET /live HTTP/1.1\r\nHost: h\r\n\r\n").until(":\n\n");
  begin(seconds(5));
  EXPECT_THAT(wire.rest(), EndsWith("event: last\ndata: shutdown\n\n\r\n0\r\n\r\n"));
  wire.close();
  EXPECT_TRUE(world.until([&] { return over; }));
}

TEST_F(ShutdownTest, CutsWhatDoesNotEndInTime) {
  Wire wire = world.connect();
  wire.send("GET /stubborn HTTP/1.1\r\nHost: h\r\n\r\n").until("\r\n\r\n");
  begin(seconds(5));
  world.advance(seconds(4));
  EXPECT_FALSE(over);
  EXPECT_FALSE(wire.closed());
  world.advance(seconds(2));
  EXPECT_TRUE(over);
  EXPECT_THAT(wire.rest(), ::testing::Not(HasSubstr("0\r\n\r\n"))) << "the client sees that it is not whole";
}

TEST_F(ShutdownTest, CanBeAskedForTwice) {
  begin(seconds(1));
  EXPECT_TRUE(over);
  over = false;
  begin(seconds(1));
  EXPECT_TRUE(over);
}

core::Task<> live_socket(Exchange& exchange) {
  WebSocketOptions options;
  auto socket = co_await exchange.upgrade(options);
  if (socket) auto got = co_await (*socket)->receive();
}

core::Task<> hold(Exchange& exchange) {
  return exchange.request().path == "/ws" ? live_socket(exchange) : live(exchange);
}

TEST(Shutdown, MayBeLeftOutWhenTheLoopDoesNotRunAnyMore) {
  auto world = std::make_unique<World>(hold);
  Wire idle = world->connect();
  Wire stream = world->connect();
  stream.send("GET /live HTTP/1.1\r\nHost: h\r\n\r\n").until(":\n\n");
  Wire socket = world->connect();
  socket
      .send(
          "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
      .until("\r\n\r\n");
  EXPECT_EQ(world->server->counters().connections_open, 3u);
  world->server.reset();  // with all of its tasks still there; the loop destroys them, and the sanitizers look on
  for (Wire* wire : {&idle, &stream, &socket}) wire->close();
  world.reset();
}

}  // namespace
}  // namespace headrace::net
