#include "net/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

TEST(Url, IsTakenApart) {
  auto url = parse_url("HTTPS://us%40er:p%3aw@Example.ORG:8443/a/b?c=d#fragment");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->user, "us@er");
  EXPECT_EQ(url->password, "p:w");
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/a/b?c=d");
  EXPECT_EQ(url->authority(), "example.org:8443");
}

TEST(Url, HasDefaults) {
  auto url = parse_url("http://h");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, 80);
  EXPECT_EQ(url->target, "/");
  EXPECT_EQ(url->authority(), "h");
  EXPECT_EQ(parse_url("wss://h?x")->port, 443);
  EXPECT_EQ(parse_url("wss://h?x")->target, "/?x");
  EXPECT_EQ(parse_url("http://[::1]:80/")->authority(), "[::1]");
}

TEST(Url, SaysWhatIsWrong) {
  for (const auto& [text, reason] :
       std::vector<std::pair<std::string, std::string>>{{"", "no URL"},
                                                        {"ftp://h", "no URL"},
                                                        {"http://", "no proper host"},
                                                        {"http:///x", "no proper host"},
                                                        {"http://h:0", "port"},
                                                        {"http://h:65536", "port"},
                                                        {"http://h:x", "port"},
                                                        {"http://[::1", "without its ']'"},
                                                        {"http://a b/", "no proper host"},
                                                        {"http://h/a b", "must be written as %XX"},
                                                        {"http://h/\r\nX: y", "must be written as %XX"},
                                                        {"http://%zz@h/", "bad %-escape"}}) {
    auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, core::Code::invalid);
    EXPECT_THAT(url.error().message, HasSubstr(reason)) << text;
  }
}

TEST(Url, DoesNotRepeatAPasswordInAnError) {
  EXPECT_THAT(parse_url("http://u:secret%zz@h/").error().message, ::testing::Not(HasSubstr("secret")));
}

TEST(Url, EscapesAndUnescapes) {
  const std::string all = "a/b c%\xc3\xa4~";
  EXPECT_EQ(percent_encode(all), "a%2Fb%20c%25%C3%A4~");
  EXPECT_THAT(percent_decode(percent_encode(all)), Optional(all));
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%00"), std::nullopt);
  const std::vector<Parameter> parameters{{"a b", "c&d"}, {"e", "="}};
  EXPECT_THAT(parse_query(encode_query(parameters)), Optional(parameters));
}

TEST(Url, CutsAPathIntoDecodedParts) {
  EXPECT_THAT(parse_path("/"), Optional(ElementsAre()));
  EXPECT_THAT(parse_path("/a/"), Optional(ElementsAre("a", "")));
  EXPECT_THAT(parse_path("//a"), Optional(ElementsAre("", "a")));
  EXPECT_THAT(parse_path("/a%2Fb"), Optional(ElementsAre("a/b")));
  EXPECT_EQ(parse_path("/a/%2e%2e"), std::nullopt);
  EXPECT_EQ(parse_path(""), std::nullopt);
}

}  // namespace
}  // namespace headrace::net
