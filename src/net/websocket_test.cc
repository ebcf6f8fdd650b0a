#include "net/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client.h"
#include "net/testing/world.h"
#include "net/ws_frame.h"

namespace headrace::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::Wire;
using testing::World;

constexpr MaskKey key{1, 2, 3, 4};
constexpr std::string_view request =
    "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: "
    "13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: b, a\r\n\r\n";

std::string from_client(Opcode opcode, std::string_view payload) {
  Buffer buffer;
  append_frame(buffer, opcode, payload, key);
  return std::string(buffer.view());
}

std::string from_server(Opcode opcode, std::string_view payload) {
  Buffer buffer;
  append_frame(buffer, opcode, payload, std::nullopt);
  return std::string(buffer.view());
}

struct Ended {
  int times = 0;
  CloseCode code = CloseCode::no_code;
  std::optional<core::Error> error;
};
Ended ended;

// Says everything back until the end.
core::Task<> echo(Exchange& exchange) {
  WebSocketOptions options;
  options.subprotocols = {"a"};
  options.message_bytes_max = 100'000;
  auto socket = co_await exchange.upgrade(options);
  if (!socket) co_return;
  core::Result<std::optional<Message>> got;
  while ((got = co_await (*socket)->receive()) && got->has_value()) {
    auto sent = co_await (*socket)->send(std::move(**got));
    if (!sent) break;
  }
  ++ended.times;
  ended.code = (*socket)->close_code();
  ended.error = got ? std::nullopt : std::optional(got.error());
}

core::Task<> shut_down(Server& server, seconds deadline, bool& over) {
  co_await server.shutdown(deadline);
  over = true;
}

class WebSocketTest : public ::testing::Test {
 protected:
  WebSocketTest() { ended = {}; }
  Wire open() {
    Wire wire = world.connect();
    EXPECT_THAT(wire.send(request).until("\r\n\r\n"), StartsWith("HTTP/1.1 101 Switching Protocols"));
    return wire;
  }
  void expect_end(CloseCode code) {
    ASSERT_TRUE(world.until([&] { return ended.times == 1; }));
    EXPECT_EQ(ended.code, code);
  }
  World world{echo};
};

