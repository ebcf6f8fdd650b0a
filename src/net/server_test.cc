#include "net/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "net/testing/world.h"

namespace headrace::net {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::Wire;
using testing::World;

core::Task<> say_path(Exchange& exchange) {
  auto sent = co_await exchange.respond(make_response(Status::ok, exchange.request().path));
}

core::Task<> echo(Exchange& exchange) {
  auto body = co_await exchange.body(1000);
  Response response =
      body ? make_response(Status::ok, *body)
           : make_response(body.error().code == core::Code::invalid ? Status::bad_request : Status::content_too_large,
                           body.error().message);
  auto sent = co_await exchange.respond(std::move(response));
}

core::Task<> three_parts(Exchange& exchange) {
  const std::vector<std::string> parts{"one", "", "two", "a part of more than fifteen bytes"};
  Headers headers{{"Content-Type", "text/plain"}};
  auto sent = co_await exchange.start(Status::ok, std::move(headers));
  for (const std::string& part : parts)
    if (sent) sent = co_await exchange.write(part);
  if (sent) sent = co_await exchange.finish();
}

core::Task<> stop_half_way(Exchange& exchange) {
  auto sent = co_await exchange.start(Status::ok, Headers(), 10);
  if (sent) sent = co_await exchange.write("12345");
}

core::Task<> throw_surprise(Exchange&) {
  throw std::runtime_error("a surprise");
  co_return;
}

core::Task<> say_nothing(Exchange&) { co_return; }

core::Task<> say_who(Exchange& exchange) {
  const Peer& peer = exchange.request().peer;
  const std::string text = (peer.local ? "local " : "remote ") + std::to_string(peer.process);
  auto sent = co_await exchange.respond(make_response(Status::ok, text));
}

TEST(Server, AnswersOneRequestAfterTheOtherOnAKeptConnection) {
  World world(say_path);
  Wire wire = world.connect();
  for (std::string path : {"/a", "/b"}) {
    wire.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string head = wire.until("\r\n\r\n");
    EXPECT_THAT(head, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(head, HasSubstr("Content-Length: 2\r\n"));
    EXPECT_THAT(head, HasSubstr("Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Connection:")));
    EXPECT_EQ(wire.bytes(2), path);
  }
  EXPECT_EQ(world.server->counters().requests, 2u);
  EXPECT_EQ(world.server->counters().answers[2], 2u);
  EXPECT_EQ(world.server->counters().connections_open, 1u);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  World world(say_path);
  Wire wire = world.connect();
  wire.send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /3 "
      "HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string all = wire.rest();
  const size_t first = all.find("\r\n\r\n/1"), second = all.find("\r\n\r\n/2"), third = all.find("\r\n\r\n/3");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_LT(third, all.size());
}

TEST(Server, ReadsARequestThatComesByteByByte) {
  World world(echo);
  Wire wire = world.connect();
  for (char c : std::string_view("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: "
                                 "close\r\n\r\n3;x=\"y\"\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"))
    wire.send(std::string(1, c));
  EXPECT_THAT(wire.rest(), EndsWith("\r\n\r\nabcde"));
}

TEST(Server, ClosesWhenAskedAndForHttp10) {
  World world(say_path);
  EXPECT_THAT(world.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(world.ask("GET / HTTP/1.0\r\n\r\n"), HasSubstr("Connection: close\r\n"));
  Wire kept = world.connect();
  kept.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(kept.until("\r\n\r\n"), HasSubstr("Connection: keep-alive\r\n"));
}

TEST(Server, SendsNoBodyToHeadButItsLength) {
  World world(say_path);
  const std::string answer = world.ask("HEAD /four HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(Server, SendsPartsInChunksAndToHttp10UntilTheEnd) {
  World world(three_parts);
  EXPECT_THAT(world.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              EndsWith("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n21\r\na part of more than fifteen bytes\r\n0\r\n\r\n"));
  EXPECT_THAT(world.ask("GET / HTTP/1.0\r\n\r\n"), EndsWith("\r\n\r\nonetwoa part of more than fifteen bytes"));
  EXPECT_THAT(world.ask("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), EndsWith("\r\n\r\n"));
}

TEST(Server, GoesOnAfterAnAnswerInParts) {
  World world(three_parts);
  Wire wire = world.connect();
  for (int i = 0; i < 3; ++i) {
    wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(wire.until("0\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
  }
}

TEST(Server, AsksForTheBodyOnlyWhenItIsWanted) {
  World world(echo);
  Wire wire = world.connect();
  wire.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(wire.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  wire.send("ok");
  EXPECT_THAT(wire.until("ok"), StartsWith("HTTP/1.1 200 OK"));

  Wire refused = world.connect();
  refused.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
  const std::string answer = refused.until("\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 Content Too Large"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
}

TEST(Server, StopsReadingABodyBeyondItsBoundWhateverItsFraming) {
  World world(echo);
  EXPECT_THAT(world.ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\nabc"),
              StartsWith("HTTP/1.1 413 "));
  Wire wire = world.connect();
  wire.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x'));
  EXPECT_THAT(wire.until("\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, TellsOfABrokenChunk) {
  World world(echo);
  Wire wire = world.connect();
  wire.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n");
  EXPECT_THAT(wire.until("\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST(Server, SkipsABodyThatTheHandlerLeft) {
  World world(say_path);
  Wire wire = world.connect();
  wire.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n" + std::string(60000, 'G'));
  wire.until("\r\n\r\n/1");
  wire.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(wire.until("\r\n\r\n/2"), StartsWith("HTTP/1.1 200 OK"));
}

TEST(Server, ClosesRatherThanSkipALargeBody) {
  World world(say_path);
  Wire wire = world.connect();
  wire.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n" + std::string(70000, 'G'));
  const std::string answer = wire.rest();
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_THAT(answer, EndsWith("/1")) << "the client could read the answer before the connection ended";
}

TEST(Server, CutsAnAnswerThatIsNotFinished) {
  World world(stop_half_way);
  Wire wire = world.connect();
  wire.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(wire.rest(), EndsWith("\r\n\r\n12345"));
}

TEST(Server, AnswersAnExceptionWith500AndNamesTheRequest) {
  World world(throw_surprise);
  ::testing::internal::CaptureStderr();
  const std::string answer = world.ask("GET /secret HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string diagnostics = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 Internal Server Error"));
  EXPECT_THAT(answer, Not(HasSubstr("a surprise")));
  const std::string id = answer.substr(answer.find("X-Request-Id: ") + 14, 10);
  EXPECT_THAT(diagnostics, HasSubstr(id));
  EXPECT_THAT(diagnostics, HasSubstr("a surprise"));
}

TEST(Server, AnswersForAHandlerThatSaysNothing) {
  World world(say_nothing);
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(world.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("gave no answer"));
}

TEST(Server, ReportsThePortAndRefusesATakenOne) {
  World world(say_path);
  EXPECT_THAT(world.address, StartsWith("127.0.0.1:"));
  auto again = world.server->listen(world.address);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, core::Code::conflict);
  EXPECT_THAT(again.error().message, HasSubstr(world.address));
  EXPECT_EQ(world.server->listen("nowhere").error().code, core::Code::invalid);
  EXPECT_EQ(world.server->listen("127.0.0.1:99999").error().code, core::Code::invalid);
}

TEST(Server, ListensOnAUnixSocketAndSaysWhoIsThere) {
  const std::string path = ::testing::TempDir() + "net_server_test.sock";
  World world(say_who, {}, {}, "unix:" + path);
  EXPECT_THAT(world.ask("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
              EndsWith("local " + std::to_string(getpid())));
  EXPECT_EQ(world.server->listen("unix:" + path).error().code, core::Code::conflict);
}

}  // namespace
}  // namespace headrace::net
