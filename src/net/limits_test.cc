#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/server.h"
#include "net/testing/world.h"

namespace headrace::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::Wire;
using testing::World;

core::Task<> count_body(Exchange& exchange) {
  std::array<std::byte, 4096> part;
  size_t size = 0;
  core::Result<size_t> got;
  do {
    got = co_await exchange.read(part);
    size += got.value_or(0);
  } while (got && *got > 0);
  Response response = got ? make_response(Status::ok, std::to_string(size))
                          : make_response(Status::request_timeout, got.error().message);
  auto sent = co_await exchange.respond(std::move(response));
}

bool wrote_to_the_end = false;

core::Task<> write_much(Exchange& exchange) {
  wrote_to_the_end = false;
  const std::string part(1 << 20, 'x');
  auto sent = co_await exchange.start(Status::ok, Headers());
  for (int i = 0; i < 64 && sent; ++i) sent = co_await exchange.write(part);
  if (sent) sent = co_await exchange.finish();
  wrote_to_the_end = sent.has_value();
}

constexpr std::string_view head = "GET / HTTP/1.1\r\nHost: h\r\n";

TEST(Limits, EndASlowHeader) {
  World world(count_body);
  Wire wire = world.connect();
  for (int second = 0; second < 9; ++second) {  // a byte a second is no excuse
    wire.send(head.substr(static_cast<size_t>(second), 1));
    world.advance(seconds(1));
    ASSERT_THAT(wire.ready(), IsEmpty());
  }
  world.advance(seconds(2));
  EXPECT_THAT(wire.until("\r\n\r\n"), StartsWith("HTTP/1.1 408 Request Timeout"));
  world.advance(seconds(3));
  EXPECT_TRUE(world.until([&] { return world.server->counters().connections_open == 0; }));
}

TEST(Limits, EndAConnectionThatSaysNothing) {
  World world(count_body);
  Wire wire = world.connect();
  world.advance(seconds(9));
  EXPECT_FALSE(wire.closed());
  world.advance(seconds(2));
  EXPECT_TRUE(wire.closed());
  EXPECT_EQ(world.server->counters().timeouts, 1u);
}

TEST(Limits, EndAKeptConnectionAfterItsIdleTime) {
  World world(count_body);
  Wire wire = world.connect();
  wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until("\r\n\r\n0");
  world.advance(seconds(59));
  EXPECT_FALSE(wire.closed());
  wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until("\r\n\r\n0");
  world.advance(seconds(59));
  EXPECT_FALSE(wire.closed()) << "a request begins it anew";
  world.advance(seconds(2));
  EXPECT_TRUE(wire.closed());
}

TEST(Limits, GiveTheSecondHeaderItsOwnTime) {
  World world(count_body);
  Wire wire = world.connect();
  wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until("\r\n\r\n0");
  world.advance(seconds(50));
  wire.send(head);
  world.advance(seconds(9));
  EXPECT_THAT(wire.ready(), IsEmpty());
  world.advance(seconds(2));
  EXPECT_THAT(wire.until("\r\n\r\n"), StartsWith("HTTP/1.1 408 "));
}

TEST(Limits, EndABodyThatStopsButNotASlowOne) {
  World world(count_body);
  Wire wire = world.connect();
  wire.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    world.advance(seconds(25));
    wire.send("x");
  }
  EXPECT_THAT(wire.ready(), IsEmpty());
  world.advance(seconds(31));
  EXPECT_THAT(wire.until("stopped arriving."), StartsWith("HTTP/1.1 408 "));
}

TEST(Limits, EndAClientThatReadsNothing) {
  World world(write_much);
  Wire wire(world, world.address, 4096);
  wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  world.advance(seconds(29));
  EXPECT_EQ(world.server->counters().connections_open, 1u);
  EXPECT_LT(world.server->counters().bytes_sent, 16u << 20) << "nothing piles up for it here";
  world.advance(seconds(2));
  EXPECT_TRUE(world.until([&] { return world.server->counters().connections_open == 0; }));
  EXPECT_FALSE(wrote_to_the_end);
}

