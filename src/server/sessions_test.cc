#include "server/sessions.h"

#include <gmock/gmock.h>

#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::json_of;
using testing::message_of;
using ::testing::Not;

class Sessions : public ::testing::Test {
 protected:
  net::Response sign_in(const std::string& body, const std::string& cookie = {}) {
    return from_page("POST", "/api/v1/session", body, cookie);
  }
  std::string signed_in() { return cookie_of(sign_in(R"({"token":")" + world.administrator + R"("})")); }

  net::Response from_page(std::string method, std::string path, std::string body, const std::string& cookie) {
    return ask(std::move(method), std::move(path), std::move(body), cookie, "headrace-web");
  }
  net::Response ask(std::string method, std::string path, std::string body, const std::string& cookie,
                    const std::string& by) {
    net::ClientRequest request{std::move(path), std::move(method), {}, std::move(body)};
    request.headers.set("Content-Type", "application/json");
    if (!cookie.empty()) request.headers.set("Cookie", "theme=dark; " + cookie + "; other=1");
    if (!by.empty()) request.headers.set("X-Requested-With", by);
    return world.send(std::move(request));
  }
  // "headrace_session=hr_..."
  static std::string cookie_of(const net::Response& answer) {
    std::string_view whole = answer.headers.get("Set-Cookie");
    return std::string(whole.substr(0, whole.find(';')));
  }

  testing::World world;
};

TEST_F(Sessions, AreInACookieThatScriptsCannotReadAndOtherSitesDoNotSend) {
  auto answer = sign_in(R"({"token":")" + world.administrator + R"("})");
  ASSERT_EQ(answer.status, net::Status::created) << answer.body;
  EXPECT_EQ(core::string_at(json_of(answer), "name"), "admin");
  EXPECT_THAT(std::string(answer.headers.get("Set-Cookie")),
              AllOf(HasSubstr("; HttpOnly"), HasSubstr("; SameSite=Strict"), HasSubstr("; Path=/"),
                    HasSubstr("; Max-Age=2592000"), Not(HasSubstr("Secure")), Not(HasSubstr(world.administrator))));
  EXPECT_THAT(answer.body, Not(HasSubstr("hr_")));
  auto known = from_page("GET", "/api/v1/whoami", {}, cookie_of(answer));
  EXPECT_EQ(known.status, net::Status::ok);
  EXPECT_EQ(json_of(known), json_of(answer));
}

TEST_F(Sessions, ChangeNothingUnlessAPageAsks) {
  auto cookie = signed_in();
  const std::string wish = R"({"full_name":"team/hello"})";
  for (const char* by : {"", "XMLHttpRequest"}) {
    auto refused = ask("POST", "/api/v1/repositories", wish, cookie, by);
    EXPECT_EQ(refused.status, net::Status::forbidden);
    EXPECT_THAT(message_of(refused), HasSubstr("X-Requested-With"));
  }
  EXPECT_EQ(world.get("/api/v1/repositories/team/hello").status, net::Status::not_found);
  EXPECT_EQ(ask("GET", "/api/v1/repositories", {}, cookie, "").status, net::Status::ok);
  EXPECT_EQ(from_page("POST", "/api/v1/repositories", wish, cookie).status, net::Status::created);
}

// A browser sends the cookie with a WebSocket of any page of the host, whatever its port, and no header of the page's.
TEST_F(Sessions, OpenNoWebSocket) {
  auto cookie = signed_in();
  net::ClientRequest request{"/api/v1/whoami", "GET", {}, {}};
  request.headers.set("Cookie", cookie);
  request.headers.set("Connection", "Upgrade");
  request.headers.set("Upgrade", "websocket");
  request.headers.set("Origin", "http://127.0.0.1:9");
  auto refused = world.send(std::move(request));
  EXPECT_EQ(refused.status, net::Status::forbidden);
  EXPECT_THAT(message_of(refused), HasSubstr("X-Requested-With"));
}

TEST_F(Sessions, EndForGoodWhenOneSignsOut) {
  auto cookie = signed_in();
  auto out = from_page("DELETE", "/api/v1/session", {}, cookie);
  EXPECT_EQ(out.status, net::Status::no_content);
  EXPECT_THAT(std::string(out.headers.get("Set-Cookie")),
              AllOf(HasSubstr("headrace_session=;"), HasSubstr("Max-Age=0")));
  EXPECT_EQ(from_page("GET", "/api/v1/whoami", {}, cookie).status, net::Status::unauthorized);
  EXPECT_EQ(world.get("/api/v1/whoami").status, net::Status::ok) << "the token one signed in with is another";
}

