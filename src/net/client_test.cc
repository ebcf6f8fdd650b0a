#include "net/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/testing/world.h"

namespace headrace::net {
namespace {

using ::testing::HasSubstr;
using testing::World;

core::Task<> answer_by_path(Exchange& exchange) {
  const Request& request = exchange.request();
  core::Result<> sent;
  if (request.path == "/echo") {
    auto body = co_await exchange.body(1 << 20);
    Response response = make_response(Status::ok, body ? *body : body.error().message);
    response.headers.add("X-Port", std::to_string(request.peer.port));
    response.headers.add(
        "X-Seen", request.method_text + " " + request.target + " " + std::string(request.headers.get("Authorization")));
    sent = co_await exchange.respond(std::move(response));
  } else if (request.path == "/chunks") {
    Headers none;
    sent = co_await exchange.start(Status::ok, none);
    const std::string part(10'000, 'x');
    for (int i = 0; i < 100 && sent; ++i) sent = co_await exchange.write(part);
    if (sent) sent = co_await exchange.finish();
  } else if (request.path == "/half") {
    Headers none;
    sent = co_await exchange.start(Status::ok, none, 10);
    if (sent) sent = co_await exchange.write("12345");
  } else if (request.path == "/wait") {
    co_await exchange.until_ending();
  } else if (request.path == "/early") {
    sent = co_await exchange.respond(make_response(Status::content_too_large, "no"));
  } else {
    sent = co_await exchange.respond(make_response(Status::not_found, "nothing here\n"));
  }
}

core::Task<> send_into(Client& client, std::string url, std::optional<core::Result<Response>>& into) {
  ClientRequest request;
  request.url = url;
  into = co_await client.send(request);
}

class ClientTest : public ::testing::Test {
 protected:
  core::Result<Response> get(const std::string& path) {
    return world.run(client.send({.url = world.url(path), .headers = {}, .body = {}}));
  }

  World world{answer_by_path};
  Client client{world.loop.executor(), world.clock};
};

TEST_F(ClientTest, SendsARequestAndReadsItsAnswer) {
  auto answer =
      world.run(client.send({.url = world.url("/echo?a=b"), .method = "POST", .headers = {}, .body = "a body"}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, Status::ok);
  EXPECT_EQ(answer->body, "a body");
  EXPECT_EQ(answer->headers.get("x-seen"), "POST /echo?a=b");
}

TEST_F(ClientTest, TakesAnyStatusForAnAnswer) {
  auto answer = get("/nowhere");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, Status::not_found);
}

TEST_F(ClientTest, UsesAConnectionAgain) {
  const auto port = [&] { return std::string(get("/echo")->headers.get("X-Port")); };
  const std::string first = port();
  EXPECT_EQ(port(), first);
  world.advance(std::chrono::seconds(31));
  EXPECT_NE(port(), first) << "but not one that has been idle for too long";
}

TEST_F(ClientTest, ReadsChunksToTheEnd) {
  auto answer = get("/chunks");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, std::string(1'000'000, 'x'));
}

TEST_F(ClientTest, RefusesAnAnswerBeyondItsBound) {
  auto answer = world.run(client.send({.url = world.url("/chunks"), .headers = {}, .body = {}}, 999'999));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, core::Code::exhausted);
}

TEST_F(ClientTest, NoticesAnAnswerThatIsCutShort) {
  auto answer = get("/half");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, core::Code::unavailable);
}

TEST_F(ClientTest, GivesUpWhenNoAnswerComesInTime) {
  std::optional<core::Result<Response>> answer;
  world.loop.spawn(send_into(client, world.url("/wait"), answer));
  world.advance(std::chrono::seconds(59));
  world.settle();
  EXPECT_FALSE(answer);
  world.advance(std::chrono::seconds(2));
  ASSERT_TRUE(world.until([&] { return answer.has_value(); }));
  ASSERT_FALSE(*answer);
  EXPECT_THAT(answer->error().message, HasSubstr("no answer in time"));
}

TEST_F(ClientTest, NamesTheServerThatIsNotThere) {
  auto answer = world.run(client.send({.url = "http://127.0.0.1:1/", .headers = {}, .body = {}}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, core::Code::unavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("http://127.0.0.1:1"));
  EXPECT_EQ(world.run(client.send({.url = "gopher://x/", .headers = {}, .body = {}})).error().code,
            core::Code::invalid);
}

TEST_F(ClientTest, LooksUpWhatIsNoAddress) {
  const std::string port = world.address.substr(world.address.find(':'));
  auto answer = world.run(client.send({.url = "http://127.1" + port + "/echo", .headers = {}, .body = {}}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, Status::ok);
}

TEST_F(ClientTest, StopsWaitingWhenItsTaskIsCancelled) {
  std::optional<core::Result<Response>> answer;
  core::Scope scope(world.loop.executor());
  scope.spawn("a request", send_into(client, world.url("/wait"), answer));
  ASSERT_TRUE(world.until([&] { return world.server->counters().requests == 1; }));
  world.run(scope.close());
  EXPECT_FALSE(answer);
  EXPECT_TRUE(world.until([&] { return world.server->counters().connections_open == 0; }))
      << "and lets go of its connection";
}

TEST_F(ClientTest, SendsUserAndPasswordOfTheUrl) {
  auto answer =
      world.run(client.send({.url = "http://al%3aice:pw@" + world.address + "/echo", .headers = {}, .body = {}}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers.get("X-Seen"), "GET /echo Basic YWw6aWNlOnB3");
}

core::Task<std::string> stream_both_ways(Client& client, std::string url) {
  ClientRequest request;
  request.url = url;
  request.method = "POST";
  auto call = co_await client.open(request, Client::RequestBody::streamed);
  if (!call) co_return call.error().message;
  for (int i = 0; i < 3; ++i) {
    auto written = co_await (*call)->write("part " + std::to_string(i) + ";");
    if (!written) co_return written.error().message;
  }
  auto finished = co_await (*call)->finish();
  auto answer = co_await (*call)->answer();
  if (!answer) co_return answer.error().message;
  auto body = co_await (*call)->body(1000);
  co_return body ? *body : body.error().message;
}

TEST_F(ClientTest, StreamsTheBodyOfARequest) {
  EXPECT_EQ(world.run(stream_both_ways(client, world.url("/echo"))), "part 0;part 1;part 2;");
}

TEST_F(ClientTest, HearsAnAnswerThatComesBeforeTheRequestIsWhole) {
  EXPECT_EQ(world.run(stream_both_ways(client, world.url("/early"))), "no");
}

TEST(Client, TalksOverAUnixSocket) {
  const std::string path = ::testing::TempDir() + "net_client_test.sock";
  World world(answer_by_path, {}, {}, "unix:" + path);
  Client client(world.loop.executor(), world.clock, {.unix_socket = path, .trusted_pem = {}});
  auto answer = world.run(client.send({.url = "http://localhost/echo", .method = "PUT", .headers = {}, .body = "x"}));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "x");
}

core::Task<> close_after_each(Exchange& exchange) {
  Response response = make_response(Status::ok, "x");
  response.headers.add("Connection", "close");
  auto sent = co_await exchange.respond(std::move(response));
}

TEST(Client, AsksAgainOnANewConnectionWhenTheKeptOneHasGone) {
  World world(answer_by_path);
  Client client(world.loop.executor(), world.clock,
                {.unix_socket = {}, .trusted_pem = {}, .keep_alive = std::chrono::hours(1)});
  ASSERT_TRUE(world.run(client.send({.url = world.url("/echo"), .headers = {}, .body = {}})));
  world.advance(std::chrono::minutes(2));  // the server closes the idle connection
  EXPECT_TRUE(world.run(client.send({.url = world.url("/echo"), .headers = {}, .body = {}})));
}

TEST(Client, DoesNotKeepAConnectionThatTheServerCloses) {
  World world(close_after_each);
  Client client(world.loop.executor(), world.clock);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(world.run(client.send({.url = world.url("/"), .headers = {}, .body = {}})));
  EXPECT_EQ(world.server->counters().connections_accepted, 3u);
}

core::Task<int> send_many(Client& client, std::string url, int times) {
  ClientRequest request;
  request.url = std::move(url);
  int answered = 0;
  for (int i = 0; i < times; ++i) {
    auto answer = co_await client.send(request);
    answered += answer && answer->body == "from another thread" ? 1 : 0;
  }
  co_return answered;
}

core::Task<> say_where_from(Exchange& exchange) {
  auto sent = co_await exchange.respond(make_response(Status::ok, "from another thread"));
}

core::Task<> serve_until(Server& server, core::Signal& over, bool& is_over) {
  while (!is_over) co_await over.wait();
  co_await server.shutdown(std::chrono::seconds(5));
}

TEST(Client, AndServerMayRunOnLoopsOfTheirOwn) {
  core::SystemClock clock;
  core::Loop there;
  core::Signal signal(there.executor());
  bool over = false;
  Server server(there.executor(), clock, say_where_from);
  auto address = server.listen("127.0.0.1:0");
  ASSERT_TRUE(address);
  std::thread thread([&] { there.run(serve_until(server, signal, over)); });
  core::Loop here;
  {
    Client client(here.executor(), clock);
    EXPECT_EQ(here.run(send_many(client, "http://" + *address + "/", 200)), 200);
  }
  there.post([&] {
    over = true;
    signal.notify_all();
  });
  thread.join();
  EXPECT_EQ(server.counters().requests, 200u);
}

}  // namespace
}  // namespace headrace::net
