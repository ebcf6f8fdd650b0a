#include "net/head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing/world.h"

namespace headrace::net {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::Wire;
using testing::World;

constexpr HeadLimits limits{.bytes_max = 32 * 1024, .fields_max = 100, .first_line_max = 8 * 1024};

std::expected<RequestHead, Refusal> read(std::string text) {
  HeadScanner scanner(limits);
  auto length = scanner.scan(text);
  if (!length) return std::unexpected(length.error());
  if (*length == 0) return std::unexpected(Refusal{Status::ok, "more is wanted"});
  return parse_request_head(std::string_view(text).substr(0, *length));
}

int status_of(const std::string& text) {
  auto head = read(text);
  return head ? 200 : static_cast<int>(head.error().status);
}

TEST(Head, TakesARequestApart) {
  auto head = read(
      "POST /a%20b/c%2Fd?x=1&y=a+b%21&z HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 12\r\nX-Two:\t a  b "
      "\r\nX-Empty:\r\n\r\nrest");
  ASSERT_TRUE(head) << head.error().reason;
  const Request& request = head->request;
  EXPECT_EQ(request.method, Method::post);
  EXPECT_EQ(request.path, "/a%20b/c%2Fd");
  EXPECT_THAT(request.segments, ElementsAre("a b", "c/d"));
  EXPECT_THAT(request.query, ElementsAre(Parameter{"x", "1"}, Parameter{"y", "a b!"}, Parameter{"z", ""}));
  EXPECT_EQ(request.host, "h:8080");
  EXPECT_EQ(request.headers.get("x-two"), "a  b");
  EXPECT_TRUE(request.headers.contains("X-Empty"));
  EXPECT_EQ(head->framing.kind, Framing::Kind::length);
  EXPECT_EQ(head->framing.length, 12u);
}

TEST(Head, TakesTheHostOfAnAbsoluteTarget) {
  auto head = read("GET http://real.example/x?y HTTP/1.1\r\nHost: other\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->request.host, "real.example");
  EXPECT_EQ(head->request.path, "/x");
}

TEST(Head, KnowsMethodsOfOthers) {
  auto head = read("PROPFIND * HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_FALSE(head) << "only OPTIONS asks for *";
  head = read("PROPFIND /x HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->request.method, Method::other);
  EXPECT_EQ(head->request.method_text, "PROPFIND");
  EXPECT_TRUE(read("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"));
}

struct Case {
  const char* why;
  std::string text;
  int status;
};

// What two readers of the same bytes could frame differently (RFC 9112, section 11.2), and other malformed heads.
const std::vector<Case>& refused() {
  static const std::vector<Case> cases{
      {"CL and TE", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"TE and CL", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
      {"two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
      {"the same length twice", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", 400},
      {"a list of lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\n", 400},
      {"a signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\n", 400},
      {"a negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\n", 400},
      {"a hexadecimal length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\n", 400},
      {"a length beyond 64 bits", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551619\r\n\r\n", 400},
      {"an empty length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400},
      {"another coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"chunked twice",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
      {"chunked, then something", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n", 501},
      {"nearly chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
      {"chunked behind a vertical tab", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \vchunked\r\n\r\n", 400},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"a folded field", "POST / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400},
      {"a folded coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", 400},
      {"a space before the colon", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\n", 400},
      {"a tab before the colon", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding\t: chunked\r\n\r\n", 400},
      {"a space before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {"a bare CR in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rContent-Length: 3\r\n\r\n", 400},
      {"a bare LF", "GET / HTTP/1.1\nHost: h\n\n", 400},
      {"a bare LF between fields", "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400},
      {"a bare LF at the end", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
      {"a NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"s, 400},
      {"no colon", "GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n", 400},
      {"no name", "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", 400},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"the same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400},
      {"two credentials", "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n",
       400},
      {"the same credential twice", "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: a\r\nAuthorization: a\r\n\r\n", 400},
      {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"a space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"a tab for a space", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"no version", "GET /\r\nHost: h\r\n\r\n", 400},
      {"a bad version", "GET / HTTP/1.1x\r\nHost: h\r\n\r\n", 400},
      {"a small version", "GET / http/1.1\r\nHost: h\r\n\r\n", 400},
      {"HTTP/2 as text", "PRI * HTTP/2.0\r\n\r\n", 505},
      {"HTTP/3 as text", "GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505},
      {"a fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"a way up", "GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"an escaped way up", "GET /a/%2e%2E/b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"an escaped NUL", "GET /a%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"half an escape", "GET /a%4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"a bad escape in the query", "GET /?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"a path without its slash", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"raw UTF-8 in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"a proxy's CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501},
      {"another expectation", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: a-miracle\r\n\r\n", 417},
      {"TLS to a plain port", "\x16\x03\x01\x02\x01\r\n\r\n", 400},
      {"a first line too long", "GET /" + std::string(8 * 1024, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
      {"too many bytes", "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(32 * 1024, 'a') + "\r\n\r\n", 431},
  };
  return cases;
}

TEST(Head, RefusesWhatCanBeReadTwoWays) {
  for (const Case& one : refused()) EXPECT_EQ(status_of(one.text), one.status) << one.why;
}

core::Task<> never_called(Exchange& exchange) {
  auto sent = co_await exchange.respond(make_response(Status::ok, "reached the handler"));
}

TEST(Head, RefusalsAreAnsweredAndTheConnectionClosed) {
  World world(never_called);
  for (const Case& one : refused()) {
    // What follows would be a second request to a reader that frames the first differently.
    const std::string answer = world.ask(one.text + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(one.status) + " ")) << one.why;
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n")) << one.why;
    EXPECT_EQ(answer.find("Date: "), answer.rfind("Date: ")) << one.why << " was answered twice";
  }
  EXPECT_EQ(world.server->counters().requests, 0u);
  EXPECT_EQ(world.server->counters().requests_refused, refused().size());
}

TEST(Head, RefusesTooManyFields) {
  const auto with_fields = [](int count) {
    std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 1; i < count; ++i) text += "X: y\r\n";
    return text + "\r\n";
  };
  EXPECT_EQ(status_of(with_fields(100)), 200);
  EXPECT_EQ(status_of(with_fields(101)), 431);
}

TEST(Head, RefusesAHeaderThatNeverEndsAsSoonAsItIsTooLarge) {
  HeadScanner scanner(limits);
  std::string text = "GET / HTTP/1.1\r\n";
  bool refused_it = false;
  for (int i = 0; i < 1000 && !refused_it; ++i) {
    text += "X-Bomb-" + std::to_string(i % 50) + ": " + std::string(1000, 'x');
    auto length = scanner.scan(text);
    refused_it = !length && length.error().status == Status::header_fields_too_large;
  }
  EXPECT_TRUE(refused_it);
  EXPECT_LT(text.size(), 34'000u);
}

TEST(Head, FindsTheEndHoweverTheBytesAreCut) {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (size_t cut = 0; cut < text.size(); ++cut) {
    HeadScanner scanner(limits);
    EXPECT_EQ(scanner.scan(std::string_view(text).substr(0, cut)).value(), 0u);
    EXPECT_EQ(scanner.scan(text + "next").value(), text.size()) << "cut at " << cut;
  }
}

TEST(Head, ReadsAnswers) {
  auto head = parse_response_head("HTTP/1.1 204 \r\nX: y\r\n\r\n", Method::get);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->framing.kind, Framing::Kind::none);
  head = parse_response_head("HTTP/1.0 200 OK\r\n\r\n", Method::get);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->framing.kind, Framing::Kind::until_close);
  EXPECT_FALSE(head->keep_alive);
  head = parse_response_head("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", Method::head);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->framing.kind, Framing::Kind::none) << "an answer to HEAD has no body";
  for (std::string bad :
       {"HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1  200\r\n\r\n", "HTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"})
    EXPECT_FALSE(parse_response_head(bad, Method::get)) << bad;
}

TEST(Headers, CompareNamesWithoutCaseAndRefuseToSplitAMessage) {
  Headers headers{{"Accept", "a"}, {"ACCEPT", "b"}};
  EXPECT_EQ(headers.count("accept"), 2u);
  headers.set("accept", "c");
  EXPECT_EQ(headers.get("Accept"), "c");
  EXPECT_THROW(headers.add("X", "a\r\nSet-Cookie: b"), core::BrokenInvariant);
  EXPECT_THROW(headers.add("X y", "a"), core::BrokenInvariant);
  EXPECT_TRUE(Headers({{"Connection", "keep-alive, Upgrade"}}).has_token("connection", "upgrade"));
}

}  // namespace
}  // namespace headrace::net
