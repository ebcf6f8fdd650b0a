// Publishing over a WebSocket, and pulling with acknowledgements, with real connections.
#include <gmock/gmock.h>

#include "core/bytes.h"
#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<net::WebSocket> open(testing::World& world, net::Client& client, const std::string& path) {
  auto& parts = world.parts();
  net::ClientRequest request{parts.public_url + path, "GET", {{"Authorization", "Bearer " + world.administrator}}, {}};
  auto socket = parts.loop.run(client.websocket(std::move(request)));
  if (!socket) throw std::runtime_error(socket.error().message);
  return std::move(*socket);
}

void say(testing::World& world, net::WebSocket& socket, std::string text) {
  net::Message message{net::Message::Kind::text, std::move(text)};
  auto sent = world.parts().loop.run(socket.send(std::move(message)));
  ASSERT_TRUE(sent);
}

core::json::value hear(testing::World& world, net::WebSocket& socket) {
  auto message = world.parts().loop.run(socket.receive());
  if (!message || !*message) throw std::runtime_error("the socket has ended");
  return core::parse_json((*message)->data).value();
}

std::string event(const std::string& id) {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"/streams","type":"x"})";
}

TEST(PublishStream, AnswersEachEventAndEachMistakeAndGoesOn) {
  testing::World world;
  net::Client client(world.parts().loop.executor(), world.parts().clock);
  auto socket = open(world, client, "/api/v1/events/publish");
  say(world, *socket, event("1"));
  EXPECT_EQ(core::string_at(hear(world, *socket), "id"), "1");
  say(world, *socket, "{");
  EXPECT_EQ(core::string_at(hear(world, *socket).at("error"), "code"), "invalid");
  say(world, *socket, "[" + event("2") + "," + event("3") + "]");
  EXPECT_EQ(hear(world, *socket).as_array().size(), 2U);
  EXPECT_EQ(world.get("/api/v1/events/3").status, net::Status::ok);
}

TEST(PublishStream, PublishesWhatWasSentByAClientThatDoesNotWait) {
  testing::World world;
  {
    net::Client client(world.parts().loop.executor(), world.parts().clock);
    auto socket = open(world, client, "/api/v1/events/publish");
    for (int i = 0; i < 20; ++i) say(world, *socket, event("s" + std::to_string(i)));
    EXPECT_TRUE(core::string_at(hear(world, *socket), "id"));
  }
  world.stop();
  world.start();
  EXPECT_EQ(world.get("/api/v1/events/s0").status, net::Status::ok);
}

TEST(PublishStream, KeepsItsAnswersForAClientThatReadsLate) {
  constexpr int batches = 60, events_a_batch = 800;  // their answers are more than the socket and its queue hold
  testing::World world;
  net::Client client(world.parts().loop.executor(), world.parts().clock);
  auto socket = open(world, client, "/api/v1/events/publish");
  for (int i = 0; i < batches; ++i) {
    std::string batch = "[";
    for (int k = 0; k < events_a_batch; ++k)
      batch += (k == 0 ? "" : ",") + event("a" + std::to_string(i) + "-" + std::to_string(k));
    say(world, *socket, batch + "]");
  }
  for (int i = 0; i < batches; ++i) {
    auto answer = hear(world, *socket);
    ASSERT_EQ(answer.as_array().size(), static_cast<size_t>(events_a_batch));
    EXPECT_EQ(core::string_at(answer.as_array()[0], "id"), "a" + std::to_string(i) + "-0");
  }
  say(world, *socket, event("last"));
  EXPECT_EQ(core::string_at(hear(world, *socket), "id"), "last");
}

TEST(PublishStream, AnswersInTextWhateverBytesItIsSent) {
  testing::World world;
  net::Client client(world.parts().loop.executor(), world.parts().clock);
  auto socket = open(world, client, "/api/v1/events/publish");
  for (const std::string foreign : {"{\"\xff\xfe\":1}", "\xc3\x28", "[{\"specversion\":\"\xff\"}]"}) {
    net::Message message{net::Message::Kind::binary, foreign};
    auto sent = world.parts().loop.run(socket->send(std::move(message)));
    ASSERT_TRUE(sent);
    auto answer = world.parts().loop.run(socket->receive());
    ASSERT_TRUE(answer && *answer) << "a text that is not UTF-8 would end the connection";
    EXPECT_TRUE(core::is_utf8((*answer)->data));
    EXPECT_THAT((*answer)->data, HasSubstr("\"error\""));
  }
}