TEST_F(Sessions, ThatAreOverKeepNobodyFromSigningInAgain) {
  auto cookie = signed_in();
  from_page("DELETE", "/api/v1/session", {}, cookie);
  auto again = sign_in(R"({"token":")" + world.administrator + R"("})", cookie);
  EXPECT_EQ(again.status, net::Status::created) << again.body;
  EXPECT_EQ(from_page("GET", "/healthz", {}, cookie).status, net::Status::ok);
}

TEST_F(Sessions, ThatAreOverLeaveThePagesOpenHoweverOftenTheyAreSent) {
  auto cookie = signed_in();
  from_page("DELETE", "/api/v1/session", {}, cookie);
  for (int times = 0; times < 50; ++times)
    ASSERT_EQ(from_page("GET", "/api/v1/openapi.json", {}, cookie).status, net::Status::ok) << times;
  EXPECT_EQ(from_page("GET", "/api/v1/whoami", {}, cookie).status, net::Status::unauthorized);
  EXPECT_EQ(sign_in(R"({"token":")" + world.administrator + R"("})", cookie).status, net::Status::created);
}

TEST_F(Sessions, AreNotAskedForByTheBrowserItself) {
  EXPECT_FALSE(from_page("GET", "/api/v1/whoami", {}, {}).headers.contains("WWW-Authenticate"));
  EXPECT_TRUE(ask("GET", "/api/v1/whoami", {}, {}, "").headers.contains("WWW-Authenticate")) << "git wants to be asked";
}

TEST_F(Sessions, AreForAccountsThatProveWhoTheyAre) {
  EXPECT_EQ(ask("POST", "/api/v1/session", "{}", {}, "").status, net::Status::forbidden);
  EXPECT_EQ(sign_in("{}").status, net::Status::unprocessable_content);
  EXPECT_EQ(sign_in(R"({"code":"x","token":"y"})").status, net::Status::unprocessable_content);
  EXPECT_EQ(sign_in(R"({"token":"hr_nobody"})").status, net::Status::unauthorized);
  EXPECT_EQ(sign_in(R"({"code":"nobody"})").status, net::Status::unauthorized);
  auto runner = core::string_at(json_of(world.post("/api/v1/tokens", R"({"runner":"builder"})")), "token").value();
  EXPECT_EQ(sign_in(R"({"token":")" + runner + R"("})").status, net::Status::forbidden);
}

TEST_F(Sessions, HaveNoMoreScopesThanTheTokenTheyBeganWith) {
  auto reads = world.token({"run:read"});
  auto cookie = cookie_of(sign_in(R"({"token":")" + reads + R"("})"));
  EXPECT_EQ(from_page("GET", "/api/v1/runs", {}, cookie).status, net::Status::ok);
  EXPECT_EQ(from_page("POST", "/api/v1/repositories", R"({"full_name":"team/hello"})", cookie).status,
            net::Status::forbidden);
}

TEST_F(Sessions, EndWithTheTokenTheyBeganWith) {
  auto made = world.post("/api/v1/tokens", R"({"name":"for a day","days":1})");
  auto answer = sign_in(core::to_text(core::json::object{{"token", json_of(made).at("token")}}));
  ASSERT_EQ(answer.status, net::Status::created) << answer.body;
  auto tokens = json_of(world.get("/api/v1/tokens")).at("tokens").as_array();
  std::vector<core::json::value> ends;
  for (const auto& token : tokens)
    if (token.at("name") == "for a day" || token.at("name") == "a browser") ends.push_back(token.at("expires_at"));
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[0], ends[1]);
}

TEST_F(Sessions, OfAnAccountAreBoundedAndTheOldestEnds) {
  auto first = signed_in();
  std::string last;
  for (int more = 0; more < 20; ++more) last = signed_in();
  EXPECT_EQ(from_page("GET", "/api/v1/whoami", {}, first).status, net::Status::unauthorized);
  EXPECT_EQ(from_page("GET", "/api/v1/whoami", {}, last).status, net::Status::ok);
  EXPECT_EQ(world.get("/api/v1/whoami").status, net::Status::ok);
}

TEST_F(Sessions, AreNotTakenForTheTokenOfAProgram) {
  EXPECT_EQ(world.ask_as(world.administrator, "DELETE", "/api/v1/session", {}).status,
            net::Status::unprocessable_content);
}

}  // namespace
}  // namespace headrace::server
