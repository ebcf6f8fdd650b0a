#include "server/packing.h"

#include <gmock/gmock.h>

#include "core/bytes.h"
#include "git/gunzip.h"
#include "server/testing/world.h"

namespace headrace::server {
namespace {

using ::testing::IsEmpty;

std::string unpacked(std::string_view packed) {
  std::string plain(1 << 22, '\0');
  auto step = git::Gunzip().step(core::as_bytes(packed), std::as_writable_bytes(std::span(plain)));
  EXPECT_TRUE(step && step->ended);
  plain.resize(step ? step->made : 0);
  return plain;
}

class Packing : public ::testing::Test {
 protected:
  net::Response ask(const std::string& method, const std::string& path, const std::string& takes,
                    std::string body = std::string()) {
    net::ClientRequest request{path, method, {{"Content-Type", "application/json"}}, std::move(body)};
    if (!takes.empty()) request.headers.set("Accept-Encoding", takes);
    return world.ask(std::move(request));
  }
  testing::World world;
};

TEST_F(Packing, IsForThoseWhoTakeItAndSaysTheSame) {
  auto plain = ask("GET", "/api/v1/openapi.json", "");
  EXPECT_EQ(plain.headers.get("Content-Encoding"), "");
  ASSERT_GT(plain.body.size(), packed_on_loop);
  for (const char* takes : {"gzip", "br, gzip;q=0.5", "deflate,GZIP"}) {
    auto packed = ask("GET", "/api/v1/openapi.json", takes);
    EXPECT_EQ(packed.headers.get("Content-Encoding"), "gzip") << takes;
    EXPECT_EQ(packed.headers.get("Vary"), "Accept-Encoding");
    EXPECT_LT(packed.body.size(), plain.body.size() / 4);
    EXPECT_EQ(unpacked(packed.body), plain.body);
  }
  for (const char* takes : {"br", "gzip;q=0", "identity"})
    EXPECT_EQ(ask("GET", "/api/v1/openapi.json", takes).body, plain.body) << takes;
  auto head = ask("HEAD", "/api/v1/openapi.json", "gzip");
  EXPECT_EQ(head.headers.get("Content-Encoding"), "gzip");
  EXPECT_THAT(head.body, IsEmpty());
}

TEST_F(Packing, LeavesWhatIsSmallAndWhatIsAnError) {
  auto small = ask("GET", "/api/v1/whoami", "gzip");
  EXPECT_EQ(small.headers.get("Content-Encoding"), "");
  EXPECT_LT(small.body.size(), packed_least);
  EXPECT_EQ(ask("GET", "/api/v1/runs?" + std::string(3'000, 'x') + "=1", "gzip").headers.get("Content-Encoding"), "");
}

TEST_F(Packing, NeverTouchesWhatARequestWithABodyMade) {
  auto made = ask("POST", "/api/v1/tokens", "gzip",
                  R"({"name":")" + std::string(100, 'n') + R"(","scopes":["run:read","repo:read"]})");
  ASSERT_LT(static_cast<int>(made.status), 300) << made.body;
  EXPECT_EQ(made.headers.get("Content-Encoding"), "");
  EXPECT_TRUE(core::string_at(testing::json_of(made), "token"));
  Route post;
  post.method = net::Method::post;
  Route stream;
  stream.method = net::Method::get;
  stream.about.answer = "text/event-stream";
  net::Request request;
  request.headers.set("Accept-Encoding", "gzip");
  EXPECT_FALSE(may_be_packed(post, request));
  EXPECT_FALSE(may_be_packed(stream, request));
  Route get;
  get.method = net::Method::get;
  EXPECT_TRUE(may_be_packed(get, request));
}

TEST(Gzip, GivesBackWhatItWasGiven) {
  for (const std::string& text : {std::string(), std::string("a"), std::string(300'000, 'x')})
    EXPECT_EQ(unpacked(gzip(text)), text);
}

}  // namespace
}  // namespace headrace::server