TEST(Pull, HandsOutLargeEventsInPiecesAndLosesNone) {
  testing::World world;
  const std::string data(100 * 1024, 'x');
  for (int i = 0; i < 12; ++i) {
    auto said = R"({"specversion":"1.0","source":"/streams","type":"x","id":")" + std::to_string(i) + R"(","data":")" +
                data + "\"}";
    EXPECT_EQ(world
                  .ask({"/api/v1/events",
                        "POST",
                        {{"Authorization", "Bearer " + world.administrator},
                         {"Content-Type", "application/cloudevents+json"}},
                        said})
                  .status,
              net::Status::created);
  }
  EXPECT_EQ(
      world.post("/api/v1/subscriptions", R"({"name":"audit","filter":"source = '/streams'","start":"beginning"})")
          .status,
      net::Status::created);
  net::Client client(world.parts().loop.executor(), world.parts().clock);
  auto pull = open(world, client, "/api/v1/subscriptions/audit/connect");
  for (int i = 0; i < 12; ++i) EXPECT_EQ(core::string_at(hear(world, *pull).at("event"), "id"), std::to_string(i));
}

TEST(EventList, RefusesAFilterThatCanMatchNothingForItIsWrong) {
  testing::World world;
  auto answer = world.get("/api/v1/events?filter=NO_SUCH(type)");
  EXPECT_EQ(answer.status, net::Status::unprocessable_content);
  EXPECT_THAT(testing::message_of(answer), HasSubstr("NO_SUCH"));
}

TEST(Pull, HandsOutWhatWasNotAcknowledgedToTheNext) {
  testing::World world;
  EXPECT_EQ(
      world.post("/api/v1/subscriptions", R"({"name":"audit","filter":"source = '/streams'","start":"beginning"})")
          .status,
      net::Status::created);
  net::Client client(world.parts().loop.executor(), world.parts().clock);
  auto publisher = open(world, client, "/api/v1/events/publish");
  for (const char* id : {"a", "b"}) say(world, *publisher, event(id));
  {
    auto first = open(world, client, "/api/v1/subscriptions/audit/connect");
    auto a = hear(world, *first);
    EXPECT_EQ(core::string_at(a.at("event"), "id"), "a");
    say(world, *first, core::to_text(core::json::object{{"ack", a.at("offset")}}));
    say(world, *first, R"({"ack":999999})");
    // The answer to the mistake comes after both events, or between them.
    auto next = hear(world, *first);
    if (!core::find(next, "error")) next = hear(world, *first);
    EXPECT_EQ(core::string_at(next.at("error"), "code"), "not_found");
  }
  auto second = open(world, client, "/api/v1/subscriptions/audit/connect");
  EXPECT_EQ(core::string_at(hear(world, *second).at("event"), "id"), "b");
}

TEST(Pull, RefusesACreditThatIsNone) {
  testing::World world;
  EXPECT_EQ(world.post("/api/v1/subscriptions", R"({"name":"audit"})").status, net::Status::created);
  for (const char* credit : {"0", "12abc", "10001", "-1"}) {
    auto answer = world.get(std::string("/api/v1/subscriptions/audit/stream?credit=") + credit);
    EXPECT_EQ(answer.status, net::Status::unprocessable_content) << credit;
    EXPECT_THAT(testing::message_of(answer), HasSubstr("credit")) << credit;
  }
}

TEST(Pull, PassesNoMemberOfASettlementOver) {
  testing::World world;
  EXPECT_EQ(world.post("/api/v1/subscriptions", R"({"name":"audit","filter":"source = '/streams'"})").status,
            net::Status::created);
  auto refused = [&](const char* body) {
    auto answer = world.post("/api/v1/subscriptions/audit/ack", body);
    EXPECT_EQ(answer.status, net::Status::unprocessable_content) << body << answer.body;
    return testing::message_of(answer);
  };
  EXPECT_THAT(refused(R"({"connection":"x","acknowledge":1})"), HasSubstr("'acknowledge'"));
  EXPECT_THAT(refused(R"({"connection":"x","ack":"1"})"), HasSubstr("'ack'"));
  net::Client client(world.parts().loop.executor(), world.parts().clock);
  auto pull = open(world, client, "/api/v1/subscriptions/audit/connect");
  say(world, *pull, R"({"ack":1,"nack":2})");
  EXPECT_THAT(core::string_at(hear(world, *pull).at("error"), "message").value_or(""), HasSubstr("at a time"));
}

}  // namespace
}  // namespace headrace::server