TEST(Limits, LetAClientReadSlowly) {
  World world(write_much);
  Wire wire(world, world.address, 4096);
  wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 5; ++i) {
    world.advance(seconds(25));
    wire.bytes(4 << 20);
  }
  EXPECT_EQ(world.server->counters().connections_open, 1u);
  EXPECT_TRUE(wire.until("\r\n0\r\n\r\n").ends_with("\r\n0\r\n\r\n"));
  EXPECT_TRUE(wrote_to_the_end);
}

TEST(Limits, NoticeAClientThatGoesWhileItIsAnswered) {
  for (bool reset : {false, true}) {
    World world(write_much);
    Wire wire(world, world.address, 4096);
    wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").bytes(100);
    reset ? wire.reset() : wire.close();
    EXPECT_TRUE(world.until([&] { return world.server->counters().connections_open == 0; }));
    EXPECT_FALSE(wrote_to_the_end);
  }
}

TEST(Limits, NoticeAClientThatGoesWhileItAsks) {
  World world(count_body);
  Wire wire = world.connect();
  wire.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf").close();
  EXPECT_TRUE(world.until([&] { return world.server->counters().connections_open == 0; }));
}

TEST(Limits, PassAHugeBodyThroughLittleMemory) {
  World world(count_body);
  Wire wire = world.connect();
  constexpr size_t size = 256 << 20;
  wire.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  const std::string part(1 << 20, 'x');
  for (size_t sent = 0; sent < size; sent += part.size()) wire.send(part);
  EXPECT_THAT(wire.until(std::to_string(size)), StartsWith("HTTP/1.1 200 OK"));
}

TEST(Limits, RefuseMoreConnectionsThanTheyAllow) {
  World world(count_body, {.connections_max = 2});
  Wire one = world.connect(), two = world.connect();
  EXPECT_THAT(world.connect().rest(), StartsWith("HTTP/1.1 503 Service Unavailable"));
  EXPECT_EQ(world.server->counters().connections_refused, 1u);
  one.close();
  world.settle();
  EXPECT_THAT(world.connect().send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until("\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST(Limits, WaitForDescriptorsToBeFreeAgain) {
  World world(count_body);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  ::testing::internal::CaptureStderr();
  std::array<int, 3> free{::dup(1), ::dup(1),
                          ::dup(1)};  // for the first client, the first connection, the second client
  for (int descriptor : free) ::close(descriptor);
  const rlimit few{.rlim_cur = static_cast<rlim_t>(free.back()) + 1, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  std::optional<Wire> first(world.connect());
  first->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until("\r\n\r\n0");
  Wire second = world.connect();
  second.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(second.ready(), IsEmpty());
  EXPECT_GE(world.server->counters().connections_refused, 1u);
  first.reset();
  world.settle();
  world.advance(milliseconds(200));
  EXPECT_THAT(second.until("\r\n\r\n0"), StartsWith("HTTP/1.1 200 "));
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("Raise the limit of open files"));
}

TEST(Limits, HoldAThousandIdleConnections) {
  World world(count_body);
  std::vector<Wire> wires;
  for (int i = 0; i < 1000; ++i) {
    wires.push_back(world.connect());
    wires.back().send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until("\r\n\r\n0");
  }
  EXPECT_EQ(world.server->counters().connections_open, 1000u);
  world.advance(seconds(30));
  for (Wire& wire : wires) wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  for (Wire& wire : wires) EXPECT_THAT(wire.until("\r\n\r\n0"), StartsWith("HTTP/1.1 200 "));
  world.advance(seconds(62));
  EXPECT_TRUE(world.until([&] { return world.server->counters().connections_open == 0; }));
}

}  // namespace
}  // namespace headrace::net