TEST_F(WebSocketTest, AgreesOnTheHandshake) {
  Wire wire = world.connect();
  const std::string answer = wire.send(request).until("\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));  // RFC 6455, section 1.3
  EXPECT_THAT(answer, HasSubstr("Sec-WebSocket-Protocol: a\r\n"));
  EXPECT_EQ(world.server->counters().websockets_open, 1u);
}

TEST_F(WebSocketTest, RefusesAnImproperHandshake) {
  const auto changed = [](std::string_view from, std::string_view to) {
    std::string text(request);
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_THAT(world.connect().send(changed("Version: 13", "Version: 8")).until("\r\n\r\n"),
              StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(world.connect().send(changed("Upgrade: websocket", "X: y")).until("\r\n\r\n"),
              StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(world.connect().send(changed("keep-alive, Upgrade", "close")).until("\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(world.connect().send(changed("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=")).until("\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(world.connect().send(changed("GET", "PUT")).until("\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(WebSocketTest, EchoesMessagesAlsoThoseSentWithTheHandshake) {
  Wire wire = world.connect();
  wire.send(std::string(request) + from_client(Opcode::text, "early")).until("\r\n\r\n");
  EXPECT_EQ(wire.bytes(7), from_server(Opcode::text, "early"));
  const std::string large(90'000, 'x');
  wire.send(from_client(Opcode::binary, large));
  EXPECT_EQ(wire.bytes(90'010), from_server(Opcode::binary, large));
}

TEST_F(WebSocketTest, AnswersPings) {
  Wire wire = open();
  wire.send(from_client(Opcode::ping, "are you there"));
  EXPECT_EQ(wire.bytes(15), from_server(Opcode::pong, "are you there"));
}

TEST_F(WebSocketTest, ClosesWithTheCodeOfThePeer) {
  Wire wire = open();
  wire.send(from_client(Opcode::close, close_payload(CloseCode::going_away, "bye")));
  EXPECT_EQ(wire.rest(), from_server(Opcode::close, close_payload(CloseCode::going_away, "")));
  expect_end(CloseCode::going_away);
  EXPECT_FALSE(ended.error);
}

TEST_F(WebSocketTest, TellsWhyItCloses) {
  const std::vector<std::pair<std::string, CloseCode>> cases{
      {from_server(Opcode::text, "unmasked"), CloseCode::protocol_error},
      {from_client(Opcode::text, "\xc3\x28"), CloseCode::bad_data},
      {from_client(Opcode::binary, std::string(100'001, 'x')), CloseCode::too_big},
      {from_client(Opcode::close, "\x03\xed"), CloseCode::protocol_error},
      {from_client(Opcode::continuation, ""), CloseCode::protocol_error},
  };
  for (const auto& [bytes, code] : cases) {
    ended = {};
    Wire wire = open();
    wire.send(bytes);
    const std::string answer = wire.rest();
    ASSERT_GE(answer.size(), 4u);
    EXPECT_EQ(answer[0], '\x88');
    EXPECT_EQ(parse_close(std::string_view(answer).substr(2))->code, code);
    wire.close();
    expect_end(code);
    ASSERT_TRUE(ended.error);
    EXPECT_EQ(ended.error->code, code == CloseCode::too_big ? core::Code::exhausted : core::Code::invalid);
  }
}

TEST_F(WebSocketTest, NoticesAPeerThatGoes) {
  Wire wire = open();
  wire.reset();
  expect_end(CloseCode::abnormal);
  EXPECT_EQ(ended.error->code, core::Code::unavailable);
}

TEST_F(WebSocketTest, PingsASilentPeerAndCutsADeadOne) {
  Wire wire = open();
  world.advance(seconds(29));
  EXPECT_EQ(wire.ready(), "");
  world.advance(seconds(2));
  EXPECT_EQ(wire.ready(), from_server(Opcode::ping, ""));
  wire.send(from_client(Opcode::pong, ""));
  world.advance(seconds(31));
  EXPECT_EQ(wire.ready(), from_server(Opcode::ping, ""));
  world.advance(seconds(19));
  EXPECT_EQ(ended.times, 0);
  world.advance(seconds(2));
  expect_end(CloseCode::abnormal);
}

// Asks the other end as soon as the connection is open, and says what came of it.
core::Task<> ask(std::shared_ptr<WebSocket> socket, std::optional<core::Result<>>& answer) {
  answer = co_await socket->ping();
}

core::Task<> ask_and_echo(Exchange& exchange, core::Loop& loop, std::optional<core::Result<>>& answer) {
  auto socket = co_await exchange.upgrade(WebSocketOptions());
  if (!socket) co_return;
  const std::shared_ptr<WebSocket> shared = std::move(*socket);
  core::Scope asking(loop.executor());
  asking.spawn("ask", ask(shared, answer));
  while (true) {
    auto got = co_await shared->receive();
    if (!got || !*got) break;
  }
  co_await asking.until_idle();
}

TEST(WebSocketPing, IsAnsweredByAPongOfItsOwnAndByNothingElse) {
  std::optional<core::Result<>> answer;
  World* here = nullptr;
  World world([&](Exchange& exchange) { return ask_and_echo(exchange, here->loop, answer); });
  here = &world;
  Wire wire = world.connect();
  EXPECT_THAT(wire.send(request).until("\r\n\r\n"), StartsWith("HTTP/1.1 101"));
  EXPECT_EQ(wire.bytes(3), from_server(Opcode::ping, "1"));
  wire.send(from_client(Opcode::pong, "")).send(from_client(Opcode::text, "1")).send(from_client(Opcode::pong, "0"));
  world.settle();
  EXPECT_FALSE(answer);
  wire.send(from_client(Opcode::pong, "1"));
  ASSERT_TRUE(world.until([&] { return answer.has_value(); }));
  EXPECT_TRUE(*answer);
}

TEST(WebSocketPing, FailsWhenTheConnectionEnds) {
  std::optional<core::Result<>> answer;
  World* here = nullptr;
  World world([&](Exchange& exchange) { return ask_and_echo(exchange, here->loop, answer); });
  here = &world;
  Wire wire = world.connect();
  EXPECT_THAT(wire.send(request).until("\r\n\r\n"), StartsWith("HTTP/1.1 101"));
  wire.bytes(3);
  wire.reset();
  ASSERT_TRUE(world.until([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->error().code, core::Code::unavailable);
}

TEST_F(WebSocketTest, IsClosedWhenTheServerShutsDown) {
  Wire wire = open();
  bool over = false;
  world.loop.spawn(shut_down(*world.server, seconds(10), over));
  world.settle();
  const std::string close = from_server(Opcode::close, close_payload(CloseCode::going_away, "The server shuts down."));
  EXPECT_EQ(wire.bytes(close.size()), close);
  wire.send(from_client(Opcode::close, close_payload(CloseCode::going_away, "")));
  EXPECT_TRUE(world.until([&] { return over; }));
  expect_end(CloseCode::going_away);
}

TEST_F(WebSocketTest, IsCutWhenItsCloseIsNotAnswered) {
  Wire wire = open();
  bool over = false;
  world.loop.spawn(shut_down(*world.server, seconds(60), over));
  world.advance(seconds(4));
  EXPECT_FALSE(over);
  world.advance(seconds(2));
  EXPECT_TRUE(over);
}

core::Task<std::string> talk(Client& client, std::string url, std::string& subprotocol) {
  ClientRequest ask;
  ask.url = url;
  WebSocketOptions options;
  options.subprotocols = {"z", "a"};
  auto socket = co_await client.websocket(ask, options);
  if (!socket) co_return socket.error().message;
  subprotocol = (*socket)->subprotocol();
  std::string heard;
  const std::vector<std::string> texts{"one", "", std::string(70'000, 'y')};
  for (const std::string& text : texts) {
    Message message{Message::Kind::text, text};
    auto sent = co_await (*socket)->send(message);
    auto got = co_await (*socket)->receive();
    if (!got || !got->has_value()) co_return "no answer";
    if (**got != message) co_return "another message";
    heard += (*got)->data.substr(0, 3) + ";";
  }
  auto closed = co_await (*socket)->close(CloseCode::normal, "enough");
  co_return heard + (closed ? "closed" : closed.error().message);
}

TEST_F(WebSocketTest, TalksToOurOwnClient) {
  Client client(world.loop.executor(), world.clock);
  std::string subprotocol;
  EXPECT_EQ(world.run(talk(client, "ws://" + world.address + "/ws", subprotocol)), "one;;yyy;closed");
  EXPECT_EQ(subprotocol, "a");
  expect_end(CloseCode::normal);
}

// Sends without end to a peer that may not read.
size_t queued_at_most = 0;
core::Result<> send_result;

core::Task<> flood(Exchange& exchange) {
  WebSocketOptions options;
  auto socket = co_await exchange.upgrade(options);
  if (!socket) co_return;
  queued_at_most = 0;
  send_result = {};
  while (send_result) {
    Message message{Message::Kind::binary, std::string(100'000, 'x')};
    send_result = co_await (*socket)->send(std::move(message));
    queued_at_most = std::max(queued_at_most, (*socket)->queued());
  }
}

TEST(WebSocketQueue, IsBoundedAndAPeerThatReadsNothingIsCut) {
  World world(flood);
  Wire wire(world, world.address, 4096);
  wire.send(request).until("\r\n\r\n");
  world.advance(seconds(25));
  wire.bytes(10'000'000);
  EXPECT_TRUE(send_result) << "a slow reader holds the sender up";
  EXPECT_LE(queued_at_most, 1'100'100u);
  world.advance(seconds(32));
  EXPECT_TRUE(world.until([&] { return !send_result; }));
  EXPECT_EQ(send_result.error().code, core::Code::unavailable);
}

size_t taken_at_once = 0;
bool taken_once_closed = true;

core::Task<> send_what_fits(Exchange& exchange) {
  WebSocketOptions options;
  options.queue_bytes_max = 1'000;
  auto socket = co_await exchange.upgrade(options);
  if (!socket) co_return;
  taken_at_once = 0;
  while ((*socket)->send_now(Message::Kind::text, "hello")) ++taken_at_once;
  [[maybe_unused]] auto flushed = co_await (*socket)->flush();
  if ((*socket)->send_now(Message::Kind::text, "there is room again")) ++taken_at_once;
  [[maybe_unused]] auto closed = co_await (*socket)->close();
  taken_once_closed = (*socket)->send_now(Message::Kind::text, "too late");
}

TEST(WebSocketQueue, WhatFitsIsTakenAtOnceAndTheRestIsLeftToTheSender) {
  World world(send_what_fits);
  Wire wire(world, world.address, 4096);
  wire.send(request).until("\r\n\r\n");
  const std::string hello = from_server(Opcode::text, "hello");
  const std::string again = from_server(Opcode::text, "there is room again");
  const size_t fits = (1'000 - 5) / hello.size() + 1;
  const std::string got = wire.bytes(fits * hello.size() + again.size());
  EXPECT_EQ(taken_at_once, fits + 1);
  EXPECT_THAT(got, StartsWith(hello));
  EXPECT_TRUE(got.ends_with(again));
  wire.send(from_client(Opcode::close, close_payload(CloseCode::normal, "")));
  EXPECT_TRUE(world.until([] { return !taken_once_closed; }));
}

}  // namespace
}  // namespace headrace::net
