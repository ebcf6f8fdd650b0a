#include "events/formats.h"

#include <gtest/gtest.h>

#include "events/raw_json.h"

namespace headrace::events {
namespace {

TEST(Formats, KnowAUri) {
  for (auto good : {"https://example.com", "https://user:pw@example.com:8080/a%20b?q=/?#f", "urn:headrace:team/hello",
                    "mailto:a@b.c", "http://[::1]:80/", "file:///a", "pkg:generic/x@1", "a+b-c.d:"})
    EXPECT_TRUE(is_uri(good)) << good;
  for (auto bad : {"", "/a", "example.com", "1a:b", "http://exa mple", "http://a/%zz", "http://a/%2", "http://[::1",
                   "http://a:b/", "http://a/<b>", "http://a/#b#c", "http://a\\b", "http://é/"})
    EXPECT_FALSE(is_uri(bad)) << bad;
}

TEST(Formats, KnowAUriReference) {
  for (auto good : {"", "/a/b", "a/b:c", "?q", "#f", "//host/a", "../a", "https://example.com"})
    EXPECT_TRUE(is_uri_reference(good)) << good;
  for (auto bad : {"1a:b", "a b", "%", "/a\n", "a[0]", ":a"}) EXPECT_FALSE(is_uri_reference(bad)) << bad;
}

TEST(Formats, KnowAMediaType) {
  for (auto good : {"text/plain", "application/vnd.api+json; charset=\"utf-8\"", "a/b ;c=d"})
    EXPECT_TRUE(is_media_type(good)) << good;
  for (auto bad : {"", "json", "/json", "text/", "text /plain", "text/plain; a=\n", "a/b/c"})
    EXPECT_FALSE(is_media_type(bad)) << bad;
}

TEST(Formats, KnowACustomType) {
  EXPECT_TRUE(is_custom_type("dev.cdeventsx.headrace-push.accepted.0.1.0"));
  EXPECT_TRUE(is_custom_type("dev.cdeventsx.my2tool-resource.created.9.1.0"));
  for (auto bad : {"dev.cdeventsx.headrace-push.accepted.0.1.10", "dev.cdeventsx.headrace-pu_sh.accepted.0.1.0",
                   "dev.cdeventsx.push.accepted.0.1.0", "dev.cdeventsx.headrace-push.0.1.0",
                   "dev.cdeventsx.-push.accepted.0.1.0", "dev.cdeventsx.headrace-push.accepted.0.1", "dev.cdeventsx."})
    EXPECT_FALSE(is_custom_type(bad)) << bad;
}

std::vector<std::pair<std::string_view, std::string_view>> members_of(std::string_view object) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const auto& member : raw_members(object)) pairs.emplace_back(member.name, member.value);
  return pairs;
}

TEST(RawJson, CutsPiecesAsTheyStand) {
  using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;
  constexpr std::string_view text = R"( {"a" : "}\"," , "b":{"c":[1,{"b":2}] } ,"n":-1.50e3, "t" : true , "e":[]} )";
  EXPECT_EQ(members_of(text), (Pairs{{R"("a")", R"("}\",")"},
                                     {R"("b")", R"({"c":[1,{"b":2}] })"},
                                     {R"("n")", "-1.50e3"},
                                     {R"("t")", "true"},
                                     {R"("e")", "[]"}}));
  EXPECT_EQ(members_of("{}"), Pairs{});
  EXPECT_EQ(members_of("[1]"), Pairs{});
  auto elements = raw_elements(R"([ 1 , "a,b" ,[2,3],{"x":"]"} ])");
  EXPECT_EQ(elements, (std::vector<std::string_view>{"1", R"("a,b")", "[2,3]", R"({"x":"]"})"}));
}

TEST(RawJson, AStringEndsAtTheFirstQuoteThatIsNotEscaped) {
  auto elements = raw_elements(R"(["","\\","\"","a\\\"b","\\\\",{"\"":"\\"},"z"])");
  EXPECT_EQ(elements, (std::vector<std::string_view>{R"("")", R"("\\")", R"("\"")", R"("a\\\"b")", R"("\\\\")",
                                                     R"({"\"":"\\"})", R"("z")"}));
}

TEST(RawJson, ReadsTheTextOfAString) {
  std::string kept;
  EXPECT_EQ(plain_text(R"("abc")", kept), "abc");
  EXPECT_EQ(plain_text(R"("")", kept), "");
  EXPECT_EQ(plain_text(R"("a\u00e9\n")", kept), "a\xc3\xa9\n");
}

TEST(RawJson, TellsJsonTextFromOther) {
  for (auto good : {"1", " {\"a\":[]} ", "\"\\u00e9\"", "-0.1e+7", "null\n"}) EXPECT_TRUE(is_json_text(good)) << good;
  for (auto bad : {"", " ", "{", "1 2", "{\"a\":1},", "01", "nul", "\"\xff\"", "'a'", "[1,]", "// c\n1"})
    EXPECT_FALSE(is_json_text(bad)) << bad;
  std::string deep(65, '[');
  EXPECT_FALSE(is_json_text(deep + std::string(65, ']')));
}

}  // namespace
}  // namespace headrace::events
