#include "net/sse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client.h"
#include "net/testing/world.h"

namespace headrace::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Wire;
using testing::World;

std::vector<ServerSentEvent> parse(std::string_view bytes, size_t step) {
  SseParser parser;
  std::vector<ServerSentEvent> all;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    auto events = parser.feed(bytes.substr(0, step));
    if (!events) break;
    all.insert(all.end(), events->begin(), events->end());
  }
  return all;
}

TEST(ServerSentEvents, AreReadAsTheStandardHasItHoweverTheyAreCut) {
  const std::string stream =
      "\xef\xbb\xbf: a comment\n\ndata: one\ndata\ndata:  three\nid: 7\n\nevent: named\r\ndata: x\r\n\r\ndata: "
      "cr\r\rid\ndata: y\n\n"
      "event: dropped, for it has no data\n\nretry: 1500\nunknown: z\ndata: last\n\ndata: not whole";
  for (size_t step = 1; step < 40; ++step)
    EXPECT_THAT(parse(stream, step), ElementsAre(ServerSentEvent{"7", "", "one\n\n three"},
                                                 ServerSentEvent{"7", "named", "x"}, ServerSentEvent{"7", "", "cr"},
                                                 ServerSentEvent{"", "", "y"}, ServerSentEvent{"", "", "last"}))
        << step << " at a time";
}

TEST(ServerSentEvents, AreReadBackAsTheyWereWritten) {
  for (ServerSentEvent event :
       {ServerSentEvent{"1", "a.b", "{\"x\":1}"}, ServerSentEvent{"2", "", ""}, ServerSentEvent{"3", "", "a\n\nb\n"}})
    EXPECT_THAT(parse(encode(event), 3), ElementsAre(event));
  EXPECT_THAT(parse(encode({"1\ndata: forged", "n\r\nid: 2", "a\r\nb\rc"}), 100),
              ElementsAre(ServerSentEvent{"1data: forged", "nid: 2", "a\nb\nc"}));
}

TEST(ServerSentEvents, AreBounded) {
  SseParser parser(100);
  EXPECT_FALSE(parser.feed("data: " + std::string(100, 'x')));
  SseParser lines(100);
  EXPECT_FALSE(lines.feed("data: " + std::string(60, 'x') + "\ndata: " + std::string(60, 'x')));
}

int streams_ended = 0;

// One event, then a heartbeat each ten seconds until the client goes.
core::Task<> stream(core::Clock& clock, Exchange& exchange) {
  SseWriter writer(exchange);
  auto sent = co_await writer.open();
  ServerSentEvent hello{.id = "5", .name = "hello", .data = "a\nb"};
  if (sent) sent = co_await writer.send(hello);
  while (sent && !exchange.ending()) {
    co_await clock.sleep_for(std::chrono::seconds(10));
    sent = co_await writer.heartbeat();
  }
  if (sent) sent = co_await writer.close();
  ++streams_ended;
}

// As many large events as the client takes.
core::Task<> flood(Exchange& exchange) {
  SseWriter writer(exchange);
  auto sent = co_await writer.open();
  const std::string event = encode({"", "", std::string(100'000, 'x')});
  while (sent) sent = co_await writer.send_encoded(event);
  ++streams_ended;
}

struct Streams {
  core::Clock** clock;
  core::Task<> operator()(Exchange& exchange) const {
    return exchange.request().path == "/flood" ? flood(exchange) : stream(**clock, exchange);
  }
};

class ServerSentEventsTest : public ::testing::Test {
 protected:
  ServerSentEventsTest() { streams_ended = 0; }
  core::Clock* clock = nullptr;
  World world{Streams{&clock}};
  void SetUp() override { clock = &world.clock; }
};

core::Task<std::string> first_event(Client& client, std::string url) {
  ClientRequest request;
  request.url = url;
  auto reader = co_await client.subscribe(request);
  if (!reader) co_return reader.error().message;
  auto event = co_await (*reader)->next();
  if (!event || !event->has_value()) co_return "nothing";
  co_return (*event)->name + " " + (*event)->data + " " + (*reader)->last_event_id();
}

TEST_F(ServerSentEventsTest, ReachAClient) {
  Client client(world.loop.executor(), world.clock);
  EXPECT_EQ(world.run(first_event(client, world.url("/"))), "hello a\nb 5");
}

TEST_F(ServerSentEventsTest, KeepComingWhileTheClientIsThere) {
  Wire wire = world.connect();
  wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(wire.until("data: b\n\n"), HasSubstr("text/event-stream"));
  for (int i = 0; i < 30; ++i) {
    world.advance(std::chrono::seconds(10));
    EXPECT_THAT(wire.ready(), HasSubstr(":\n\n")) << "heartbeat " << i;
  }
  EXPECT_FALSE(wire.closed()) << "no limit of idleness ends a live stream";
}

TEST_F(ServerSentEventsTest, EndWhenTheClientGoes) {
  for (bool reset : {false, true}) {
    Wire wire = world.connect();
    wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").until("data: b\n\n");
    reset ? wire.reset() : wire.close();
    world.settle();
    world.advance(std::chrono::seconds(10));
    EXPECT_TRUE(world.until([&] { return world.server->counters().connections_open == 0; }));
  }
  EXPECT_EQ(streams_ended, 2);
}

TEST_F(ServerSentEventsTest, EndForAClientThatReadsNothing) {
  Wire wire(world, world.address, 4096);
  wire.send("GET /flood HTTP/1.1\r\nHost: h\r\n\r\n");
  world.advance(std::chrono::seconds(29));
  EXPECT_EQ(streams_ended, 0);
  const uint64_t sent = world.server->counters().bytes_sent;
  EXPECT_LT(sent, 16u << 20) << "what the kernel holds, and no more";
  world.advance(std::chrono::seconds(2));
  EXPECT_TRUE(world.until([&] { return streams_ended == 1; }));
  EXPECT_EQ(world.server->counters().timeouts, 1u);
}

}  // namespace
}  // namespace headrace::net
